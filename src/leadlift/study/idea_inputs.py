"""Measured effects of product and mechanic, from a file or a ledger's studies; ideas as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from leadlift.base.idea_config import EffectsFile
from leadlift.base.problems import Problems, did_you_mean, listed
from leadlift.data import find_file, read_table
from leadlift.data.ledger.studies import RecordedStudy, recorded_studies
from leadlift.problems.ideas import Ideas

WHERE = "the measured effects"
COLUMNS = ["product", "mechanic", "effect", "se", "n_treatment", "n_control"]
ESTIMATORS = ("aipw", "difference_in_means")
LISTED = 10


def read_effects(settings: EffectsFile, beside: Path | None) -> pd.DataFrame:
    """A row per measured effect: `product`, `mechanic`, `effect`, `se` and, where known, both arms' sizes.

    Raises:
        FileError: the file or ledger can't be read.
        DataError: a column isn't there, or the studies' outcome or products are not clear.
    """
    if settings.ledger is not None:
        path = Path(settings.ledger)
        path = path if path.is_absolute() or beside is None else beside / path
        return effects_of_studies(recorded_studies(path), products=settings.products, outcome=settings.outcome)
    needed = {settings.product: "product", settings.mechanic: "mechanic", settings.effect: "effect", settings.se: "se"}
    file = str(settings.file)
    frame = read_table(find_file(file, beside, None), [settings.product, settings.mechanic])
    problems = Problems(f"{WHERE} ({Path(file).name})")
    for column in needed:
        if column not in frame.columns:
            found = f"columns: {listed(frame.columns)}"
            problems.add("column", f"there is a column `{column}`", found, did_you_mean(column, frame.columns))
    problems.stop_if_any()
    sizes = {settings.n_treatment: "n_treatment", settings.n_control: "n_control"}
    names = needed | {column: name for column, name in sizes.items() if column in frame.columns}
    return frame[list(names)].rename(columns=names)


def effects_of_studies(
    studies: Sequence[RecordedStudy], *, products: Mapping[str, str], outcome: str | None = None
) -> pd.DataFrame:
    """Effects per lead of each experiment's last study, as `read_effects` gives them.

    Args:
        studies: in the order in which they were noted; a later one of an experiment holds all that earlier ones did.
        products: the product of each experiment whose effects are of all its leads.
        outcome: which outcome; None: the only one that there is.

    Raises:
        DataError: an experiment that no study has, several outcomes and none chosen, or no effect with a product.
    """
    last = {study.experiment: study for study in studies}
    problems = Problems(f"{WHERE} (the ledger's studies)")
    for experiment in products:
        if experiment not in last:
            rule = "products are given for experiments with a study"
            problems.add("unknown-experiment", rule, f"`{experiment}`", did_you_mean(experiment, last))
    outcomes = sorted({row["outcome"] for study in last.values() for row in _usable(study)})
    if outcome is None and len(outcomes) > 1:
        problems.add("outcome", "effects are of one outcome", listed(outcomes), "name it as `outcome`")
    elif outcome is not None and outcome not in outcomes:
        problems.add("outcome", "the studies have this outcome", f"`{outcome}`", did_you_mean(outcome, outcomes))
    problems.stop_if_any()
    rows = [
        row
        for study in last.values()
        for row in _rows(study, products.get(study.experiment), outcome or (outcomes[0] if outcomes else ""))
    ]
    if not rows:
        found = f"{len(last):,} experiments with a study, none of whose effects has a product and an error"
        problems.add("no-effects", "an effect is of a product", found, "name each experiment's product in `products`")
    problems.stop_if_any()
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(study: RecordedStudy, product: str | None, outcome: str) -> list[dict[str, Any]]:
    """The study's effects by product, or that of all its leads if they are about one product."""
    usable = [row for row in _usable(study) if row["outcome"] == outcome]
    by_product = [row for row in usable if row["segment_by"] == "product"]
    if by_product:
        return [_row(row, row["segment"]) for row in _best(by_product)]
    if product is None:
        return []
    return [_row(row, product) for row in _best([row for row in usable if row["segment_by"] == "all"])]


def _usable(study: RecordedStudy) -> list[Any]:
    """Effects per lead that have an error: organisations' totals are of more than the product tried."""
    return [
        row
        for row in study.effects
        if row.get("estimand", "per_lead") == "per_lead" and row["effect"] is not None and row["se"] is not None
    ]


def _best(rows: list[Any]) -> list[Any]:
    """The rows of the first estimator that there is."""
    for estimator in ESTIMATORS:
        found = [row for row in rows if row["estimator"] == estimator]
        if found:
            return found
    return []


def _row(row: Mapping[str, Any], product: str) -> dict[str, Any]:
    names = ("effect", "se", "n_treatment", "n_control")
    return {"product": product, "mechanic": row["treatment"], **{name: row[name] for name in names}}


def idea_tables(ideas: Ideas) -> dict[str, pd.DataFrame]:
    """Comparisons of products, and hypotheses by expected gain and by what their tests teach."""
    comparisons = [
        {"problem": group.group, **_flat(one.to_dict())}
        for group in ideas.funnels
        for one in (*group.alike, *group.stops, *group.open)
    ]
    every = {(one.product, one.mechanic): one for one in (*ideas.hypotheses, *ideas.teachings)}
    found = {"funnel_comparisons": comparisons, "hypotheses": [one.to_dict() for one in every.values()]}
    return {name: pd.DataFrame(rows) for name, rows in found.items() if rows}


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Intervals opened into two columns."""
    opened: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            opened |= {f"{name}_lower": value["lower"], f"{name}_upper": value["upper"]}
        else:
            opened[name] = value
    return opened


def listed_ideas(ideas: Ideas) -> Ideas:
    """The same with few comparisons per group, for results.json; the tables hold them all."""
    few = tuple(
        replace(group, stops=group.stops[:LISTED], open=group.open[:LISTED], alike=group.alike[:LISTED])
        for group in ideas.funnels
    )
    return replace(ideas, funnels=few)
