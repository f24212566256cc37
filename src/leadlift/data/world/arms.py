"""Arms: names of treatments, and the mechanics that each is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from leadlift.base.errors import ConfigError
from leadlift.base.problems import Problems, did_you_mean, listed
from leadlift.data.world.config import WorldConfig
from leadlift.data.world.mechanics import Mechanic

ARMS: Mapping[str, Sequence[str]] = MappingProxyType({"control": (), "call": ("call",)})


def arm_mechanics(config: WorldConfig, arms: Mapping[str, Sequence[str]]) -> dict[str, tuple[Mechanic, ...]]:
    """The mechanics of each arm, looked up by name.

    Raises:
        ConfigError: no arms, or a mechanic that the world does not have.

    >>> [m.cost for m in arm_mechanics(WorldConfig(), {"control": [], "call": ["call"]})["call"]]
    [35.0]
    """
    problems = Problems("the arms")
    known = {mechanic.name: mechanic for mechanic in config.mechanics}
    if not arms:
        problems.add("world-arms", "there are arms", "none", 'arms={"control": (), "call": ("call",)}', ConfigError)
    for arm, names in arms.items():
        for name in [names] if isinstance(names, str) else names:
            if name not in known:
                rule = f"an arm is made of mechanics: {listed(known)}"
                problems.add("world-arms", rule, f"arm {arm}: {name!r}", did_you_mean(str(name), known), ConfigError)
    problems.stop_if_any()
    found = {arm: [names] if isinstance(names, str) else list(names) for arm, names in arms.items()}
    return {str(arm): tuple(known[name] for name in names) for arm, names in found.items()}


def contaminating(config: WorldConfig) -> tuple[Mechanic, ...]:
    """What a lead in an arm without mechanics gets when it is touched all the same."""
    return tuple(mechanic for mechanic in config.mechanics if mechanic.name == config.contamination_mechanic)


def amount_factor(mechanics: Sequence[Mechanic], *, null: bool) -> float:
    """What an arm does to the amount of a deal won; nothing in the `null` world."""
    factor = 1.0
    for mechanic in mechanics:
        factor *= mechanic.amount_factor
    return 1.0 if null else factor
