"""Which LightGBM settings rank unseen leads best, for the T- and the X-learner? See README.md."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import numpy as np  # noqa: E402
from lightgbm import LGBMClassifier, LGBMRegressor  # noqa: E402
from scipy.stats import rankdata  # noqa: E402

from leadlift import AssignmentLog  # noqa: E402
from leadlift.data import read_table  # noqa: E402
from leadlift.evaluation import lead_scores  # noqa: E402
from leadlift.inference import difference_in_means, mean_of_scores, rank_area  # noqa: E402
from leadlift.learners import TLearner, XLearner, in_threads, log_features, organisation_folds  # noqa: E402
from leadlift.learners.cross_fit import log_sample  # noqa: E402
from leadlift.learners.features import Features, Rows  # noqa: E402
from leadlift.learners.models import REPEATABLE  # noqa: E402
from truths import FRESH, TRUTHS, truth_log  # noqa: E402

Setting = tuple[int, int, int, float, float]  # leaves, rows per leaf, trees, learning rate, reg_lambda
OWN: Setting = (31, 20, 100, 0.1, 0.0)
MIDDLE: Setting = (5, 100, 100, 0.05, 1.0)


def settings() -> list[Setting]:
    """A small factorial, LightGBM's own defaults, and one thing at a time around the middle."""
    pairs = [(50, 0.05), (100, 0.05), (100, 0.1)]
    grid = [(k, rows, *pair, 1.0) for k in (3, 5, 8, 31) for rows in (20, 100, 400) for pair in pairs]
    around = [(4, 100, 100, 0.05, 1.0), (16, 100, 100, 0.05, 1.0), (5, 50, 100, 0.05, 1.0), (5, 200, 100, 0.05, 1.0)]
    around += [(5, 100, trees, rate, 1.0) for trees, rate in ((50, 0.1), (200, 0.05), (100, 0.02), (200, 0.025))]
    around += [(5, 100, 100, 0.05, penalty) for penalty in (0.0, 10.0, 100.0)]
    around += [(3, 200, 100, 0.05, 1.0), (4, 200, 100, 0.05, 1.0), (3, 200, 50, 0.05, 1.0), (4, 200, 100, 0.05, 10.0)]
    return [OWN, *grid, *around]


def all_pieces() -> list[pieces.Row]:
    """Draws of 5,000, 20,000 and 100,000 leads from two simulations of each truth."""
    first = [(5_000, 1, 0), (5_000, 1, 1), (20_000, 1, 0)]
    second = [(5_000, 2, 0), (5_000, 2, 1), (20_000, 2, 0)]
    parts = (first, second, [(100_000, 1, 0)])
    return [{"truth": t, "n": n, "seed": s, "draw": d} for part in parts for t in TRUTHS for n, s, d in part]


def predictions(
    log: AssignmentLog, features: Features, train: np.ndarray, fresh: np.ndarray, setting: Setting
) -> tuple[np.ndarray, np.ndarray]:
    """Uplift of `fresh` by the X-learner, shape (rows,), and outcomes under both arms, the T-learner's, (rows, 2)."""
    leaves, leaf_rows, trees, rate, penalty = setting
    chosen = {
        "num_leaves": leaves,
        "min_child_samples": leaf_rows,
        "n_estimators": trees,
        "learning_rate": rate,
        "reg_lambda": penalty,
        "random_state": 0,
        **REPEATABLE,
    }
    outcome = LGBMClassifier(**chosen) if log.outcome_kind == "binary" else LGBMRegressor(**chosen)
    sample, rows = log_sample(log, train, 0, features), Rows(features, fresh)
    # Fitted on the same leads together, they share their outcome models.
    by_arm = TLearner(outcome_model=outcome).fit_sample(sample)
    learner = XLearner(outcome_model=outcome, effect_model=LGBMRegressor(**chosen)).fit_sample(sample)
    return learner.predict_rows(rows, log.propensities[fresh])[:, 0], by_arm.outcomes_at(rows)


def work(piece: pieces.Row) -> list[pieces.Row]:
    """All settings on one draw, judged on the same fresh leads of other organisations."""
    log, truth = truth_log(piece["truth"], piece["seed"])
    place = np.random.default_rng([piece["seed"], 9]).permutation(log.n_organisations)[log.organisation]
    order = np.argsort(place, kind="stable")
    fresh, others = np.sort(order[:FRESH]), order[FRESH:]
    train = np.sort(others[piece["n"] * piece["draw"] :][: piece["n"]])
    # An organisation on the seam would be on both sides.
    train = train[~np.isin(log.organisation[train], log.organisation[fresh])]
    best = rank_area(truth[fresh], truth[fresh], target="qini").value
    by_rank = rankdata(truth[fresh])
    rows, features = [], log_features(log)
    for setting in settings():
        uplift, outcomes = predictions(log, features, train, fresh, setting)
        errors = nuisance_ratios(log, fresh, outcomes)
        for name, predicted in (("t", outcomes[:, 1] - outcomes[:, 0]), ("x", uplift)):
            miss = predicted - truth[fresh]
            rows.append(
                {
                    "setting": list(setting),
                    "learner": name,
                    "qini": round(rank_area(truth[fresh], predicted, target="qini").value / best, 5),
                    "rank_correlation": round(float(correlation(rankdata(predicted), by_rank)), 5),
                    "rmse": round(float(np.sqrt((miss**2).mean()) / truth[fresh].std()), 5),
                    **(errors if name == "t" else {}),
                }
            )
    return rows


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's; 0 where one of them does not vary."""
    return 0.0 if a.std() == 0 or b.std() == 0 else float(np.corrcoef(a, b)[0, 1])


def nuisance_ratios(log: AssignmentLog, rows: np.ndarray, outcomes: np.ndarray) -> dict[str, float]:
    """Standard error of AIPW over that of the difference in means, on leads that the outcome models never saw."""
    scores = lead_scores(log, "call", outcomes, rows)
    contrast, unit = log.contrast("call")[rows], log.organisation[rows]
    group = np.digitize(log.score[rows], np.quantile(log.score[rows], [1 / 3, 2 / 3]))
    shares = {}
    for name, inside in (("all", group >= 0), ("low", group == 0), ("medium", group == 1), ("high", group == 2)):
        means = difference_in_means(
            log.outcome[rows],
            contrast,
            propensity_treated=log.propensities[rows, 1],
            propensity_control=log.propensities[rows, 0],
            cell=log.cell[rows],
            unit=unit,
            n_units=log.n_organisations,
            segment=inside,
        )
        units = [len(np.unique(unit[inside & (contrast == a)])) for a in (1, 0)]
        adjusted = mean_of_scores(
            scores,
            stratum=log.stratum[rows],
            unit=unit,
            n_units=log.n_organisations,
            units_treated=units[0],
            units_control=units[1],
            segment=inside,
        )
        shares[f"se_{name}"] = round(adjusted.se / means.estimate.se, 5)
    return shares


def hillstrom_pieces() -> list[pieces.Row]:
    """Some settings on real leads, five folds drawn three times."""
    tried = [OWN, (31, 100, 100, 0.1, 1.0), (31, 400, 100, 0.05, 1.0), (8, 100, 100, 0.05, 1.0), MIDDLE]
    tried += [(5, 100, 50, 0.05, 1.0), (3, 100, 100, 0.05, 1.0), (3, 100, 50, 0.05, 1.0), (4, 200, 100, 0.05, 1.0)]
    tried += [(3, 400, 100, 0.05, 1.0), (5, 400, 100, 0.05, 1.0), (5, 100, 100, 0.1, 1.0)]
    return [{"truth": "hillstrom", "setting": list(s), "seed": seed} for s in tried for seed in (0, 1, 2)]


def work_hillstrom(piece: pieces.Row) -> list[pieces.Row]:
    """Qini of out-of-fold rankings, women's e-mail against none, visits; without a truth, from per-lead scores."""
    frame = read_table(Path(os.environ["LEADLIFT_DATA"]) / "hillstrom.parquet", [])
    frame = frame[frame["segment"] != "Mens E-Mail"]
    log = AssignmentLog.from_frame(
        frame,
        treatment="segment",
        control="No E-Mail",
        propensity={"No E-Mail": 0.5, "Womens E-Mail": 0.5},
        outcome="visit",
        features=["recency", "history", "mens", "womens", "zip_code", "newbie", "channel"],
    )
    fold = organisation_folds(log.organisation, log.n_organisations, 5, np.random.default_rng(piece["seed"]))

    features, setting = log_features(log), tuple(piece["setting"])

    def predicted(k: int) -> tuple[np.ndarray, np.ndarray]:
        return predictions(log, features, np.flatnonzero(fold != k), np.flatnonzero(fold == k), setting)

    uplift, outcomes = np.empty(len(log)), np.empty((len(log), 2))
    for k, (by_x, by_arm) in enumerate(in_threads(predicted, range(5))):
        uplift[fold == k], outcomes[fold == k] = by_x, by_arm
    # Scores of one setting for all: the rankings differ, not what judges them.
    treated = log.contrast("Womens E-Mail") == 1
    scores = np.where(treated, 2.0, -2.0) * (log.outcome - log.outcome.mean())
    found = {"t": outcomes[:, 1] - outcomes[:, 0], "x": uplift}
    return [
        {"setting": piece["setting"], "learner": name, "qini": round(rank_area(scores, p, target="qini").value, 7)}
        for name, p in found.items()
    ]


def main() -> None:
    rows = pieces.run_pieces(HERE / "results.jsonl", all_pieces(), work)
    real = pieces.read_rows(HERE / "hillstrom.jsonl")
    if "LEADLIFT_DATA" in os.environ:
        real = pieces.run_pieces(HERE / "hillstrom.jsonl", hillstrom_pieces(), work_hillstrom)
    from summary import generated

    pieces.write_readme(HERE, generated(rows, real))


if __name__ == "__main__":
    main()
