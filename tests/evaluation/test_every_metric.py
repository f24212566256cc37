"""What every public metric owes its users: no order of rows moves a bit; a finite number or a reason."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlift.base.errors import DataError
from leadlift.base.record import plain
from leadlift.evaluation import (
    area_interval,
    autoc,
    gain_band,
    isotonic_uplift,
    qini_curve,
    qini_score,
    rate,
    rate_interval,
    toc,
    toc_band,
    uplift_at_k,
    uplift_auc,
    uplift_by_bin,
    uplift_curve,
    uplift_scorer,
)
from leadlift.inference import ipw_scores


class Given:
    """A fitted learner whose predictions are the features."""

    classes_ = (0, 1)

    def predict(self, X):
        return X


def basic(log, *, propensity=True):
    return (log["y"], log["uplift"], log["t"]), {"propensity": log["p"]} if propensity else {}


def by_definition(metric, definition, **options):
    def call(log):
        columns, given = basic(log, propensity=definition in ("leadlift", "grf", "pylift"))
        return metric(*columns, **given, groups=log["groups"], definition=definition, **options)

    return call


def weighted(metric, *, propensity=True, **options):
    def call(log):
        columns, given = basic(log, propensity=propensity)
        return metric(*columns, **given, sample_weight=log["weight"], **options)

    return call


def at_k(metric, **options):
    def call(log):
        columns, given = basic(log)
        return metric(*columns, **given, **options)

    return call


def interval(**options):
    def call(log):
        columns, given = basic(log)
        pair = {"against": log["other"]} if options.get("paired") else {}
        more = {name: value for name, value in options.items() if name != "paired"}
        return area_interval(*columns, **given, **pair, groups=log["groups"], sample_weight=log["weight"], **more)

    return call


def from_scores(metric, *, by=None, seed=None, **options):
    def call(log):
        scores = ipw_scores(log["y"], log["t"], propensity=log["p"])
        more = {} if by is None else {"groups": log[by]}
        more |= {} if seed is None else {"rng": np.random.default_rng(seed)}
        return metric(scores, log["uplift"], weights=log["weight"], **more, **options)

    return call


def scorer(measure):
    def call(log):
        score = uplift_scorer(measure)
        return score(Given(), log["uplift"], log["y"], treatment=log["t"], propensity=log["p"])

    return call


def isotonic(log):
    return isotonic_uplift(log["uplift"], log["y"], fold=log["fold"], sample_weight=log["weight"])[log["back"]].tolist()


AREAS = {"qini_score": qini_score, "uplift_auc": uplift_auc, "uplift_curve": uplift_curve, "qini_curve": qini_curve}
EVERY = {
    f"{name}, {definition}": by_definition(metric, definition)
    for name, metric in AREAS.items()
    for definition in ("leadlift", "grf", "sklift", "pylift", "causalml")
}
EVERY |= {f"{name}, weighted": weighted(metric) for name, metric in AREAS.items()}
EVERY |= {
    "qini_score, weighted, realised share": weighted(qini_score, propensity=False),
    "qini_score, top 30%": weighted(qini_score, top=0.3),
    "autoc": by_definition(autoc, "leadlift"),
    "autoc, weighted": weighted(autoc),
    "autoc, top 30%": weighted(autoc, top=0.3),
    "toc": by_definition(toc, "grf"),
    "toc, weighted": weighted(toc, shares=[0.1, 0.55, 1.0]),
    "rate": from_scores(rate),
    "rate_interval": from_scores(rate_interval, target="qini"),
    "rate_interval, by organisation": from_scores(rate_interval, by="groups"),
    "gain_band": from_scores(gain_band, by="groups", seed=1, shares=[0.3, 1.0]),
    "gain_band, by lead": from_scores(gain_band, seed=1, shares=[0.3, 1.0]),
    "toc_band": from_scores(toc_band, by="groups", seed=1, shares=[0.3, 0.7]),
    "area_interval": interval(),
    "area_interval, autoc of the top 30%": interval(target="autoc", top=0.3),
    "area_interval, paired": interval(paired=True),
    "uplift_at_k, share": at_k(uplift_at_k, k=0.3),
    "uplift_at_k, number, by group": at_k(uplift_at_k, k=5, strategy="by_group"),
    "uplift_by_bin": at_k(uplift_by_bin, bins=3),
    "uplift_by_bin, by group": at_k(uplift_by_bin, bins=2, strategy="by_group"),
    "uplift_at_k, weighted": weighted(uplift_at_k, k=0.35),
    "uplift_at_k, weighted, by group": weighted(uplift_at_k, k=7, strategy="by_group"),
    "uplift_by_bin, weighted": weighted(uplift_by_bin, bins=3),
    "scorer, qini": scorer("qini"),
    "scorer, autoc": scorer("autoc"),
    "isotonic_uplift": isotonic,
}


def log(seed, *, n=240, binary=True, levels=5):
    """Few predicted values, so that nearly all leads tie; sums that round; organisations of two leads."""
    rng = np.random.default_rng(seed)
    t = rng.integers(0, 2, n)
    t[:2] = 0, 1
    y = (rng.random(n) < 0.7).astype(float)
    return {
        "y": y if binary else y * rng.normal(size=n),
        "t": t,
        "uplift": rng.integers(0, levels, n) / 7,
        "other": rng.integers(0, levels, n) / 3,
        "p": rng.choice([0.3, 0.4, 0.7], n),
        "weight": rng.choice([0.1, 0.7, 1.3], n),
        "groups": np.array([f"client {k}" for k in rng.integers(0, n // 2, n)]),
        "fold": rng.integers(0, 3, n),
        "back": np.arange(n),
    }


def outcome(call, columns):
    """The number as plain values, or the words with which it stops."""
    try:
        return plain(call(columns))
    except DataError as error:
        return str(error)


def finite(value):
    if isinstance(value, dict):
        return all(finite(v) for v in value.values())
    if isinstance(value, list | tuple):
        return all(finite(v) for v in value)
    return value is None or isinstance(value, str | bool) or np.isfinite(value)


def test_the_list_is_that_of_the_metrics():
    from leadlift import evaluation

    named = {name.split(",")[0] for name in EVERY} | {"uplift_scorer"}
    metrics = {
        n for n in evaluation.__all__ if n.startswith(("uplift_", "qini", "toc", "autoc", "rate", "gain", "area"))
    }
    assert metrics <= named


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([1, 3, 40]))
def test_row_order_means_nothing_to_the_last_bit(name, seed, binary, levels):
    columns = log(seed, binary=binary, levels=levels)
    order = np.random.default_rng(seed).permutation(len(columns["y"]))
    shuffled = {key: column[order] for key, column in columns.items()}
    shuffled["back"] = np.argsort(order)
    assert outcome(EVERY[name], shuffled) == outcome(EVERY[name], columns)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "strange", ["no conversions", "all convert", "one conversion", "no treated", "few leads", "none"]
)
def test_a_finite_number_or_a_reason(name, strange):
    columns = log(1, n=4 if strange == "few leads" else 240)
    y, t = columns["y"], columns["t"]
    columns["y"] = {"no conversions": 0 * y, "all convert": 0 * y + 1, "one conversion": np.arange(len(y)) == 7}.get(
        strange, y
    )
    columns["t"] = 0 * t if strange == "no treated" else t
    if strange == "none":
        columns = {key: column[:0] for key, column in columns.items()}
    found = outcome(EVERY[name], columns)
    if isinstance(found, str):
        assert found.startswith(("1 problem", "2 problems")), found
    else:
        assert finite(found)
