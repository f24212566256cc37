"""What a mechanic would gain where it was never tried: learnt across products through their problems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special
from sklearn.base import BaseEstimator

from leadlift.base.arrays import Floats
from leadlift.base.errors import NotFittedError
from leadlift.base.problems import stop
from leadlift.base.records import Check
from leadlift.problems.asked import is_number
from leadlift.problems.transfer_cells import Cells, read_cells
from leadlift.problems.transfer_gaussian import SELECTION, Field
from leadlift.problems.transfer_integration import Integral, integrate
from leadlift.problems.transfer_trying import selected, trying_index

Selection = Literal["believed_gain", "none"]
STEPS, CLOSE = 60, 1e-8
FEW_POINTS = 20


class TransferModel(BaseEstimator):
    """Uplift per product and mechanic as a sum of normal effects, partially pooled.

    uplift = mean + mechanic + product + its problems + its problems x mechanic + what is particular to the cell. Each
    part's spread is learnt, and predictions average over all spreads that the measurements allow. An interval is of
    the *true uplift of that cell*: it holds what is particular to a cell that was never tried, not only the error of
    an average.

    Companies try what they believe in, so tried cells are better than others of their kind. With `believed`, given
    for all cells, that belief is a covariate, and what is tried says nothing beyond it. Without it, cells are taken to
    be tried by a belief that correlates with what is particular to them, by an amount that is integrated over (see
    `transfer_trying`): predictions come down and intervals grow. `selection="none"` is for cells that a lot chose.

    Args:
        selection: how tried cells were chosen: "believed_gain" or "none".
        level: confidence of the intervals.
        points: sets of spreads to weigh, a power of 2.
        seed: of these points.

    Attributes:
        cells_: what was read, with its row account and checks.
        components_: a row per component: its posterior `median`, `lower`, `upper`.
        integral_: posteriors and weights.
        checks_: what was looked at.

    References:
        Efron, Morris (1975); Gelman, Hill (2006), chapter 12; Heckman (1979); Higgins, Thompson, Spiegelhalter
        (2009), A re-evaluation of random-effects meta-analysis (prediction intervals).

    Examples:
        >>> rng = np.random.default_rng(1)
        >>> frame = pd.DataFrame({"product": [f"p{i % 8}" for i in range(16)], "mechanic": ["call"] * 8 + ["sms"] * 8})
        >>> effects = frame.assign(effect=rng.normal(2.0, 0.5, 16), se=0.3).drop(index=[9, 12])
        >>> model = TransferModel(points=64).fit(effects)
        >>> untried = model.predict().query("not tried")
        >>> untried[["product", "mechanic"]].values.tolist()
        [['p1', 'sms'], ['p4', 'sms']]
    """

    def __init__(
        self, *, selection: Selection = "believed_gain", level: float = 0.95, points: int = 512, seed: int = 0
    ) -> None:
        self.selection = selection
        self.level = level
        self.points = points
        self.seed = seed

    def fit(
        self,
        effects: Any,
        profiles: Any = None,
        *,
        believed: Any = None,
        products: Sequence[str] | None = None,
        mechanics: Sequence[str] | None = None,
    ) -> TransferModel:
        """Learns from measured effects; the arguments are those of `read_cells`.

        Raises:
            DataError: what was given can't be used; every problem is named.
        """
        self._check()
        cells = read_cells(effects, profiles=profiles, believed=believed, products=products, mechanics=mechanics)
        scale = spread_of(cells.effect[cells.tried], cells.se[cells.tried])
        field = _field(cells, scale, selects=self.selection == "believed_gain" and cells.believed is None)
        self.cells_ = cells
        self.integral_ = integrate(field, self._names(cells), scale, points=self.points, seed=self.seed)
        self.components_ = self._components(self.integral_)
        self.checks_ = (*cells.checks, *self._own_checks(cells))
        return self

    def predict(self) -> pd.DataFrame:
        """A row per product and mechanic: `tried`, `measured`, `se`, `predicted`, `sd`, `lower`, `upper`."""
        cells = self._fitted()
        means, deviations = self.integral_.predicted
        mean, deviation = self.moments()
        lower, upper = (mixture_quantile(means, deviations, self.integral_.weights, q) for q in self._tails())
        products, mechanics = cells.effect.shape
        return pd.DataFrame(
            {
                "product": pd.array(np.repeat(cells.products, mechanics), dtype="str"),
                "mechanic": pd.array(np.tile(cells.mechanics, products), dtype="str"),
                "tried": cells.tried.ravel(),
                "measured": cells.effect.ravel(),
                "se": cells.se.ravel(),
                "predicted": mean.ravel(),
                "sd": deviation.ravel(),
                "lower": lower.ravel(),
                "upper": upper.ravel(),
            }
        )

    def moments(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation of every cell's true uplift, shape (products, mechanics)."""
        self._fitted()
        means, deviations = self.integral_.predicted
        weights = self.integral_.weights
        mean = np.tensordot(weights, means, 1)
        variance = np.tensordot(weights, deviations**2 + (means - mean) ** 2, 1)
        return mean, np.sqrt(variance)

    def chance_above(self, bar: Floats) -> Floats:
        """Posterior chance that a cell's true uplift is above `bar`, shape (products, mechanics)."""
        self._fitted()
        means, deviations = self.integral_.predicted
        return np.asarray(np.tensordot(self.integral_.weights, special.ndtr((means - bar) / deviations), 1))

    def _check(self) -> None:
        if self.selection not in ("believed_gain", "none"):
            rule = "`selection` is believed_gain or none"
            raise stop("the transfer model", "selection", rule, f"`{self.selection}`", "write one of them")
        if not (is_number(self.level) and 0 < self.level < 1):
            rule, fix = "`level` is a number inside (0, 1)", "write 0.95 for 95%"
            raise stop("the transfer model", "level", rule, repr(self.level), fix)
        if not (is_number(self.seed) and self.seed >= 0 and self.seed == int(self.seed)):
            rule = "`seed` is a whole number from 0"
            raise stop("the transfer model", "seed", rule, repr(self.seed), "write 0")
        if not isinstance(self.points, int) or self.points < 2 or self.points & (self.points - 1):
            raise stop("the transfer model", "points", "`points` is a power of 2", f"{self.points}", "write 512")

    def _names(self, cells: Cells) -> list[str]:
        """Components that these cells can tell apart from 0."""
        names = ["product", "cell"]
        names += ["mechanic"] if len(cells.mechanics) > 1 else []
        names += ["problem"] if len(cells.problems) > 1 else []
        names += ["problem x mechanic"] if len(cells.problems) > 1 and len(cells.mechanics) > 1 else []
        chosen = self.selection == "believed_gain" and cells.believed is None and not cells.tried.all()
        return names + ([SELECTION] if chosen else [])

    def _tails(self) -> tuple[float, float]:
        return (1 - self.level) / 2, (1 + self.level) / 2

    def _components(self, integral: Integral) -> pd.DataFrame:
        rows = []
        for name, values in integral.spreads().items():
            order = np.argsort(values, kind="stable")
            running = np.cumsum(integral.weights[order])
            found = [
                values[order][min(int(np.searchsorted(running, q)), len(values) - 1)] for q in (0.5, *self._tails())
            ]
            rows.append({"component": name, "median": found[0], "lower": found[1], "upper": found[2]})
        return pd.DataFrame(rows)

    def _own_checks(self, cells: Cells) -> tuple[Check, ...]:
        share = float(cells.tried.mean())
        tried = Check("tried", "pass", share, f"{cells.tried.sum():,} of {cells.tried.size:,} cells were tried")
        effective = self.integral_.effective
        if effective >= FEW_POINTS:
            return (tried, Check("integration", "pass", effective, f"variances weighed at {effective:.0f} points"))
        words = f"few sets of variances carry the weight (effectively {effective:.0f}): raise `points`"
        return (tried, Check("integration", "warn", effective, words))

    def _fitted(self) -> Cells:
        if not hasattr(self, "integral_"):
            rule = "fit comes before predict"
            raise stop("the transfer model", "not-fitted", rule, "never fitted", "call `fit` first", NotFittedError)
        return self.cells_


def spread_of(effect: Floats, se: Floats) -> float:
    """How far true effects spread: beyond the measurements' errors, but not below a tenth of all that is seen."""
    seen = float(np.var(effect, ddof=1))
    return float(np.sqrt(max(seen - float(np.mean(se**2)), 0.01 * max(seen, float(np.mean(se**2))))))


def _field(cells: Cells, scale: float, *, selects: bool) -> Field:
    tried = cells.tried
    index = trying_index(tried, cells.profile)
    shift, narrowing = selected(tried, index) if selects else (np.zeros(tried.shape), np.zeros(tried.shape))
    covariate = np.empty((*tried.shape, 0))
    if cells.believed is not None:
        covariate = belief_parts(standardised(cells.believed), cells.profile)
    elif selects:
        covariate = standardised(index)[:, :, None]
    centre = float(np.abs(cells.effect[tried]).mean())
    return Field(
        effect=cells.effect,
        noise=cells.se**2,
        profile=cells.profile,
        covariate=covariate,
        mean_sd=10.0 * (scale + centre),
        covariate_sd=np.full(covariate.shape[2], scale),
        shift=shift,
        narrowing=narrowing,
    )


def belief_parts(believed: Floats, profile: Floats) -> Floats:
    """Beliefs by mechanic and problem, by product, and by cell; each part has a slope of its own.

    With one slope for all, effects of products and problems would be correlated with the belief, which what they are
    taken for is not (Mundlak 1978, On the pooling of time series and cross section data).

    Returns: parts that add up to `believed`, shape (products, mechanics, 3).
    """
    X = np.column_stack([np.ones(len(profile)), profile])
    by_problem = X @ np.linalg.lstsq(X, believed, rcond=None)[0]
    rest = believed - by_problem
    by_product = np.broadcast_to(rest.mean(axis=1, keepdims=True), rest.shape)
    return np.stack([by_problem, by_product, rest - by_product], axis=2)


def standardised(values: Floats) -> Floats:
    """Values less their mean, over their standard deviation; all 0 where they don't vary."""
    spread = float(values.std())
    return np.zeros(values.shape) if spread < 1e-12 else np.asarray((values - values.mean()) / spread)


def mixture_quantile(means: Floats, deviations: Floats, weights: Floats, q: float) -> Floats:
    """Quantiles of mixtures of normals over the first axis, by Newton's method.

    >>> mixture_quantile(np.array([[0.0], [0.0]]), np.ones((2, 1)), np.array([0.5, 0.5]), 0.975).round(3)
    array([1.96])
    """
    z = float(special.ndtri(q))
    ends = means + z * deviations
    low, high = ends.min(axis=0), ends.max(axis=0)
    at = np.tensordot(weights, ends, 1)
    for _ in range(STEPS):
        z_at = (at - means) / deviations
        over = np.tensordot(weights, special.ndtr(z_at), 1) - q
        low, high = np.where(over < 0, at, low), np.where(over < 0, high, at)
        slope = np.tensordot(weights, np.exp(-0.5 * z_at**2) / deviations, 1) / np.sqrt(2 * np.pi)
        step = np.divide(over, slope, out=np.zeros_like(over), where=slope > 0)
        # Newton's step, or a halving where it would leave what is known to hold the quantile.
        inside = (at - step >= low) & (at - step <= high) & (slope > 0)
        moved = np.where(inside, at - step, (low + high) / 2)
        done = np.abs(moved - at).max() < CLOSE * float(deviations.max())
        at = moved
        if done:
            break
    return np.asarray(at)
