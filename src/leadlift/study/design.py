"""`leadlift design`: configuration -> plan -> table, power curves and the frozen design file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace as evolve
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from leadlift.base.errors import FileError
from leadlift.base.experiment import ExperimentConfig, parse_experiment
from leadlift.base.problems import listed, nearest, stop
from leadlift.base.record import Record
from leadlift.base.yaml import read_experiment
from leadlift.data import find_file, read_table
from leadlift.design import Clusters, DesignPlan, FrozenDesign, estimate_clusters, freeze, plan_design, read_frozen
from leadlift.design.freeze import promised, refuse_changed
from leadlift.report import plan_answer, power_curves
from leadlift.study.files import staging
from leadlift.study.problem_files import read_model

FROZEN = "design.json"
OURS = frozenset({FROZEN, "questions.csv", "power_curves.svg", "power_curves.png"})


@dataclass(frozen=True)
class DesignResult(Record):
    """A plan, its answer in words, and the frozen design that says so.

    `frozen_before` tells that the folder held this design already: then the file there stays as it is.
    """

    plan: DesignPlan
    answer: tuple[str, ...]
    frozen: FrozenDesign
    frozen_before: bool = False


def design_study(
    config: ExperimentConfig | Mapping[str, Any] | str | Path,
    out: str | Path | None = None,
    *,
    today: date | None = None,
    replace: bool = False,
) -> DesignResult:
    """Plans an experiment: what `leadlift design` does.

    Args:
        config: the experiment, its plain values, or the path of its YAML file.
        out: folder for design.json, questions.csv and the power curves; None: nothing is written.
        today: the day from which weeks count; None: the computer's.
        replace: freeze again where the folder holds another design.

    Raises:
        ConfigError: the configuration can't be used, or is not the one frozen in the folder.
        FileError: a file can't be read, or the folder not written.
        DataError: past leads can't be used, or the frozen design was edited.
    """
    day = date.today() if today is None else today
    settings, beside = _settings(config, day)
    folder = None if out is None else Path(out)
    earlier = None if folder is None else _frozen_in(folder, settings, replace=replace)
    plan = _with_problems(plan_design(settings, today=day, past=_past(settings, beside)), settings, beside)
    frozen = freeze(settings, plan, today=day) if earlier is None else earlier
    result = DesignResult(plan, plan_answer(plan), frozen, frozen_before=earlier is not None)
    if folder is not None:
        _write(folder, result)
    return result


def _with_problems(plan: DesignPlan, config: ExperimentConfig, beside: Path | None) -> DesignPlan:
    """The plan with the problem model that draws are to use, and what to know of its strata."""
    if config.problems is None:
        return plan
    saved = read_model(config.problems.model, beside)
    mixtures = saved.found.mixtures
    shares = {} if mixtures is None else dict(zip(saved.names, map(float, mixtures.base), strict=True))
    cautions = plan.cautions
    if "problem" in config.experiment.strata and shares:
        rarest = min(shares, key=lambda name: shares[name])
        groups = len(config.score_groups.names) if "score_group" in config.experiment.strata else 1
        by_group = f"{groups} score groups by " if groups > 1 else ""
        cautions += (
            f"The lot has up to {groups * (len(shares) + 1)} strata: {by_group}{len(shares)} problems and unknown; "
            f"the rarest problem, {rarest}, is behind {shares[rarest]:.0%} of deals.",
        )
    return evolve(plan, problem_model=saved.digest, problem_shares=shares, cautions=cautions)


def _settings(
    config: ExperimentConfig | Mapping[str, Any] | str | Path, today: date
) -> tuple[ExperimentConfig, Path | None]:
    if isinstance(config, ExperimentConfig):
        return config, None
    if isinstance(config, Mapping):
        return parse_experiment(dict(config), today=today), None
    return read_experiment(config, today=today), Path(config).parent


def _frozen_in(folder: Path, config: ExperimentConfig, *, replace: bool) -> FrozenDesign | None:
    """The design that the folder holds; raises if it is another one and not to be replaced."""
    if folder.exists() and not folder.is_dir():
        fix = "name another folder: `--out`"
        raise stop(
            "the output folder", "not-a-folder", "designs go into a folder", f"{folder} is a file", fix, FileError
        )
    others = sorted(path.name for path in folder.iterdir() if path.name not in OURS) if folder.is_dir() else []
    if others:
        raise stop(
            "the output folder",
            "not-empty",
            "the folder is empty or holds an earlier design",
            f"{folder} holds {listed(others, 5)}",
            "name another folder: `--out`",
            FileError,
        )
    if replace or not (folder / FROZEN).exists():
        return None
    frozen = read_frozen(folder / FROZEN)
    if dict(frozen.configuration) != promised(config):
        refuse_changed(frozen, config)
    return frozen


def _past(config: ExperimentConfig, beside: Path | None) -> Clusters | None:
    past = None if config.plan is None else config.plan.past
    if past is None:
        return None
    path = find_file(past.file, beside)
    frame = read_table(path, [past.organisation])
    for column in (past.organisation, past.outcome):
        if column not in frame.columns:
            match = nearest(column, map(str, frame.columns))
            fix = f"did you mean `{match}`?" if match else f"it has {listed(frame.columns)}"
            raise stop("the past leads", "no-column", "the columns are there", f"{path.name} has no `{column}`", fix)
    return estimate_clusters(frame[past.organisation], pd.to_numeric(frame[past.outcome], errors="coerce"))


def _write(folder: Path, result: DesignResult) -> None:
    with staging(folder) as temporary:
        (temporary / FROZEN).write_text(result.frozen.text(), encoding="utf-8")
        pd.DataFrame([row.to_dict() for row in result.plan.rows]).to_csv(temporary / "questions.csv", index=False)
        if result.plan.curves:
            drawn = power_curves(result.plan)
            (temporary / "power_curves.svg").write_text(drawn.svg, encoding="utf-8")
            (temporary / "power_curves.png").write_bytes(drawn.png_bytes)
