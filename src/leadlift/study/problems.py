"""`leadlift problems`: deals -> intersections, problems, next products; tracked and reported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from leadlift.base.config import parse_config
from leadlift.base.digest import digest_of, frame_digest
from leadlift.base.problem_config import ProblemsConfig, parse_problems, read_problems
from leadlift.base.record import known, plain
from leadlift.base.yaml import is_experiment, read_experiment, read_yaml
from leadlift.data.door import to_pandas
from leadlift.data.ledger.opening import WAIT
from leadlift.design import safe_table
from leadlift.problems import ProblemModel, ideas
from leadlift.problems.ideas import Ideas
from leadlift.problems.labels import UNKNOWN
from leadlift.problems.records import CandidateSet, NamesKept, Pair, ProblemsResult
from leadlift.problems.saved import SavedProblems, saved_problems
from leadlift.report.problem_figures import problem_figures
from leadlift.report.problem_page import problem_headline, problems_html
from leadlift.study.files import check_folder, staging
from leadlift.study.idea_inputs import idea_tables, listed_ideas, read_effects
from leadlift.study.import_ import ledger_path
from leadlift.study.problem_files import MODEL, deals_frame, read_model
from leadlift.study.progress import Progress, Silent
from leadlift.study.tracking import Tracker
from leadlift.study.versions import versions

SHOWN_PAIRS = 50
SHOWN_DISAGREEMENTS = 20


def find_problems(
    config: ProblemsConfig | Mapping[str, Any] | str | Path,
    deals: Any = None,
    out: str | Path | None = None,
    *,
    effects: Any = None,
    as_of: str | None = None,
    previous: str | Path | None = None,
    wait: float = WAIT,
    progress: Progress | None = None,
) -> ProblemsResult:
    """Finds the client problems that deals reveal: what `leadlift problems` does.

    Args:
        config: a configuration, its plain values, or the path of its YAML file; or that of an experiment, in whose
            ledger the deals are.
        deals: a row per deal; None: read from the file or the ledger that the configuration names.
        out: folder for results.json, report.html, figures and tables; None: they go into the MLflow run only.
        effects: a row per study: `product`, `mechanic`, `effect`, `se`; None: read from what the configuration names,
            if it names any.
        as_of: the day before which deals count, YYYY-MM-DD; None: as the configuration says.
        previous: `problem_model.json` of an earlier search, or its folder, whose names problems keep; None: as the
            configuration says.
        wait: seconds to wait for another process that has the ledger open.
        progress: listens to the steps.

    Raises:
        ConfigError: the configuration can't be used.
        FileError: the deals can't be read, or the folder not written.
        DataError: the deals can't be used; every problem is named.
        TrackingError: the MLflow store can't be used.
    """
    listener: Progress = progress or Silent()
    settings, beside = _settings(config, as_of)
    earlier = _earlier(settings, beside, previous)
    folder = None if out is None else Path(out)
    if folder is not None:
        check_folder(folder)
    if deals is None:
        with listener.step("reading"):
            deals = deals_frame(settings.deals, beside, wait)
    if effects is None and settings.effects is not None:
        effects = read_effects(settings.effects, beside)
    tracker = Tracker(parse_config({"name": settings.name, "tracking": settings.tracking.model_dump()}))
    model = make_model(settings)
    with listener.step("finding problems", settings.problems.resamples + 2) as tick:
        model.fit(deals, previous=None if earlier is None else earlier.product_problem, tick=tick)
    with listener.step("funnels and mechanics"):
        found = find_ideas(settings, model, effects)
    if settings.upsell.products:
        with listener.step("ranking next products"):
            model.next_deals()
    with listener.step("writing"):
        now = datetime.now(UTC)
        saved = saved_problems(model, created_at=pd.Timestamp(now).floor("s"), deals_digest=_deals_digest(model))
        result = _result(settings, model, found, effects, saved)
        return _written(replace(result, names=_names(saved, earlier)), model, saved, settings, tracker, folder)


def make_model(config: ProblemsConfig) -> ProblemModel:
    """The model that a configuration asks for."""
    return ProblemModel(
        q=config.problems.false_discovery_rate,
        resamples=config.problems.resamples,
        stable=config.problems.stable,
        least_products=config.problems.least_products,
        error=config.problems.error,
        as_of=config.as_of,
        columns=config.deals.columns,
        returns=config.deals.returns,
        timezone=config.deals.timezone,
        seed=config.seed,
    )


def find_ideas(config: ProblemsConfig, model: ProblemModel, effects: Any) -> Ideas:
    """Funnels and hypotheses as the configuration asks for them."""
    by_lot = config.effects is not None and config.effects.chosen_by == "lot"
    return ideas(
        model,
        effects,
        selection="none" if by_lot else "believed_gain",
        margin=config.ideas.margin,
        break_even=config.ideas.break_even,
        most=config.ideas.hypotheses,
        seed=config.seed,
    )


def default_folder(config: str | Path) -> Path:
    """Where the results go: results/ and the configuration's name; an experiment's own results are there already."""
    path = Path(config)
    searched = path.is_file() and is_experiment(read_yaml(path))
    return Path("results") / (f"{path.stem}-problems" if searched else path.stem)


def _settings(
    config: ProblemsConfig | Mapping[str, Any] | str | Path, as_of: str | None
) -> tuple[ProblemsConfig, Path | None]:
    beside: Path | None = None
    if isinstance(config, ProblemsConfig):
        settings = config
    elif isinstance(config, Mapping):
        settings = parse_problems(config)
    else:
        beside = Path(config).parent
        settings = _in_ledger(Path(config)) if is_experiment(read_yaml(Path(config))) else read_problems(config)
    if as_of is None:
        return settings, beside
    return parse_problems({**settings.model_dump(exclude_unset=True), "as_of": as_of}, "the command"), beside


def _in_ledger(path: Path) -> ProblemsConfig:
    """The search in the ledger of an experiment."""
    experiment = read_experiment(path)
    ledger = ledger_path(experiment, path.parent).name
    tracking = experiment.tracking.model_dump()
    name = f"{experiment.name}-problems"
    values = {"name": name, "deals": {"ledger": ledger}, "seed": experiment.seed, "tracking": tracking}
    return parse_problems(values, path.name)


def _earlier(config: ProblemsConfig, beside: Path | None, previous: str | Path | None) -> SavedProblems | None:
    if previous is not None:
        return read_model(previous, None)
    return None if config.previous is None else read_model(config.previous, beside)


def _names(saved: SavedProblems, earlier: SavedProblems | None) -> NamesKept | None:
    if earlier is None:
        return None
    before, now = set(earlier.names), set(saved.names)
    return NamesKept(
        kept=tuple(name for name in saved.names if name in before),
        new=tuple(name for name in saved.names if name not in before),
        gone=tuple(name for name in earlier.names if name not in now),
    )


def _result(
    config: ProblemsConfig, model: ProblemModel, suggested: Ideas, effects: Any, saved: SavedProblems
) -> ProblemsResult:
    found, table = model.intersections_, model.deals_
    products = model.product_problem_
    elsewhere = products[products["problem"].notna() & ~products["agrees"]]
    surest = found.frame(most=SHOWN_PAIRS)
    return ProblemsResult(
        study=config.name,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        config_digest=digest_of(config.for_digest()),
        deals_digest=saved.deals_digest,
        as_of=None if config.as_of is None else config.as_of.isoformat(),
        versions=versions(),
        rows=table.account,
        checks=table.checks,
        n_organisations=len(table.organisations),
        n_products=len(table.products),
        n_pairs=found.n_pairs,
        n_significant=int((found.q_value < model.q).sum()),
        pairs=tuple(Pair(**_named(row)) for row in surest.to_dict("records")),
        problems=model.problems_,
        candidate_sets=tuple(
            CandidateSet(**{**_named(row), "gain_se": known(row["gain_se"])})
            for row in model.selection_.to_dict("records")
        ),
        n_refused=int((~model.candidates_["problem"].astype(bool)).sum()),
        disagreements=tuple(elsewhere["product"].head(SHOWN_DISAGREEMENTS)),
        n_unknown=int((model.main_problems() == UNKNOWN).sum()),
        ideas=suggested,
        next_deals=model.next_deals().test if config.upsell.products else None,
        effects_digest=None if effects is None else frame_digest(to_pandas(effects)),
        known_until=None if saved.known_until is None else saved.known_until.isoformat(),
        model_digest=saved.digest,
        settings=plain(config.published()),
    )


def _named(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def _deals_digest(model: ProblemModel) -> str:
    matrix = model.deals_.matrix.tocoo()
    frame = pd.DataFrame({"organisation": matrix.row, "product": matrix.col, "day": model.deals_.first_day})
    return frame_digest(frame)


def _written(
    result: ProblemsResult,
    model: ProblemModel,
    saved: SavedProblems,
    config: ProblemsConfig,
    tracker: Tracker,
    folder: Path | None,
) -> ProblemsResult:
    figures = problem_figures(saved)
    tables = _tables(model) | idea_tables(result.ideas)
    result = replace(result, ideas=listed_ideas(result.ideas))
    with staging(folder) as temporary:
        run = tracker.open_named(result.study, _tags(result))
        with tracker.closed(run, failed=False):
            result = replace(result, mlflow=run)
            (temporary / "tables").mkdir()
            (temporary / "figures").mkdir()
            for name, drawn in figures.items():
                (temporary / "figures" / f"{name}.svg").write_text(drawn.svg, encoding="utf-8")
                (temporary / "figures" / f"{name}.png").write_bytes(drawn.png_bytes)
            for name, table in tables.items():
                safe_table(table).to_csv(temporary / "tables" / f"{name}.csv", index=False)
            (temporary / MODEL).write_text(saved.text(), encoding="utf-8")
            page = temporary / "report.html"
            # The run's own copy names no organisations.
            page.write_text(problems_html(without_organisations(result), figures=figures), encoding="utf-8")
            (temporary / "results.json").write_text(_json(without_organisations(result)), encoding="utf-8")
            tracker.fill_plain(run, result.settings, _metrics(result), {"problems": _cards(result)}, temporary)
            page.write_text(problems_html(result, figures=figures), encoding="utf-8")
            (temporary / "results.json").write_text(_json(result), encoding="utf-8")
            _write_organisations(model, config, temporary / "tables")
    return result


def _json(result: ProblemsResult) -> str:
    return json.dumps(result.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def without_organisations(result: ProblemsResult) -> ProblemsResult:
    """The result without identifiers of organisations."""
    return replace(result, problems=tuple(replace(card, typical=()) for card in result.problems))


def _write_organisations(model: ProblemModel, config: ProblemsConfig, folder: Path) -> None:
    """Mixtures and next products by organisation: for the user's folder alone."""
    main = model.main_problems()
    # The base rate of an organisation of which nothing is known would read as if something were.
    mixtures = model.mixtures_.where(main != UNKNOWN).assign(main_problem=main).reset_index()
    safe_table(mixtures).to_csv(folder / "organisations.csv", index=False, float_format="%.4f")
    if config.upsell.products:
        following = model.upsell_fitted(most=config.upsell.products)
        safe_table(following).to_csv(folder / "next_products.csv", index=False, float_format="%.6g")


def _tables(model: ProblemModel) -> dict[str, pd.DataFrame]:
    return {
        "intersections": model.intersections_.frame(q=model.q),
        "products": model.product_problem_,
        "communities": model.candidates_,
        "selection": model.selection_,
    }


def _tags(result: ProblemsResult) -> dict[str, str]:
    return {
        "leadlift.config_digest": result.config_digest,
        "leadlift.log_digest": result.deals_digest,
        "leadlift.kind": "problems",
        "mlflow.note.content": problem_headline(result),
        "mlflow.source.name": "leadlift",
    }


def _metrics(result: ProblemsResult) -> dict[str, float]:
    values = {
        "rows/read": float(result.rows.read),
        "rows/used": float(result.rows.used),
        "problems": float(len(result.problems)),
        "intersections/significant": float(result.n_significant),
        "organisations/unknown": float(result.n_unknown),
    }
    if result.ideas.rows is not None:
        values["funnels/to unify"] = float(sum(len(group.unify) for group in result.ideas.funnels))
        values["funnels/stop signs"] = float(sum(group.n_stops for group in result.ideas.funnels))
        values["hypotheses"] = float(len(result.ideas.hypotheses))
    for card in result.problems:
        values[f"recovered/{card.problem}"] = card.recovered
        values[f"organisations/{card.problem}"] = float(card.organisations)
        if card.gain is not None:
            values[f"gain/{card.problem}"] = card.gain
    return values


def _cards(result: ProblemsResult) -> pd.DataFrame:
    rows = [
        {
            "problem": card.problem,
            "products": len(card.products),
            "heaviest": "; ".join(one.product for one in card.products[:5]),
            "organisations": card.organisations,
            "share": card.share,
            "recovered": card.recovered,
            "together": card.together,
            "gain": card.gain,
            "p_value": card.p_value,
            "agreement": card.agreement,
        }
        for card in result.problems
    ]
    return pd.DataFrame(rows)
