"""Problems from deals: fit, transform, predict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator

from leadlift.base.arrays import Codes, Floats
from leadlift.base.errors import DataError, NotFittedError
from leadlift.base.problems import stop
from leadlift.problems.asked import WHERE, asked_for, check_most, check_settings, deal_columns
from leadlift.problems.cards import problem_cards
from leadlift.problems.caution import fit_cautious, sampled
from leadlift.problems.deals import DealTable, Returns, read_deals
from leadlift.problems.found import Found, named, renumbered
from leadlift.problems.frames import candidate_frame, product_frame, selection_frame
from leadlift.problems.graph import intersection_graph
from leadlift.problems.heldout import fitness
from leadlift.problems.intersections import Intersections, intersect
from leadlift.problems.next_deals import NextDeals, fit_next_deals
from leadlift.problems.search import Tick, search
from leadlift.problems.selection import Candidate
from leadlift.problems.upsell import next_products
from leadlift.problems.views import factor_labels, second_view

NO_DEALS = ("empty", "no-deals")
RESOLUTIONS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0)


class ProblemModel(BaseEstimator):
    """Client problems, found where organisations' deals intersect more than popularity and breadth explain.

    A problem is a group of products that the same organisations buy; an organisation is a mixture of problems. Whether
    there are problems at all, and how many, is decided by resampled organisations and hidden deals: a problem has
    `least_products` or more, comes back when organisations are resampled, and predicts hidden deals of organisations
    it was not learnt from better than popularity does, at a familywise error of `error`.

    Args:
        q: false discovery rate (Benjamini-Yekutieli) of the intersections that make the graph.
        resolutions: of the Leiden communities, from which the hidden deals choose.
        resamples: how often organisations are drawn anew.
        stable: least mean Jaccard similarity of a problem with its like in the resamples.
        least_products: products that a problem has at least.
        error: chance to claim one problem or more where there is none.
        noise: share of deals in the problems' products that are taken to come from popularity alone.
        concentration: how many deals the base rate counts for in an organisation's mixture; None: as many as hidden
            deals are predicted best with.
        most_organisations: more than that are sampled where they are drawn anew, split or learnt from.
        most_hidden: hidden deals per half at most.
        as_of: only deals known before it are used.
        columns: the deals' own names of columns, as arguments of `DealColumns`.
        returns: what to do with amounts below 0: "refuse" or "drop".
        timezone: of times that carry none; None: UTC.
        seed: of all that is drawn.

    Attributes:
        product_problem_: a row per product: `product`, `problem` (missing for none), `weight` (its share of the
            problem's deals), `factor_problem` (where the second view puts it), `agrees`.
        problems_: a card per problem.
        mixtures_: the mixtures of the organisations fitted on, a column per problem, NaN never: all have deals.
        intersections_: every pair of products.
        candidates_: a row per community that was looked at under the chosen resolution, and why it is no problem.
        selection_: a row per set of communities that could be the problems: how many, how many stable, the gain
            on hidden deals, and which was chosen.
        deals_: the deals that were read, with their row account and checks.

    References:
        Saracco et al. (2017); Traag et al. (2019); Blei et al. (2003); Hennig (2007).

    Examples:
        >>> import leadlift as ll
        >>> world = ll.data.make_world(leads=100, organisations=2_000, deals_per_organisation=10, seed=1)
        >>> model = ll.problems.ProblemModel(resamples=5).fit(world.deals)
        >>> len(model.problems_), model.transform(world.deals).shape[1]
        (4, 4)
    """

    def __init__(
        self,
        *,
        q: float = 0.05,
        resolutions: tuple[float, ...] = RESOLUTIONS,
        resamples: int = 20,
        stable: float = 0.75,
        least_products: int = 3,
        error: float = 0.01,
        noise: float = 0.15,
        concentration: float | None = None,
        most_organisations: int = 100_000,
        most_hidden: int = 20_000,
        as_of: Any = None,
        columns: Mapping[str, str | None] | None = None,
        returns: Returns = "refuse",
        timezone: str | None = None,
        seed: int = 0,
    ) -> None:
        self.q = q
        self.resolutions = resolutions
        self.resamples = resamples
        self.stable = stable
        self.least_products = least_products
        self.error = error
        self.noise = noise
        self.concentration = concentration
        self.most_organisations = most_organisations
        self.most_hidden = most_hidden
        self.as_of = as_of
        self.columns = columns
        self.returns = returns
        self.timezone = timezone
        self.seed = seed

    def fit(self, deals: Any, y: Any = None, *, previous: Any = None, tick: Tick = lambda words: None) -> ProblemModel:
        """Finds the problems.

        Args:
            deals: a row per deal: organisation, product and, where the frame has them, `closed_at`, `known_at`, `won`,
                `amount`; see `columns`.
            y: not used.
            previous: a fitted model, or its `product_problem_`, whose names problems keep; None: those of this model's
                own last fit, if it had one.
            tick: hears of each step.

        Raises:
            DataError: the deals can't be used; every problem is named.
        """
        check_settings(self.get_params())
        earlier = _earlier(getattr(self, "product_problem_", None) if previous is None else previous)
        table = self._read(deals)
        tick("intersections")
        pairs = intersect(table.matrix, table.products)
        searched = search(
            table.matrix,
            list(table.products),
            intersection_graph(pairs, q=self.q),
            q=self.q,
            resolutions=self.resolutions,
            resamples=self.resamples,
            stable=self.stable,
            least_products=self.least_products,
            mixture=self._mixture_settings(),
            most_organisations=self.most_organisations,
            most_hidden=self.most_hidden,
            seed=self.seed,
            tick=tick,
        )
        self.deals_, self.intersections_, self.selection_ = table, pairs, selection_frame(searched)
        self._next_deals: NextDeals | None = None
        self._settle(searched.chosen, earlier)
        return self

    def transform(self, deals: Any, organisations: Any = None) -> pd.DataFrame:
        """Mixtures of problems, also of organisations that the model was not fitted on.

        Args:
            deals: as in `fit`; products that the model does not know are passed over.
            organisations: identifiers to answer for, in this order, with or without deals; None: those with deals,
                sorted.

        Returns:
            A row per organisation, a column per problem; rows add up to 1. An organisation with few deals is near the
            base rate; one without any has NaN: unknown.
        """
        names, matrix, asked = self._known(deals, organisations)
        return self._found.frame(names, matrix, asked)

    def fit_transform(self, deals: Any, y: Any = None) -> pd.DataFrame:
        """Fits, and gives the mixtures of the organisations fitted on."""
        return self.fit(deals).mixtures_

    def predict(self, deals: Any, organisations: Any = None) -> pd.Series[str]:
        """The main problem of each organisation, by identifier; "unknown" without a deal in any problem's products."""
        names, matrix, asked = self._known(deals, organisations)
        return self._found.main(self._found.frame(names, matrix, asked), names, matrix)

    def main_problems(self) -> pd.Series[str]:
        """The same for the organisations fitted on."""
        self._fitted()
        return self._found.main(self.mixtures_, self.deals_.organisations, self.deals_.matrix)

    def chances(self, matrix: Any) -> Floats:
        """Chances of the next product of organisations, shape (organisations, products), adding up to 1.

        Args:
            matrix: what they have of the products fitted on, in the order of `product_problem_`, sparse.
        """
        self._fitted()
        model = self._found.mixtures
        if model is None:
            return np.tile(fitness(self.intersections_.null), (matrix.shape[0], 1))
        return model.chances(model.shares(matrix))

    def next_deals(self) -> NextDeals:
        """The ranking of next products and how it does on deals set aside; fitted when it is first asked for."""
        self._fitted()
        if self._next_deals is None:
            self._next_deals = fit_next_deals(
                self._found,
                self.deals_,
                fitness(self.intersections_.null),
                q=self.q,
                resolutions=self.resolutions,
                least_products=self.least_products,
                mixture=self._mixture_settings(),
                most_organisations=self.most_organisations,
                seed=self.seed,
            )
        return self._next_deals

    def upsell(self, deals: Any, *, most: int = 3) -> pd.DataFrame:
        """Next products of each organisation with the reason for each: see `leadlift.problems.upsell`.

        Args:
            deals: what the organisations bought; none of it is named again.
            most: products per organisation.
        """
        names, matrix, _ = self._known(deals)
        return self._next(names, matrix, most)

    def _next(self, names: Any, matrix: Any, most: int) -> pd.DataFrame:
        check_most(most)
        return next_products(self.next_deals(), self._found, matrix, names, most=most)

    def upsell_fitted(self, *, most: int = 3) -> pd.DataFrame:
        """The same for the organisations fitted on."""
        self._fitted()
        return self._next(self.deals_.organisations, self.deals_.matrix, most)

    @property
    def n_problems_(self) -> int:
        """How many problems were found; 0 says that none were."""
        self._fitted()
        return len(self.problems_)

    def _read(self, deals: Any, *, least: int = 2) -> DealTable:
        return read_deals(
            deals,
            deal_columns(self.columns),
            as_of=self.as_of,
            returns=self.returns,
            timezone=self.timezone,
            least=least,
        )

    def _known(self, deals: Any, organisations: Any = None) -> tuple[Any, Any, Any]:
        """Organisations of new deals, what they have of the products that the model knows, and who is asked for."""
        self._fitted()
        asked = None if organisations is None else asked_for(organisations)
        try:
            table = self._read(deals, least=1)
        except DataError as error:
            # Who is asked for may have no deal yet: that is unknown, and no mistake.
            if asked is None or not all(problem.code in NO_DEALS for problem in error.problems):
                raise
            return np.empty(0, dtype=object), sparse.csr_array((0, len(self._found.products))), asked
        return table.organisations, self._found.known(table.matrix, table.products), asked

    def _mixture_settings(self) -> dict[str, Any]:
        return {"noise": self.noise, "concentration": self.concentration, "seed": self.seed}

    def _settle(self, candidate: Candidate, earlier: Mapping[str, str]) -> None:
        """Keeps the communities that are problems, learns the mixtures and names everything."""
        table = self.deals_
        p_value = candidate.p_values()
        kept = np.flatnonzero(candidate.stable & (p_value < self.error))
        label = renumbered(candidate.label, kept)
        mixtures, shares = None, np.empty((len(table.organisations), 0))
        if kept.size:
            learnt = sampled(table.matrix, 2 * self.most_organisations, np.random.default_rng([self.seed, 2]))
            mixtures = fit_cautious(learnt, label, fitness(self.intersections_.null), **self._mixture_settings())
            shares = mixtures.shares(table.matrix)
        self._found = found = named(table.products, label, mixtures, shares, kept, earlier)
        self.mixtures_ = found.frame(table.organisations, table.matrix)
        self.candidates_ = candidate_frame(candidate, p_value, stable=self.stable, error=self.error)
        self.product_problem_ = product_frame(found, self._factors(found))
        self.problems_ = problem_cards(
            found,
            table,
            mixtures=self.mixtures_,
            agrees=self.product_problem_["agrees"].to_numpy(),
            candidate=candidate,
            p_value=p_value,
        )

    def _factors(self, found: Found) -> Codes:
        """The problem where factors, made without the graph, put each product; -1 for none."""
        factor = np.full(len(found.label), -1, dtype=np.intp)
        members = np.flatnonzero(found.label >= 0)
        if members.size:
            sample = sampled(self.deals_.matrix, self.most_hidden, np.random.default_rng([self.seed, 3]))
            factors = factor_labels(sample[:, members], len(found.names), seed=self.seed)
            factor[members] = second_view(found.label[members], factors)
        return factor

    def _fitted(self) -> None:
        if not hasattr(self, "problems_"):
            raise stop(
                WHERE,
                "not-fitted",
                "fit comes before transform and predict",
                "this model was never fitted",
                "call `fit(deals)` first",
                NotFittedError,
            )

    def summary(self) -> dict[str, Any]:
        """What was found, as plain values."""
        self._fitted()
        return {
            "problems": [card.to_dict() for card in self.problems_],
            "rows": self.deals_.account.to_dict(),
            "checks": [asdict(check) for check in self.deals_.checks],
        }


def _earlier(previous: Any) -> dict[str, str]:
    """The problem of each product in an earlier fit."""
    if previous is None:
        return {}
    frame = previous.product_problem_ if isinstance(previous, ProblemModel) else previous
    if not isinstance(frame, pd.DataFrame) or not {"product", "problem"} <= set(frame.columns):
        rule = "`previous` is a fitted problem model, or a frame of `product` and `problem`"
        raise stop(WHERE, "previous", rule, "something else", "pass the earlier model's `product_problem_`")
    kept = frame[frame["problem"].notna()]
    return dict(zip(kept["product"].astype(str), kept["problem"].astype(str), strict=True))


__all__ = ["Intersections", "ProblemModel"]
