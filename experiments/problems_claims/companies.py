"""Companies whose deals are made without problems, or with weak ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

BREADTHS = ("alike", "heavy tail", "heavier tail", "a few buy most things")
POPULARITIES = ("lognormal", "one over rank")
DRAWS = ("by popularity, again and again", "by popularity, without repeats", "margins only")
BLOCK = 4_000


def breadths(kind: str, rng: np.random.Generator, organisations: int, products: int) -> np.ndarray:
    """How much each organisation buys."""
    if kind == "alike":
        found = 1 + rng.poisson(4.0, organisations)
    elif kind == "heavy tail":
        found = np.ceil(1.5 * rng.pareto(1.3, organisations))
    elif kind == "heavier tail":
        found = np.ceil(rng.pareto(0.8, organisations))
    else:
        found = np.where(rng.random(organisations) < 0.02, 0.6 * products, 1 + rng.poisson(1.0, organisations))
    return np.clip(found, 1, 0.8 * products).astype(int)


def popularities(kind: str, rng: np.random.Generator, products: int) -> np.ndarray:
    """How often each product is bought, adding up to 1."""
    found = np.exp(rng.normal(size=products)) if kind == "lognormal" else 1.0 / np.arange(1, products + 1)
    return found / found.sum()


def independent(
    organisations: int, products: int, *, breadth: str, popularity: str, draw: str, rng: np.random.Generator
) -> pd.DataFrame:
    """Deals of organisations that buy what is popular, whatever else they have."""
    many, share = breadths(breadth, rng, organisations, products), popularities(popularity, rng, products)

    def block(wanted: np.ndarray) -> np.ndarray:
        shape = (len(wanted), products)
        if draw == DRAWS[0]:
            held = np.zeros(shape, dtype=bool)
            held[np.repeat(np.arange(len(wanted)), wanted), rng.choice(products, wanted.sum(), p=share)] = True
            return held
        if draw == DRAWS[1]:
            order = np.argsort(-np.log(share) - rng.gumbel(size=shape), axis=1)
            held = np.zeros(shape, dtype=bool)
            np.put_along_axis(held, order, np.arange(products)[None, :] < wanted[:, None], axis=1)
            return held
        return bought(wanted[:, None] * share, rng)

    return as_deals([block(many[start : start + BLOCK]) for start in range(0, organisations, BLOCK)])


def with_problems(
    organisations: int, products: int, *, problems: int, each: int, odds: float, breadth: str, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray]:
    """Half of the organisations have one problem, whose products they buy with odds that are so many times as high.

    Returns: deals, and the problem of each product, -1 for none.
    """
    many, share = breadths(breadth, rng, organisations, products), popularities("lognormal", rng, products)
    problem = rng.permutation(np.concatenate([np.repeat(np.arange(problems), each), np.full(products, -1)])[:products])
    own = np.where(rng.random(organisations) < 0.5, rng.integers(problems, size=organisations), -2)
    parts = []
    for start in range(0, organisations, BLOCK):
        rows = slice(start, start + BLOCK)
        plain = many[rows, None] * share
        parts.append(bought(plain * np.where(own[rows, None] == problem, odds, 1.0), rng))
    return as_deals(parts), problem


def bought(odds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each bought by lot, with these odds."""
    return rng.random(odds.shape) < odds / (1.0 + odds)


def as_deals(parts: list[np.ndarray]) -> pd.DataFrame:
    """A row per organisation and product; products are named so that they sort by number."""
    owner, product = np.nonzero(np.concatenate(parts))
    names = np.array([f"p{k:04d}" for k in range(parts[0].shape[1])], dtype=object)
    return pd.DataFrame({"organisation_id": owner, "product": names[product]})
