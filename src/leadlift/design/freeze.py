"""The frozen design: what was planned before the lot was drawn, in a file that shows when someone edits it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from leadlift.base.digest import digest_of
from leadlift.base.errors import ConfigError, DataError, FileError
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.problems import listed, stop
from leadlift.base.record import Record, plain
from leadlift.design.plan_records import DesignPlan

FORMAT = "leadlift design 1"
# What a design promises: how the lot is drawn, into what groups, and what is counted.
PROMISED = ("name", "experiment", "score_groups", "value", "plan", "strategies", "seed")
WHERE = "the frozen design"


@dataclass(frozen=True)
class FrozenDesign(Record):
    """A design as it was frozen.

    Attributes:
        frozen_on: the day, YYYY-MM-DD.
        configuration: the parts of the experiment's configuration that a design promises, as plain values.
        answers: what its plan answered, as plain values.
        digest: of all the above.
    """

    frozen_on: str
    configuration: Mapping[str, Any]
    answers: Mapping[str, Any]
    digest: str

    def text(self) -> str:
        """The file's content."""
        return json.dumps({"format": FORMAT, **self.to_dict()}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def freeze(config: ExperimentConfig, plan: DesignPlan, *, today: date) -> FrozenDesign:
    """The frozen design of a configuration and what its plan answered."""
    answers = plan.to_dict()
    del answers["settings"]
    content: dict[str, Any] = {"frozen_on": today.isoformat(), "configuration": promised(config), "answers": answers}
    return FrozenDesign(**content, digest=_digest(content))


def promised(config: ExperimentConfig) -> dict[str, Any]:
    """The parts of a configuration that a design promises, as plain values."""
    published = plain(config.published())
    own = {} if config.problems is None else {"problems": published["problems"]}
    return {name: published[name] for name in PROMISED} | own


def read_frozen(path: Path) -> FrozenDesign:
    """Reads a frozen design and checks that it is the one that was frozen.

    Raises:
        FileError: the file can't be read.
        DataError: it is no frozen design, or was edited afterwards.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        words = error.strerror or str(error)
        raise stop(WHERE, "no-file", "the file can be read", f"{path}: {words}", "check the path", FileError) from None
    except ValueError:
        values = None
    wanted = {"format", *FrozenDesign.__dataclass_fields__}
    if not isinstance(values, dict) or set(values) != wanted or values["format"] != FORMAT:
        rule, fix = "the file is what `leadlift design` wrote", "restore it, or freeze the design again"
        raise stop(WHERE, "format", rule, f"{path} holds something else", fix, DataError)
    del values["format"]
    said = values.pop("digest")
    found = _digest(values)
    if found != said:
        raise stop(
            WHERE,
            "edited",
            "a design stays as it was frozen",
            f"{path} was edited after it was frozen on {values['frozen_on']}: it says digest {said}, "
            f"its content has {found}",
            "restore the file from your version control, or freeze a new design under a new name",
            DataError,
        )
    return FrozenDesign(**values, digest=said)


def refuse_changed(frozen: FrozenDesign, config: ExperimentConfig) -> None:
    """Raises ConfigError if the configuration promises something else than the frozen design.

    Raises:
        ConfigError: keys that have changed, each with what it was and is.
    """
    changes = list(_changes("", frozen.configuration, promised(config)))
    if changes:
        raise stop(
            WHERE,
            "changed",
            f"the configuration is still the one frozen on {frozen.frozen_on}",
            listed(changes, 6),
            "change it back, or freeze the new design: `leadlift design CONFIG --replace`",
            ConfigError,
        )


def _changes(key: str, was: Any, now: Any) -> Iterator[str]:
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for name in [*was, *(name for name in now if name not in was)]:
            yield from _changes(f"{key}.{name}" if key else name, was.get(name), now.get(name))
    elif was != now:
        yield f"`{key}` was {_shown(was)}, is {_shown(now)}"


def _shown(value: Any) -> str:
    return "absent" if value is None else json.dumps(value, ensure_ascii=False)


def _digest(content: Mapping[str, Any]) -> str:
    return digest_of({"format": FORMAT, **content})
