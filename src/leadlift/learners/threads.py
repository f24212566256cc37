"""Folds and blocks side by side: each model is fitted by one thread, so the number of threads changes no bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import sklearn
from joblib import cpu_count

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[str], None]


def no_progress(step: str) -> None:
    """Tells no one."""


def in_threads(work: Callable[[Item], Result], items: Sequence[Item], progress: Progress = no_progress) -> list[Result]:
    """`work` done on each item, in the order of the items, on as many threads as there are processors.

    LightGBM lets other threads run while it fits. One thread per model and models side by side is several times
    faster than many threads per model on small data, and bears a busy machine.

    Args:
        work: called once per item; must not change what the others read.
        items: what to work on.
        progress: called after each item, in order.
    """
    # scikit-learn keeps its configuration by thread: a caller's metadata routing would not be known on ours.
    settings = sklearn.get_config()

    def configured(item: Item) -> Result:
        with sklearn.config_context(**settings):
            return work(item)

    with ThreadPoolExecutor(max_workers=max(1, min(cpu_count(), len(items)))) as pool:
        results = []
        for number, result in enumerate(pool.map(configured, items), start=1):
            results.append(result)
            progress(f"{number} of {len(items)}")
        return results
