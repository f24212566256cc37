"""Small lists of leads, and experiments that draw them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from leadlift.base.experiment import ExperimentConfig, parse_experiment
from leadlift.data import KeptAssignments
from leadlift.design import Assignment, assign, lead_list, settings_digest

NOW = pd.Timestamp("2026-03-31T09:30:00Z")
NOTHING = KeptAssignments((), ())
TWO = {"control": {"share": 0.6}, "call": {"share": 0.4}}
THREE = {"control": {"share": 0.5}, "call": {"share": 0.2}, "mail": {"share": 0.3}}


def leads(organisations: int = 30, seed: int = 0) -> pd.DataFrame:
    """One to five leads per organisation, scores over [0, 1], two problems."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(organisations), rng.integers(1, 6, organisations))
    n = len(owner)
    return pd.DataFrame(
        {
            "lead_id": [f"{k:04d}" for k in range(n)],
            "organisation_id": [f"org-{k}" for k in owner],
            "score": rng.random(n).round(3),
            "problem": rng.choice(["data", "people"], n),
        }
    )


def newcomers(organisations: int, seed: int) -> pd.DataFrame:
    """Leads of other organisations than those of `leads`."""
    frame = leads(organisations, seed)
    return frame.assign(lead_id=f"n{seed}-" + frame["lead_id"], organisation_id=f"n{seed}-" + frame["organisation_id"])


def experiment(name: str = "spring-calls", arms=None, cuts=(0.5,), **lot) -> ExperimentConfig:
    """An experiment of two arms and two score groups."""
    names = ["low", "high"] if len(cuts) == 1 else ["low", "medium", "high"]
    values = {
        "version": 1,
        "name": name,
        "experiment": {"arms": TWO if arms is None else arms, **lot},
        "score_groups": {"cuts": list(cuts), "names": names},
    }
    return parse_experiment(values, "spring.yaml", today=date(2026, 3, 31))


def drawn(
    frame: pd.DataFrame, config: ExperimentConfig, kept: KeptAssignments = NOTHING, now=NOW, digest=None
) -> Assignment:
    """One draw, not kept."""
    listed = lead_list(frame, config, now=now)
    return assign(listed, config, kept, now=now, digest=digest or settings_digest(config))
