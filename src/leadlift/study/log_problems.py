"""Client problems of a log's leads: as they were logged, or made from a saved model as of each assignment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from leadlift.base.config import StudyConfig
from leadlift.base.deals_config import DealsFile, ProblemSource
from leadlift.base.problems import Problems, did_you_mean, listed, share, stop
from leadlift.base.records import RowAccount
from leadlift.data import UNKNOWN_PROBLEM, AssignmentLog
from leadlift.data.cells import times
from leadlift.problems import DealColumns
from leadlift.problems.as_of import PREFIX, ProblemsAsOf, problems_as_of
from leadlift.problems.saved import SavedProblems
from leadlift.study.problem_files import deals_frame, read_model

MADE = "problem (made)"
WHERE = "the assignment log"


@dataclass(frozen=True, eq=False)
class LogProblems:
    """Where the problems of a log come from.

    Attributes:
        saved: the problem model; None: none is at hand.
        made: whether they were made from it; else they were logged.
        deals: where every deal went that they were made from.
    """

    saved: SavedProblems | None = None
    made: bool = False
    deals: RowAccount | None = None


def model_of(source: ProblemSource | None, beside: Path | None) -> LogProblems:
    """The model that a configuration names, not applied to anything yet."""
    return LogProblems() if source is None else LogProblems(read_model(source.model, beside))


def with_made_problems(
    frame: pd.DataFrame, config: StudyConfig, beside: Path | None
) -> tuple[pd.DataFrame, dict[str, Any], LogProblems]:
    """The log's frame with problems and mixtures made as of each assignment, where the configuration asks for them.

    A problem that was logged stays the segment; mixtures that were logged stay the features.

    Returns: the frame, the arguments of `AssignmentLog.from_frame`, and where the problems come from.

    Raises:
        FileError: the model or the deals can't be read.
        DataError: the model rests on deals known only after an assignment; or columns or deals can't be used.
    """
    assert config.data is not None
    arguments, source = config.data.log_arguments(), config.problems
    found = model_of(source, beside)
    if source is None or found.saved is None:
        return frame, arguments, found
    wanted = [f"{PREFIX}{name}" for name in found.saved.names]
    logged = [name for name in wanted if name in frame.columns]
    if source.deals is None:
        return frame, _seen(arguments, logged if source.features else []), found
    frame = frame.drop(columns=[] if source.features else logged)
    organisation, moments = _asked(frame, arguments, source)
    made = made_from(found.saved, source.deals, deals_frame(source.deals, beside), organisation, moments)
    mixtures = (
        made.mixtures.set_axis(frame.index).drop(columns=logged) if source.features else pd.DataFrame(index=frame.index)
    )
    frame = pd.concat([frame, mixtures], axis=1)
    arguments = _seen(arguments, wanted if source.features else [])
    if arguments["problem"] is None:
        frame = frame.assign(**{MADE: made.problem})
        arguments["problem"] = MADE
        found = replace(found, made=True)
    return frame, arguments, replace(found, deals=made.deals)


def with_new_problems(
    frame: pd.DataFrame, source: ProblemSource | None, organisation: str | None, beside: Path | None
) -> pd.DataFrame:
    """New leads with the problem and mixture that all deals at hand tell, where the source names deals."""
    if source is None or source.deals is None or organisation not in frame.columns:
        return frame
    saved, now = read_model(source.model, beside), pd.Timestamp.now("UTC")
    moments = pd.Series(pd.DatetimeIndex([now]).repeat(len(frame)))
    made = made_from(saved, source.deals, deals_frame(source.deals, beside), frame[organisation], moments)
    columns = made.mixtures.set_axis(frame.index).assign(**{MADE: made.problem})
    return pd.concat([frame, columns.drop(columns=[name for name in columns if name in frame.columns])], axis=1)


def made_from(saved: SavedProblems, settings: DealsFile, deals: Any, organisations: Any, moments: Any) -> ProblemsAsOf:
    """Problems and mixtures as of each lead's moment, from deals as the settings describe them."""
    return problems_as_of(
        saved,
        deals,
        organisations,
        moments,
        columns=DealColumns(**settings.columns),  # type: ignore[arg-type]
        returns=settings.returns,
        timezone=settings.timezone,
    )


def _seen(arguments: dict[str, Any], mixtures: list[str]) -> dict[str, Any]:
    """The log's arguments with the mixture among the features; absent, all columns are."""
    if arguments["features"] is None:
        return arguments
    return {**arguments, "features": list(dict.fromkeys([*arguments["features"], *mixtures]))}


def _asked(frame: pd.DataFrame, arguments: dict[str, Any], source: ProblemSource) -> tuple[Any, Any]:
    """Each lead's organisation, and when it was assigned."""
    problems = Problems(WHERE)
    for role, name in (("organisation", arguments["organisation"]), ("assigned_at", source.assigned_at)):
        if name not in frame.columns:
            hint = did_you_mean(str(name), map(str, frame.columns))
            problems.add("missing-column", f"the log has the column `{name}` ({role})", "it is not there", hint)
    problems.stop_if_any()
    moments = times(frame[source.assigned_at], arguments["timezone"])
    if moments.isna().any():
        problems.add(
            "assigned-at",
            f"`{source.assigned_at}` is a time in every row",
            f"none that can be read in {share(int(moments.isna().sum()), len(frame))}",
            "export times in ISO 8601, year first",
        )
    problems.stop_if_any()
    return frame[arguments["organisation"]], moments


def refuse_other_problems(log: AssignmentLog, found: LogProblems) -> None:
    """Raises DataError if none of the log's problems is one of the model's."""
    if found.saved is None or log.problem is None:
        return
    names = sorted(set(log.problem.astype(str)) - {UNKNOWN_PROBLEM})
    if names and found.saved.names and not set(names) & set(found.saved.names):
        raise stop(
            "the problem model",
            "other-problems",
            "the log's problems are the model's",
            f"the log has {listed(names, 5)}, the model {listed(found.saved.names, 5)}",
            "name the model that they were logged from",
        )
