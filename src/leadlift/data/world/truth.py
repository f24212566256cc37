"""The truth about every lead under every arm, in expectation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from leadlift.data.world.arms import amount_factor, arm_mechanics, contaminating
from leadlift.data.world.company import Company
from leadlift.data.world.effects import arm_strengths, touched_probability
from leadlift.data.world.leads import SCORE_GROUPS
from leadlift.data.world.mechanics import Mechanic
from leadlift.data.world.streams import Floats, Integers
from leadlift.data.world.text import words


def touched(world: Company, lead: Integers, mechanics: Sequence[Mechanic]) -> Floats:
    """Probability of converting within the window when really touched with these mechanics, shape of `lead`."""
    data = world.lead_data
    gain, harm = arm_strengths(world.config, world.seed, world.product_data, mechanics)
    return touched_probability(world.config, data.effects, lead, data.problem, gain, harm)


def truth_frame(world: Company, arms: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """What each arm does to each lead, in expectation given all that is drawn about the lead and its organisation.

    The chances are those of converting within `window_days`. `p_<arm>`, `uplift_<arm>`, `revenue_<arm>` and
    `revenue_uplift_<arm>` are by *assignment*: arms with mechanics miss a share of their leads, arms without are
    touched now and then all the same. `p_untouched`, `p_touched_<arm>` and `touch_uplift_<arm>` are for touches that
    did or did not happen. Uplift is against the first arm without mechanics (against `untouched` if all have some).
    With `spillover` the whole organisation is taken to have the arm.

    Args:
        world: the company.
        arms: each arm's mechanics, by name; none for control.

    Returns:
        A row per lead, in the order of `world.leads`: `lead_id`, `organisation_id`, `score_group`, `problem` (the
        number of the problem behind the lead), `amount` (money if won at list price), `p_untouched`, and for each arm
        the columns named above.

    Raises:
        ConfigError: no arms, or an unknown mechanic.

    >>> from leadlift.data.world import make_world
    >>> truth = make_world(leads=200, preset="null", seed=1).truth()
    >>> float(truth["uplift_call"].abs().max())
    0.0
    """
    data, mechanics = world.lead_data, arm_mechanics(world.config, arms)
    columns: dict[str, object] = {
        "lead_id": world.lead_ids.array,
        "organisation_id": world.organisation_ids.take(data.organisation),
        "score_group": words(SCORE_GROUPS, data.group),
        "problem": data.problem,
        "amount": data.amount,
        "p_untouched": data.effects.control,
    }
    base = data.effects.control, data.effects.control * data.amount
    control = next((arm for arm, used in mechanics.items() if not used), None)
    if control is not None:
        base = assigned(world, mechanics[control])
    for arm, used in mechanics.items():
        columns |= _arm_columns(world, arm, used, base)
    return pd.DataFrame(columns)


def _arm_columns(
    world: Company, arm: str, used: tuple[Mechanic, ...], base: tuple[Floats, Floats]
) -> dict[str, object]:
    chance, revenue = assigned(world, used)
    columns: dict[str, object] = {f"p_{arm}": chance, f"revenue_{arm}": revenue}
    if used:
        really = touched(world, np.arange(len(world.lead_data)), used)
        columns[f"uplift_{arm}"] = chance - base[0]
        columns[f"revenue_uplift_{arm}"] = revenue - base[1]
        columns[f"p_touched_{arm}"] = really
        columns[f"touch_uplift_{arm}"] = really - world.lead_data.effects.control
    return columns


def assigned(world: Company, used: tuple[Mechanic, ...]) -> tuple[Floats, Floats]:
    """Chance and expected money within the window for every lead assigned an arm with these mechanics."""
    config, data = world.config, world.lead_data
    happens = 1.0 - config.missed if used else config.contamination
    mechanics = used or contaminating(config)
    really = touched(world, np.arange(len(data)), mechanics)
    untouched = data.effects.control
    if config.spillover > 0:
        untouched = untouched + config.spillover * (really - untouched) * _others_touched(world, happens)
    factor = amount_factor(mechanics, null=config.preset == "null")
    # Written as a step from the untouched chance: exactly that chance when nothing moves the lead.
    chance = untouched + happens * (really - untouched)
    revenue = (untouched + happens * (really * factor - untouched)) * data.amount
    return chance, revenue


def _others_touched(world: Company, happens: float) -> Floats:
    """Chance that another lead of the same organisation is touched, if all have the arm, shape (leads,)."""
    owner = world.lead_data.organisation
    others = np.bincount(owner)[owner] - 1
    return np.asarray(1.0 - (1.0 - happens) ** others, dtype=np.float64)
