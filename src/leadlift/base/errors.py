"""The errors leadlift raises, each of which is a built-in as well.

    LeadliftError                 anything leadlift stops on
    ├── ConfigError  (ValueError)     the configuration says something that can't be done
    ├── FileError    (OSError)        a file can't be found, read or written
    ├── DataError    (ValueError)     the data would make an answer wrong
    │   ├── PropensityError               a propensity is missing, outside (0, 1), or the arms don't add up
    │   └── TooFewOutcomesError           defined, but not with this few conversions or organisations
    ├── NotFittedError (ValueError, AttributeError)   predict before fit
    ├── TrackingError  (RuntimeError)  the MLflow store can't be used
    └── ExtraError     (ImportError)   an optional package is absent; the message names its install line

The command line prints `str(error)` and exits with 1; it has no wording of its own.
"""

from __future__ import annotations

from typing import Any


class LeadliftError(Exception):
    """Anything leadlift stops on.

    `problems` holds what was wrong, one by one, for those who show it in their own way.
    """

    problems: tuple[Any, ...] = ()


class ConfigError(LeadliftError, ValueError):
    """The configuration says something that can't be done."""


class FileError(LeadliftError, OSError):
    """A file can't be found, read or written."""


class DataError(LeadliftError, ValueError):
    """The data would make an answer wrong."""


class PropensityError(DataError):
    """A propensity is missing, outside (0, 1), or the arms don't add up to 1."""


class TooFewOutcomesError(DataError):
    """The number is defined, but not with this few conversions or organisations."""


class NotFittedError(LeadliftError, ValueError, AttributeError):
    """Predict was called before fit."""


class TrackingError(LeadliftError, RuntimeError):
    """The MLflow store can't be used."""


class ExtraError(LeadliftError, ImportError):
    """An optional package is absent; the message names its install line."""
