"""Floor 1: errors, messages, configuration and result records; what every room stands on.

Errors, problems and records are offered here. Settings live in `leadlift.base.config`, which needs pydantic: whoever
only raises an error does not wait for it.
"""

from leadlift.base.errors import (
    ConfigError,
    DataError,
    ExtraError,
    FileError,
    LeadliftError,
    NotFittedError,
    PropensityError,
    TooFewOutcomesError,
    TrackingError,
)
from leadlift.base.problems import Problem, Problems
from leadlift.base.record import Record
from leadlift.base.records import (
    BalanceRow,
    Calibration,
    Candidate,
    Check,
    CurvePoint,
    Effect,
    LearnerChoice,
    RankingDifference,
    RankingResult,
    RowAccount,
    ScoreInfo,
    SegmentTest,
    StudyResult,
    TrackedRun,
    TruthRow,
    UpliftBin,
)

__all__ = [
    "BalanceRow",
    "Calibration",
    "Candidate",
    "Check",
    "ConfigError",
    "CurvePoint",
    "DataError",
    "Effect",
    "ExtraError",
    "FileError",
    "LeadliftError",
    "LearnerChoice",
    "NotFittedError",
    "Problem",
    "Problems",
    "PropensityError",
    "RankingDifference",
    "RankingResult",
    "Record",
    "RowAccount",
    "ScoreInfo",
    "SegmentTest",
    "StudyResult",
    "TooFewOutcomesError",
    "TrackedRun",
    "TrackingError",
    "TruthRow",
    "UpliftBin",
]
