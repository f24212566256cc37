"""The leads to be drawn: the user's columns under our names, and everything that would make the lot wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pandas.api import types

from leadlift.base.arrays import Bools, Column, Floats, floats
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.problems import Problems, did_you_mean, listed, share
from leadlift.data import all_different
from leadlift.design.lead_times import utc_times

WHERE = "the leads"
OURS = frozenset(
    {
        *("experiment", "round", "lead_id", "organisation_id", "unit_id", "stratum", "score", "score_group", "problem"),
        *("treatment", "propensities", "propensity_holdout", "holdout", "late", "policy", "policy_run"),
        *("design_digest", "assigned_at"),
    }
)


@dataclass(frozen=True, eq=False)
class LeadList:
    """Leads that may be drawn.

    Attributes:
        frame: `lead_id`, `organisation_id` as text, `score` and `problem` where given, and the features.
        features: names of the features among them.
        read: rows that were given.
        left_out: rows that can't be drawn yet, by reason.
        problem_model: digest of the problem model that `problem` comes from; None: from the file.
    """

    frame: pd.DataFrame
    features: tuple[str, ...]
    read: int
    left_out: dict[str, int] = field(default_factory=dict)
    problem_model: str | None = None


def lead_list(frame: pd.DataFrame, config: ExperimentConfig, *, now: pd.Timestamp) -> LeadList:
    """Checks the leads and names their columns as leadlift does.

    Args:
        frame: a row per lead, as the file holds them.
        config: names the columns, and says which the strata need.
        now: leads created later are left out; values known only later are refused.

    Raises:
        DataError: leads that can't be drawn; every problem is named.
    """
    problems, frame = Problems(WHERE), frame.reset_index(drop=True)
    names = _columns(frame, config, problems)
    problems.stop_if_any()
    found = {role: frame[name] for role, name in names.items()}
    taken = {"lead_id": identifiers(found["lead_id"])}
    # Without an organisation column, only with unit lead, each lead stands for itself.
    taken["organisation_id"] = identifiers(found.get("organisation_id", found["lead_id"]))
    _refuse_missing(taken, names, problems)
    _refuse_same_but_blanks(taken, names, problems)
    _refuse_twice(taken, names, problems)
    if "score" in found:
        taken["score"] = pd.Series(_scores(found["score"], "score_group" in config.experiment.strata, problems))
    if "problem" in found:
        taken["problem"] = identifiers(found["problem"])
    created = utc_times(found.get("created_at"), config.leads_timezone, problems)
    known = utc_times(found.get("known_at"), config.leads_timezone, problems)
    if known is not None and (known > now).any():
        found_later = share(int((known > now).sum()), len(frame))
        rule = "only what is known when the lot is drawn can decide it"
        problems.add("known-later", rule, f"`{names['known_at']}` lies ahead in {found_later}", "leave those rows out")
    problems.stop_if_any()
    features = _features(config)
    whole = pd.DataFrame({**taken, **{name: frame[name] for name in features}})
    ahead: Bools = np.zeros(len(frame), dtype=bool) if created is None else (created > now).to_numpy()
    left_out = {"not created yet": int(ahead.sum())} if ahead.any() else {}
    kept = whole[~ahead].reset_index(drop=True) if ahead.any() else whole
    return LeadList(kept, features, len(frame), left_out)


def identifiers(column: Column) -> Column:
    """Identifiers as text, leading zeros kept, whole numbers without `.0`; blank ones are missing.

    >>> identifiers(pd.Series([7.0, None])).tolist(), identifiers(pd.Series(["007", " "])).isna().tolist()
    (['7', nan], [False, True])
    """
    if types.is_integer_dtype(column.dtype) or isinstance(column.dtype, pd.StringDtype):
        text = column.astype("str")
    else:
        text = column.map(_identifier, na_action="ignore").astype("str")
    blank = column.isna() | (text.str.strip() == "")
    return text.mask(blank, np.nan) if blank.any() else text


def _identifier(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _features(config: ExperimentConfig) -> tuple[str, ...]:
    product = [config.leads.product] if config.leads.product else []
    # Score and problem are logged anyway.
    logged = {name for name in ("score", "problem") if name == getattr(config.leads, name)}
    return tuple(name for name in dict.fromkeys([*product, *config.leads.features]) if name not in logged)


def _columns(frame: pd.DataFrame, config: ExperimentConfig, problems: Problems) -> dict[str, str]:
    """The file's name of each role that is there; roles that must be and are not become problems."""
    present = [str(name) for name in frame.columns]
    asked, lot = config.leads, config.experiment
    needed = {"lead_id"} | asked.model_fields_set
    if lot.unit == "organisation":
        needed.add("organisation_id")
    needed |= {"score" if name == "score_group" else name for name in lot.strata}
    roles = ("lead_id", "organisation_id", "score", "problem", "created_at", "known_at")
    names = {role: getattr(asked, role) for role in roles if getattr(asked, role) is not None}
    for role, name in names.items():
        if name not in present and role in needed:
            part = {"score": "score_group", "problem": "problem"}.get(role)
            without = f", or take {part} out of `strata`" if part in lot.strata else ""
            fix = f"name it: `leads: {{{role}: ...}}`{without}; {did_you_mean(name, present)}"
            problems.add("missing-column", f"the leads have the column `{name}`", "it is not there", fix)
    for name in _features(config):
        if name in OURS or name.startswith("propensity_"):
            rule = "features have names of their own"
            problems.add("reserved-column", rule, f"`{name}` is a column of the assignments", "rename the column")
        elif name not in present:
            fix = did_you_mean(name, present)
            problems.add("missing-column", f"the leads have the feature `{name}`", "it is not there", fix)
    if len(frame) == 0:
        problems.add("no-leads", "there are leads to draw", "0 rows", "export them again")
    return {role: name for role, name in names.items() if name in present}


def _refuse_missing(taken: dict[str, Column], names: dict[str, str], problems: Problems) -> None:
    for role, column in taken.items():
        missing = int(column.isna().sum())
        if missing and role in names:
            word = "an organisation" if role == "organisation_id" else "an identifier"
            fix = "fill it in, or leave these leads out"
            problems.add(
                f"no-{role.split('_')[0]}",
                f"every lead has {word}",
                f"`{names[role]}` is empty in {share(missing, len(column))}",
                fix,
            )


def _refuse_same_but_blanks(taken: dict[str, Column], names: dict[str, str], problems: Problems) -> None:
    """Identifiers are taken to the letter: `a` and `a ` would be drawn apart, and one of them is a slip."""
    for role, column in taken.items():
        if role not in names:
            continue
        padded = column[column.notna() & (column.str.strip() != column)].drop_duplicates()
        if padded.empty:
            continue
        bare = padded.str.strip()
        # Looking a few up among many is quick, the other way round is not.
        there = column[column.isin(bare)].unique()
        slips = padded[bare.isin(there) | bare.duplicated(keep=False)]
        if len(slips):
            problems.add(
                "blanks",
                "identifiers differ by more than blanks",
                f"`{names[role]}`: {len(slips):,} do not, e.g. `{sorted(slips)[0]}`",
                "take the blanks off, here and in the CRM",
            )


def _refuse_twice(taken: dict[str, Column], names: dict[str, str], problems: Problems) -> None:
    lead = taken["lead_id"].dropna()
    if all_different(lead):
        return
    rows = lead.index[lead.duplicated(keep=False)]
    per_lead = taken["organisation_id"].loc[rows].groupby(lead.loc[rows]).nunique()
    split = per_lead.index[per_lead > 1]
    if len(split):
        problems.add(
            "lead-organisation",
            "a lead belongs to one organisation",
            f"{_leads(len(split))} in more than one, e.g. {_examples(split)}",
            "keep the organisation that owns the lead now",
        )
    same = per_lead.index[per_lead <= 1]
    if len(same):
        problems.add(
            "lead-twice",
            "each lead stands in one row",
            f"{_leads(len(same))} in several rows, e.g. {_examples(same)}",
            f"keep the newest row of each `{names['lead_id']}`",
        )


def _leads(n: int) -> str:
    return "1 lead" if n == 1 else f"{n:,} leads"


def _examples(ids: pd.Index[str]) -> str:
    return listed([f"lead {name}" for name in sorted(ids)[:3]])


def _scores(column: Column, needed: bool, problems: Problems) -> Floats:
    name = column.name
    numbers = column if types.is_numeric_dtype(column.dtype) else pd.to_numeric(column, errors="coerce")
    values = floats(numbers)
    text = int((np.isnan(values) & column.notna().to_numpy()).sum())
    if text:
        problems.add(
            "score-text", "scores are numbers", f"`{name}`: text in {share(text, len(values))}", "export the number"
        )
    missing = int(column.isna().sum())
    if missing and needed:
        fix = "score them, leave them out, or take score_group out of `strata`"
        problems.add("no-score", "every lead has a score", f"`{name}` is empty in {share(missing, len(values))}", fix)
    outside = ~((values >= 0) & (values <= 1)) & ~np.isnan(values)
    if outside.any():
        found = f"`{name}`: {share(int(outside.sum()), len(values))}, e.g. {values[outside][0]:g}"
        fix = "divide by 100 if they are percentages; give the probability, not its rank"
        problems.add("score-range", "scores lie in [0, 1]", found, fix)
    return values
