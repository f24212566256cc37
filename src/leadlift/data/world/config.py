"""The parameters of a simulated company: each with its meaning, its default and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leadlift.data.world.check import check_config
from leadlift.data.world.mechanics import MECHANICS, Mechanic

Preset = Literal["fence_sitters", "likeliest", "unrelated", "null"]


@dataclass(frozen=True)
class WorldConfig:
    """What the simulated company is like. Every default is typical of business-to-business sales.

    Shares and rates lie in [0, 1]; times are in days; money is in `currency`.

    Attributes:
        leads: how many leads, late ones included. 20,000: a year of a mid-sized company, and a second to make.
        organisations: how many organisations. None: `leads / leads_per_organisation`. With more than that, the
            rest have deals but no leads.
        leads_per_organisation: mean leads of an organisation that has any. 1.6: most have one, some have many.
        late_share: share of leads created after `World.today`, in organisations that had a lead before. 0.05.
        problems: how many client problems are hidden in the deals. 4: enough to differ, few enough to find.
        products: how many products, at least three per problem, at most 1,000. 12: three per problem.
        mixture_concentration: Dirichlet concentration over all problems together. 1.0: most organisations have one
            main problem and a second one; near 0 everyone has exactly one, at 50 all look alike.
        problem_signal: probability that a purchase comes from the organisation's problems and not from mere
            popularity. 0.85; 0 is a world without structure.
        chain_strength: probability that a purchase is the next one in its problem's chain. 0.6: chains show,
            with many exceptions.
        firmographic_signal: probability that a firmographic (industry, region, size) follows the main problem and
            not the market. 0.15: looks tell little, which is why deals are studied.
        start: first day of the deal history, UTC.
        history_days: length of the history; `World.today` comes after it. 730: two years, two of each season.
        deals_per_organisation: mean deals won or lost in the history; spread widely (negative binomial). 4.
        lost_share: share of the deals in the history that were lost. 0.35.
        season: how far the strongest months stand from the mean, relatively, in deals closed and in conversion by
            month of creation. 0.15.
        currency: of all amounts. EUR.
        price: typical price of a product, money. 12,000; products spread by `price_spread` (log scale).
        price_spread: standard deviation of log prices over products. 0.6: a tenth costs under half the typical price.
        lead_days: ordinary leads were created in the last so many days before today. 180: an open pipeline.
        base_rate: mean share of leads that convert within the window without a touch. 0.15.
        score_quality: correlation of the score with true readiness, latent scale. 0.93: about 0.77 AUC for who buys.
        organisation_sd: unseen effect shared by the leads of an organisation, log-odds. 0.5: modest; 0 is none.
        product_sd: how much conversion differs between products, log-odds. 0.2.
        missing: share of missing values in features that can be missing (twice that for the budget). 0.1.
        preset: whom a touch moves. `fence_sitters` (middle readiness, some problems, harm to some of the
            likeliest), `likeliest`, `unrelated` (differs between leads, not with the score), `null` (exactly nobody).
        effect_size: multiplies every effect of the preset. 1.0: about +2.7 points over all leads, +7 in the best group.
        mechanics: what sales can do.
        mechanic_affinity: how much a mechanic's strength differs between problems, relatively. 0.2.
        contamination: share of leads in arms without mechanics that are touched all the same. 0.03.
        contamination_mechanic: what those get. "call".
        missed: share of leads in arms with mechanics that nobody reaches. 0.1.
        spillover: share of its own touch effect that an untouched lead gets when another lead of its organisation
            is touched. 0: no interference.
        touch_days: touches happen within so many days of the assignment. 6.
        first_close_days: no lead closes earlier than this, so never before the touch that moved it. 7.
        window_days: the outcome is what is won within so many days. 90.
        closed_in_window: share of the wins that come within the window, the rest within the next one. 0.88.
        booking_lag_days: a deal is known at most so many days after it closed. 5.
        lost_recorded: share of leads not won whose loss is written down as a deal. 0.5.
        unlinked_share: share of the observed deals that carry no lead_id. 0: lead results are exact.
        other_deals: mean further deals per organisation and window that no lead is behind and no touch changes,
            of any product, within a window of the first assignment. 0: all that is won belongs to a lead.
        reps: how many sales representatives; an organisation always has the same one. 12.
    """

    leads: int = 20_000
    organisations: int | None = None
    leads_per_organisation: float = 1.6
    late_share: float = 0.05
    problems: int = 4
    products: int = 12
    mixture_concentration: float = 1.0
    problem_signal: float = 0.85
    chain_strength: float = 0.6
    firmographic_signal: float = 0.15
    start: str = "2024-01-01"
    history_days: int = 730
    deals_per_organisation: float = 4.0
    lost_share: float = 0.35
    season: float = 0.15
    currency: str = "EUR"
    price: float = 12_000.0
    price_spread: float = 0.6
    lead_days: int = 180
    base_rate: float = 0.15
    score_quality: float = 0.93
    organisation_sd: float = 0.5
    product_sd: float = 0.2
    missing: float = 0.1
    preset: Preset = "fence_sitters"
    effect_size: float = 1.0
    mechanics: tuple[Mechanic, ...] = MECHANICS
    mechanic_affinity: float = 0.2
    contamination: float = 0.03
    contamination_mechanic: str = "call"
    missed: float = 0.1
    spillover: float = 0.0
    touch_days: float = 6.0
    first_close_days: float = 7.0
    window_days: float = 90.0
    closed_in_window: float = 0.88
    booking_lag_days: float = 5.0
    lost_recorded: float = 0.5
    unlinked_share: float = 0.0
    other_deals: float = 0.0
    reps: int = 12

    def __post_init__(self) -> None:
        check_config(self)
