"""Floor 3: what deals that were really made reveal: intersections of products, client problems, mixtures."""

from leadlift.problems.cards import Chain, ProblemCard, ProductWeight, TypicalOrganisation
from leadlift.problems.deals import DealColumns, DealTable, read_deals
from leadlift.problems.intersections import Intersections, intersect
from leadlift.problems.labels import UNKNOWN
from leadlift.problems.mixtures import Mixtures
from leadlift.problems.model import ProblemModel
from leadlift.problems.null import NullModel, configuration_model
from leadlift.problems.tails import poisson_binomial_tail

__all__ = [
    "UNKNOWN",
    "Chain",
    "DealColumns",
    "DealTable",
    "Intersections",
    "Mixtures",
    "NullModel",
    "ProblemCard",
    "ProblemModel",
    "ProductWeight",
    "TypicalOrganisation",
    "configuration_model",
    "intersect",
    "poisson_binomial_tail",
    "read_deals",
]
