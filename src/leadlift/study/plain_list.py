"""A list without a lot: leads of a file, ranked by one rule. It is no study, and no evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api import types

from leadlift.base.arrays import Column, Floats, floats
from leadlift.base.digest import digest_of, frame_digest
from leadlift.base.plain_list import KEY, PlainListConfig, parse_plain_list
from leadlift.base.problems import did_you_mean, listed, share, stop
from leadlift.base.record import Record
from leadlift.base.records import StudyResult
from leadlift.base.yaml import read_yaml
from leadlift.data import find_file, read_table
from leadlift.data.columns import identifiers
from leadlift.data.door import to_pandas
from leadlift.data.ledger.opening import WAIT
from leadlift.decide import WARNING, Leads, act_list, named_strategies
from leadlift.evaluation.groups import quantile_cuts
from leadlift.study.files import LIST, LIST_RESULT, check_folder, staging
from leadlift.study.progress import Progress
from leadlift.study.run import run_study
from leadlift.study.versions import versions

WHERE = "the leads"
NO_EVIDENCE = (
    "This list is a ranking and no evidence: no lot was drawn among these leads, so nothing here says what a touch "
    "brings, nor that these leads bring more than others."
)


@dataclass(frozen=True)
class ListResult(Record):
    """A list to act on that was written.

    Attributes:
        strategy: the rule's name.
        leads, listed: leads of the file, and leads on the list.
        evidence: why the list is none.
        warning: what acting on it costs.
    """

    name: str
    created_at: str
    config_digest: str
    leads_digest: str
    versions: Mapping[str, str]
    strategy: str
    capacity: int
    leads: int
    listed: int
    evidence: str
    warning: str
    settings: Mapping[str, Any]


def run_any(config: str | Path, out: str | Path, *, wait: float = WAIT, progress: Progress) -> StudyResult | ListResult:
    """What `leadlift run` does: the study that a YAML file configures, or its list."""
    values = read_yaml(Path(config))
    if KEY in values:
        return write_list(config, out)
    return run_study(config, out=out, wait=wait, progress=progress)


def write_list(config: Mapping[str, Any] | str | Path, out: str | Path, leads: Any = None) -> ListResult:
    """Writes whom to touch by one rule, from leads that were not drawn.

    Args:
        config: plain values, or the path of a YAML file, with a `list`.
        out: folder for whom_to_touch.csv and list.json.
        leads: a frame; None: read from the file that the configuration names.

    Raises:
        ConfigError: the configuration can't be used.
        FileError: the leads can't be read, or the folder not written.
        DataError: the rule can't rank these leads.
    """
    settings, beside = _settings(config)
    folder = Path(out)
    check_folder(folder)
    asked = settings.list
    if leads is None:
        names = [name for name in (asked.lead_id, asked.organisation) if name is not None]
        leads = read_table(find_file(asked.leads, beside, asked.source), names)
    frame = to_pandas(leads).reset_index(drop=True)
    found = _listed(frame, settings)
    result = ListResult(
        name=settings.name,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        config_digest=digest_of(settings.published()),
        leads_digest=frame_digest(frame),
        versions=versions(),
        strategy=asked.strategy.label,
        capacity=asked.capacity,
        leads=len(frame),
        listed=len(found),
        evidence=NO_EVIDENCE,
        warning=WARNING,
        settings=settings.published(),
    )
    with staging(folder) as temporary:
        found.to_csv(temporary / LIST, index=False)
        text = json.dumps(result.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        (temporary / LIST_RESULT).write_text(text + "\n", encoding="utf-8")
    return result


def _settings(config: Mapping[str, Any] | str | Path) -> tuple[PlainListConfig, Path | None]:
    if isinstance(config, Mapping):
        return parse_plain_list(config), None
    path = Path(config)
    return parse_plain_list({"name": path.stem, **read_yaml(path)}, path.name), path.parent


def _listed(frame: pd.DataFrame, settings: PlainListConfig) -> pd.DataFrame:
    asked, [strategy] = settings.list, named_strategies([settings.list.strategy])
    score = None if asked.score is None else _numbers(_column(frame, asked.score))
    groups = settings.score_groups
    cuts = groups.cuts or ([] if score is None else quantile_cuts(score, groups.edges))
    ids = None if asked.lead_id is None else _unique(_column(frame, asked.lead_id))
    owner = None if asked.organisation is None else identifiers(_column(frame, asked.organisation))
    seen = Leads(frame, score, tuple(cuts), ())
    return act_list(seen, strategy, asked.capacity, lead_id=ids, organisation=owner, seed=settings.seed)


def _column(frame: pd.DataFrame, name: str) -> Column:
    if name not in frame.columns:
        hint = did_you_mean(name, map(str, frame.columns))
        raise stop(WHERE, "missing-column", f"`{name}` is a column of the leads", "there is none", hint)
    return frame[name]


def _numbers(column: Column) -> Floats:
    numbers = floats(column) if types.is_numeric_dtype(column.dtype) else None
    if numbers is None or pd.isna(numbers).any():
        found = f"it holds {listed(sorted(map(str, column.dropna().unique()))[:50], 5)}"
        if numbers is not None:
            found = f"none in {share(int(pd.isna(numbers).sum()), len(numbers))}"
        rule, fix = f"every lead has a number in `{column.name}`", "fill it in, or leave these leads out"
        raise stop(WHERE, "score", rule, found, fix)
    return numbers


def _unique(column: Column) -> Column:
    ids = identifiers(column)
    for code, wrong in (("no-id", ids.isna()), ("lead-twice", ids.duplicated() & ids.notna())):
        if wrong.any():
            rule = f"every lead has an identifier of its own in `{column.name}`"
            found = (
                f"{'none' if code == 'no-id' else 'one that was there before'} in {share(int(wrong.sum()), len(ids))}"
            )
            raise stop(WHERE, code, rule, found, "keep one row per lead")
    return ids
