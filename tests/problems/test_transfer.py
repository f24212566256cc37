import numpy as np
import pandas as pd
import pytest
from scipy import stats

from leadlift.base.errors import DataError, NotFittedError
from leadlift.problems import TransferModel
from leadlift.problems.transfer_gaussian import Field, posterior
from leadlift.problems.transfer_trying import selected, trying_index

SPREAD = {"mechanic": 0.5, "product": 0.6, "problem": 0.4, "problem x mechanic": 0.7, "cell": 0.3, "selection": 0.5}


def small_field(seed=0, products=7, mechanics=3, problems=2):
    rng = np.random.default_rng(seed)
    shape = (products, mechanics)
    tried = rng.random(shape) < 0.5
    tried[0] = False
    tried[1] = True
    return Field(
        effect=np.where(tried, rng.normal(1, 1, shape), np.nan),
        noise=np.where(tried, rng.uniform(0.1, 0.5, shape), np.nan),
        profile=rng.dirichlet(np.ones(problems), products),
        covariate=rng.normal(size=(*shape, 1)),
        mean_sd=5.0,
        covariate_sd=np.array([0.8]),
        shift=rng.normal(size=shape),
        narrowing=rng.uniform(0, 0.8, shape),
    )


def dense(field, spread):
    """Mean and covariance of all cells before anything is measured, and the answer given what was."""
    products, mechanics = field.effect.shape
    product, mechanic = np.divmod(np.arange(products * mechanics), mechanics)
    same_product, same_mechanic = product[:, None] == product, mechanic[:, None] == mechanic
    alike = (field.profile @ field.profile.T)[np.ix_(product, product)]
    x = field.covariate.reshape(-1, 1)
    prior = field.mean_sd**2 + field.covariate_sd[0] ** 2 * x @ x.T
    prior = prior + spread["mechanic"] ** 2 * same_mechanic + spread["product"] ** 2 * same_product
    prior = prior + spread["problem"] ** 2 * alike + spread["problem x mechanic"] ** 2 * alike * same_mechanic
    own = spread["cell"] ** 2 * (1 - spread["selection"] ** 2 * field.narrowing.ravel())
    prior = prior + np.diag(own)
    mean = spread["selection"] * np.hypot(spread["product"], spread["cell"]) * field.shift.ravel()
    seen = np.flatnonzero(field.tried.ravel())
    total = prior[np.ix_(seen, seen)] + np.diag(field.noise.ravel()[seen])
    value = field.effect.ravel()[seen]
    gain = prior[:, seen] @ np.linalg.inv(total)
    likelihood = stats.multivariate_normal(mean[seen], total).logpdf(value)
    return likelihood, mean + gain @ (value - mean[seen]), prior - gain @ prior[seen]


@pytest.mark.parametrize("seed", range(3))
def test_low_rank_gives_what_the_whole_covariance_gives(seed):
    field = small_field(seed)
    likelihood, mean, covariance = dense(field, SPREAD)
    found = posterior(field, SPREAD)
    assert found.log_likelihood == pytest.approx(likelihood, rel=1e-10)
    means, variances = found.predict()
    np.testing.assert_allclose(means.ravel(), mean, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(variances.ravel(), np.diag(covariance), rtol=1e-8)
    cells = np.arange(field.effect.size)
    asked = found.covariance(*np.divmod(cells, field.effect.shape[1]))
    np.testing.assert_allclose(asked.reshape(len(cells), -1), covariance, atol=1e-10)


def test_parts_without_spread_are_no_part():
    field = small_field()
    none = dict.fromkeys(SPREAD, 0.0)
    likelihood, mean, _ = dense(field, none)
    found = posterior(field, none)
    assert found.log_likelihood == pytest.approx(likelihood, rel=1e-9)
    np.testing.assert_allclose(found.predict()[0].ravel(), mean, rtol=1e-8)


def test_shift_and_narrowing_are_those_of_chosen_normals():
    rng, rho, bar = np.random.default_rng(1), 0.6, 1.2
    cell = rng.normal(size=1_000_000)
    index = rho * cell + np.sqrt(1 - rho**2) * rng.normal(size=cell.size)
    tried = index > bar
    shift, narrowing = selected(np.array([True, False]), np.full(2, -bar))
    for at, group in enumerate((tried, ~tried)):
        assert cell[group].mean() == pytest.approx(rho * shift[at], abs=0.01)
        assert cell[group].var() == pytest.approx(1 - rho**2 * narrowing[at], abs=0.01)


def test_the_trying_index_is_that_of_mechanics_and_problems():
    rng = np.random.default_rng(2)
    profile = np.eye(2)[rng.integers(2, size=2_000)]
    chance = np.array([[0.05, 0.3], [0.2, 0.6]])[profile.argmax(axis=1)]
    index = trying_index(rng.random(chance.shape) < chance, profile)
    np.testing.assert_allclose(index, stats.norm.ppf(chance), atol=0.2)
    assert (trying_index(np.ones((3, 2), dtype=bool), np.empty((3, 0))) > 2).all()


def company(seed=0, *, products=60, cell=0.2, measured=0.3):
    """Products of three problems; which mechanic works depends on the problem alone. Cells are tried by lot."""
    rng = np.random.default_rng(seed)
    problem = np.arange(products) % 3
    works = np.array([[3.0, 0.0], [0.0, 3.0], [1.0, 1.0]])
    truth = works[problem] + cell * rng.normal(size=(products, 2))
    rows, columns = np.nonzero(rng.random(truth.shape) < measured)
    frame = pd.DataFrame({"product": [f"p{k:02d}" for k in rows], "mechanic": np.array(["call", "sms"])[columns]})
    frame["effect"] = truth[rows, columns] + 0.3 * rng.normal(size=len(rows))
    frame["se"] = 0.3
    profiles = pd.DataFrame(np.eye(3)[problem], columns=["P1", "P2", "P3"])
    return frame, profiles.assign(product=[f"p{k:02d}" for k in range(products)]), truth


@pytest.fixture(scope="module")
def fitted():
    effects, profiles, truth = company()
    return TransferModel(selection="none", points=128).fit(effects, profiles), truth


def test_products_of_a_problem_lend_each_other_their_uplift(fitted):
    model, truth = fitted
    found = model.predict()
    mean = found["predicted"].to_numpy().reshape(-1, 2)
    untried = ~found["tried"].to_numpy().reshape(-1, 2)
    assert np.corrcoef(mean[untried], truth[untried])[0, 1] > 0.95
    inside = (found["lower"] < truth.ravel()) & (truth.ravel() < found["upper"])
    assert inside[~found["tried"]].mean() > 0.85
    assert model.components_["component"].tolist()[-2:] == ["cell", "selection"]


def test_an_untried_cell_keeps_what_is_its_own():
    effects, profiles, truth = company(cell=1.0, measured=0.9, products=150)
    exact = effects.assign(effect=truth[effects["product"].str[1:].astype(int), (effects["mechanic"] == "sms") * 1])
    found = TransferModel(selection="none", points=64).fit(exact.assign(se=0.001), profiles).predict()
    assert found[~found["tried"]]["sd"].between(0.85, 1.3).all()
    assert (found[found["tried"]]["sd"] < 0.01).all()


def test_without_profiles_and_with_one_mechanic(fitted):
    effects, _, _ = company()
    calls = effects[effects["mechanic"] == "call"]
    found = TransferModel(points=64).fit(calls, products=["never"]).predict()
    unseen = found.set_index("product").loc["never"]
    # Tried cells are taken to be better than others: a product never tried is expected below their mean.
    assert unseen["predicted"] < calls["effect"].mean()
    assert unseen["lower"] < calls["effect"].min() + 1


def test_row_order_and_units_do_not_matter():
    effects, profiles, _ = company()
    model = TransferModel(points=32)
    first = model.fit(effects, profiles).predict()
    again = model.fit(effects.sample(frac=1, random_state=1), profiles.iloc[::-1]).predict()
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    scaled = model.fit(effects.assign(effect=effects["effect"] * 100, se=effects["se"] * 100), profiles).predict()
    np.testing.assert_allclose(scaled["predicted"], 100 * first["predicted"], rtol=1e-4, atol=1e-2)


def test_recorded_beliefs_stand_in_for_the_correction():
    effects, profiles, truth = company(measured=0.5)
    cells = [(product, mechanic) for product in profiles["product"] for mechanic in ("call", "sms")]
    believed = pd.DataFrame(cells, columns=["product", "mechanic"]).assign(believed=truth.ravel())
    model = TransferModel(points=64).fit(effects, believed=believed, products=list(profiles["product"]))
    found = model.predict().set_index(["product", "mechanic"])["predicted"].loc[cells]
    assert model.components_.set_index("component").loc["selection", "median"] == 0
    assert np.corrcoef(found, truth.ravel())[0, 1] > 0.95
    with pytest.raises(DataError, match="belief-missing"):
        TransferModel().fit(effects, profiles, believed=believed.iloc[:-1])


def test_selection_brings_predictions_down_and_widens_intervals():
    effects, profiles, _ = company()
    corrected = TransferModel(points=64).fit(effects, profiles).predict()
    ignored = TransferModel(points=64, selection="none").fit(effects, profiles).predict()
    untried = ~corrected["tried"]
    assert (corrected["predicted"] < ignored["predicted"])[untried].mean() > 0.9
    assert (corrected["sd"] > ignored["sd"])[untried].mean() > 0.9


def test_repeated_measurements_are_weighed_and_compared():
    effects, profiles, _ = company()
    twice = pd.concat([effects, effects.assign(effect=effects["effect"] + 3)])
    model = TransferModel(points=16).fit(twice, profiles)
    first = effects.set_index(["product", "mechanic"])["effect"]
    measured = model.predict().query("tried").set_index(["product", "mechanic"])
    np.testing.assert_allclose(measured["measured"], first.loc[measured.index] + 1.5)
    np.testing.assert_allclose(measured["se"], 0.3 / np.sqrt(2))
    assert {check.code: check.status for check in model.checks_}["repeated-studies"] == "warn"


def test_products_without_a_profile_are_said():
    effects, profiles, _ = company()
    model = TransferModel(points=16).fit(effects, profiles.iloc[3:])
    assert model.cells_.problems[-1] == "unknown"
    lost = set(effects["product"]) & {"p00", "p01", "p02"}
    assert {check.code: check.value for check in model.checks_}["products-without-profile"] == len(lost)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda f: f.drop(columns="se"), "column"),
        (lambda f: f.assign(se=0.0), "se"),
        (lambda f: f.assign(se=-1.0), "se"),
        (lambda f: f.iloc[:3], "too-few-effects"),
        (lambda f: f.assign(effect=np.nan), "too-few-effects"),
        (lambda f: f.assign(effect="3%"), "number"),
        (lambda f: f.assign(se=["a few", *f["se"].astype(str)[1:]]), "number"),
        (lambda f: f.assign(n_treatment=-5), "arm-size"),
        (lambda f: f.assign(n_control="many"), "number"),
    ],
)
def test_effects_that_cannot_be_used_are_refused(change, code):
    effects, profiles, _ = company()
    with pytest.raises(DataError, match=rf"\[{code}\]"):
        TransferModel().fit(change(effects), profiles)


def test_profiles_that_cannot_be_used_are_refused():
    effects, profiles, _ = company()
    with pytest.raises(DataError, match="profile-twice"):
        TransferModel().fit(effects, pd.concat([profiles, profiles.iloc[:1]]))
    with pytest.raises(DataError, match="profile-weight"):
        TransferModel().fit(effects, profiles.assign(P1=-1.0))
    with pytest.raises(DataError, match="profile-numbers"):
        TransferModel().fit(effects, profiles.assign(name="text"))


def test_missing_effects_are_counted():
    effects, profiles, _ = company()
    gaps = effects.assign(effect=effects["effect"].mask(effects.index < 2))
    account = TransferModel(points=16).fit(gaps, profiles).cells_.account
    assert account.to_dict() == {
        "read": len(effects),
        "used": len(effects) - 2,
        "dropped": {"effect_or_error_missing": 2},
    }


def test_names_are_read_as_those_of_deals():
    effects, _, _ = company()
    numbered = effects.assign(product=effects["product"].str[1:].astype(float))
    cells = TransferModel(points=16).fit(numbered).cells_
    assert {str(int(name)) for name in numbered["product"]} == set(cells.products)
    blank = effects.assign(mechanic=effects["mechanic"].mask(effects.index < 2, " "))
    assert TransferModel(points=16).fit(blank).cells_.account.dropped == {"product_or_mechanic_missing": 2}


def test_settings_are_checked_and_fit_comes_first():
    effects, _, _ = company()
    with pytest.raises(NotFittedError):
        TransferModel().predict()
    for wrong in (
        {"selection": "chosen"},
        {"level": 95},
        {"level": "a"},
        {"points": 100},
        {"points": 64.0},
        {"seed": -1},
    ):
        with pytest.raises(DataError):
            TransferModel(**wrong).fit(effects)
