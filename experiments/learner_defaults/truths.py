"""Leads whose true uplift is known: three simulated companies, and two truths without any company."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import expit

from leadlift import AssignmentLog, simulate_crm

COMPANIES = ("fence_sitters", "likeliest", "unrelated")
TRUTHS = (*COMPANIES, "sparse", "linear")
FRESH = 20_000
LEADS = 128_000


@lru_cache(maxsize=1)
def truth_log(truth: str, seed: int) -> tuple[AssignmentLog, np.ndarray]:
    """A log of one round and the true uplift of each of its leads, outcome units."""
    if truth not in COMPANIES:
        return _plain_log(truth, seed)
    # A twentieth of the leads come late and some windows are still open: more are made than are used.
    crm = simulate_crm(leads=int(LEADS * 1.08), seed=seed, preset=truth)
    known = crm.truth.set_index("lead_id")["uplift_call"]
    return crm.log, known.loc[crm.log.lead_id.tolist()].to_numpy()


def _plain_log(truth: str, seed: int) -> tuple[AssignmentLog, np.ndarray]:
    """Ten independent features, drawn by lead, half touched.

    `sparse`: a binary outcome of about 20%; five of the features say who buys, and a touch adds eight points where two
    others are both high (a quarter of leads), nothing elsewhere. `linear`: a number with standard deviation of about
    1.2; the uplift is linear in three features, with mean 0.1 and standard deviation 0.12.
    """
    rng = np.random.default_rng([seed, TRUTHS.index(truth)])
    X = rng.normal(size=(LEADS, 10)).round(2)
    arm = rng.integers(2, size=LEADS)
    if truth == "sparse":
        control = expit(-1.55 + 0.5 * X[:, 2:7] @ np.array([1.0, -0.8, 0.6, 0.5, -0.4]))
        uplift = 0.08 * ((X[:, 0] > 0) & (X[:, 1] > 0)) * (1 - control)
        y = (rng.random(LEADS) < control + arm * uplift).astype(float)
    else:
        control = 0.4 * X[:, 2] - 0.3 * X[:, 3] + 0.3 * np.abs(X[:, 4])
        uplift = 0.1 + 0.1 * X[:, 0] - 0.05 * X[:, 1] + 0.04 * X[:, 2]
        y = control + arm * uplift + rng.normal(size=LEADS)
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(10)])
    score = pd.Series(control).rank(pct=True).to_numpy()
    frame = frame.assign(arm=np.where(arm == 1, "call", "control"), y=y, score=score, id=np.arange(LEADS))
    frame["id"] = frame["id"].map("{:07d}".format)
    log = AssignmentLog.from_frame(
        frame,
        treatment="arm",
        control="control",
        propensity={"call": 0.5, "control": 0.5},
        outcome="y",
        lead_id="id",
        score="score",
        features=[f"x{j}" for j in range(10)],
    )
    return log, uplift
