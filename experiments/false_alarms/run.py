"""Do rankings learnt from a log without any effect claim to rank? See README.md."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy.special import expit  # noqa: E402

from leadlift import AssignmentLog  # noqa: E402
from leadlift.evaluation import judge_sequentially, lead_scores, ranking_differences, ranking_results  # noqa: E402
from leadlift.inference import area_estimate, rank_area, simultaneous, t_interval  # noqa: E402
from leadlift.learners import cross_fit, make_learners  # noqa: E402

LEADS, FEATURES, SEEDS = 5_000, 5, range(500)
DESIGNS = ("nothing to learn", "who buys can be learnt")
LEARNER_SEED = 0
# Bands of curves, which are not looked at here, would take most of the time.
simultaneous.draw_statistics.__defaults__ = (1_000,)


def make_log(design: str, seed: int) -> AssignmentLog:
    """5,000 leads with five features and a binary outcome of about 20% that no touch changes.

    With nothing to learn, features say nothing about the outcome and there is no score: leadlift estimates one. Else
    they say who buys, and the log has a score fixed before the draw that knows most of it.
    """
    rng = np.random.default_rng([seed, DESIGNS.index(design)])
    X = rng.normal(size=(LEADS, FEATURES)).round(3)
    chance = np.full(LEADS, 0.2)
    if design != DESIGNS[0]:
        chance = expit(-1.65 + 0.8 * X[:, 0] - 0.5 * X[:, 1] + 0.4 * (X[:, 2] > 0))
    arm = rng.random(LEADS) < 0.5
    frame = pd.DataFrame(X, columns=[f"f{j}" for j in range(FEATURES)])
    features = list(frame.columns)
    frame = frame.assign(arm=np.where(arm, "call", "control"), converted=(rng.random(LEADS) < chance).astype(int))
    if design != DESIGNS[0]:
        frame["score"] = expit(np.log(chance / (1 - chance)) + 0.5 * rng.normal(size=LEADS))
    return AssignmentLog.from_frame(
        frame,
        treatment="arm",
        control="control",
        propensity={"call": 0.5, "control": 0.5},
        outcome="converted",
        features=features,
        score="score" if "score" in frame else None,
    )


def work(piece: pieces.Row) -> list[pieces.Row]:
    """Intervals of one log: judged sequentially, and from pooled out-of-fold predictions."""
    log = make_log(piece["design"], piece["seed"])
    learners = make_learners(["t", "x"], LEARNER_SEED)
    blocks = judge_sequentially(log, learners, seed=piece["seed"])
    fitted = cross_fit(learners, log, seed=piece["seed"])
    results = ranking_results(log, blocks, fitted.outcomes, seed=0)
    found = {r.learner: (r.qini, r.qini_lower, r.qini_upper) for r in results}
    slopes = {
        f"{r.learner}, slope": (r.calibration.slope, r.calibration.slope_lower, r.calibration.slope_upper)
        for r in results
        if r.learner != "score"
    }
    paired = {
        f"{d.learner} against {d.against}": (d.difference, d.lower, d.upper) for d in ranking_differences(log, blocks)
    }
    scores = lead_scores(log, "call", fitted.outcomes)
    pooled = {
        f"{name}, pooled folds": pooled_interval(log, scores, uplift[:, 0]) for name, uplift in fitted.uplift.items()
    }
    every = {**found, **slopes, **paired, **pooled}
    return [{"intervals": {name: [shortened(v) for v in values] for name, values in every.items()}}]


def pooled_interval(log: AssignmentLog, scores: np.ndarray, priority: np.ndarray) -> tuple[float, float, float]:
    """What leadlift does not do: a ranking pooled over folds, judged as if it had been given."""
    area = area_estimate(rank_area(scores, priority, target="qini"), log.organisation, log.n_organisations)
    interval = t_interval(area.value, area.se, area.df, 0.95)
    return area.value, interval.lower, interval.upper


def shortened(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def all_pieces() -> list[pieces.Row]:
    return [{"design": design, "seed": seed} for design in DESIGNS for seed in SEEDS]


def main() -> None:
    # Another folder for the results: a run beside the one whose results are kept.
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1] != "--check" else HERE
    folder.mkdir(parents=True, exist_ok=True)
    rows = pieces.run_pieces(folder / "results.jsonl", all_pieces(), work)
    from summary import generated

    if folder == HERE:
        pieces.write_readme(HERE, generated(rows, DESIGNS))
    else:
        print(generated(rows, DESIGNS))


if __name__ == "__main__":
    main()
