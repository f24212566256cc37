"""Mechanics worth trying: hypotheses, each with the test that would decide it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from leadlift.base.arrays import Codes, Floats
from leadlift.base.problems import Problems, did_you_mean, stop
from leadlift.base.record import Record, known
from leadlift.problems.asked import is_number
from leadlift.problems.transfer import TransferModel, mixture_quantile
from leadlift.problems.transfer_cells import Cells
from leadlift.problems.transfer_value import Designs, design_tests, expected_improvement, one_after_another

LOOKED_AT = 100
# Products whose problems are less alike than this (cosine) are not in a similar situation.
ALIKE = 0.5
Order = Literal["gain", "information"]


@dataclass(frozen=True)
class Hypothesis(Record):
    """A mechanic that may be worth trying on a product, and the test that would tell.

    Attributes:
        product, mechanic: the cell; it was never tried.
        predicted: expected true uplift, outcome units.
        lower, upper: interval of the true uplift of this very cell.
        chance: that the true uplift is above break-even.
        expected_gain: predicted uplift over break-even times leads, if it were done untested.
        information: expected gain, over all products and mechanics, of deciding with this test's result known.
        rank_gain: place by expected gain, from 1.
        rank_information: place in the order in which each test teaches most after those before it; None beyond the
            number asked for.
        n_per_arm: leads in each of two arms of the test; None where no study tells the outcome's variance.
        designed_for: uplift over break-even that the test finds with the power asked for.
        assurance: chance that the test shows uplift over break-even, given all that is not known.
        problem: the product's main problem, or None.
        like_product, like_effect, like_se: of the products whose problems are most like this one's, the one on which
            this mechanic was measured best, and what was measured; None without profiles, or where the mechanic was
            measured on no product that is alike.
    """

    product: str
    mechanic: str
    predicted: float
    lower: float
    upper: float
    chance: float
    expected_gain: float
    information: float
    rank_gain: int
    rank_information: int | None
    n_per_arm: int | None
    designed_for: float
    assurance: float
    problem: str | None
    like_product: str | None
    like_effect: float | None
    like_se: float | None


def hypotheses(
    model: TransferModel,
    *,
    break_even: float | Mapping[str, float] = 0.0,
    leads: Mapping[str, float] | None = None,
    most: int = 50,
    order: Order = "gain",
    alpha: float = 0.05,
    power: float = 0.8,
) -> tuple[Hypothesis, ...]:
    """Ranks untried cells and designs a test for each; none where every cell was tried.

    Args:
        model: fitted.
        break_even: uplift that pays for a touch, one number or one per mechanic, outcome units; a mechanic left out
            has 0.
        leads: how many leads each product's decision is about; None: 1 each. A product left out has 0.
        most: how many to give.
        order: by expected gain, or by information.
        alpha: two-sided level of the tests.
        power: of the tests, at what they are designed for.

    Raises:
        DataError: a mechanic or product that the model does not know, or a setting that means nothing.
    """
    _check(most, order, alpha, power)
    cells = model.cells_
    if cells.tried.all():
        return ()
    bar, volume = _bar(cells, break_even), _volume(cells, leads)
    mean, sd = model.moments()
    distance = mean - bar
    tests = design_tests(
        mean.ravel(),
        sd.ravel(),
        np.broadcast_to(bar, mean.shape).ravel(),
        _lead_variance(cells).ravel(),
        float(np.sqrt(np.nanmedian(cells.se**2))),
        alpha=alpha,
        power=power,
    )
    gain = (distance * volume[:, None]).ravel()
    looked = _looked_at(cells, distance, sd, volume, gain, tests, max(most, LOOKED_AT))
    worth, taught = _worth(model, looked, tests, distance, volume, most)
    by_gain = np.argsort(-gain[looked], kind="stable")
    rank_gain, rank_worth = ({int(k): rank for rank, k in enumerate(by, start=1)} for by in (by_gain, taught))
    first = [int(k) for k in (by_gain if order == "gain" else taught)[:most]]
    ends = _ends(model, looked[np.array(first, dtype=np.intp)])
    chance = model.chance_above(bar).ravel()
    found = []
    for k, lower, upper in zip(first, *ends, strict=True):
        at = int(looked[k])
        product, mechanic = divmod(at, len(cells.mechanics))
        n = tests.n_per_arm[at]
        found.append(
            Hypothesis(
                product=cells.products[product],
                mechanic=cells.mechanics[mechanic],
                predicted=float(mean.ravel()[at]),
                lower=float(lower),
                upper=float(upper),
                chance=float(chance[at]),
                expected_gain=float(gain[at]),
                information=float(worth[k]),
                rank_gain=rank_gain[k],
                rank_information=rank_worth.get(k),
                n_per_arm=int(n) if np.isfinite(n) else None,
                designed_for=float(tests.designed_for[at]),
                assurance=float(tests.assurance[at]),
                problem=cells.problems[int(cells.profile[product].argmax())] if cells.problems else None,
                **_like(cells, product, mechanic),
            )
        )
    return tuple(found)


def _check(most: int, order: str, alpha: float, power: float) -> None:
    problems = Problems("the hypotheses")
    if not (is_number(most) and most >= 1 and most == int(most)):
        problems.add("most", "`most` is a whole number from 1", repr(most), "write 50")
    if order not in ("gain", "information"):
        problems.add("order", "`order` is gain or information", repr(order), "write one of them")
    for name, value, example in (("alpha", alpha, "0.05"), ("power", power, "0.8")):
        if not (is_number(value) and 0 < value < 1):
            problems.add(name, f"`{name}` is a number inside (0, 1)", repr(value), f"write {example}")
    problems.stop_if_any()


def _bar(cells: Cells, break_even: float | Mapping[str, float]) -> Floats:
    """Break-even uplift of each mechanic, shape (mechanics,)."""
    if not isinstance(break_even, Mapping):
        if not is_number(break_even):
            rule, fix = "break-even uplift is a number, or one per mechanic", "write 0.01 for one point"
            raise stop("break-even uplifts", "number", rule, repr(break_even), fix)
        return np.full(len(cells.mechanics), float(break_even))
    _known_names("break-even uplifts", "mechanic", break_even, cells.mechanics)
    return np.array([float(break_even.get(name, 0.0)) for name in cells.mechanics])


def _volume(cells: Cells, leads: Mapping[str, float] | None) -> Floats:
    """Leads of each product, shape (products,)."""
    if leads is None:
        return np.ones(len(cells.products))
    _known_names("leads by product", "product", leads, cells.products)
    negative = [name for name, value in leads.items() if value < 0]
    if negative:
        rule, found = "a product has 0 leads or more", f"`{negative[0]}`: {leads[negative[0]]:g}"
        raise stop("leads by product", "leads", rule, found, "leave it out")
    return np.array([float(leads.get(name, 0.0)) for name in cells.products])


def _known_names(where: str, kind: str, given: Mapping[str, float], names: tuple[str, ...]) -> None:
    problems = Problems(where)
    for name in given:
        if name not in names:
            problems.add("unknown-name", f"each {kind} is one of the model's", f"`{name}`", did_you_mean(name, names))
    for name, value in given.items():
        if not is_number(value):
            problems.add("number", "numbers are finite", f"`{name}`: {value!r}", "leave it out")
    problems.stop_if_any()


def _lead_variance(cells: Cells) -> Floats:
    """Variance of one lead's outcome: the product's studies', else the mechanic's, else all; NaN if none tells."""
    seen = cells.lead_variance
    if not np.isfinite(seen).any():
        return np.full(seen.shape, np.nan)
    held = np.ma.masked_invalid(seen)
    product = np.ma.mean(held, axis=1).filled(np.nan)[:, None]
    mechanic = np.ma.mean(held, axis=0).filled(np.nan)[None, :]
    found = np.where(np.isfinite(product), product, mechanic)
    return np.where(np.isfinite(found), found, np.nanmedian(seen))


def _looked_at(
    cells: Cells, distance: Floats, sd: Floats, volume: Floats, gain: Floats, tests: Designs, many: int
) -> Codes:
    """Untried cells that are first by gain, or by what their test would teach about themselves."""
    moved = sd**2 / np.hypot(sd, tests.se.reshape(sd.shape))
    own = (expected_improvement(distance, moved) * volume[:, None]).ravel()
    untried = np.flatnonzero(~cells.tried.ravel())
    first = [untried[np.argsort(-values[untried], kind="stable")[:many]] for values in (gain, own)]
    return np.union1d(*first)


def _worth(
    model: TransferModel, looked: Codes, tests: Designs, distance: Floats, volume: Floats, most: int
) -> tuple[Floats, Codes]:
    """What each test would teach about all cells, under the likeliest variances, and the best order of tests."""
    point = model.integral_.posteriors[0]
    covariance = point.covariance(*np.divmod(looked, distance.shape[1])).reshape(len(looked), -1)
    leads = np.repeat(volume, distance.shape[1])
    return one_after_another(covariance, looked, tests.se[looked], distance.ravel(), leads, most)


def _ends(model: TransferModel, at: Codes) -> tuple[Floats, Floats]:
    means, deviations = (values.reshape(len(values), -1)[:, at] for values in model.integral_.predicted)
    tails = ((1 - model.level) / 2, (1 + model.level) / 2)
    lower, upper = (mixture_quantile(means, deviations, model.integral_.weights, q) for q in tails)
    return lower, upper


def _like(cells: Cells, product: int, mechanic: int) -> dict[str, Any]:
    """The measured product whose problems are most like this one's."""
    measured = np.flatnonzero(cells.tried[:, mechanic])
    nothing = {"like_product": None, "like_effect": None, "like_se": None}
    if not cells.problems or not measured.size:
        return nothing
    length = np.linalg.norm(cells.profile, axis=1)
    alike = cells.profile[measured] @ cells.profile[product] / (length[measured] * length[product])
    # Among equally like ones, the surest measurement.
    first = int(np.lexsort((cells.se[measured, mechanic], -np.round(alike, 1)))[0])
    if alike[first] < ALIKE:
        return nothing
    best = int(measured[first])
    return {
        "like_product": cells.products[best],
        "like_effect": known(cells.effect[best, mechanic]),
        "like_se": known(cells.se[best, mechanic]),
    }
