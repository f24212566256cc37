"""Two years of deals: what organisations bought, in the order of their problems' chains, and what they turned down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadlift.data.world.config import WorldConfig
from leadlift.data.world.organisations import Organisations
from leadlift.data.world.products import Products
from leadlift.data.world.streams import Floats, Integers, counts, normals, pick, pick_rows, uniforms

# Deals over the year, January first: budgets close in March, June and the autumn; little happens in summer.
SEASON = np.array([-0.9, -0.2, 0.9, 0.2, 0.1, 0.9, -0.8, -1.2, 0.4, 0.6, 0.8, -0.8])
DEAL_SPREAD = 1.5


@dataclass(frozen=True, eq=False)
class History:
    """Deals before today, in order of time, shape (deals,) each; and where each organisation stands.

    Attributes:
        organisation: number of the organisation.
        product: number of the product.
        day: when the deal closed, days after the history's start.
        won: whether it was won.
        amount: money.
        lag: days until it was known.
        last: last place reached in each problem's chain, -1 for none, shape (organisations, problems).
        bought: deals won per organisation, shape (organisations,).
    """

    organisation: Integers
    product: Integers
    day: Floats
    won: npt.NDArray[np.bool_]
    amount: Floats
    lag: Floats
    last: npt.NDArray[np.int16]
    bought: Integers


def make_history(config: WorldConfig, seed: int, organisations: Organisations, products: Products) -> History:
    """Draws the deals of the history, the first of every organisation, then the second, and so on."""
    n = counts(uniforms(seed, "history/count", len(organisations)), config.deals_per_organisation, DEAL_SPREAD)
    first = np.concatenate([[0], np.cumsum(n)]).astype(np.int64)
    total = int(first[-1])
    owner = np.repeat(np.arange(len(n)), n)
    won = uniforms(seed, "history/won", total) >= config.lost_share
    problem = _problems(config, seed, organisations, products, owner)
    product, last = _walk(config, seed, products, n, first, problem, won)
    day = season_days(config, _ordered(uniforms(seed, "history/time", total), n, first))
    amount = deal_amounts(products, product, organisations.employees[owner], normals(seed, "history/amount", total))
    lag = config.booking_lag_days * uniforms(seed, "history/lag", total)
    order = np.argsort(day, kind="stable")
    return History(
        organisation=owner[order],
        product=product[order],
        day=day[order],
        won=won[order],
        amount=amount[order],
        lag=lag[order],
        last=last,
        bought=np.bincount(owner[won], minlength=len(n)),
    )


def _problems(
    config: WorldConfig, seed: int, organisations: Organisations, products: Products, owner: Integers
) -> Integers:
    """The problem behind each deal: one of the organisation's, or now and then just any."""
    total = len(owner)
    own = pick_rows(uniforms(seed, "history/problem", total), organisations.mixture[owner])
    anyones = pick(uniforms(seed, "history/any", total), products.prevalence)
    return np.where(uniforms(seed, "history/signal", total) < config.problem_signal, own, anyones)


def _walk(
    config: WorldConfig,
    seed: int,
    products: Products,
    n: Integers,
    first: Integers,
    problem: Integers,
    won: npt.NDArray[np.bool_],
) -> tuple[Integers, npt.NDArray[np.int16]]:
    """The product of each deal, and the last place each organisation reached in each chain."""
    total = int(first[-1])
    place = products.by_popularity(problem, uniforms(seed, "history/place", total))
    # Without structure there are no chains either.
    follows = uniforms(seed, "history/chain", total) < config.chain_strength * (config.problem_signal > 0)
    last = np.full((len(n), len(products.length)), -1, dtype=np.int16)
    for turn in range(int(n.max(initial=0))):
        who = np.flatnonzero(n > turn)
        deal = first[who] + turn
        behind, reached = problem[deal], last[who, problem[deal]].astype(np.int64)
        next_one = follows[deal] & (reached >= 0)
        place[deal] = np.where(next_one, products.after(behind, reached), place[deal])
        bought = won[deal]
        last[who[bought], behind[bought]] = place[deal[bought]]
    return products.chain[problem, place], last


def _ordered(u: Floats, n: Integers, first: Integers) -> Floats:
    """Each organisation's moments in (0, 1), already in order: every one is drawn given the one before."""
    moment = np.empty(len(u))
    before = np.zeros(len(n))
    for turn in range(int(n.max(initial=0))):
        who = np.flatnonzero(n > turn)
        deal = first[who] + turn
        left = n[who] - turn
        before[who] = 1.0 - (1.0 - before[who]) * (1.0 - u[deal]) ** (1.0 / left)
        moment[deal] = before[who]
    return np.round(moment, 9)


def season_days(config: WorldConfig, moment: Floats) -> Floats:
    """Days after the start for moments in (0, 1), denser in the strong months."""
    start = np.datetime64(config.start, "D")
    month = (start + np.arange(config.history_days)).astype("datetime64[M]").astype(np.int64) % 12
    weight = 1.0 + config.season * SEASON[month] / np.abs(SEASON).max()
    running = np.concatenate([[0.0], np.cumsum(weight)])
    days = np.interp(moment, running / running[-1], np.arange(config.history_days + 1.0))
    # The last second is left out: a deal of the history closed before today.
    return np.asarray(np.minimum(days, config.history_days - 1e-4), dtype=np.float64)


def deal_amounts(products: Products, product: Integers, employees: Floats, spread: Floats) -> Floats:
    """Money per deal: the list price, more for large organisations, give or take a third."""
    size = (employees / 30.0) ** 0.2
    return np.asarray(np.round(products.price[product] * size * np.exp(0.3 * spread), 2), dtype=np.float64)
