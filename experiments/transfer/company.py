"""A company of 1,000 products and 8 mechanics whose true uplifts are known. Uplift in percentage points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

PRODUCTS, MECHANICS, PROBLEMS, CATEGORIES = 1_000, 8, 12, 10
TRIED = 0.1
MEAN, MECHANIC, PRODUCT, PROBLEM, CROSSED, CELL = 1.0, 0.5, 0.5, 0.4, 0.7, 0.7
LEAD_VARIANCE = 900.0  # of an outcome of 10% in squared points


@dataclass(frozen=True)
class Kind:
    """One kind of company.

    Attributes:
        belief: correlation of what it believes of a cell with the cell's true uplift.
        told: what explains which mechanic works: a product's problems, its category (looks), its size, or nothing.
        tails: degrees of freedom of all effects' t distributions; infinity is normal.
        rare: share of cells that have an effect of their own, as much larger as it is rarer; one tail only.
    """

    belief: float = 0.5
    told: str = "problems"
    tails: float = np.inf
    rare: float = 1.0


KINDS = {
    "as assumed": Kind(),
    "beliefs worth nothing": Kind(belief=0.0),
    "strong beliefs": Kind(belief=0.8),
    "heavy tails": Kind(tails=3.0),
    "problems mean nothing": Kind(told="nothing"),
    "looks decide": Kind(told="looks"),
    "size decides": Kind(told="size"),
    "few cells work": Kind(rare=0.1),
    "few cells work, problems mean nothing": Kind(told="nothing", rare=0.1),
}


@dataclass(frozen=True, eq=False)
class Company:
    """Its truth, shape (products, mechanics), and what it knows."""

    uplift: np.ndarray
    tried: np.ndarray
    believed: np.ndarray
    category: np.ndarray
    price: np.ndarray
    profiles: pd.DataFrame
    effects: pd.DataFrame


def make_company(kind: Kind, seed: int) -> Company:
    rng = np.random.default_rng([seed, 77])
    main, second = rng.integers(PROBLEMS, size=(2, PRODUCTS))
    share = rng.uniform(0.6, 1.0, PRODUCTS)
    profile = np.zeros((PRODUCTS, PROBLEMS))
    np.add.at(profile, (np.arange(PRODUCTS), main), share)
    np.add.at(profile, (np.arange(PRODUCTS), second), 1 - share)
    # A category says something about the problem, but less than half of the time.
    category = np.where(rng.random(PRODUCTS) < 0.4, main % CATEGORIES, rng.integers(CATEGORIES, size=PRODUCTS))
    looks = np.eye(CATEGORIES)[category]
    price = np.random.default_rng([seed, 78]).normal(size=PRODUCTS) if kind.told == "size" else None
    explains = {"problems": profile, "looks": looks, "nothing": np.zeros((PRODUCTS, 1))}.get(kind.told, price)
    # A mechanic works the better, or the worse, the larger the deal.
    explains = explains.reshape(PRODUCTS, -1)
    cell, product = (CELL, PRODUCT) if kind.told != "nothing" else (np.hypot(CELL, CROSSED), np.hypot(PRODUCT, PROBLEM))

    def effect(*shape: int) -> np.ndarray:
        if np.isinf(kind.tails):
            return rng.normal(size=shape)
        return rng.standard_t(kind.tails, size=shape) / np.sqrt(kind.tails / (kind.tails - 2))

    uplift = MEAN + MECHANIC * effect(1, MECHANICS) + product * effect(PRODUCTS, 1)
    uplift = uplift + explains @ (
        PROBLEM * effect(explains.shape[1], 1) + CROSSED * effect(explains.shape[1], MECHANICS)
    )
    uplift = uplift + cell * (effect(PRODUCTS, MECHANICS) if kind.rare == 1 else rare(rng, kind.rare))
    # Half of what beliefs get wrong is fashion by category, half belongs to the cell.
    fashion = rng.normal(size=(CATEGORIES, MECHANICS))[category]
    wrong = (fashion + rng.normal(size=uplift.shape)) / np.sqrt(2)
    believed = kind.belief * (uplift - uplift.mean()) / uplift.std() + np.sqrt(1 - kind.belief**2) * wrong
    tried = believed >= np.quantile(believed, 1 - TRIED)
    seen = rng.normal(size=PRODUCTS)
    return Company(
        uplift, tried, believed, category, seen if price is None else price, *observed(rng, uplift, tried, profile)
    )


def rare(rng: np.random.Generator, share: float) -> np.ndarray:
    """What is particular to a cell: nothing in most, a gain in a few; mean 0, standard deviation 1."""
    found = rng.random((PRODUCTS, MECHANICS)) < share
    gain = rng.exponential(size=found.shape)
    return (found * gain - share) / np.sqrt(2 * share - share**2)


def observed(
    rng: np.random.Generator, uplift: np.ndarray, tried: np.ndarray, profile: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Profiles from a finite number of deals, and the studies of the tried cells."""
    deals = rng.integers(20, 300, PRODUCTS)
    counts = np.stack([rng.multinomial(n, row) for n, row in zip(deals, profile, strict=True)])
    names = product_names()
    profiles = pd.DataFrame(counts / deals[:, None], index=names, columns=[f"P{k + 1}" for k in range(PROBLEMS)])
    rows, columns = np.nonzero(tried)
    arm = np.round(np.exp(rng.normal(np.log(3_000), 0.6, len(rows)))).astype(int)
    se = np.sqrt(2 * LEAD_VARIANCE / arm)
    effects = pd.DataFrame(
        {
            "product": names[rows],
            "mechanic": mechanic_names()[columns],
            "effect": uplift[rows, columns] + se * rng.normal(size=len(rows)),
            "se": se,
            "n_treatment": arm,
            "n_control": arm,
        }
    )
    return profiles, effects


def product_names() -> np.ndarray:
    return np.array([f"product-{k:04d}" for k in range(PRODUCTS)])


def mechanic_names() -> np.ndarray:
    return np.array([f"mechanic-{k}" for k in range(MECHANICS)])
