"""A simulated company whose truth is known: any design can be drawn on it, and every estimate held against it."""

from leadlift.data.world.arms import ARMS
from leadlift.data.world.check import PRESETS
from leadlift.data.world.config import Preset, WorldConfig
from leadlift.data.world.flat import flat_log
from leadlift.data.world.leads import SCORE_GROUPS
from leadlift.data.world.lot import six_group_assignment
from leadlift.data.world.mechanics import MECHANICS, Mechanic
from leadlift.data.world.observe import Observed
from leadlift.data.world.world import World, make_world

__all__ = [
    "ARMS",
    "MECHANICS",
    "PRESETS",
    "SCORE_GROUPS",
    "Mechanic",
    "Observed",
    "Preset",
    "World",
    "WorldConfig",
    "flat_log",
    "make_world",
    "six_group_assignment",
]
