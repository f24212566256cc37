"""Problems from deals: fit, transform, predict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator

from leadlift.base.arrays import Codes, Floats
from leadlift.base.errors import NotFittedError
from leadlift.base.problems import stop
from leadlift.problems.cards import ProblemCard, product_weights, typical_chains, typical_organisations
from leadlift.problems.deals import DealColumns, DealTable, Returns, read_deals
from leadlift.problems.graph import communities, intersection_graph, without_small
from leadlift.problems.heldout import fitness
from leadlift.problems.intersections import Intersections, intersect
from leadlift.problems.labels import UNKNOWN, problem_names
from leadlift.problems.mixtures import Mixtures, fit_mixtures
from leadlift.problems.selection import Candidate, candidates, chosen, level, no_candidate, split_halves
from leadlift.problems.stability import resampled_graphs
from leadlift.problems.upsell import UPSELL_COLUMNS, next_products
from leadlift.problems.views import factor_labels, second_view

RESOLUTIONS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0)
Tick = Callable[[str], None]


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
        concentration: how many deals the base rate counts for in an organisation's mixture.
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
        concentration: float = 1.0,
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
        earlier = _earlier(getattr(self, "product_problem_", None) if previous is None else previous)
        table = self._read(deals)
        rng = np.random.default_rng([self.seed, 0])
        tick("intersections")
        found = intersect(table.matrix, table.products)
        candidate = self._search(table, intersection_graph(found, q=self.q), rng, tick)
        self.deals_, self.intersections_ = table, found
        self._settle(candidate, earlier)
        return self

    def transform(self, deals: Any, organisations: Any = None) -> pd.DataFrame:
        """Mixtures of problems, also of organisations that the model was not fitted on.

        Args:
            deals: as in `fit`; products that the model does not know are passed over.
            organisations: identifiers to answer for, in this order; None: those with deals, sorted.

        Returns:
            A row per organisation, a column per problem; rows add up to 1. An organisation with few deals is near the
            base rate; one without any has NaN: unknown.
        """
        return self._mixture_frame(*self._known(deals), organisations)

    def fit_transform(self, deals: Any, y: Any = None) -> pd.DataFrame:
        """Fits, and gives the mixtures of the organisations fitted on."""
        return self.fit(deals).mixtures_

    def predict(self, deals: Any, organisations: Any = None) -> pd.Series[str]:
        """The main problem of each organisation, by identifier; "unknown" without a deal in any problem's products."""
        names, matrix = self._known(deals)
        return self._main(self._mixture_frame(names, matrix, organisations), names, matrix)

    def main_problems(self) -> pd.Series[str]:
        """The same for the organisations fitted on."""
        self._fitted()
        return self._main(self.mixtures_, self.deals_.organisations, self.deals_.matrix)

    def _main(self, mixtures: pd.DataFrame, names: Any, matrix: Any) -> pd.Series[str]:
        if not self._names:
            return pd.Series(UNKNOWN, index=mixtures.index, dtype="str", name="problem")
        inside = np.asarray(matrix[:, self._label >= 0].sum(axis=1)) > 0
        shown = mixtures.index.isin(pd.Index(names)[inside])
        main = np.array(mixtures.columns)[mixtures.fillna(0.0).to_numpy().argmax(axis=1)]
        return pd.Series(np.where(shown, main, UNKNOWN), index=mixtures.index, dtype="str", name="problem")

    def chances(self, matrix: Any) -> Floats:
        """Chances of the next product of organisations, shape (organisations, products), adding up to 1.

        Args:
            matrix: what they have of the products fitted on, in the order of `product_problem_`, sparse.
        """
        self._fitted()
        if self._model is None:
            return np.tile(fitness(self.intersections_.null), (matrix.shape[0], 1))
        return self._model.chances(self._model.shares(matrix))

    def upsell(self, deals: Any, *, most: int = 3) -> pd.DataFrame:
        """Next products of each organisation with the reason for each: see `leadlift.problems.upsell`.

        Args:
            deals: what the organisations bought; none of it is named again.
            most: products per organisation.
        """
        names, matrix = self._known(deals)
        return self._next(names, matrix, most)

    def _next(self, names: Any, matrix: Any, most: int) -> pd.DataFrame:
        if self._model is None or most == 0:
            return pd.DataFrame(columns=UPSELL_COLUMNS)
        return next_products(self._model, self._label, self._names, matrix, names, self._products, most=most)

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
        given: dict[str, Any] = dict(self.columns or {})
        columns = DealColumns(**given)
        return read_deals(deals, columns, as_of=self.as_of, returns=self.returns, timezone=self.timezone, least=least)

    def _search(self, table: DealTable, graph: Any, rng: np.random.Generator, tick: Tick) -> Candidate:
        """Judges every resolution and chooses one."""
        products, most = list(table.products), self.most_organisations
        labels: dict[bytes, tuple[float, Codes]] = {}
        for resolution in self.resolutions:
            label = without_small(communities(graph, resolution=resolution, seed=self.seed), self.least_products)
            if label.max(initial=-1) >= 0:
                labels.setdefault(label.tobytes(), (resolution, label))
        if not labels:
            nothing = no_candidate(len(products))
            self.selection_ = _selection_frame([nothing], 0)
            return nothing
        resampled = resampled_graphs(
            table.matrix, products, q=self.q, resamples=self.resamples, most=most, rng=rng, tick=tick
        )
        sample = table.matrix if table.matrix.shape[0] <= 2 * most else table.matrix[_rows(table, 2 * most, rng)]
        halves = split_halves(sample, products, q=self.q, most=self.most_hidden, seed=self.seed)
        tick("choosing the number of problems")
        levels = [
            level(label, resolution, resampled, halves, least=self.least_products, seed=self.seed)
            for resolution, label in labels.values()
        ]
        found = candidates(levels, halves, stable=self.stable, mixture=self._mixture_settings())
        place = chosen(found)
        self.selection_ = _selection_frame(found, place)
        return found[place]

    def _mixture_settings(self) -> dict[str, Any]:
        return {"noise": self.noise, "concentration": self.concentration}

    def _settle(self, candidate: Candidate, earlier: Mapping[str, str]) -> None:
        """Keeps the communities that are problems, learns the mixtures and names everything."""
        table = self.deals_
        p_value = candidate.p_values()
        kept = np.flatnonzero(candidate.stable & (p_value < self.error))
        anew = np.full(len(p_value) + 1, -1, dtype=np.intp)
        anew[kept] = np.arange(len(kept))
        label = anew[candidate.label]
        null = fitness(self.intersections_.null)
        self._products, self._label = table.products, label
        self._model: Mixtures | None = None
        shares = np.empty((len(table.organisations), 0))
        if kept.size:
            rng = np.random.default_rng([self.seed, 2])
            most = 2 * self.most_organisations
            few = table.matrix.shape[0] <= most
            learnt = table.matrix if few else table.matrix[_rows(table, most, rng)]
            self._model = fit_mixtures(learnt, label, null, **self._mixture_settings())
            shares = self._model.shares(table.matrix)
        size = np.asarray(shares.sum(axis=0))
        names = problem_names(label, list(table.products), size, earlier)
        self._order(names)
        self.mixtures_ = self._mixture_frame(table.organisations, table.matrix, None)
        self.candidates_ = _candidate_frame(candidate, p_value, self)
        self._view_again()
        self.problems_ = self._cards(candidate, p_value, kept)

    def _order(self, names: list[str]) -> None:
        """Puts problems in the order of their names' numbers, whatever order they were found in."""
        from leadlift.problems.labels import number_of

        order = sorted(range(len(names)), key=lambda k: number_of(names[k]))
        place = np.full(len(names) + 1, -1, dtype=np.intp)
        place[order] = np.arange(len(order))
        self._found_at = order
        self._names = [names[k] for k in order]
        self._label = place[self._label]
        if self._model is not None:
            self._model = self._model.in_order(order)

    def _view_again(self) -> None:
        """Holds the partition against factors that were made without the graph."""
        label, products = self._label, self._products
        names = np.array([*self._names, None], dtype=object)
        factor = np.full(len(label), -1, dtype=np.intp)
        if self._model is not None:
            matrix = self.deals_.matrix
            rng = np.random.default_rng([self.seed, 3])
            most = self.most_hidden
            sample = matrix if matrix.shape[0] <= most else matrix[_rows(self.deals_, most, rng)]
            members = np.flatnonzero(label >= 0)
            found = factor_labels(sample[:, members], len(self._names), seed=self.seed)
            factor[members] = second_view(label[members], found)
        weight = np.full(len(label), np.nan)
        if self._model is not None:
            inside = label >= 0
            weight[inside] = self._model.weight[label[inside], np.flatnonzero(inside)]
        self.product_problem_ = pd.DataFrame(
            {
                "product": pd.array(products, dtype="str"),
                "problem": pd.array(names[label], dtype="str"),
                "weight": weight,
                "factor_problem": pd.array(names[factor], dtype="str"),
                "agrees": (label == factor) & (label >= 0),
            }
        )

    def _cards(self, candidate: Candidate, p_value: Floats, kept: Codes) -> tuple[ProblemCard, ...]:
        if self._model is None:
            return ()
        table, label = self.deals_, self._label
        popularity = self.intersections_.organisations
        breadth = np.diff(table.matrix.indptr)
        mixtures = self.mixtures_.to_numpy()
        main = self._main(self.mixtures_, table.organisations, table.matrix).value_counts()
        by_product = sparse.csc_array(
            (table.first_day, table.matrix.indices, table.matrix.indptr), shape=table.matrix.shape[::-1]
        ).tocsr()
        agrees = self.product_problem_["agrees"].to_numpy()
        cards = []
        for k, name in enumerate(self._names):
            at = int(kept[self._found_at[k]])
            gain = candidate.problem_gain[:, at]
            members = np.flatnonzero(label == k)
            weights = product_weights(members, k, self._model, table.products, popularity)
            heaviest = members[np.argsort(-self._model.weight[k][members], kind="stable")]
            bought = np.asarray(table.matrix[:, members].sum(axis=1)).astype(np.intp)
            cards.append(
                ProblemCard(
                    problem=name,
                    products=weights,
                    organisations=int(main.get(name, 0)),
                    share=float(mixtures[:, k].mean()),
                    chains=typical_chains(by_product, heaviest, table.products),
                    typical=typical_organisations(mixtures[:, k], bought, breadth, table.organisations),
                    recovered=float(candidate.stability.recovered[at]),
                    together=float(candidate.stability.together[at]),
                    gain=float(np.nanmean(gain)),
                    p_value=float(p_value[at]),
                    agreement=float(agrees[members].mean()),
                )
            )
        return tuple(cards)

    def _known(self, deals: Any) -> tuple[Any, Any]:
        """Organisations of new deals, and what they have of the products that the model knows."""
        self._fitted()
        table = self._read(deals, least=1)
        place = pd.Index(self._products).get_indexer(pd.Index(table.products))
        known = np.flatnonzero(place >= 0)
        step = sparse.csr_array(
            (np.ones(len(known)), (known, place[known])), shape=(len(table.products), len(self._products))
        )
        return table.organisations, sparse.csr_array(table.matrix @ step)

    def _mixture_frame(self, names: Any, matrix: Any, organisations: Any) -> pd.DataFrame:
        if self._model is None:
            shares = np.empty((len(names), 0))
        else:
            shares = self._model.shares(matrix)
            shares[np.diff(matrix.indptr) == 0] = np.nan
        index = pd.Index(pd.array(names, dtype="str"), name="organisation_id")
        frame = pd.DataFrame(shares, index=index, columns=pd.Index(self._names, name="problem", dtype="str"))
        if organisations is None:
            return frame
        asked = pd.Index(pd.array([str(name) for name in organisations], dtype="str"), name="organisation_id")
        return frame.reindex(asked)

    def _fitted(self) -> None:
        if not hasattr(self, "problems_"):
            raise stop(
                "the problem model",
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


def _rows(table: DealTable, most: int, rng: np.random.Generator) -> Codes:
    return np.sort(rng.choice(table.matrix.shape[0], most, replace=False))


def _earlier(previous: Any) -> dict[str, str]:
    """The problem of each product in an earlier fit."""
    if previous is None:
        return {}
    frame = previous.product_problem_ if isinstance(previous, ProblemModel) else previous
    kept = frame[frame["problem"].notna()]
    return dict(zip(kept["product"].astype(str), kept["problem"].astype(str), strict=True))


def _selection_frame(found: list[Candidate], place: int) -> pd.DataFrame:
    rows = []
    for number, candidate in enumerate(found):
        many = len(candidate.gain)
        rows.append(
            {
                "communities_from": candidate.name,
                "communities": len(candidate.stable),
                "stable": candidate.n_stable,
                "products": int((candidate.label >= 0).sum()),
                "gain": float(candidate.gain.mean()) if many else 0.0,
                "gain_se": float(candidate.gain.std(ddof=1) / np.sqrt(many)) if many > 1 else np.nan,
                "hidden_deals": many,
                "chosen": number == place,
            }
        )
    return pd.DataFrame(rows)


def _candidate_frame(candidate: Candidate, p_value: Floats, model: ProblemModel) -> pd.DataFrame:
    rows = []
    for k in range(len(candidate.stable)):
        gain = candidate.problem_gain[:, k]
        reason = ""
        if not candidate.stable[k]:
            reason = f"unstable: comes back by {candidate.stability.recovered[k]:.2f}, below {model.stable:.2f}"
        elif np.isnan(gain).all():
            reason = "not found on half of the organisations"
        elif p_value[k] >= model.error:
            reason = f"no gain on hidden deals at a familywise error of {model.error:.0%}"
        rows.append(
            {
                "products": int((candidate.label == k).sum()),
                "recovered": candidate.stability.recovered[k],
                "together": candidate.stability.together[k],
                "gain": np.nan if np.isnan(gain).all() else float(np.nanmean(gain)),
                "p_value": p_value[k],
                "problem": not reason,
                "reason": reason,
            }
        )
    columns = ["products", "recovered", "together", "gain", "p_value", "problem", "reason"]
    return pd.DataFrame(rows, columns=columns)


__all__ = ["Intersections", "ProblemModel"]
