"""Versions of what computed the numbers."""

from __future__ import annotations

import platform
from importlib.metadata import version

PACKAGES = ("leadlift", "causalml", "lightgbm", "numpy", "pandas", "scikit-learn", "scipy")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
