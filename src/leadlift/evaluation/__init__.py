"""Floor 5: uplift by group, and whether rankings hold."""

from leadlift.evaluation.effects import effects_by_segment
from leadlift.evaluation.fifths import uplift_fifths
from leadlift.evaluation.groups import Segments, everyone, score_groups
from leadlift.evaluation.ranking import judge_sequentially, ranking_differences, ranking_results
from leadlift.evaluation.scores import lead_scores

__all__ = [
    "Segments",
    "effects_by_segment",
    "everyone",
    "judge_sequentially",
    "lead_scores",
    "ranking_differences",
    "ranking_results",
    "score_groups",
    "uplift_fifths",
]
