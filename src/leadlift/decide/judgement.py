"""Every line cut at every capacity: fixed strategies on all leads, learned ones on leads that no model had seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from leadlift.base.arrays import Codes, Floats
from leadlift.base.decisions import Measure
from leadlift.decide.leads import Leads
from leadlift.decide.lines import Line, by_organisation, lines_of, part_of, ranking_of
from leadlift.decide.question import Question, question_leads
from leadlift.decide.strategies import Strategy, learner_of
from leadlift.decide.touching import Sample, earned
from leadlift.evaluation import JudgedBlock, chosen_before, lead_scores
from leadlift.evaluation.judging import ENOUGH_ORGANISATIONS, SCORE, degrees_of_freedom, smaller_arm
from leadlift.evaluation.scores import ENOUGH_EVENTS, enough_outcomes
from leadlift.learners import OutOfFold

# Truth: in the place of scores, what a simulated company knows.
Counted = Measure | Literal["truth"]
NO_RANKING = "no ranking: every lead of every block got the same prediction"


@dataclass(frozen=True, eq=False)
class Judgement:
    """Lines with the samples that judge them, for one measure."""

    lines: tuple[Line, ...]
    fixed: Sample | None
    held: Sample | None
    fixed_places: tuple[int, ...]
    df: float
    message: Mapping[int, str]


def usable_blocks(question: Question, blocks: Sequence[JudgedBlock]) -> list[JudgedBlock]:
    """Blocks with enough organisations and outcomes of every arm."""
    return [block for block in blocks if all(block.judges(arm) for arm in question.log.treated_arms)]


def judged(
    question: Question, fitted: OutOfFold, blocks: Sequence[JudgedBlock], measure: Counted, *, seed: int
) -> Judgement:
    """Cuts every line at every capacity: fixed ones on all leads, and all of them on what was held back.

    A learned strategy that names no learner follows, in each block, the one that earlier blocks chose.
    """
    log, arms = question.log, question.log.treated_arms
    usable = usable_blocks(question, blocks)
    follows = chosen_before(usable, arms, otherwise=question.learner, seed=seed)
    units = min(smaller_arm(log).values())
    enough = units >= ENOUGH_ORGANISATIONS and all(enough_outcomes(log, arm) for arm in arms)
    everyone = question_leads(question)
    rankings = {one.name: _ranking(question, one, everyone) for one in question.strategies if not question.learns(one)}
    held = [_held_back(question, rankings, block, names) for block, names in zip(usable, follows, strict=True)]
    by_arm = {name: ranking.ndim == 2 for name, ranking in (held[0] if held else rankings).items()}
    lines = tuple(lines_of(question.strategies, arms, by_arm, question.learns))
    fixed = tuple(k for k, line in enumerate(lines) if not line.learns)
    own = other = None
    if enough and fixed:
        part = part_of([lines[k] for k in fixed], rankings, measured(question, measure, fitted), log.organisation)
        own = earned([part], log.n_organisations, question.shares)
    if usable and any(line.learns for line in lines):
        parts = [
            part_of(lines, ranking, block_scores(question, measure, block), log.organisation[block.rows])
            for block, ranking in zip(usable, held, strict=True)
        ]
        other = earned(parts, log.n_organisations, question.shares)
    block_df = sum(degrees_of_freedom(min(block.units.values())) for block in usable)
    df = min([degrees_of_freedom(units), *([block_df] if other is not None else [])])
    return Judgement(lines, own, other, fixed, df, _messages(lines, held, enough=enough, usable=bool(usable)))


def fewest_apart(question: Question) -> float:
    """How many leads two strategies must treat differently to be compared: 20 outcomes to expect in an arm of them."""
    log = question.log
    some = float((log.outcome != 0).mean())
    arm = float(np.bincount(log.arm, minlength=len(log.arms)).min() / len(log))
    return (
        ENOUGH_EVENTS / max(min(some, 1 - some) * arm, 1e-12)
        if log.outcome_kind == "binary"
        else ENOUGH_EVENTS / (some * arm)
    )


def _ranking(question: Question, strategy: Strategy, leads: Leads, rows: Codes | None = None) -> Floats:
    ranking = ranking_of(strategy, leads, learns=question.learns(strategy))
    if not question.per_organisation:
        return ranking
    organisation = question.log.organisation if rows is None else question.log.organisation[rows]
    return by_organisation(ranking, organisation)


def _held_back(
    question: Question, rankings: Mapping[str, Floats], block: JudgedBlock, follows: Mapping[str, str]
) -> dict[str, Floats]:
    """What every strategy says of a block's leads; learned ones by models fitted on earlier organisations.

    Args:
        question: what is asked.
        rankings: what strategies that learn nothing say of all leads.
        block: the block.
        follows: the learner whose predictions a strategy follows that names none, by arm.
    """
    log = question.log
    leads = question_leads(question, None, _outside(question, block)).take(block.rows)
    if not question.score_is_given:
        leads = replace(leads, score=block.predicted[SCORE, log.treated_arms[0]])
    found = {}
    for one in question.strategies:
        if not question.learns(one):
            found[one.name] = rankings[one.name][block.rows]
            continue
        keys = [(learner_of(one) or follows[arm], arm) for arm in log.treated_arms]
        uplift = [block.predicted[key] for key in keys if key in block.predicted]
        seen = replace(leads, uplift=np.column_stack(uplift)) if uplift else leads
        found[one.name] = _ranking(question, one, seen, block.rows)
    return found


def _outside(question: Question, block: JudgedBlock) -> Codes:
    return np.setdiff1d(np.arange(len(question.log)), block.rows)


def _messages(
    lines: Sequence[Line], held: Sequence[Mapping[str, Floats]], *, enough: bool, usable: bool
) -> dict[int, str]:
    """Why a line has no value, by place."""
    few = "too few organisations or outcomes in an arm"
    messages = {}
    for k, line in enumerate(lines):
        if line.learns and not usable:
            messages[k] = f"{few} of every block"
        elif line.learns and all(len(np.unique(ranking[line.strategy])) == 1 for ranking in held):
            messages[k] = NO_RANKING
        elif not line.learns and not enough:
            messages[k] = few
    return messages


def measured(question: Question, measure: Counted, fitted: OutOfFold) -> Floats:
    """Per-lead scores of all leads in a measure, shape (n, treated arms).

    The worth of an outcome comes from other folds.
    """
    if measure == "truth" and question.truth is not None:
        return question.truth
    arms = question.log.treated_arms
    scores = np.column_stack([lead_scores(question.log, arm, fitted.outcomes) for arm in arms])
    if measure == "outcome" or question.money is None:
        return scores
    result = np.empty_like(scores)
    for k in np.unique(fitted.fold):
        rows, other = np.flatnonzero(fitted.fold == k), np.flatnonzero(fitted.fold != k)
        result[rows] = question.money.scores(question.log, scores[rows], rows, other)
    return result


def block_scores(question: Question, measure: Counted, block: JudgedBlock) -> Floats:
    """Per-lead scores of a block's leads in a measure, shape (leads, treated arms)."""
    if measure == "truth" and question.truth is not None:
        return question.truth[block.rows]
    scores = np.column_stack([block.scores[arm] for arm in question.log.treated_arms])
    if measure == "outcome" or question.money is None:
        return scores
    return question.money.scores(question.log, scores, block.rows, _outside(question, block))
