"""Progress of long work, told to whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """Listens to a study: each step, and the ticks inside it."""

    def step(self, name: str, total: int | None = None) -> AbstractContextManager[Callable[[str], None]]:
        """Opens a step of `total` ticks; entering it gives the function to call at each tick."""


class Silent:
    """Listens and says nothing."""

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[Callable[[str], None]]:
        """Opens a step that nobody sees."""
        yield lambda words: None
