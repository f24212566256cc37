"""What happens when leads get the arms they were assigned: touches, deals and each lead's outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadlift.base.problems import stop
from leadlift.data.world.arms import amount_factor, arm_mechanics, contaminating
from leadlift.data.world.company import Company
from leadlift.data.world.config import WorldConfig
from leadlift.data.world.door import Assigned, read_assignments
from leadlift.data.world.effects import arm_strengths, touched_probability
from leadlift.data.world.happenings import Fates, deals_table, touches_table
from leadlift.data.world.mechanics import Mechanic
from leadlift.data.world.streams import Floats, Integers, uniforms
from leadlift.data.world.tables import later


@dataclass(frozen=True, eq=False)
class Observed:
    """What was seen of an assignment until a moment.

    Attributes:
        touches: a row per touch: `touch_id`, `lead_id`, `mechanic`, `touched_at`, `cost`, `rep_id`.
        deals: a row per deal closed and known by then, won or lost: the columns of the `deals` table.
        outcomes: a row per assigned lead, in the order of the assignments: `lead_id`, `organisation_id`, `treatment`,
            `assigned_at`, `late` (created after it was assigned, or said to be late; its window starts no earlier than
            its creation), `touched`, `converted` (won within the window and known by then), `revenue` and `cost`
            (money), `open` (window or booking not over: `converted` may still change).
        until: the moment.
    """

    touches: pd.DataFrame
    deals: pd.DataFrame
    outcomes: pd.DataFrame
    until: pd.Timestamp


def observe(
    world: Company,
    assignments: pd.DataFrame,
    arms: Mapping[str, Sequence[str]],
    *,
    until: pd.Timestamp | None = None,
    draw: int = 0,
) -> Observed:
    """Lets the company live with an assignment.

    What a lead does under an arm is fixed by world, lead, arm and `draw`: not by the order of the rows nor by who else
    is assigned (unless there is spill-over). Arms without mechanics are touched in `contamination` of their leads,
    arms with mechanics miss `missed` of theirs.

    Args:
        world: the company.
        assignments: a row per lead: `lead_id`, `treatment`, `assigned_at` (with a zone), and `organisation_id` and
            `late` if you like; other columns are ignored.
        arms: the mechanics of each treatment in `assignments`, by name; none for control (or a holdout).
        until: what is known then is returned; None: when the last window and booking lag are over.
        draw: which luck: another number gives the same leads another, independent course. Use one per round.

    Returns: touches, deals and outcomes.

    Raises:
        DataError: the assignments can't be used; every problem is named.
        ConfigError: an arm has unknown mechanics.
    """
    mechanics = arm_mechanics(world.config, arms)
    given = read_assignments(world, assignments, mechanics)
    fates = _fates(world, given, mechanics, draw)
    end = _end(world.config, given) if until is None else _zoned(until)
    touches = touches_table(world, given, fates, draw, end)
    deals = deals_table(world, given, fates, draw, end)
    return Observed(touches, deals, _outcomes(world, given, fates, touches, end), end)


def _end(config: WorldConfig, given: Assigned) -> pd.Timestamp:
    return pd.Timestamp(given.start.max()) + pd.Timedelta(days=config.window_days + config.booking_lag_days)


def _zoned(until: pd.Timestamp) -> pd.Timestamp:
    moment = pd.Timestamp(until)
    if moment.tzinfo is None:
        fix = f'until=pd.Timestamp("{moment.date()}", tz="UTC")'
        raise stop("the observation", "time-zone", "`until` is a time with a zone", f"until={until}", fix)
    return moment.tz_convert("UTC")


def _fates(world: Company, given: Assigned, mechanics: dict[str, tuple[Mechanic, ...]], draw: int) -> Fates:
    config, data, lead = world.config, world.lead_data, given.lead
    received = {arm: used or contaminating(config) for arm, used in mechanics.items()}
    touched = _touched(world, given, mechanics, draw)
    chance, factor = _chances(world, given, received, touched)
    luck = {name: _luck(world, name, draw, lead) for name in ("win", "when", "lost", "lag")}
    won = luck["win"] < chance / config.closed_in_window
    return Fates(
        touched=touched,
        won=won,
        recorded=won | (luck["lost"] < config.lost_recorded),
        closes=closing_days(config, luck["when"]),
        lag=config.booking_lag_days * luck["lag"],
        amount=np.round(data.amount[lead] * factor, 2),
        mechanics=received,
    )


def _luck(world: Company, name: str, draw: int, lead: Integers) -> Floats:
    """The uniform draw that belongs to each lead for this purpose, in (0, 1)."""
    return uniforms(world.seed, f"observe/{draw}/{name}", len(world.lead_data))[lead]


def _touched(
    world: Company, given: Assigned, mechanics: dict[str, tuple[Mechanic, ...]], draw: int
) -> npt.NDArray[np.bool_]:
    """Who is really touched: treated leads that are not missed, and a few controls."""
    share = np.array(
        [1.0 - world.config.missed if mechanics[arm] else world.config.contamination for arm in given.arms]
    )
    return np.asarray(_luck(world, "touch", draw, given.lead) < share[given.arm], dtype=np.bool_)


def _chances(
    world: Company,
    given: Assigned,
    received: dict[str, tuple[Mechanic, ...]],
    touched: npt.NDArray[np.bool_],
) -> tuple[Floats, Floats]:
    """Chance of converting within the window, and what the touch does to the amount, for each assigned lead."""
    config, data = world.config, world.lead_data
    chance = data.effects.control[given.lead]
    factor = np.ones(len(given.lead))
    spilled = _spilled(config, data.organisation[given.lead], touched)
    for code, arm in enumerate(given.arms):
        gain, harm = arm_strengths(config, world.seed, world.product_data, received[arm])
        rows = np.flatnonzero((given.arm == code) & (touched | spilled))
        really = touched_probability(config, data.effects, given.lead[rows], data.problem, gain, harm)
        some = chance[rows] + config.spillover * (really - chance[rows])
        chance[rows] = np.where(touched[rows], really, some)
        factor[rows] = np.where(touched[rows], amount_factor(received[arm], null=config.preset == "null"), 1.0)
    return chance, factor


def _spilled(config: WorldConfig, organisation: Integers, touched: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Untouched leads of an organisation in which another one is touched; nobody without spill-over."""
    if config.spillover == 0:
        return np.zeros(len(touched), dtype=np.bool_)
    return ~touched & (np.bincount(organisation, weights=touched)[organisation] > 0)


def closing_days(config: WorldConfig, u: Floats) -> Floats:
    """Days from the start of the window to the close: early ones are most common, some come after the window."""
    inside = u / config.closed_in_window
    within = np.minimum(inside, 1.0)
    within = 0.35 * within + 0.65 * within**2
    early = config.first_close_days + (config.window_days - config.first_close_days) * within
    rest = np.maximum(u - config.closed_in_window, 0.0) / max(1.0 - config.closed_in_window, 1e-12)
    after = config.window_days * (1.0 + 0.2 * rest + 0.8 * rest**2) + 0.001
    return np.where(inside < 1.0, early, after)


def _outcomes(world: Company, given: Assigned, fates: Fates, touches: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    config = world.config
    known = later(given.start, fates.closes + fates.lag) <= end
    converted = fates.won & (fates.closes < config.window_days) & known.to_numpy()
    closed = later(given.start, np.full(len(given.lead), config.window_days + config.booking_lag_days))
    spent = touches.groupby("lead_id", sort=False)["cost"].sum()
    seen = spent.index.get_indexer(pd.Index(given.lead_id))
    cost = np.append(spent.to_numpy(dtype=np.float64), 0.0)[seen]
    return pd.DataFrame(
        {
            "lead_id": given.lead_id,
            "organisation_id": world.organisation_ids.take(world.lead_data.organisation[given.lead]),
            "treatment": given.treatment,
            "assigned_at": given.assigned_at,
            "late": given.late,
            "touched": seen >= 0,
            "converted": converted.astype(np.int8),
            "revenue": np.where(converted, fates.amount, 0.0),
            "cost": np.round(cost, 2),
            "open": (closed > end).to_numpy(),
        }
    )
