"""`leadlift problems`, as a user runs it."""

import json

import pandas as pd
import pytest

from leadlift.data import make_world

CONFIG = """\
version: 1
name: crm
deals: {{file: deals.csv{more}}}
problems: {{resamples: 4}}
"""


@pytest.fixture(scope="module")
def deals():
    return make_world(leads=100, organisations=1_500, problems=3, products=18, deals_per_organisation=8.0, seed=2).deals


@pytest.fixture
def written(folder, deals):
    def write(frame=deals, more=""):
        frame.to_csv(folder / "deals.csv", index=False)
        (folder / "crm.yaml").write_text(CONFIG.format(more=more), encoding="utf-8")
        return folder

    return write


def test_from_deals_to_problems(written, leadlift):
    folder = written()
    ended = leadlift("problems", "crm.yaml")
    assert ended.code == 0, ended.err
    assert "3 client problems found" in ended.out
    out = folder / "results" / "crm"
    result = json.loads((out / "results.json").read_text())
    assert len(result["problems"]) == 3
    assert result["rows"]["read"] == result["rows"]["used"] + sum(result["rows"]["dropped"].values())
    assert result["mlflow"]["run_id"]
    page = (out / "report.html").read_text()
    assert "3 client problems found" in page
    assert page.count("<svg") == 4
    organisations = pd.read_csv(out / "tables" / "organisations.csv")
    assert len(organisations) == result["n_organisations"]
    following = pd.read_csv(out / "tables" / "next_products.csv")
    had = pd.read_csv(folder / "deals.csv").query("won")[["organisation_id", "product"]].drop_duplicates()
    assert following.merge(had, on=["organisation_id", "product"]).empty
    assert (following["lift_lower"] <= following["lift"]).all()
    assert (following["lift"] <= following["lift_upper"]).all()
    assert following["because"].notna().all()


def test_the_tracked_run_names_no_organisation(written, leadlift, folder):
    written()
    leadlift("problems", "crm.yaml")
    kept = [path for path in (folder / "mlruns" / "artifacts").rglob("*") if path.is_file()]
    assert {"report.html", "results.json", "intersections.csv"} <= {path.name for path in kept}
    for path in kept:
        if path.suffix != ".png":
            assert "org-00" not in path.read_text(encoding="utf-8"), path


def test_again_gives_the_same_numbers(written, leadlift):
    folder = written()
    found = []
    for name in ("one", "two"):
        leadlift("problems", "crm.yaml", "--out", name)
        values = json.loads((folder / name / "results.json").read_text())
        found.append({key: value for key, value in values.items() if key not in ("created_at", "mlflow")})
    assert found[0] == found[1]


def test_no_problems_is_an_answer(written, leadlift):
    lonely = make_world(leads=100, organisations=400, deals_per_organisation=3, problem_signal=0.0, seed=1).deals
    written(lonely)
    ended = leadlift("problems", "crm.yaml")
    assert ended.code == 0
    assert "No problems found" in ended.out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"organisation_id": None}, "no_organisation"),
        ({"product": "one"}, "one-product"),
        ({"amount": -1.0}, "negative-amount"),
    ],
)
def test_deals_that_cannot_be_used_leave_nothing_behind(written, leadlift, deals, change, words):
    folder = written(deals.assign(**change))
    ended = leadlift("problems", "crm.yaml")
    assert ended.code == 1
    assert words in ended.err
    assert not (folder / "results").exists()


def test_an_unknown_key_is_named(written, leadlift):
    folder = written(more=", organization: x")
    ended = leadlift("problems", "crm.yaml")
    assert ended.code == 1
    assert "did you mean `organisation`?" in ended.err
    assert not (folder / "mlruns").exists()


@pytest.fixture(scope="module")
def effects(deals):
    """Calls gain two points on every other product, four on the first."""
    products = sorted(deals["product"].unique())[::2]
    frame = pd.DataFrame({"product": products, "mechanic": "call", "effect": 0.02, "se": 0.004})
    frame.loc[0, "effect"] = 0.08
    return frame.assign(n_treatment=12_000, n_control=12_000)


IDEAS = "effects: {file: effects.csv, chosen_by: lot}\nideas: {margin: 0.03, break_even: 0.005, hypotheses: 5}\n"


def test_funnels_and_mechanics_from_measured_effects(written, leadlift, effects):
    folder = written()
    effects.to_csv(folder / "effects.csv", index=False)
    with (folder / "crm.yaml").open("a") as file:
        file.write(IDEAS)
    ended = leadlift("problems", "crm.yaml")
    assert ended.code == 0, ended.err
    assert "Funnels to unify" in ended.out
    assert "Mechanics worth trying" in ended.out
    out = folder / "results" / "crm"
    result = json.loads((out / "results.json").read_text())
    tried = set(effects["product"])
    hypotheses = result["ideas"]["hypotheses"]
    assert len(hypotheses) == 5
    assert not tried & {one["product"] for one in hypotheses}
    assert result["ideas"]["rows"] == {"read": 9, "used": 9, "dropped": {}}
    assert sum(len(group["unify"]) for group in result["ideas"]["funnels"]) >= 1
    comparisons = pd.read_csv(out / "tables" / "funnel_comparisons.csv")
    first = comparisons[(comparisons[["product", "other"]] == effects["product"][0]).any(axis=1)]
    assert set(first["answer"]) == {"keep apart"}
    assert (comparisons["equivalence_lower"] < comparisons["difference"]).all()
    table = pd.read_csv(out / "tables" / "hypotheses.csv")
    assert {"n_per_arm", "lower", "upper", "rank_information"} <= set(table.columns)
    page = (out / "report.html").read_text()
    assert "Mechanics worth trying, by expected gain" in page
    assert result["settings"]["effects"]["file"] == "effects.csv"


def test_without_effects_the_page_says_what_is_missing(written, leadlift):
    folder = written()
    leadlift("problems", "crm.yaml")
    page = (folder / "results" / "crm" / "report.html").read_text()
    assert "no measured effects: there is nothing to transfer" in page
    assert "Mechanics worth trying, by expected gain" not in page


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("effects: {file: absent.csv}\n", "absent.csv"),
        ("effects: {}\n", "one of them"),
        ("ideas: {margin: 0}\n", "margin"),
        ("ideas: {break_even: a lot}\n", "`ideas.break_even` is a number, or a mapping of mechanics to numbers"),
        ("ideas: {break_even: {call: .nan}}\n", "`ideas.break_even.call` is a finite number"),
        ("effects: {file: effects.csv}\nideas: {break_even: {cal: 0.1}}\n", "did you mean `call`"),
    ],
)
def test_effects_that_cannot_be_used_are_said(written, leadlift, effects, settings, words):
    folder = written()
    effects.to_csv(folder / "effects.csv", index=False)
    with (folder / "crm.yaml").open("a") as file:
        file.write(settings)
    ended = leadlift("problems", "crm.yaml")
    assert ended.code == 1
    assert words in ended.err
    assert not (folder / "results").exists() or not any((folder / "results").iterdir())


def test_no_spreadsheet_executes_a_table(written, leadlift, deals):
    first, second = sorted(deals["product"].unique())[:2]
    names = {first: '=HYPERLINK("http://example.com")', second: "@SUM(A1)"}
    clients = deals["organisation_id"].where(deals["organisation_id"] != deals["organisation_id"].min(), "=1+1")
    folder = written(deals.assign(product=deals["product"].replace(names), organisation_id=clients))
    assert leadlift("problems", "crm.yaml").code == 0
    cells = [
        str(cell)
        for path in (folder / "results" / "crm" / "tables").glob("*.csv")
        for column in pd.read_csv(path, dtype="str", keep_default_na=False).items()
        for cell in column[1]
    ]
    # Also where products are listed in one cell.
    assert not [cell for cell in cells if cell.startswith(("=", "@")) or "; =" in cell or "; @" in cell]
    assert {"'@SUM(A1)", "'=1+1"} <= set(cells)


def test_an_unknown_mixture_is_left_empty(written, leadlift, deals):
    one = deals.query("won").iloc[[0, 0, 0]].assign(organisation_id=["a", "b", "c"], product="of no problem")
    folder = written(pd.concat([deals, one]))
    leadlift("problems", "crm.yaml")
    table = pd.read_csv(folder / "results" / "crm" / "tables" / "organisations.csv").set_index("organisation_id")
    unknown = table["main_problem"] == "unknown"
    assert unknown[["a", "b", "c"]].all()
    shares = table.drop(columns="main_problem")
    assert shares[unknown].isna().all(axis=None)
    assert shares[~unknown].notna().all(axis=None)


def test_leads_per_arm_that_are_not_known_are_explained(written, leadlift, effects):
    folder = written()
    effects.drop(columns=["n_treatment", "n_control"]).to_csv(folder / "effects.csv", index=False)
    with (folder / "crm.yaml").open("a") as file:
        file.write(IDEAS)
    ended = leadlift("problems", "crm.yaml")
    assert "Leads per arm are not known, since no effect tells" in " ".join(ended.out.split())
    assert "(– leads per arm)" not in ended.out


def test_a_later_search_keeps_the_names(written, leadlift, deals):
    folder = written()
    leadlift("problems", "crm.yaml", "--out", "first")
    names = {"P1": "P9", "P2": "P4", "P3": "P2"}
    model = folder / "first" / "problem_model.json"
    values = json.loads(model.read_text())
    assert values["problems"] == list(names)
    model.write_text(json.dumps({**values, "problems": list(names.values())}))
    before = pd.read_csv(folder / "first" / "tables" / "products.csv").set_index("product")["problem"].map(names)
    ended = leadlift("problems", "crm.yaml", "--out", "second", "--previous", "first")
    assert ended.code == 0, ended.err
    assert "kept 3, new 0, gone 0" in ended.out
    after = pd.read_csv(folder / "second" / "tables" / "products.csv").set_index("product")["problem"]
    pd.testing.assert_series_equal(after, before, check_names=False)
    assert json.loads((folder / "second" / "results.json").read_text())["names"]["kept"] == ["P2", "P4", "P9"]
    ended = leadlift("problems", "crm.yaml", "--out", "third", "--previous", "crm.yaml")
    assert ended.code == 1
    assert "holds something else" in ended.err
    assert not (folder / "third").exists()


def test_an_experiments_ledger_is_searched_as_of_a_day(folder, leadlift, deals):
    experiment = {
        "version": 1,
        "name": "spring",
        "ledger": "crm.duckdb",
        "experiment": {"arms": {"control": {"share": 0.5}, "call": {"share": 0.5}}},
    }
    (folder / "spring.yaml").write_text(json.dumps(experiment), encoding="utf-8")
    deals.to_csv(folder / "deals.csv", index=False)
    assert leadlift("import", "spring.yaml", "deals", "deals.csv").code == 0
    ended = leadlift("problems", "spring.yaml", "--as-of", "2026-01-01")
    assert ended.code == 0, ended.err
    result = json.loads((folder / "results" / "spring-problems" / "results.json").read_text())
    assert result["rows"]["read"] == len(deals)
    assert result["rows"]["dropped"]["after_as_of"] > 0
    assert result["known_until"] < "2026-01-01"
    assert len(result["problems"]) == 3
    assert result["settings"]["deals"]["ledger"] == "crm.duckdb"
    ended = leadlift("problems", "spring.yaml", "--as-of", "soon")
    assert ended.code == 1
    assert "as_of" in ended.err
