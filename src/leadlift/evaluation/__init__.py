"""Floor 5: uplift by group, curves and areas, and whether rankings hold."""

from leadlift.evaluation.curves import GainCurve, TargetingCurve, qini_curve, toc, uplift_curve
from leadlift.evaluation.definitions import Definition
from leadlift.evaluation.effects import effects_by_segment
from leadlift.evaluation.fifths import uplift_fifths
from leadlift.evaluation.groups import Segments, everyone, score_groups
from leadlift.evaluation.judging import JudgedBlock, combined, judge_procedure, judge_sequentially
from leadlift.evaluation.metrics import autoc, qini_score, rate, uplift_auc
from leadlift.evaluation.ranking import ranking_differences, ranking_results
from leadlift.evaluation.scores import lead_scores

__all__ = [
    "Definition",
    "GainCurve",
    "JudgedBlock",
    "Segments",
    "TargetingCurve",
    "autoc",
    "combined",
    "effects_by_segment",
    "everyone",
    "judge_procedure",
    "judge_sequentially",
    "lead_scores",
    "qini_curve",
    "qini_score",
    "ranking_differences",
    "ranking_results",
    "rate",
    "score_groups",
    "toc",
    "uplift_auc",
    "uplift_curve",
    "uplift_fifths",
]
