"""Floor 3: what deals that were really made reveal: intersections of products, client problems, mixtures."""

from leadlift.problems.cards import Chain, ProblemCard, ProductWeight, TypicalOrganisation
from leadlift.problems.deals import DealColumns, DealTable, read_deals
from leadlift.problems.funnels import FunnelGroup, FunnelSet, SharedClients, funnel_groups
from leadlift.problems.funnels_equivalence import Comparison
from leadlift.problems.ideas import Ideas, ideas, product_profiles
from leadlift.problems.intersections import Intersections, intersect
from leadlift.problems.labels import UNKNOWN
from leadlift.problems.lifts import LiftBand
from leadlift.problems.mixtures import Mixtures
from leadlift.problems.model import ProblemModel
from leadlift.problems.next_deals import NextDeals, NextDealTest
from leadlift.problems.null import NullModel, configuration_model
from leadlift.problems.tails import poisson_binomial_tail
from leadlift.problems.transfer import TransferModel
from leadlift.problems.transfer_hypotheses import Hypothesis, hypotheses

__all__ = [
    "UNKNOWN",
    "Chain",
    "Comparison",
    "DealColumns",
    "DealTable",
    "FunnelGroup",
    "FunnelSet",
    "Hypothesis",
    "Ideas",
    "Intersections",
    "LiftBand",
    "Mixtures",
    "NextDealTest",
    "NextDeals",
    "NullModel",
    "ProblemCard",
    "ProblemModel",
    "ProductWeight",
    "SharedClients",
    "TransferModel",
    "TypicalOrganisation",
    "configuration_model",
    "funnel_groups",
    "hypotheses",
    "ideas",
    "intersect",
    "poisson_binomial_tail",
    "product_profiles",
    "read_deals",
]
