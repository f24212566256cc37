"""Which learner was chosen: each against a constant, and against the best."""

from __future__ import annotations

from leadlift.base.records import Candidate, LearnerChoice, StudyResult
from leadlift.report import format as fmt
from leadlift.report._reading import area_decimals, learner_name
from leadlift.report._table import Column, Row, Table


def choices_table(result: StudyResult) -> Table:
    """Every learner's area and loss against a constant, and whether it was chosen."""
    pp = " (pp)" if result.outcome_kind == "binary" else ""
    return Table(
        name="choices",
        caption="Which learner, if any? Each against a constant, on organisations it had not seen",
        columns=(
            Column("ranked by"),
            Column(f"Qini{pp}", numeric=True),
            Column("simultaneous 95%", numeric=True),
            Column("loss saved", numeric=True),
            Column("simultaneous 95%", numeric=True),
            Column("loss over best", numeric=True),
            Column("its error", numeric=True),
            Column("beats a constant"),
            Column("chosen"),
        ),
        rows=tuple(_row(result, choice, one) for choice in result.choices for one in choice.candidates),
        note=(
            "Loss: mean squared distance of predictions from per-lead uplift scores (DR-loss), squared units of the "
            "outcome; saved over predicting the mean effect for all. A learner beats a constant if either interval "
            "lies above zero. Chosen is the simplest of those within one standard error of the lowest loss."
        ),
    )


def _row(result: StudyResult, choice: LearnerChoice, one: Candidate) -> Row:
    kind, places = result.outcome_kind, area_decimals(result)
    return Row(
        (
            learner_name(one.learner),
            fmt.bare(one.qini, kind, places, signed=True),
            fmt.interval(one.qini_lower, one.qini_upper, kind, places),
            _short(one.loss_gain),
            f"[{_short(one.loss_gain_lower)}, {_short(one.loss_gain_upper)}]",
            _short(one.behind_best),
            _short(one.behind_best_se),
            "yes" if one.beats_constant else "no",
            "chosen" if one.learner == choice.chosen else fmt.MISSING,
        ),
        choice.treatment,
    )


def _short(value: float | None) -> str:
    """Three figures: squared outcome units have no natural number of decimals."""
    return fmt.MISSING if value is None else f"{value:.3g}".replace("-", "−")
