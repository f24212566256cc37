"""Floor 6: strategies of whom to touch, what each would earn at a team's capacity, and a list to act on."""

from leadlift.decide.act_list import WARNING, act_list
from leadlift.decide.answer import decide
from leadlift.decide.bant import Bant
from leadlift.decide.groups import with_groups
from leadlift.decide.leads import Leads, leads_of
from leadlift.decide.lines import ranking_of
from leadlift.decide.named import named_strategies
from leadlift.decide.question import Question, ask
from leadlift.decide.strategies import (
    ByProblem,
    Everyone,
    FenceSittersFirst,
    NoOne,
    Random,
    RepresentativesPick,
    ScoreFirst,
    SkipTheDead,
    Strategy,
    Triage,
    UpliftFirst,
    UpliftValueFirst,
    learns,
)

__all__ = [
    "WARNING",
    "Bant",
    "ByProblem",
    "Everyone",
    "FenceSittersFirst",
    "Leads",
    "NoOne",
    "Question",
    "Random",
    "RepresentativesPick",
    "ScoreFirst",
    "SkipTheDead",
    "Strategy",
    "Triage",
    "UpliftFirst",
    "UpliftValueFirst",
    "act_list",
    "ask",
    "decide",
    "leads_of",
    "learns",
    "named_strategies",
    "ranking_of",
    "with_groups",
]
