"""What sales can do to a lead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mechanic:
    """One thing sales can do to a lead.

    Attributes:
        name: the word for it in touches and arms.
        cost: money per touch, in the company's currency; single touches vary by 20% either way.
        strength: its effect as a multiple of the preset's (a call is 1).
        amount_factor: what it does to the amount of a deal won; a discount sells cheaper.
    """

    name: str
    cost: float
    strength: float
    amount_factor: float = 1.0


MECHANICS = (
    Mechanic("email", 0.5, 0.35),
    Mechanic("sms", 0.2, 0.25),
    Mechanic("call", 35.0, 1.0),
    Mechanic("visit", 180.0, 1.4),
    Mechanic("gift", 60.0, 0.6),
    Mechanic("discount", 5.0, 0.8, 0.9),
)
