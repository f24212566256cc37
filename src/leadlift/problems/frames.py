"""Frames of what was looked at and what was found, to read."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadlift.base.arrays import Codes, Floats
from leadlift.problems.found import Found
from leadlift.problems.search import Searched
from leadlift.problems.selection import Candidate


def selection_frame(searched: Searched) -> pd.DataFrame:
    """A row per set of communities that could be the problems."""
    rows = []
    for number, candidate in enumerate(searched.sets):
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
                "chosen": number == searched.place,
            }
        )
    return pd.DataFrame(rows)


def candidate_frame(candidate: Candidate, p_value: Floats, *, stable: float, error: float) -> pd.DataFrame:
    """A row per community, and why it is no problem."""
    rows = []
    for k in range(len(candidate.stable)):
        gain = candidate.problem_gain[:, k]
        reason = ""
        if not candidate.stable[k]:
            reason = f"unstable: comes back by {candidate.stability.recovered[k]:.2f}, below {stable:.2f}"
        elif np.isnan(gain).all():
            reason = "not found on half of the organisations"
        elif p_value[k] >= error:
            reason = f"no gain on hidden deals at a familywise error of {error:.0%}"
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


def product_frame(found: Found, factor: Codes) -> pd.DataFrame:
    """A row per product.

    Args:
        found: the problems.
        factor: the problem where the second view puts each product, -1 for none, shape (products,).
    """
    label, weight = found.label, np.full(len(found.label), np.nan)
    inside = np.flatnonzero(label >= 0)
    if found.mixtures is not None:
        weight[inside] = found.mixtures.weight[label[inside], inside]
    return pd.DataFrame(
        {
            "product": pd.array(found.products, dtype="str"),
            "problem": pd.array(found.any_name[label], dtype="str"),
            "weight": weight,
            "factor_problem": pd.array(found.any_name[factor], dtype="str"),
            "agrees": (label == factor) & (label >= 0),
        }
    )
