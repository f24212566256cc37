"""What problems suggest: funnels to unify, and mechanics worth trying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from leadlift.base.errors import TooFewOutcomesError
from leadlift.base.problems import did_you_mean, listed
from leadlift.base.record import Record
from leadlift.base.records import Check, RowAccount
from leadlift.data.cells import identifiers
from leadlift.data.door import to_pandas
from leadlift.problems.funnels import FunnelGroup, funnel_groups
from leadlift.problems.model import ProblemModel
from leadlift.problems.transfer import Selection, TransferModel
from leadlift.problems.transfer_hypotheses import Hypothesis, hypotheses

# Beyond so many products a like name is not looked for.
HINTED = 5_000


@dataclass(frozen=True)
class Component(Record):
    """How far one part of uplift spreads, outcome units, with a 95% interval.

    `selection` is the correlation of what was tried with what is particular to a cell and its product; it rests on
    its prior, Beta(2, 3), far more than on data.
    """

    component: str
    median: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Ideas(Record):
    """What a company's problems and its measured effects suggest.

    Attributes:
        funnels: a group per problem.
        hypotheses: mechanics worth trying, by expected gain.
        teachings: the same kind of cells in the order in which each test teaches most after those before it.
        components: parts of uplift; empty without effects.
        rows: where every row of the effects went; None without effects.
        checks: what was looked at, and why a part is missing.
    """

    funnels: tuple[FunnelGroup, ...]
    hypotheses: tuple[Hypothesis, ...]
    teachings: tuple[Hypothesis, ...]
    components: tuple[Component, ...]
    rows: RowAccount | None
    checks: tuple[Check, ...]


def product_profiles(model: ProblemModel) -> pd.DataFrame:
    """Whose problems a product serves: the mean mixture of the organisations that have it.

    Returns:
        A row per product, a column per problem; rows add up to 1. Products of no problem have one as well.
    """
    matrix = sparse.csr_array(model.deals_.matrix, dtype=np.float64)
    buyers = np.asarray(matrix.sum(axis=0)).ravel()
    shares = (matrix.T @ model.mixtures_.to_numpy(float)) / np.maximum(buyers, 1.0)[:, None]
    return pd.DataFrame(shares, index=pd.Index(model.deals_.products, name="product"), columns=model.mixtures_.columns)


def ideas(
    model: ProblemModel,
    effects: Any = None,
    *,
    believed: Any = None,
    selection: Selection = "believed_gain",
    margin: float | None = None,
    break_even: float | Mapping[str, float] = 0.0,
    leads: Mapping[str, float] | None = None,
    most: int = 50,
    seed: int = 0,
) -> Ideas:
    """Funnels and hypotheses from a fitted problem model and measured effects.

    Args:
        model: fitted on deals.
        effects: a row per study: `product`, `mechanic`, `effect`, `se`, and where known `n_treatment`, `n_control`;
            None: groups and shared clients only.
        believed: what the company expected of every cell; see `TransferModel`.
        selection: how tried cells were chosen; see `TransferModel`.
        margin: the largest difference in uplift that doesn't matter; None: nothing is unified.
        break_even: uplift that pays for a touch, one number or one per mechanic.
        leads: how many leads each product's decision is about; None: 1 each.
        most: hypotheses to give.
        seed: of the variances that are weighed.

    Raises:
        DataError: effects that can't be used, a margin that is not above 0.
    """
    groups = {card.problem: [one.product for one in card.products] for card in model.problems_}
    funnels = funnel_groups(
        groups,
        model.intersections_,
        model.deals_.matrix,
        effects=effects,
        margin=margin,
        together={card.problem: card.together for card in model.problems_},
    )
    checks = [] if margin is not None else [_without("margin", "no margin is declared: nothing can be unified")]
    if effects is None:
        checks.append(_without("effects", "no measured effects: there is nothing to transfer"))
        return Ideas(funnels, (), (), (), None, tuple(checks))
    checks += _strangers(effects, model)
    transfer = TransferModel(selection=selection, seed=seed)
    try:
        transfer.fit(effects, product_profiles(model), believed=believed)
    except TooFewOutcomesError as error:
        checks.append(_without("effects", str(error).splitlines()[2].strip() + ": too few to learn from"))
        return Ideas(funnels, (), (), (), None, tuple(checks))
    settings: dict[str, Any] = {"break_even": break_even, "leads": leads, "most": most}
    return Ideas(
        funnels=funnels,
        hypotheses=hypotheses(transfer, **settings),
        teachings=hypotheses(transfer, order="information", **settings),
        components=tuple(Component(*map(_plain, row)) for row in transfer.components_.itertuples(index=False)),
        rows=transfer.cells_.account,
        checks=(*checks, *transfer.checks_),
    )


def _strangers(effects: Any, model: ProblemModel) -> list[Check]:
    """Products with a measured effect that no deal names: often the same product, written differently."""
    measured = set(identifiers(to_pandas(effects)["product"]).dropna())
    products = [str(name) for name in model.deals_.products]
    strange = sorted(measured - set(products))
    if not strange:
        return []
    hint = did_you_mean(strange[0], products) if len(products) <= HINTED else ""
    near = f" ({hint})" if hint.startswith("did you mean") else ""
    words = f"{len(strange):,} of {len(measured):,} products with an effect are in no deal: {listed(strange, 3)}{near}"
    return [Check("products-without-deals", "warn", len(strange), f"{words}; they share no clients with others")]


def _without(code: str, words: str) -> Check:
    return Check(code, "warn", None, words)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else float(value)
