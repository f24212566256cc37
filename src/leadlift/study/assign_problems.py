"""The main problem and the mixture of each lead's organisation, as they are known when the lot is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from leadlift.base.deals_config import DealsFile
from leadlift.base.errors import ConfigError
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.problems import did_you_mean, stop
from leadlift.data import AssignmentStore
from leadlift.data.cells import identifiers
from leadlift.data.ledger import LedgerStore
from leadlift.design import FrozenDesign
from leadlift.problems.saved import SavedProblems
from leadlift.study.log_problems import made_from
from leadlift.study.problem_files import deals_frame, read_model

WHERE = "the problem model"


@dataclass(frozen=True, eq=False)
class LeadsWithProblems:
    """Leads with the columns that a problem model adds, and the configuration that names them.

    Attributes:
        frame: the leads; `problem` and `mixture_<problem>` where the experiment has a model.
        config: the experiment, with the mixture among its features.
        model: the model's digest; None without one.
        notes: what to say of it.
    """

    frame: pd.DataFrame
    config: ExperimentConfig
    model: str | None = None
    notes: tuple[str, ...] = ()


def with_problems(
    frame: pd.DataFrame,
    config: ExperimentConfig,
    folder: Path,
    store: AssignmentStore | LedgerStore,
    now: pd.Timestamp,
    frozen: FrozenDesign | None,
) -> LeadsWithProblems:
    """The leads with their problems, made from the experiment's model and deals known before `now`.

    Args:
        frame: a row per lead, as the file holds them.
        config: the experiment.
        folder: where its configuration is.
        store: where draws are kept; a ledger holds the deals, too.
        now: when the lot is drawn.
        frozen: the design; its model is to be the same.

    Raises:
        ConfigError: the model is not the one that the design was frozen with, or no deals are named.
        FileError: the model or the deals can't be read.
        DataError: the model rests on later deals, the leads have a problem already, or deals can't be used.
    """
    if config.problems is None:
        return LeadsWithProblems(frame, config)
    saved = read_model(config.problems.model, folder)
    if frozen is not None:
        _refuse_other_model(saved, frozen.answers)
    organisation, problem = config.leads.organisation_id, config.leads.problem
    if organisation not in frame.columns:
        rule, fix = f"the leads have the column `{organisation}`", did_you_mean(organisation, map(str, frame.columns))
        raise stop("the leads", "missing-column", rule, "it is not there; deals are of organisations", fix)
    if problem in frame.columns:
        rule, fix = "a lead's problem comes from one place", f"leave `{problem}` out of the file, or `problems` out"
        raise stop("the leads", "two-problems", rule, f"the file has `{problem}`, and there is a problem model", fix)
    settings, deals = _deals(config, folder, store)
    client = store.read().names_now(identifiers(frame[organisation]).fillna(""))
    made = made_from(saved, settings, deals, client, pd.Series(pd.DatetimeIndex([now]).repeat(len(frame))))
    mixtures = made.mixtures.set_axis(frame.index) if config.problems.features else pd.DataFrame(index=frame.index)
    leads = config.leads.model_copy(update={"features": [*config.leads.features, *mixtures.columns]})
    whole = pd.concat([frame.assign(**{problem: made.problem}), mixtures], axis=1)
    unknown = float((made.problem == "unknown").mean()) if len(frame) else 0.0
    note = f"problems by the model {saved.digest} and {made.deals.used:,} deals known before; unknown: {unknown:.0%}"
    return LeadsWithProblems(whole, config.model_copy(update={"leads": leads}), saved.digest, (note,))


def _deals(
    config: ExperimentConfig, folder: Path, store: AssignmentStore | LedgerStore
) -> tuple[DealsFile, pd.DataFrame]:
    """The ledger's deals, else those of the file that is named."""
    assert config.problems is not None
    if isinstance(store, LedgerStore):
        if not store.path.exists():
            fix = f"import them: `leadlift import CONFIG deals FILE`, into {store.path.name}"
            raise stop("the deals", "no-deals", "the ledger holds the deals", f"{store.path} is not there", fix)
        settings = DealsFile(ledger=str(store.path))
        return settings, deals_frame(settings, None, store.wait)
    settings_given = config.problems.deals
    if settings_given is None:
        rule, fix = "deals tell an organisation's problem", "add `problems.deals: {file: ...}`, or a `ledger`"
        raise stop("the configuration", "missing-key", rule, "`problems` names no deals", fix, ConfigError)
    return settings_given, deals_frame(settings_given, folder)


def _refuse_other_model(saved: SavedProblems, answers: Mapping[str, Any]) -> None:
    said = answers.get("problem_model")
    if said != saved.digest:
        raise stop(
            WHERE,
            "design-changed",
            "the problem model is the one that the design was frozen with",
            f"the design names {said or 'none'}, the file holds {saved.digest}",
            "put it back, or freeze the new design: `leadlift design CONFIG --replace`",
            ConfigError,
        )
