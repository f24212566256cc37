"""Checks plain values against any settings: every failure at once, each in the user's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from leadlift.base.errors import ConfigError
from leadlift.base.explain import explain, is_branch
from leadlift.base.problems import Problems

Model = TypeVar("Model", bound=BaseModel)


class SettingsError(ValueError):
    """What a check found: each key, below what is checked (empty: that itself), and what is wrong with it."""

    def __init__(self, found: Sequence[tuple[str, str]]) -> None:
        self.found = tuple(found)
        super().__init__("; ".join(f"`{key}`: {words}" for key, words in found))


def raise_found(found: Iterable[tuple[str, str]]) -> None:
    """Raises all that a check across keys found; nothing when it found nothing.

    >>> raise_found([("weeks", "too few")])
    Traceback (most recent call last):
        ...
    leadlift.base.settings.SettingsError: `weeks`: too few
    """
    problems = list(found)
    if problems:
        raise SettingsError(problems)


def parse_settings(
    model: type[Model], values: object, where: str, *, context: Mapping[str, Any] | None = None
) -> Model:
    """Checks plain values and freezes them.

    Args:
        model: the settings.
        values: plain values, as a YAML file holds them.
        where: names the file in messages.
        context: facts from outside that a check needs, such as the current date.

    Raises:
        ConfigError: unknown, missing or unusable keys, all of them named.
    """
    try:
        return model.model_validate(values, context=None if context is None else dict(context))
    except ValidationError as error:
        problems = Problems(where)
        for item in error.errors():
            _add(item, model, problems)
        problems.stop_if_any()
        raise


def _add(item: Any, model: type[BaseModel], problems: Problems) -> None:
    cause = item.get("ctx", {}).get("error")
    if not isinstance(cause, SettingsError):
        explain(item, model, problems)
        return
    above = [str(part) for part in item["loc"] if not is_branch(part)]
    for key, words in cause.found:
        name = ".".join(part for part in (*above, key) if part)
        problems.add("value", f"`{name}` can be used", words, f"change `{name}`", ConfigError)
