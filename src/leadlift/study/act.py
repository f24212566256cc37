"""The study's list to act on: leads of the log, or new ones from a file, ranked by one of its strategies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.arrays import Bools, Column, Floats, floats
from leadlift.base.config import StudyConfig
from leadlift.base.deals_config import ProblemSource
from leadlift.base.decisions import ActedOn, Decision
from leadlift.base.errors import ConfigError
from leadlift.base.problems import Problems, did_you_mean, listed, stop
from leadlift.base.records import LearnerChoice
from leadlift.base.strategies import ListConfig
from leadlift.data import AssignmentLog, find_file, read_table
from leadlift.data.columns import feature_values, identifiers
from leadlift.decide import WARNING, Leads, Question, Strategy, act_list
from leadlift.decide.leads import problem_names
from leadlift.decide.question import question_leads
from leadlift.decide.strategies import learner_of, reference
from leadlift.learners import OutOfFold, fit_models, make_learners
from leadlift.problems.as_of import PREFIX
from leadlift.study.log_problems import MADE, with_new_problems

WHERE = "the list to act on"
Holds = Callable[[Column], Bools]


@dataclass(frozen=True, eq=False)
class Asked:
    """A list that is asked for, checked before anything is fitted.

    Attributes:
        settings: which strategy, how many touches.
        strategy: the rule itself.
        capacity: touches.
        frame: new leads; None: the log's own.
    """

    settings: ListConfig
    strategy: Strategy
    capacity: int
    frame: pd.DataFrame | None


def asked_list(
    question: Question | None, config: StudyConfig, beside: Path | None, holds: Holds | None = None
) -> Asked | None:
    """The list that a study asks for; None where it asks for none.

    Args:
        question: the study's strategies.
        config: the study.
        beside: the folder that a file of new leads is in.
        holds: which clients are held out; their new leads are left out.

    Raises:
        ConfigError: an unknown strategy or arm, no capacity, or more touches than leads.
        FileError: the file of new leads can't be read.
        DataError: it lacks columns that the strategy or the models need.
    """
    settings = config.decide.act
    if settings is None:
        return None
    strategies = {} if question is None else {one.name: one for one in question.strategies}
    if question is None or settings.strategy not in strategies:
        hint = did_you_mean(settings.strategy, strategies) if strategies else "name it in `strategies`"
        rule, found = "`decide.act.strategy` is one of the strategies", f"`{settings.strategy}` is none"
        raise stop(WHERE, "strategy", rule, found, hint, ConfigError)
    if reference(strategies[settings.strategy]):
        rule, found = "the list follows a rule", f"`{settings.strategy}` puts no lead before another"
        raise stop(WHERE, "no-rule", rule, found, "name a rule, or `random`", ConfigError)
    frame = (
        None
        if settings.leads is None
        else _new_leads(question.log, settings.leads, beside, strategies[settings.strategy], config.problems)
    )
    if frame is not None and holds is not None and "organisation" in question.log.names:
        clients = frame[question.log.names["organisation"]]
        frame = frame[~holds(clients.fillna("")) | clients.isna().to_numpy()].reset_index(drop=True)
    n = len(question.log) if frame is None else len(frame)
    capacity = settings.capacity or config.decide.capacity
    if capacity is None:
        rule, fix = "the list has a length", "`decide.capacity: 400`, or `decide.act.capacity`"
        raise stop(WHERE, "capacity", rule, "neither is given", fix, ConfigError)
    if capacity > n:
        rule, found = "there are at least as many leads as touches", f"{capacity:,} touches for {n:,} leads"
        raise stop(WHERE, "capacity", rule, found, "lower `decide.act.capacity`", ConfigError)
    return Asked(settings, strategies[settings.strategy], capacity, frame)


def _new_leads(
    log: AssignmentLog, name: str, beside: Path | None, strategy: Strategy, source: ProblemSource | None
) -> pd.DataFrame:
    texts = [log.names[role] for role in ("lead_id", "organisation") if role in log.names]
    frame = read_table(find_file(name, beside, None), texts)
    problem = [log.names["problem"] for column in strategy.needs if column in problem_names(log)]
    needed = [*map(str, log.known_before.columns), *texts, *problem]
    if any(column == MADE or column.startswith(PREFIX) for column in needed):
        frame = with_new_problems(frame, source, log.names.get("organisation"), beside)
    missing = [column for column in dict.fromkeys(needed) if column not in frame.columns]
    if missing:
        rule, found = "new leads have the columns of the log's leads", f"`{name}` lacks {listed(missing)}"
        made = all(column.startswith(PREFIX) for column in missing)
        fix = "leave the mixture out of the models: `problems.features: false`" if made else "export them as well"
        raise stop(WHERE, "missing-column", rule, found, fix)
    return frame.reset_index(drop=True)


def with_list(
    asked: Asked | None,
    question: Question | None,
    log: AssignmentLog,
    fitted: OutOfFold,
    config: StudyConfig,
    decision: Decision | None,
    choices: Sequence[LearnerChoice] = (),
) -> tuple[pd.DataFrame | None, Decision | None]:
    """The list, and the decision that tells of it."""
    if asked is None or question is None or decision is None:
        return None, decision
    listed = made_list(asked, replace(question, log=log), fitted, config, choices)
    arm = asked.settings.treatment or " or ".join(log.treated_arms)
    told = ActedOn(asked.settings.strategy, arm, len(listed), asked.frame is not None, WARNING)
    return listed, replace(decision, act=told)


def made_list(
    asked: Asked,
    question: Question,
    fitted: OutOfFold,
    config: StudyConfig,
    choices: Sequence[LearnerChoice] = (),
) -> pd.DataFrame:
    """The list: the log's leads by out-of-fold predictions, new leads by models of the whole log.

    A strategy that names no learner follows the one that was chosen for each arm, else the study's last one.
    """
    log, named = question.log, learner_of(asked.strategy)
    chosen = {choice.treatment: choice.chosen for choice in choices}
    follows = [named or chosen.get(arm) or question.learner for arm in log.treated_arms]
    how: dict[str, Any] = {"treatment": asked.settings.treatment, "seed": config.seed}
    if asked.frame is None:
        leads = replace(question_leads(question), uplift=_followed(fitted.uplift, follows), score=log.score)
        organisation = log.organisation if question.per_organisation else None
        return act_list(leads, asked.strategy, asked.capacity, lead_id=_ids(log), organisation=organisation, **how)
    frame = asked.frame
    table = _features(log, frame)
    uplift = None
    if question.learns(asked.strategy):
        models = fit_models(
            log,
            np.arange(len(log)),
            make_learners(list(dict.fromkeys(follows)), config.seed, config.learner_options.arguments()),
            config.seed,
        )
        shape = (len(frame), len(log.treated_arms))
        made = {name: learner.predict(table).reshape(shape) for name, learner in models.learners.items()}
        uplift = _followed(made, follows)
    seen = question_leads(question)
    column = log.names.get("score")
    score = floats(table[column]) if question.score_is_given and column is not None else None
    worth = None if seen.worth is None else np.full(len(frame), float(np.mean(seen.worth)))
    leads = Leads(table, score, question.cuts, log.treated_arms, uplift, worth, seen.cost)
    owner = frame[log.names["organisation"]] if question.per_organisation else None
    ids = frame[log.names["lead_id"]] if "lead_id" in log.names else np.arange(len(frame))
    return act_list(leads, asked.strategy, asked.capacity, lead_id=ids, organisation=owner, **how)


def _followed(uplift: Mapping[str, Floats], follows: Sequence[str]) -> Floats | None:
    """Of each arm the predictions of the learner to follow, shape (n, arms - 1); None where there is none."""
    if not all(name in uplift for name in follows):
        return None
    return np.column_stack([uplift[name][:, k] for k, name in enumerate(follows)])


def _ids(log: AssignmentLog) -> Any:
    return log.position if log.lead_id is None else log.lead_id


def _features(log: AssignmentLog, frame: pd.DataFrame) -> pd.DataFrame:
    """Columns as the log has them: numbers, days or text."""
    problems = Problems(WHERE)
    columns = {str(name): feature_values(frame[name], problems) for name in log.known_before.columns}
    problems.stop_if_any()
    if log.problem is not None and log.names["problem"] in frame:
        columns |= {
            name: identifiers(frame[log.names["problem"]]) for name in problem_names(log) if name not in columns
        }
    return pd.DataFrame(columns)
