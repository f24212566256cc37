"""Second part: do 95% intervals of areas, differences and slopes hold the truth? See README.md.

python experiments/coverage/areas.py [SECONDS]      draws what is missing, for so long at most
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import lightgbm as lgb  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy.special import expit, ndtr  # noqa: E402

from leadlift import AssignmentLog  # noqa: E402
from leadlift.evaluation import JudgedBlock, combined, judge_procedure, lead_scores  # noqa: E402
from leadlift.inference import rank_area, t_interval, unit_influence  # noqa: E402
from leadlift.learners import organisation_folds  # noqa: E402

SIZES = (2_000, 10_000)
TRUTHS = ("none", "linear", "fence-sitter", "sparse")
LOGS, PARTS, POOL, FOLDS = 500, 20, 20_000, 5
FEATURES = 5
TREES = {"objective": "l2", "num_leaves": 3, "min_data_in_leaf": 50, "learning_rate": 0.1, "num_threads": 1}
TREES |= {"verbosity": -1, "deterministic": True, "force_row_wise": True, "max_bin": 63}
ROUNDS = 40
ARM = "call"


@dataclass(frozen=True)
class Leads:
    """Leads before any lot; `uplift` is what a touch adds to the chance of buying."""

    organisation: np.ndarray
    X: np.ndarray
    control: np.ndarray
    uplift: np.ndarray
    expert: np.ndarray

    @property
    def score(self) -> np.ndarray:
        return self.X[:, FEATURES]


def make_leads(n: int, truth: str, rng: np.random.Generator) -> Leads:
    """Organisations of five leads in the mean, alike in part of their score and in something that no feature shows."""
    sizes = rng.geometric(1 / 5, size=2 * n // 5 + 50)
    organisation = np.repeat(np.arange(len(sizes)), sizes)[:n]
    units = int(organisation.max()) + 1
    latent = np.sqrt(0.5) * (rng.normal(size=units)[organisation] + rng.normal(size=n))
    X = rng.normal(size=(n, FEATURES))
    odds = -1.1 + 0.7 * latent + 0.4 * X[:, 2] + 0.5 * rng.normal(size=units)[organisation]
    control = expit(odds)
    added = {
        "none": np.zeros(n),
        "linear": 0.08 + 0.08 * X[:, 0] - 0.05 * X[:, 1],
        "fence-sitter": 0.25 * np.exp(-(latent**2)),
        "sparse": 0.3 * ((X[:, 0] > 0) & (X[:, 1] > 0)),
    }[truth]
    uplift = np.clip(control + added, 0, 1) - control
    expert = uplift + 0.1 * rng.normal(size=n)
    return Leads(organisation, np.column_stack([X, ndtr(latent)]), control, uplift, expert)


@lru_cache(maxsize=1)
def pool(truth: str) -> Leads:
    """Leads that could have been drawn: what a ranking's true area is computed on."""
    return make_leads(POOL, truth, np.random.default_rng([TRUTHS.index(truth), 99]))


def draw_log(leads: Leads, rng: np.random.Generator) -> AssignmentLog:
    """Half of the organisations are touched."""
    arm = (rng.random(int(leads.organisation.max()) + 1) < 0.5)[leads.organisation]
    frame = pd.DataFrame(leads.X[:, :FEATURES], columns=[f"x{j}" for j in range(FEATURES)])
    features = list(frame.columns)
    frame = frame.assign(
        id=np.char.mod("%07d", np.arange(len(arm))),
        arm=np.where(arm, ARM, "control"),
        y=(rng.random(len(arm)) < leads.control + arm * leads.uplift).astype(float),
        score=leads.score,
        organisation=leads.organisation,
    )
    return AssignmentLog.from_frame(
        frame,
        treatment="arm",
        control="control",
        propensity={ARM: 0.5, "control": 0.5},
        outcome="y",
        features=features,
        lead_id="id",
        score="score",
        organisation="organisation",
    )


class Models:
    """Two T-learners: small trees, and straight lines."""

    def __init__(self, X: np.ndarray, log: AssignmentLog, rows: np.ndarray, *, trees: bool = True) -> None:
        self.X, self.trees, self.lines = X, [], []
        for arm in (0, 1):
            mine = rows[log.arm[rows] == arm]
            y = log.outcome[mine]
            self.lines.append(np.linalg.lstsq(_with_one(X[mine]), y, rcond=None)[0])
            if trees:
                self.trees.append(lgb.train(TREES, lgb.Dataset(X[mine], y), ROUNDS))

    def by_trees(self, X: np.ndarray) -> np.ndarray:
        return np.column_stack([model.predict(X, num_threads=1) for model in self.trees])

    def by_lines(self, X: np.ndarray) -> np.ndarray:
        return _with_one(X) @ np.column_stack(self.lines)

    def rankings(self, X: np.ndarray) -> dict[str, np.ndarray]:
        return {"trees": np.diff(self.by_trees(X))[:, 0], "lines": np.diff(self.by_lines(X))[:, 0], "score": X[:, -1]}

    def uplift(self, log: AssignmentLog, rows: np.ndarray) -> dict[str, np.ndarray]:
        found = self.rankings(self.X[rows])
        return {name: found[name][:, None] for name in ("trees", "lines")}

    def outcomes(self, log: AssignmentLog, rows: np.ndarray) -> np.ndarray:
        return self.by_trees(self.X[rows])


def _with_one(X: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(X)), X])


# A measure of leads: from scores, one ranking and another (or None) to a value and its per-lead influence.
def area(target: str, top: float = 1.0) -> Callable:
    def measure(scores: np.ndarray, one: np.ndarray, other: np.ndarray | None) -> tuple[float, np.ndarray]:
        found = rank_area(scores, one, target=target, top=top)
        if other is None:
            return found.value, found.influence
        minus = rank_area(scores, other, target=target, top=top)
        return found.value - minus.value, found.influence - minus.influence

    return measure


def slope(scores: np.ndarray, predicted: np.ndarray, _: np.ndarray | None) -> tuple[float, np.ndarray]:
    centred = predicted - predicted.mean()
    spread = (centred**2).mean()
    value = float((centred * scores).mean() / spread)
    return value, centred * (scores - scores.mean() - value * centred) / spread


MEASURES = {"qini": area("qini"), "autoc": area("autoc"), "qini, top 30%": area("qini", 0.3), "slope": slope}
FIXED = [("score", None), ("thirds", None), ("expert", None), ("expert", "score")]
LEARNED = [("trees", None), ("lines", None), ("trees", "score"), ("trees", "lines")]


def measures(pair: tuple[str, str | None], fixed: bool) -> list[str]:
    if pair[1] is not None:
        return ["qini"]
    return [name for name in MEASURES if name != "slope" or not fixed]


def true_values(uplift: np.ndarray, priority: np.ndarray) -> dict[str, float]:
    """Every measure of one ranking from true uplifts, written out anew: ties averaged, one sort for all."""
    n, order = len(priority), np.argsort(-priority)
    group = np.concatenate([[0], np.cumsum(np.diff(priority[order]) != 0)])
    mean = (np.bincount(group, uplift[order]) / np.bincount(group))[group]
    share = np.arange(1, n + 1) / n
    gain = np.cumsum(mean) / n
    gap, top = gain - share * uplift.mean(), share <= 0.3
    centred = priority - priority.mean()
    return {
        "qini": float(gap.mean()),
        "autoc": float((gap / share).mean()),
        "qini, top 30%": float(gap[top].sum() / n),
        "slope": float((centred * uplift).mean() / max((centred**2).mean(), 1e-300)),
    }


def true_gap(values: dict[str, dict[str, float]], pair: tuple[str, str | None], name: str) -> float:
    return values[pair[0]][name] - (0.0 if pair[1] is None else values[pair[1]][name])


@lru_cache(maxsize=1)
def fixed_truths(truth: str) -> dict[str, dict[str, float]]:
    """Of the fixed rankings, over ten times as many leads."""
    leads = make_leads(10 * POOL, truth, np.random.default_rng([TRUTHS.index(truth), 98]))
    return {name: true_values(leads.uplift, priority) for name, priority in fixed_rankings(leads).items()}


class Tally:
    """Of each interval: how often it was given, held the truth, lay above or below zero; its miss and half width."""

    def __init__(self) -> None:
        self.sums: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(9))

    def add(self, name: str, value: float, lower: float, upper: float, truths: tuple[float, float]) -> None:
        given = bool(np.isfinite(lower))
        held = [given and lower <= truth <= upper for truth in truths]
        signs = [given and lower > 0, given and upper < 0]
        miss, half = (value - truths[0], (upper - lower) / 2) if given else (0.0, 0.0)
        self.sums[name] += np.array([1, given, *held, *signs, miss, miss**2, half])

    def row(self) -> pieces.Row:
        return {"tally": {name: [float(f"{v:.6g}") for v in values] for name, values in self.sums.items()}}


def named(kind: str, pair: tuple[str, str | None], measure: str) -> str:
    return f"{kind}|{pair[0] if pair[1] is None else f'{pair[0]} over {pair[1]}'}|{measure}"


def work(piece: pieces.Row) -> list[pieces.Row]:
    """A part of the logs of one size and truth."""
    place = [SIZES.index(piece["n"]), TRUTHS.index(piece["truth"]), piece["part"]]
    tally, rng = Tally(), np.random.default_rng(place)
    for _ in range(LOGS // PARTS):
        leads = make_leads(piece["n"], piece["truth"], rng)
        log = draw_log(leads, rng)
        seed = int(rng.integers(2**31))
        add_fixed(tally, log, leads, fixed_truths(piece["truth"]), seed)
        add_learned(tally, log, leads, pool(piece["truth"]), seed)
    return [tally.row()]


def fixed_rankings(leads: Leads) -> dict[str, np.ndarray]:
    return {"score": leads.score, "thirds": np.digitize(leads.score, (1 / 3, 2 / 3)), "expert": leads.expert}


def add_fixed(tally: Tally, log: AssignmentLog, leads: Leads, whole: dict[str, dict[str, float]], seed: int) -> None:
    """Rankings fixed before the draw, on all leads; and, as if it were one, a ranking pooled over five folds."""
    fold = organisation_folds(log.organisation, log.n_organisations, FOLDS, np.random.default_rng(seed))
    outcomes, trees = np.empty((len(log), 2)), np.empty((len(log), 2))
    for k in range(FOLDS):
        rows = np.flatnonzero(fold == k)
        models = Models(leads.X, log, np.flatnonzero(fold != k))
        outcomes[rows], trees[rows] = models.by_lines(leads.X[rows]), models.by_trees(leads.X[rows])
    pooled = trees[:, 1] - trees[:, 0]
    scores, rankings = lead_scores(log, ARM, outcomes), fixed_rankings(leads)
    here = {name: true_values(leads.uplift, priority) for name, priority in rankings.items()}
    for pair in FIXED:
        one, other = rankings[pair[0]], None if pair[1] is None else rankings[pair[1]]
        for name in measures(pair, fixed=True):
            truths = true_gap(whole, pair, name), true_gap(here, pair, name)
            add_interval(tally, named("fixed", pair, name), log, MEASURES[name](scores, one, other), truths)
    by_trees = lead_scores(log, ARM, trees)
    for name in ("qini", "autoc"):
        truth = true_values(leads.uplift, pooled)[name]
        found = MEASURES[name](by_trees, pooled, None)
        add_interval(tally, named("pooled", ("trees", None), name), log, found, (truth, truth))


def add_interval(
    tally: Tally, name: str, log: AssignmentLog, found: tuple[float, np.ndarray], truths: tuple[float, float]
) -> None:
    value, influence = found
    by_unit = unit_influence(influence, log.organisation, log.n_organisations)
    interval = t_interval(value, float(np.sqrt((by_unit**2).sum())), log.n_organisations - 1, 0.95)
    tally.add(name, value, interval.lower, interval.upper, truths)


def add_learned(tally: Tally, log: AssignmentLog, leads: Leads, everyone: Leads, seed: int) -> None:
    """Learned rankings, judged sequentially; the truth is that of each block's ranking, weighted as the blocks are."""
    fitted: list[Models] = []

    def fit(rows: np.ndarray) -> Models:
        fitted.append(Models(leads.X, log, rows))
        return fitted[-1]

    blocks = judge_procedure(log, fit, seed=seed)
    truths = []
    for models, block in zip(fitted, blocks, strict=True):
        there, uplift = models.rankings(everyone.X), leads.uplift[block.rows]
        here = {name: block.predicted[name, ARM] for name in there}
        truths.append(
            (
                {name: true_values(everyone.uplift, priority) for name, priority in there.items()},
                {name: true_values(uplift, priority) for name, priority in here.items()},
            )
        )
    for pair in LEARNED:
        for name in measures(pair, fixed=False):
            add_sequential(tally, pair, name, blocks, truths)


def add_sequential(
    tally: Tally, pair: tuple[str, str | None], name: str, blocks: list[JudgedBlock], truths: list
) -> None:
    weights, expected = [], []

    def judged(block: JudgedBlock) -> tuple[float, float]:
        one, other = (None if p is None else block.predicted[p, ARM] for p in pair)
        value, influence = MEASURES[name](block.scores[ARM], one, other)
        se = float(np.sqrt((unit_influence(influence, block.unit, block.n_units) ** 2).sum()))
        place = next(k for k, b in enumerate(blocks) if b is block)
        weights.append(1 / se if se > 0 else 0.0)
        expected.append([true_gap(values, pair, name) for values in truths[place]])
        return value, se

    result = combined(blocks, ARM, judged)
    both = tuple(np.average(expected, axis=0, weights=weights)) if sum(weights) > 0 else (np.nan, np.nan)
    tally.add(named("learned", pair, name), result.value, result.lower, result.upper, both)


def all_pieces() -> list[pieces.Row]:
    """A part of every truth, then the next part; the small logs first."""
    return [{"n": n, "truth": truth, "part": part} for n in SIZES for part in range(PARTS) for truth in TRUTHS]


def main() -> None:
    """Piece by piece, so that a run can be broken off; stops when the time is over."""
    until = time.monotonic() + float(sys.argv[1]) if len(sys.argv) > 1 else float("inf")
    every, step = all_pieces(), 2 * len(TRUTHS)
    for start in range(0, len(every), step):
        if time.monotonic() < until:
            pieces.run_pieces(HERE / "areas.jsonl", every[start : start + step], work, processes=1)


if __name__ == "__main__":
    main()
