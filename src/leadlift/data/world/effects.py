"""Whom a touch moves: the presets' shapes, the mechanics' strengths, and the probabilities of converting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr

from leadlift.data.world.config import WorldConfig
from leadlift.data.world.mechanics import Mechanic
from leadlift.data.world.products import Products
from leadlift.data.world.streams import Floats, Integers, clipped, normals, uniforms

READINESS_SLOPE = 1.3  # log-odds per standard deviation of readiness: makes most leads clear cases
LEAST = 0.0005
MOST = 0.92  # of the share closed in the window: nobody is certain to buy
PER_MORE = 0.5  # what each further mechanic of an arm adds, as a share of its strength


@dataclass(frozen=True, eq=False)
class Effects:
    """How a touch of strength 1 moves each lead.

    Attributes:
        control: probability of converting within the window if nobody touches the lead, shape (n,).
        gain: what a touch adds before the problem's and the mechanic's share in it, probability, shape (n,).
        harm: what a touch takes away, probability, 0 or more, shape (n,).
    """

    control: Floats
    gain: Floats
    harm: Floats


def intercept(config: WorldConfig) -> float:
    """Log-odds at average readiness that make the mean probability `base_rate`, by quadrature and bisection."""
    node, weight = np.polynomial.hermite_e.hermegauss(61)
    spread = np.sqrt(READINESS_SLOPE**2 + config.organisation_sd**2 + config.product_sd**2) * node
    low, high = -40.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        mean = float((weight * expit(middle + spread)).sum() / weight.sum())
        low, high = (middle, high) if mean < config.base_rate else (low, middle)
    return round((low + high) / 2, 9)


def make_effects(config: WorldConfig, log_odds: Floats, readiness: Floats, openness: Floats, timing: Floats) -> Effects:
    """The probabilities of each lead under the configured preset.

    Args:
        config: the world's parameters.
        log_odds: of converting without a touch, shape (n,).
        readiness: true readiness to buy, standard normal, shape (n,).
        openness: how open the lead is to being approached, standard normal, independent of readiness, shape (n,).
        timing: how soon the lead decides, standard normal, shape (n,).
    """
    control = clipped(np.round(expit(log_odds), 10), LEAST, MOST * config.closed_in_window)
    gain, harm = _shapes(config.preset, np.round(ndtr(readiness), 9), openness, timing)
    return Effects(control, config.effect_size * gain, config.effect_size * harm)


def _shapes(preset: str, rank: Floats, openness: Floats, timing: Floats) -> tuple[Floats, Floats]:
    """Gain and harm by readiness rank in (0, 1), openness and timing."""
    nothing = np.zeros(len(rank))
    open_to = 1.0 + 0.5 * clipped(openness / 1.5, -1, 1)
    soon = 1.0 + 0.25 * clipped(timing / 1.5, -1, 1)
    if preset == "null":
        return nothing, nothing
    if preset == "unrelated":
        return 0.035 * (1.0 + 0.9 * clipped(openness / 1.5, -1, 1)), nothing
    rising = clipped((rank - 0.65) / 0.35, 0, 1)
    if preset == "likeliest":
        return 0.18 * rising * open_to * soon, nothing
    middle = clipped(1.0 - ((rank - 0.56) / 0.18) ** 2, 0, 1)
    return 0.175 * middle * open_to * soon, 0.185 * rising * clipped(-openness, 0, 1.5)


def problem_shares(config: WorldConfig, seed: int, products: Products) -> Floats:
    """How much of the gain each problem lets through: some problems move, some hardly, mean 1, shape (problems,)."""
    size = len(products.length)
    order = np.argsort(uniforms(seed, "problem/moves", size), kind="stable")
    share = np.empty(size)
    share[order] = np.linspace(1.6, 0.4, size) if size > 1 else 1.0
    return share / float((products.prevalence * share).sum())


def arm_strengths(
    config: WorldConfig, seed: int, products: Products, mechanics: Sequence[Mechanic]
) -> tuple[Floats, float]:
    """What an arm's mechanics multiply: the gain, by problem, shape (problems,); and the harm.

    The strongest mechanic counts in full, each further one by half. For the mean lead a mechanic's strength over
    problems is its configured one, whatever its affinities.
    """
    moves = problem_shares(config, seed, products)
    ranked = sorted(mechanics, key=lambda mechanic: (-mechanic.strength, mechanic.name))
    gain, harm = np.zeros(len(moves)), 0.0
    for rank, mechanic in enumerate(ranked):
        counted = mechanic.strength * (1.0 if rank == 0 else PER_MORE)
        affinity = clipped(normals(seed, f"mechanic/{mechanic.name}", len(moves)), -2, 2)
        share = moves * (1.0 + config.mechanic_affinity * affinity / 2)
        gain += counted * share / float((products.prevalence * share).sum())
        harm += counted
    return gain, harm


def touched_probability(
    config: WorldConfig, effects: Effects, lead: Integers, problem: Integers, gain: Floats, harm: float
) -> Floats:
    """Probability of converting within the window when touched, shape of `lead`; the control's if nothing moves it."""
    control = effects.control[lead]
    change = effects.gain[lead] * gain[problem[lead]] - effects.harm[lead] * harm
    highest = np.maximum(control, MOST * config.closed_in_window)
    return np.asarray(np.clip(control + change, 0.1 * control, highest), dtype=np.float64)


def expected_score(config: WorldConfig, latent: Floats) -> Floats:
    """The probability of converting without a touch, as a calibrated model sees it from the score's latent value."""
    quality = config.score_quality
    unseen = READINESS_SLOPE**2 * (1 - quality**2) + config.organisation_sd**2 + config.product_sd**2
    mean = intercept(config) + READINESS_SLOPE * quality * latent
    return np.asarray(np.round(expit(mean / np.sqrt(1.0 + np.pi / 8 * unseen)), 6), dtype=np.float64)


def season_log_odds(config: WorldConfig, relative: Floats) -> Floats:
    """Log-odds that a relative season adds, around the base rate."""
    rate = clipped(config.base_rate * (1.0 + relative), 1e-6, 0.999)
    return np.asarray(logit(rate) - logit(config.base_rate), dtype=np.float64)
