"""Are strategies' values unbiased, their differences covered, and the best one never claimed wrongly? See README.md."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import numpy as np  # noqa: E402
from logs import CUTS, FEATURES, LEARNED_POPULATION, POPULATION, WORLDS, earns, large, make_log, ranked  # noqa: E402

from leadlift.base.strategies import DecideConfig  # noqa: E402
from leadlift.decide import Leads, ask, learns, named_strategies, ranking_of  # noqa: E402
from leadlift.decide.comparing import Compared  # noqa: E402
from leadlift.decide.judgement import fewest_apart, judged  # noqa: E402
from leadlift.evaluation import judge_procedure  # noqa: E402
from leadlift.learners import cross_fit, fit_models, make_learners  # noqa: E402

SEEDS, PER_PIECE = 500, 10
NAMES = ("score_first", "fence_sitters_first", "skip_the_dead", "uplift_first", "random")
LEARNER, LEARNER_SEED = "t", 0
# Ten steps; results are told at five of them.
STEPS, TOLD = 10, (0, 1, 3, 5, 7)


def work(piece: pieces.Row) -> list[pieces.Row]:
    """Values, differences and possibly best strategies of ten logs, with the truth of each."""
    return [
        {"seed": seed, **one_log(piece["world"], seed)} for seed in range(piece["first"], piece["first"] + PER_PIECE)
    ]


def one_log(world: str, seed: int) -> pieces.Row:
    log = make_log(world, seed)
    learners = make_learners([LEARNER], LEARNER_SEED)
    models = {}

    def fit(rows):
        models[len(rows)] = fit_models(log, rows, learners, LEARNER_SEED)
        return models[len(rows)]

    blocks = judge_procedure(log, fit, seed=seed)
    fitted = cross_fit(learners, log, seed=seed)
    question = ask(log, named_strategies(NAMES), DecideConfig(steps=STEPS), cuts=CUTS, learner=LEARNER)
    judgement = judged(question, fitted, blocks, "outcome")
    compared = Compared(
        judgement.fixed,
        judgement.held,
        fixed_places=judgement.fixed_places,
        n=len(NAMES),
        df=judgement.df,
        rng=np.random.default_rng([seed, 7]),
        fewest=fewest_apart(question),
    )
    truth = true_values(world, question, models, blocks)
    scale = {"df": judgement.df}
    values = {name: told(*compared.of(s)[:2], truth[name]) for s, name in enumerate(NAMES)}
    gaps = {
        name: told(*compared.difference(s, 0)[:2], truth[name] - truth[NAMES[0]]) for s, name in enumerate(NAMES) if s
    }
    over_random = {
        name: told(*compared.difference(s, len(NAMES) - 1)[:2], truth[name] - truth["random"])
        for s, name in enumerate(NAMES[:-1])
    }
    band = compared.bands([compared.difference(s, 0) for s in range(1, len(NAMES))])
    inside = all(
        (~(b.se > 0) | ((b.lower <= t) & (t <= b.upper))).all()
        for b, t in zip(band, (truth[name] - truth[NAMES[0]] for name in NAMES[1:]), strict=True)
    )
    best = compared.possibly_best(range(len(NAMES)))
    really = np.array([truth[name] for name in NAMES])
    top = really >= really.max(axis=0) - 1e-12
    return {
        **scale,
        "values": values,
        "differences": gaps,
        "over_random": over_random,
        "band_holds": bool(inside),
        "claims": [int(best[:, q].sum() == 1) for q in TOLD],
        "wrong": [int(not (best[:, q] & top[:, q]).any()) for q in TOLD],
    }


def true_values(world, question, models, blocks) -> dict[str, np.ndarray]:
    """What each strategy really earns per lead: learned ones as each block's models rank, blocks by their leads."""
    truth = {}
    whole, some = large(world, POPULATION), large(world, LEARNED_POPULATION)
    sizes = np.array([len(block.rows) for block in blocks])
    for strategy in question.strategies:
        if not learns(strategy):
            truth[strategy.name] = fixed_truth(world, strategy, whole, question.shares)
            continue
        by_block = []
        for size in sorted(models):
            uplift = (
                models[size].learners[LEARNER].predict(some[[*FEATURES, "score"]], propensity=np.full(len(some), 0.5))
            )
            order = ranked(some, np.asarray(uplift), world)
            by_block.append(earns(order, some["uplift"].to_numpy(), question.shares))
        truth[strategy.name] = sizes @ np.array(by_block) / sizes.sum()
    return truth


FIXED: dict[tuple[str, str], np.ndarray] = {}


def fixed_truth(world, strategy, leads, shares) -> np.ndarray:
    key = (world, strategy.name)
    if key not in FIXED:
        seen = Leads(leads[FEATURES], leads["score"].to_numpy(), CUTS, ("call",))
        order = ranked(leads, ranking_of(strategy, seen), world)
        FIXED[key] = earns(order, leads["uplift"].to_numpy(), shares)
    return FIXED[key]


def told(value: np.ndarray, se: np.ndarray, truth: np.ndarray) -> list[list[float | None]]:
    """Value, error and truth at the capacities told, per 100 leads; no error where none is given."""
    return [[shortened(x[q]) for x in (value, se, truth)] for q in TOLD]


def shortened(value: float) -> float | None:
    return float(f"{100 * value:.5g}") if np.isfinite(value) else None


def all_pieces() -> list[pieces.Row]:
    return [{"world": WORLDS[w], "first": first} for w in (1, 0, 2) for first in range(0, SEEDS, PER_PIECE)]


def main() -> None:
    rows = pieces.run_pieces(HERE / "results.jsonl", all_pieces(), work)
    from summary import generated

    pieces.write_readme(HERE, generated(rows))


if __name__ == "__main__":
    main()
