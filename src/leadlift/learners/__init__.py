"""Floor 4: meta-learners on causalml and LightGBM, cross-fitted by organisation."""

from leadlift.learners.arguments import propensity_by_arm
from leadlift.learners.causalml import pairwise
from leadlift.learners.cross_fit import FittedModels, cross_fit, fit_models, log_features, make_learners
from leadlift.learners.drlearner import DRLearner
from leadlift.learners.encode import FeatureEncoder
from leadlift.learners.features import Features
from leadlift.learners.folds import fold_units, organisation_folds
from leadlift.learners.forests import CausalForest, UpliftForest
from leadlift.learners.learner import UpliftLearner
from leadlift.learners.models import UPLIFT_DEFAULTS
from leadlift.learners.out_of_fold import OutOfFold, in_input_order, lead_table, uplift_columns
from leadlift.learners.rlearner import RLearner
from leadlift.learners.slearner import SLearner
from leadlift.learners.threads import Progress, in_threads, no_progress
from leadlift.learners.tlearner import TLearner
from leadlift.learners.xlearner import XLearner

__all__ = [
    "UPLIFT_DEFAULTS",
    "CausalForest",
    "DRLearner",
    "FeatureEncoder",
    "Features",
    "FittedModels",
    "OutOfFold",
    "Progress",
    "RLearner",
    "SLearner",
    "TLearner",
    "UpliftForest",
    "UpliftLearner",
    "XLearner",
    "cross_fit",
    "fit_models",
    "fold_units",
    "in_input_order",
    "in_threads",
    "lead_table",
    "log_features",
    "make_learners",
    "no_progress",
    "organisation_folds",
    "pairwise",
    "propensity_by_arm",
    "uplift_columns",
]
