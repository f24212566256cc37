"""Do 95% intervals of effects hold the truth in 95% of logs? See README.md."""

from __future__ import annotations

import sys
from collections import defaultdict
from itertools import product
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import areas  # noqa: E402
import numpy as np  # noqa: E402
from lightgbm import LGBMRegressor  # noqa: E402
from logs import (  # noqa: E402
    FEATURES,
    RATE,
    SCORE_GROUPS,
    SHARE_TREATED,
    draw_log,
    make_leads,
    population_effects,
    true_effects,
)

from leadlift import AssignmentLog  # noqa: E402
from leadlift.base.records import Effect  # noqa: E402
from leadlift.evaluation import effects_by_segment, everyone, score_groups  # noqa: E402
from leadlift.inference import difference_in_means, simultaneous, t_interval  # noqa: E402
from leadlift.learners import cross_fit, organisation_folds  # noqa: E402

SIZES = (600, 5_000, 50_000)
LOGS = {600: 500, 5_000: 500, 50_000: 200}
PARTS = 10
AGAIN = 2_000
RIVAL_LOGS = {600: 100, 5_000: 50}
RIVAL_PARTS = 2
# Simultaneous intervals take a critical value from 200,000 draws; 20,000 move it by less than these logs can show.
simultaneous.draw_statistics.__defaults__ = (20_000,)


def designs() -> list[pieces.Row]:
    found = product(SIZES, SHARE_TREATED, (False, True), RATE)
    return [{"n": n, "split": split, "organisations": grouped, "outcome": y} for n, split, grouped, y in found]


def all_pieces() -> list[pieces.Row]:
    """A part of every design, then the next part: a run broken off has something on each."""
    return [{**design, "part": part} for part in range(PARTS) for design in designs()]


def again_pieces(rows: list[pieces.Row]) -> list[pieces.Row]:
    """2,000 other logs of each design that had an interval outside its band: was it luck?"""
    from summary import KEY, coverages, failures

    outside = dict.fromkeys(failure.design for failure in failures(coverages(rows)))
    return [
        {**dict(zip(KEY, design, strict=True)), "part": part}
        for design in outside
        for part in range(PARTS, PARTS + AGAIN * PARTS // LOGS[design[0]])
    ]


def rival_pieces() -> list[pieces.Row]:
    """Where leads are independent and LightGBM's fits are quick."""
    plain = [design for design in designs() if design["n"] in RIVAL_LOGS and not design["organisations"]]
    return [{**design, "part": part} for part in range(RIVAL_PARTS) for design in plain]


def generator(piece: pieces.Row, *more: int) -> np.random.Generator:
    place = [SIZES.index(piece["n"]), list(SHARE_TREATED).index(piece["split"]), int(piece["organisations"])]
    return np.random.default_rng([*place, list(RATE).index(piece["outcome"]), piece["part"], *more])


class Tally:
    """How often intervals held the truth, and how estimates missed it, by estimator and segment."""

    def __init__(self) -> None:
        self.sums: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(7))

    def add(
        self, name: str, lower: float | None, upper: float | None, value: float, truths: tuple[float, float]
    ) -> None:
        """Adds one interval; None is one that was not given. Truths: of the log's leads, and of all leads."""
        given = lower is not None and upper is not None and np.isfinite(lower)
        held = [given and lower <= truth <= upper for truth in truths]
        miss, half = (value - truths[0], (upper - lower) / 2) if given else (0.0, 0.0)
        self.sums[name] += np.array([1, given, *held, miss, miss**2, half])

    def row(self) -> pieces.Row:
        return {"tally": {name: [float(f"{v:.6g}") for v in values] for name, values in self.sums.items()}}


def work(piece: pieces.Row) -> list[pieces.Row]:
    """A part of the logs of one design."""
    tally, rng = Tally(), generator(piece)
    everywhere = population_effects(piece["outcome"], piece["organisations"])
    for _ in range(LOGS[piece["n"]] // PARTS):
        leads = make_leads(piece["n"], piece["outcome"], piece["organisations"], rng)
        log, truth = draw_log(leads, piece["split"], rng), true_effects(leads)
        outcomes = nuisances(log, rng)
        effects = effects_by_segment(log, everyone(log), outcomes, seed=0)[0]
        segments = score_groups(log, SCORE_GROUPS)[0]
        effects += effects_by_segment(log, segments, outcomes, seed=0)[0]
        effects = [effect for effect in effects if effect.estimator != "organisation_means"]
        for effect in effects:
            truths = (truth[effect.segment], everywhere[effect.segment])
            name = f"{effect.estimator}|{effect.segment}"
            tally.add(name, effect.ci_lower, effect.ci_upper, effect.effect, truths)
            if effect.interval == "miettinen_nurminen":
                tally.add(f"score interval|{effect.segment}", effect.ci_lower, effect.ci_upper, effect.effect, truths)
        add_simultaneous(tally, effects, truth, everywhere)
        if piece["organisations"]:
            add_naive(tally, log, segments, truth, everywhere)
    return [tally.row()]


def nuisances(log: AssignmentLog, rng: np.random.Generator) -> np.ndarray:
    """Out-of-fold outcomes under both arms: leadlift's own, or at 50,000 leads straight lines, to save hours."""
    if len(log) < 50_000:
        return cross_fit({}, log, folds=5 if len(log) < 5_000 else 3).outcomes
    fold = organisation_folds(log.organisation, log.n_organisations, 5, rng)
    X = np.column_stack([np.ones(len(log)), log.known_before[[*FEATURES, "score"]].to_numpy()])
    outcomes = np.empty((len(log), 2))
    for k, arm in product(range(5), (0, 1)):
        rows = (fold != k) & (log.arm == arm)
        outcomes[fold == k, arm] = X[fold == k] @ np.linalg.lstsq(X[rows], log.outcome[rows], rcond=None)[0]
    return outcomes


def add_simultaneous(tally: Tally, effects: list[Effect], truth: dict, everywhere: dict) -> None:
    """All three groups' intervals at once: held if each holds its truth."""
    for estimator in ("difference_in_means", "aipw"):
        of = [e for e in effects if e.estimator == estimator and e.segment_by == "score_group"]
        if any(e.simultaneous_lower is None for e in of):
            tally.add(f"{estimator}|simultaneous", None, None, 0.0, (0.0, 0.0))
            continue
        held = [
            all(e.simultaneous_lower <= t[e.segment] <= e.simultaneous_upper for e in of) for t in (truth, everywhere)
        ]
        tally.add(f"{estimator}|simultaneous", -1.0, 1.0, 0.0, tuple(0.0 if yes else 9.0 for yes in held))


def add_naive(tally: Tally, log: AssignmentLog, segments: object, truth: dict, everywhere: dict) -> None:
    """The same difference with leads taken as independent."""
    for k, name in enumerate(("all", *segments.names)):
        found = difference_in_means(
            log.outcome,
            log.contrast("call"),
            propensity_treated=log.propensities[:, 1],
            propensity_control=log.propensities[:, 0],
            cell=log.cell,
            unit=np.arange(len(log)),
            n_units=len(log),
            segment=None if name == "all" else segments.code == k - 1,
        ).estimate
        interval = t_interval(found.value, found.se, found.df, 0.95)
        tally.add(f"naive|{name}", interval.lower, interval.upper, found.value, (truth[name], everywhere[name]))


def work_rival(piece: pieces.Row) -> list[pieces.Row]:
    """causalml's `estimate_ate` with LightGBM as it comes and the known propensity."""
    from causalml.inference.meta import BaseTRegressor, BaseXRegressor

    tally, rng = Tally(), generator(piece, 1)
    everywhere = population_effects(piece["outcome"], False)
    for number in range(RIVAL_LOGS[piece["n"]] // RIVAL_PARTS):
        leads = make_leads(piece["n"], piece["outcome"], False, rng)
        log, truth = draw_log(leads, piece["split"], rng), true_effects(leads)
        X = log.known_before.to_numpy()
        for name, learner in (("causalml T", BaseTRegressor), ("causalml X", BaseXRegressor)):
            model = learner(learner=LGBMRegressor(n_jobs=1, verbosity=-1, random_state=number), control_name=0)
            found = model.estimate_ate(X, treatment=log.arm, y=log.outcome, p=log.propensities[:, 1])
            value, lower, upper = (float(v[0]) for v in found)
            tally.add(f"{name}|all", lower, upper, value, (truth["all"], everywhere["all"]))
    return [tally.row()]


def main() -> None:
    # Another folder for the results: a run beside the one whose results are kept.
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1] != "--check" else HERE
    folder.mkdir(parents=True, exist_ok=True)
    rows = pieces.run_pieces(folder / "results.jsonl", all_pieces(), work)
    from summary import generated

    again = pieces.run_pieces(folder / "again.jsonl", again_pieces(rows), work)
    if folder != HERE:
        print(generated(rows, again, []))
        return
    rivals = pieces.run_pieces(HERE / "causalml.jsonl", rival_pieces(), work_rival)
    from area_summary import generated as generated_areas

    judged = pieces.run_pieces(HERE / "areas.jsonl", areas.all_pieces(), areas.work)
    pieces.write_readme(HERE, f"{generated(rows, again, rivals)}\n\n{generated_areas(judged)}")


if __name__ == "__main__":
    main()
