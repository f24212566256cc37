"""Partially pooled effects: against brute force, their symmetries, and their coverage on average."""

import numpy as np
import pytest
from scipy import stats

from leadlift.inference import partially_pooled

EFFECT = np.array([0.9, 0.1, -0.4, 0.6, 2.0])
SE = np.array([0.5, 0.3, 0.6, 0.4, 0.7])
MANY = np.full(5, np.inf)


def pooled(effect=EFFECT, se=SE, df=MANY, **more):
    return partially_pooled(effect, np.diag(se**2), df, **more)


def brute_force(effect, se):
    """Posterior means and standard deviations on a grid over mean and spread, both with flat priors."""
    mean, spread = np.meshgrid(np.linspace(-20, 20, 401), np.linspace(0.01, 60, 1500), indexing="ij")
    total = spread[..., None] ** 2 + se**2
    log_weight = stats.norm.logpdf(effect, mean[..., None], np.sqrt(total)).sum(-1)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    pull = spread[..., None] ** 2 / total
    centre = mean[..., None] + pull * (effect - mean[..., None])
    expected = (weight[..., None] * centre).sum((0, 1))
    variance = (weight[..., None] * (pull * se**2 + (centre - expected) ** 2)).sum((0, 1))
    return expected, np.sqrt(variance)


def test_against_brute_force():
    found = pooled()
    expected, sd = brute_force(EFFECT, SE)
    assert found.effect == pytest.approx(expected, abs=0.01)
    assert found.se == pytest.approx(sd, rel=0.03)
    assert ((found.lower < found.effect) & (found.effect < found.upper)).all()


def test_units_and_places_do_not_matter():
    found, moved = pooled(), pooled(effect=7 - 100 * EFFECT, se=100 * SE)
    assert moved.effect == pytest.approx(7 - 100 * found.effect)
    assert moved.lower == pytest.approx(7 - 100 * found.upper, abs=1e-6)
    assert moved.spread == pytest.approx(100 * found.spread)
    order = np.array([3, 0, 4, 1, 2])
    assert pooled(EFFECT[order], SE[order]).effect == pytest.approx(found.effect[order])


def test_effects_far_apart_stay_as_they_are():
    far = pooled(effect=1_000 * np.arange(5.0))
    assert far.effect == pytest.approx(1_000 * np.arange(5.0), abs=0.05)
    assert far.upper - far.lower == pytest.approx(2 * 1.96 * SE, rel=0.01)
    assert (far.weight > 0.99).all()


def test_effects_alike_lean_on_each_other():
    alike = pooled(effect=np.full(5, 0.4))
    assert alike.effect == pytest.approx(np.full(5, 0.4))
    assert (alike.upper - alike.lower < 0.9 * 2 * 1.96 * SE).all()
    # The worse it is known, the more it leans.
    assert (np.argsort(alike.weight) == np.argsort(-SE)).all()


def test_few_degrees_of_freedom_widen():
    few, many = pooled(df=np.full(5, 6.0)), pooled()
    assert (few.upper - few.lower > many.upper - many.lower).all()
    alone = pooled(effect=1_000 * np.arange(5.0), df=np.full(5, 6.0))
    assert alone.upper - alone.lower == pytest.approx(2 * stats.t.isf(0.025, 6) * SE, rel=0.01)


def test_groups_lean_on_their_own_mean():
    effect = np.array([0.1, 0.2, 0.0, 5.1, 5.0, 4.9])
    like = np.array([0, 0, 0, 1, 1, 1])
    apart = pooled(effect, np.full(6, 0.3), np.full(6, np.inf), like=like)
    assert apart.effect[:3] == pytest.approx(np.full(3, 0.1), abs=0.08)
    assert apart.effect[3:] == pytest.approx(np.full(3, 5.0), abs=0.08)
    assert apart.spread < 0.4 < pooled(effect, np.full(6, 0.3), np.full(6, np.inf)).spread


@pytest.mark.parametrize("change", [{"effect": EFFECT[:2], "se": SE[:2], "df": MANY[:2]}, {"se": 0 * SE}])
def test_too_little_to_pool_gives_nothing(change):
    found = pooled(**change)
    assert np.isnan(found.effect).all()
    assert np.isnan(found.spread)


@pytest.mark.parametrize(("spread", "least", "most"), [(0.0, 0.96, 1.0), (1.5, 0.92, 0.98)])
def test_intervals_cover_on_average(spread, least, most):
    rng = np.random.default_rng(3)
    se = np.exp(rng.normal(0, 0.4, 8))
    held, error, own = [], [], []
    for _ in range(100):
        truth = 0.5 + spread * rng.normal(size=8)
        effect = truth + se * rng.normal(size=8)
        found = pooled(effect, se, np.full(8, np.inf))
        held.append((found.lower <= truth) & (truth <= found.upper))
        error.append((found.effect - truth) ** 2)
        own.append((effect - truth) ** 2)
    assert least <= np.mean(held) <= most
    assert np.mean(error) < np.mean(own)
