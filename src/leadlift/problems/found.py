"""What a fitted problem model answers with: its problems, and mixtures of them for any organisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from leadlift.base.arrays import Codes, Floats
from leadlift.problems.labels import UNKNOWN, number_of, problem_names
from leadlift.problems.mixtures import Mixtures


@dataclass(frozen=True, eq=False)
class Found:
    """Problems in the order of their names' numbers, whatever order they were found in.

    Attributes:
        products: names, sorted, shape (products,).
        label: the problem of each product, -1 for none, shape (products,).
        names: of the problems.
        mixtures: learnt; None where there are no problems.
        community: the number that each problem had as a community, shape (problems,).
    """

    products: Any
    label: Codes
    names: tuple[str, ...]
    mixtures: Mixtures | None
    community: Codes

    @property
    def any_name(self) -> Any:
        """Names by label; its last entry, which -1 finds, is None."""
        return np.array([*self.names, None], dtype=object)

    def known(self, matrix: Any, products: Any) -> Any:
        """Columns of other deals put where these products are; products that are not known are passed over."""
        place = pd.Index(self.products).get_indexer(pd.Index(products))
        there = np.flatnonzero(place >= 0)
        step = sparse.csr_array((np.ones(len(there)), (there, place[there])), shape=(len(products), len(self.products)))
        return sparse.csr_array(matrix @ step)

    def frame(self, organisations: Any, matrix: Any, asked: Any = None) -> pd.DataFrame:
        """Mixtures, a row per organisation; NaN for those without any deal.

        Args:
            organisations: identifiers of the rows of `matrix`.
            matrix: what they have of `products`, sparse.
            asked: identifiers to answer for, in this order; None: `organisations`.
        """
        if self.mixtures is None:
            shares = np.empty((len(organisations), 0))
        else:
            shares = self.mixtures.shares(matrix)
            shares[np.diff(matrix.indptr) == 0] = np.nan
        columns = pd.Index(list(self.names), name="problem", dtype="str")
        frame = pd.DataFrame(shares, index=_identifiers(organisations), columns=columns)
        return frame if asked is None else frame.reindex(_identifiers(asked))

    def main(self, mixtures: pd.DataFrame, organisations: Any, matrix: Any) -> pd.Series[str]:
        """The largest problem of each row of `mixtures`; "unknown" without a deal in any problem's products."""
        problem = np.full(len(mixtures), UNKNOWN, dtype=object)
        if self.names:
            inside = np.asarray(matrix[:, self.label >= 0].sum(axis=1)) > 0
            shown = mixtures.index.isin(pd.Index(organisations)[inside])
            largest = np.array(mixtures.columns)[mixtures.fillna(0.0).to_numpy().argmax(axis=1)]
            problem = np.where(shown, largest, UNKNOWN)
        return pd.Series(problem, index=mixtures.index, dtype="str", name="problem")


def named(
    products: Any, label: Codes, mixtures: Mixtures | None, shares: Floats, community: Codes, earlier: Mapping[str, str]
) -> Found:
    """Names problems after those of an earlier fit and puts them in order.

    Args:
        products: names.
        label: the problem of each product as found, -1 for none.
        mixtures: learnt from them; None without problems.
        shares: of all organisations, shape (organisations, problems).
        community: the number that each had as a community.
        earlier: the problem of each product in the earlier fit.
    """
    names = problem_names(label, list(products), np.asarray(shares.sum(axis=0)), earlier)
    order = sorted(range(len(names)), key=lambda k: number_of(names[k]))
    place = np.full(len(names) + 1, -1, dtype=np.intp)
    place[order] = np.arange(len(order))
    return Found(
        products=products,
        label=place[label],
        names=tuple(names[k] for k in order),
        mixtures=None if mixtures is None else mixtures.in_order(order),
        community=community[order],
    )


def renumbered(label: Codes, kept: Sequence[int] | Codes) -> Codes:
    """Only the communities `kept`, numbered anew in that order; -1 for products of the others.

    >>> renumbered(np.array([0, 1, 2, -1]), [2, 0]).tolist()
    [1, -1, 0, -1]
    """
    anew = np.full(int(label.max(initial=-1)) + 2, -1, dtype=np.intp)
    anew[np.asarray(kept, dtype=np.intp)] = np.arange(len(kept))
    return anew[label]


def _identifiers(names: Any) -> Any:
    return pd.Index(pd.array(names, dtype="str"), name="organisation_id")
