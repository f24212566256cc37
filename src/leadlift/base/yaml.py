"""Reads YAML 1.2: only true and false are booleans, so an arm called No is text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from leadlift.base.config import StudyConfig, parse_config
from leadlift.base.errors import ConfigError, FileError
from leadlift.base.experiment import ExperimentConfig, parse_experiment
from leadlift.base.problems import nearest, stop


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        FileError: the file isn't there or can't be read.
        ConfigError: it isn't YAML, or not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise stop(
            "the configuration", "no-file", "the file exists", f"{path} is not there", _near(path), FileError
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise stop(
            "the configuration",
            "unreadable",
            "the file can be read as UTF-8 text",
            f"{path}: {_reason(error)}",
            "check the path, the permissions and the encoding",
            FileError,
        ) from None
    try:
        values = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise stop(
            "the configuration",
            "yaml",
            "the file is YAML",
            f"{path.name}: {_where(error)}",
            "mend that line",
            ConfigError,
        ) from None
    if not isinstance(values, dict):
        raise stop(
            "the configuration",
            "yaml",
            "the file is a mapping of keys to values",
            f"{path.name} holds {_kind(values)}",
            "start with `version: 1`",
            ConfigError,
        )
    return values


def read_config(path: str | Path) -> StudyConfig:
    """The study that a YAML file configures.

    Raises:
        FileError: the file isn't there or can't be read.
        ConfigError: something in it can't be used.
    """
    path = Path(path)
    return parse_config({"name": path.stem, **read_yaml(path)}, where=path.name)


def read_experiment(path: str | Path, *, today: date | None = None) -> ExperimentConfig:
    """The experiment that a YAML file configures.

    Raises:
        FileError: the file isn't there or can't be read.
        ConfigError: something in it can't be used; a holdout that ends by `today`, for one.
    """
    path = Path(path)
    values = read_yaml(path)
    if not is_experiment(values) and "log" in (values.get("data") or ()):
        raise stop(
            path.name,
            "study",
            "the configuration has an `experiment`: its arms and their shares",
            "it is the study of a log: `data.log`",
            "`leadlift run` takes it; an experiment looks like configs/spring_calls.yaml",
            ConfigError,
        )
    return parse_experiment({"name": path.stem, **values}, where=path.name, today=today)


def read_any(path: str | Path) -> StudyConfig | ExperimentConfig:
    """The study of a log, or the experiment with a ledger, that a YAML file configures.

    Raises:
        FileError: the file isn't there or can't be read.
        ConfigError: something in it can't be used.
    """
    path = Path(path)
    return parse_any({"name": path.stem, **read_yaml(path)}, path.name)


def parse_any(values: Mapping[str, Any], where: str = "the configuration") -> StudyConfig | ExperimentConfig:
    """The same from plain values."""
    if is_experiment(values):
        return parse_experiment(dict(values), where=where)
    return parse_config(dict(values), where=where)


def is_experiment(values: Mapping[str, Any]) -> bool:
    """Whether the values of a YAML file configure an experiment rather than the study of a log."""
    return "experiment" in values or "ledger" in values


def _near(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"the folder {folder} is not there either; check the path"
    names = [p.name for p in folder.iterdir() if p.suffix in (".yaml", ".yml")]
    match = nearest(path.name, names)
    return f"did you mean `{folder / match}`?" if match else "check the path"


def _kind(values: object) -> str:
    if values is None:
        return "nothing"
    return "a list" if isinstance(values, list) else "a single value"


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)


def _where(error: YAMLError) -> str:
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}: {error.problem}"
    return str(error).splitlines()[0]
