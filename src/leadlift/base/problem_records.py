"""What a study says of client problems, as records."""

from __future__ import annotations

from dataclasses import dataclass

from leadlift.base.record import Record


@dataclass(frozen=True)
class PooledEffect(Record):
    """An effect drawn towards those of its like: a problem's towards all problems', within its score group.

    Outcome units. 95% intervals that cover on average over the segments, not each one's effect: decisions use the
    simultaneous intervals of the unpooled effects. `weight` is the share of the segment's own estimate, [0, 1];
    `spread` the standard deviation of true effects around their mean (posterior median).
    """

    treatment: str
    outcome: str
    segment_by: str
    segment: str
    estimator: str
    effect: float | None
    se: float | None
    lower: float | None
    upper: float | None
    weight: float | None
    spread: float | None


@dataclass(frozen=True)
class CardProduct(Record):
    """A product of a problem, and its share of the problem's deals."""

    product: str
    weight: float


@dataclass(frozen=True)
class CardEffect(Record):
    """What one arm moves where this is the main problem: the effect with its simultaneous interval, and pooled."""

    treatment: str
    effect: float | None
    simultaneous_lower: float | None
    simultaneous_upper: float | None
    pooled: float | None
    pooled_lower: float | None
    pooled_upper: float | None


@dataclass(frozen=True)
class UpliftCard(Record):
    """A problem, its heaviest products (none without a problem model), whose main problem it is, and the uplift there.

    `n_products` counts all of its products; None without a model.
    """

    problem: str
    products: tuple[CardProduct, ...]
    n_products: int | None
    n_organisations: int
    n_leads: int
    effects: tuple[CardEffect, ...]
