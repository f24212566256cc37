"""Products: each belongs to one client problem, has a place in its chain, a popularity and a price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadlift.data.world.config import WorldConfig
from leadlift.data.world.organisations import prevalence
from leadlift.data.world.streams import Floats, Integers, normals, uniforms
from leadlift.data.world.text import identifiers


@dataclass(frozen=True, eq=False)
class Products:
    """The catalogue.

    Attributes:
        problem: the client problem of each product, shape (products,).
        position: its place in that problem's chain, from 0, shape (products,).
        price: list price, money, shape (products,).
        effect: how much better or worse it converts, log-odds, shape (products,).
        chain: the product at each place of each problem's chain, shape (problems, longest), -1 beyond the end.
        length: how long each chain is, shape (problems,).
        popularity: running popularity along each chain, up to 1, shape (problems, longest).
        prevalence: how common each problem is, shape (problems,).
    """

    problem: Integers
    position: Integers
    price: Floats
    effect: Floats
    chain: Integers
    length: Integers
    popularity: Floats
    prevalence: Floats

    def by_popularity(self, problem: npt.NDArray[np.int64], u: Floats) -> Integers:
        """A place in each problem's chain, drawn by popularity."""
        # Rows of running shares become one rising sequence when row k is lifted by k.
        lifted = (self.popularity + np.arange(len(self.length))[:, None]).ravel()
        found = np.searchsorted(lifted, problem + u, side="right")
        place = found - problem * self.popularity.shape[1]
        return np.asarray(np.minimum(place, self.length[problem] - 1), dtype=np.int64)

    def after(self, problem: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> Integers:
        """The place that follows `last` in each problem's chain; the chain starts again at its end."""
        return np.asarray((last + 1) % self.length[problem], dtype=np.int64)


def make_products(config: WorldConfig, seed: int) -> Products:
    """Draws the catalogue: problems get equally many products, in shuffled order."""
    n = config.products
    order = np.argsort(uniforms(seed, "product/order", n), kind="stable")
    problem, position = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    problem[order] = np.arange(n) % config.problems
    position[order] = np.arange(n) // config.problems
    length = np.bincount(problem, minlength=config.problems)
    chain = np.full((config.problems, int(length.max())), -1, dtype=np.int64)
    chain[problem, position] = np.arange(n)
    return Products(
        problem=problem,
        position=position,
        price=np.round(config.price * np.exp(config.price_spread * normals(seed, "product/price", n)), -1) + 10.0,
        effect=config.product_sd * normals(seed, "product/effect", n),
        chain=chain,
        length=length,
        popularity=_running_popularity(chain, uniforms(seed, "product/popularity", n)),
        prevalence=prevalence(config.problems),
    )


def _running_popularity(chain: Integers, u: Floats) -> Floats:
    """Shares that rise to 1 along each chain; the most popular product sells about five times the least popular."""
    weight = np.where(chain >= 0, 0.25 + u[chain], 0.0)
    running = np.cumsum(weight, axis=1)
    return np.asarray(running / running[:, -1:], dtype=np.float64)


def product_names(products: Products) -> list[str]:
    """Names of the products, in order."""
    n = len(products.price)
    return [str(name) for name in identifiers("product-", np.arange(1, n + 1), digits=2)]


def product_frame(products: Products) -> pd.DataFrame:
    """A row per product: `product`, its true `problem`, `position` in the chain and `price`."""
    return pd.DataFrame(
        {
            "product": pd.array(product_names(products), dtype="str"),
            "problem": products.problem,
            "position": products.position,
            "price": products.price,
        }
    )
