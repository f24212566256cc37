"""Floor 5: uplift by group, curves and areas, and whether rankings hold."""

from leadlift.evaluation.area_intervals import (
    AreaEstimate,
    area_interval,
    rate_interval,
)
from leadlift.evaluation.at_k import RankBin, uplift_at_k, uplift_by_bin
from leadlift.evaluation.calibration import calibration, isotonic_uplift, recalibrated
from leadlift.evaluation.choice import chosen_before, learner_choices
from leadlift.evaluation.combining import combined
from leadlift.evaluation.compliers import lead_compliers, organisation_compliers
from leadlift.evaluation.curve_bands import TargetingPoint, gain_band, toc_band
from leadlift.evaluation.curves import GainCurve, TargetingCurve, qini_curve, toc, uplift_curve
from leadlift.evaluation.definitions import Definition
from leadlift.evaluation.effects import effects_by_segment
from leadlift.evaluation.groups import Segments, crossed, everyone, problem_segments, score_groups
from leadlift.evaluation.judging import JudgedBlock, judge_procedure, judge_sequentially
from leadlift.evaluation.metrics import autoc, qini_score, rate, uplift_auc
from leadlift.evaluation.organisations import organisation_effects
from leadlift.evaluation.pooling import problem_effects
from leadlift.evaluation.ranking import ranking_differences, ranking_results
from leadlift.evaluation.scorers import UpliftScorer, uplift_scorer
from leadlift.evaluation.scores import lead_scores

__all__ = [
    "AreaEstimate",
    "Definition",
    "GainCurve",
    "JudgedBlock",
    "RankBin",
    "Segments",
    "TargetingCurve",
    "TargetingPoint",
    "UpliftScorer",
    "area_interval",
    "autoc",
    "calibration",
    "chosen_before",
    "combined",
    "crossed",
    "effects_by_segment",
    "everyone",
    "gain_band",
    "isotonic_uplift",
    "judge_procedure",
    "judge_sequentially",
    "lead_compliers",
    "lead_scores",
    "learner_choices",
    "organisation_compliers",
    "organisation_effects",
    "problem_effects",
    "problem_segments",
    "qini_curve",
    "qini_score",
    "ranking_differences",
    "ranking_results",
    "rate",
    "rate_interval",
    "recalibrated",
    "score_groups",
    "toc",
    "toc_band",
    "uplift_at_k",
    "uplift_auc",
    "uplift_by_bin",
    "uplift_curve",
    "uplift_scorer",
]
