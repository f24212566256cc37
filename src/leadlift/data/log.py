"""The AssignmentLog: who was drawn for which arm, with what probability, and what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Floats, Texts
from leadlift.base.problems import stop
from leadlift.base.records import RowAccount


@dataclass(frozen=True)
class Drawn:
    """What the lot drew, before any row was dropped for its outcome: what the split is checked on.

    Attributes:
        unit: `organisations` where each has one arm, or more of them than a lot of leads would leave whole; else
            `leads`.
        found, planned: units per arm, control first, and their expected number under the propensities.
        units: a row per unit: `arm` (code, that of its first lead), `stratum` (text), `leads`, `lost` (leads without
            an outcome or score), and `planned_<k>`, P(arm k).
        split: organisations with leads in different arms.
    """

    unit: Literal["organisations", "leads"]
    found: tuple[int, ...]
    planned: tuple[float, ...]
    units: pd.DataFrame = field(default_factory=pd.DataFrame, compare=False, repr=False)
    split: int = 0


@dataclass(frozen=True, eq=False)
class AssignmentLog:
    """Leads with their arms, propensities, outcomes and features: the only thing learners and metrics accept.

    Made by `from_frame`; nothing in it is changed in place. Rows stand in canonical order (by `lead_id`, or by all
    columns where there is none), so that the order of the input changes no number; `position` leads back.

    Attributes:
        arms: arm labels, control first, then sorted.
        arm: index into `arms`, shape (n,).
        propensities: P(arm) by design, shape (n, arms), rows add up to 1.
        outcome: shape (n,), outcome units.
        outcome_kind: `binary`, `count` or `money`.
        features: shape (n, features): numbers, or text; may hold missing values.
        organisation: code of the client, 0 .. n_organisations - 1, shape (n,).
        organisations_given: False where each lead stands for itself.
        stratum: code of the stratum, shape (n,).
        block: code of the permuted block that the lot was drawn in, shape (n,), or None.
        cell: code of the cells of constant propensity (stratum x propensities), shape (n,).
        score: conversion score known before assignment, shape (n,), or None.
        score_source: `given` with the log, or `estimated` out of fold.
        value, cost: money per outcome and per touch, shape (n,), or None.
        weight: how many leads of the draw each stands for, shape (n,), or None: each for itself.
        lead_id: text, shape (n,), or None.
        problem: main client problem logged at assignment, `unknown` where none was, shape (n,), or None.
        position: row number in the input, shape (n,).
        account: where every row went.
        drawn: units per arm, and how many were planned, before rows were dropped.
        names: the user's own column names by role.
        left_out: columns not used as features because they look known only after assignment, with the reason.
        digest, design_digest: of the content and of the design, whatever the order of the rows.
    """

    arms: tuple[str, ...]
    arm: Codes
    propensities: Floats
    outcome: Floats
    outcome_kind: Literal["binary", "count", "money"]
    features: pd.DataFrame
    organisation: Codes
    n_organisations: int
    organisations_given: bool
    stratum: Codes
    cell: Codes
    score: Floats | None
    score_source: Literal["given", "estimated"] | None
    value: Floats | None
    cost: Floats | None
    lead_id: Texts | None
    position: Codes
    account: RowAccount
    drawn: Drawn
    names: Mapping[str, str]
    digest: str
    design_digest: str
    loss_by_arm: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    problem: Texts | None = None
    block: Codes | None = None
    weight: Floats | None = None

    def __post_init__(self) -> None:
        if self.account.used != len(self.arm):
            raise ValueError(f"the row account says {self.account.used:,} rows, the log holds {len(self.arm):,}")

    def __len__(self) -> int:
        return len(self.arm)

    def __repr__(self) -> str:
        counts = ", ".join(f"{arm} {n:,}" for arm, n in self.arm_counts.items())
        return f"AssignmentLog({len(self):,} leads; {counts}; outcome {self.names['outcome']} ({self.outcome_kind}))"

    @property
    def arm_counts(self) -> dict[str, int]:
        """Leads per arm, control first."""
        counts = np.bincount(self.arm, minlength=len(self.arms))
        return {arm: int(n) for arm, n in zip(self.arms, counts, strict=True)}

    @property
    def treated_arms(self) -> tuple[str, ...]:
        """The arms that are compared with control."""
        return self.arms[1:]

    @property
    def known_before(self) -> pd.DataFrame:
        """What models may learn from, shape (n, columns): the features, and the score that came with the log."""
        if self.score_source != "given" or self.names["score"] in self.features.columns:
            return self.features
        return self.features.assign(**{self.names["score"]: self.score})

    def contrast(self, treatment: str) -> Codes:
        """1 for leads of `treatment`, 0 for control, -1 for other arms, shape (n,)."""
        index = self.arms.index(treatment)
        return np.where(self.arm == index, 1, np.where(self.arm == 0, 0, -1))

    def with_score(self, score: Floats, source: Literal["given", "estimated"] = "given") -> AssignmentLog:
        """The same log with another score, shape (n,), in the log's own row order."""
        score = np.asarray(score, dtype=float)
        if score.shape != self.arm.shape or not np.isfinite(score).all():
            raise stop(
                "the score",
                "score-shape",
                f"one finite score per lead, shape ({len(self)},)",
                f"shape {score.shape}, {int((~np.isfinite(score)).sum())} not finite",
                "score every lead of the log",
            )
        return replace(self, score=score, score_source=source)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        treatment: str,
        control: str | int | bool,
        propensity: Any,
        outcome: str,
        features: Sequence[str] | None = None,
        lead_id: str | None = None,
        organisation: str | None = None,
        score: str | None = None,
        stratum: str | None = None,
        block: str | None = None,
        weight: str | None = None,
        problem: str | None = None,
        value: str | None = None,
        cost: str | None = None,
        positive: str | int | bool | None = None,
        timezone: str | None = None,
    ) -> AssignmentLog:
        """A log from a flat frame: a row per lead.

        Args:
            frame: pandas, Polars or Arrow frame, or a DuckDB relation.
            treatment: column of the arm that the lot assigned (text, integer or boolean).
            control: label of the arm that is not touched.
            propensity: `{arm: number}`, `{arm: column}`, the column of P(treated) (two arms), or
                `{stratum: {arm: number}}`. Known by design, never estimated.
            outcome: column of the outcome: 0/1, yes/no, a count or money. Rows without one are dropped and counted.
            features: columns known before assignment. None: all columns not used otherwise, less those that look
                known only after assignment (`left_out`).
            lead_id: identifier; leading zeros are kept if it is text.
            organisation: the client, whose leads are not independent. None: each lead is its own.
            score: conversion score known before assignment, in [0, 1].
            stratum: cell inside which the lot was drawn.
            block: permuted block inside which the lot was drawn. One lead's arm says something of the others', so that
                folds and blocks held back keep it whole.
            weight: how many leads each stands for where the log is a sample of those drawn: one over the probability
                with which it was kept, known and the same for equal leads. A log of all who bought and of a tenth of
                the others, say, has weights 1 and 10. Numbers are then those of all leads drawn.
            problem: the organisation's main client problem as it was logged at assignment; a segment. Empty: unknown.
            value, cost: money per outcome and per touch.
            positive: the outcome value that counts as 1, where the outcome holds two words.
            timezone: zone of times that carry none; None: UTC.

        Raises:
            DataError: something would make an answer wrong; every problem is named at once.
            PropensityError: only propensities are at fault.

        >>> frame = pd.DataFrame({"arm": ["call", "none"] * 30, "bought": [1, 0, 0] * 20, "size": range(60)})
        >>> AssignmentLog.from_frame(
        ...     frame, treatment="arm", control="none", propensity={"call": 0.5, "none": 0.5}, outcome="bought"
        ... )
        AssignmentLog(60 leads; none 30, call 30; outcome bought (binary))
        """
        from leadlift.data.log_build import build_log

        roles = {
            "treatment": treatment,
            "outcome": outcome,
            "lead_id": lead_id,
            "organisation": organisation,
            "score": score,
            "stratum": stratum,
            "block": block,
            "weight": weight,
            "problem": problem,
            "value": value,
            "cost": cost,
        }
        return build_log(
            frame,
            roles={role: column for role, column in roles.items() if column is not None},
            control=control,
            propensity=propensity,
            features=None if features is None else list(features),
            positive=None if positive is None else str(positive),
            timezone=timezone,
        )
