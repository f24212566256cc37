"""Numbers with their errors, from arrays: per-lead scores, intervals, bands, areas, sequential validation."""

from __future__ import annotations

from leadlift.inference.areas import area_estimate, area_se, half_sample_se, unit_influence
from leadlift.inference.bounds import Bounds, imbens_manski, response_bounds
from leadlift.inference.cells import CellCounts, cell_counts, merge_cells, merge_strata
from leadlift.inference.compliers import ComplierAverage, complier_average
from leadlift.inference.curves import band_critical_value, gain_curve, gain_curve_influence
from leadlift.inference.estimates import Estimate, MeansDifference, difference_in_means, organisation_means
from leadlift.inference.intervals import Interval, ScoreInterval, miettinen_nurminen, p_value, t_interval
from leadlift.inference.off_policy import OffPolicyEstimator, effective_sample_size, off_policy_value
from leadlift.inference.pooling import Pooled, partially_pooled
from leadlift.inference.ranks import RankArea, is_constant, rank_area, toc
from leadlift.inference.resampling import resample_areas
from leadlift.inference.score_means import covariance, mean_of_scores
from leadlift.inference.scores import aipw_scores, contrast_scores, ipw_scores
from leadlift.inference.segments import EqualityTest, equality_test, possibly_best
from leadlift.inference.sequential import Block, Sequential, combine, sequential_blocks, unit_permutation
from leadlift.inference.simultaneous import adjusted_p_values, max_t
from leadlift.inference.split_sequence import anytime_p, split_log_evidence
from leadlift.inference.tails import effective_number

__all__ = [
    "Block",
    "Bounds",
    "CellCounts",
    "ComplierAverage",
    "EqualityTest",
    "Estimate",
    "Interval",
    "MeansDifference",
    "OffPolicyEstimator",
    "Pooled",
    "RankArea",
    "ScoreInterval",
    "Sequential",
    "adjusted_p_values",
    "aipw_scores",
    "anytime_p",
    "area_estimate",
    "area_se",
    "band_critical_value",
    "cell_counts",
    "combine",
    "complier_average",
    "contrast_scores",
    "covariance",
    "difference_in_means",
    "effective_number",
    "effective_sample_size",
    "equality_test",
    "gain_curve",
    "gain_curve_influence",
    "half_sample_se",
    "imbens_manski",
    "ipw_scores",
    "is_constant",
    "max_t",
    "mean_of_scores",
    "merge_cells",
    "merge_strata",
    "miettinen_nurminen",
    "off_policy_value",
    "organisation_means",
    "p_value",
    "partially_pooled",
    "possibly_best",
    "rank_area",
    "resample_areas",
    "response_bounds",
    "sequential_blocks",
    "split_log_evidence",
    "t_interval",
    "toc",
    "unit_influence",
    "unit_permutation",
]
