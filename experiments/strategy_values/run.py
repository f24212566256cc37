"""Are strategies' values unbiased, their differences covered, and the best one never claimed wrongly? See README.md."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import numpy as np  # noqa: E402
from logs import CUTS, FEATURES, LEARNED_POPULATION, POPULATION, WORLDS, earns, large, make_log, ranked  # noqa: E402

from leadlift.base.strategies import DecideConfig, StrategyConfig  # noqa: E402
from leadlift.decide import Leads, ask, learns, named_strategies, ranking_of  # noqa: E402
from leadlift.decide.comparing import Compared  # noqa: E402
from leadlift.decide.judgement import fewest_apart, judged  # noqa: E402
from leadlift.evaluation import judge_procedure  # noqa: E402
from leadlift.learners import cross_fit, fit_models, make_learners  # noqa: E402

SEEDS, PER_PIECE = 500, 10
FIRSTS = range(0, SEEDS, PER_PIECE)
# The first is what others are compared with, the last touches at random.
RULES = {
    "": ("score_first", "fence_sitters_first", "skip_the_dead", "uplift_first", "random"),
    "triage and by problem": (
        "score_first",
        "triage",
        {"strategy": "triage", "name": "triage_by_size", "column": "size"},
        "by_problem",
        {"strategy": "by_problem", "name": "problems_in_order", "order": [2, 1, 0]},
        "random",
    ),
}
LEARNER, LEARNER_SEED = "t", 0
SEEN = [*FEATURES, "score"]
# Ten steps; results are told at five of them.
STEPS, TOLD = 10, (0, 1, 3, 5, 7)


def work(piece: pieces.Row) -> list[pieces.Row]:
    """Values, differences and possibly best strategies of ten logs, with the truth of each."""
    return [
        {"seed": seed, **one_log(piece["world"], seed, piece.get("rules", ""))}
        for seed in range(piece["first"], piece["first"] + PER_PIECE)
    ]


def one_log(world: str, seed: int, rules: str) -> pieces.Row:
    log = make_log(world, seed)
    strategies = named_strategies([StrategyConfig.model_validate(rule) for rule in RULES[rules]])
    names = [one.name for one in strategies]
    learners = make_learners([LEARNER], LEARNER_SEED)
    models = {}

    def fit(rows):
        models[len(rows)] = fit_models(log, rows, learners, LEARNER_SEED)
        return models[len(rows)]

    blocks = judge_procedure(log, fit, seed=seed)
    fitted = cross_fit(learners, log, seed=seed)
    question = ask(log, strategies, DecideConfig(steps=STEPS), cuts=CUTS, learner=LEARNER)
    judgement = judged(question, fitted, blocks, "outcome", seed=seed)
    compared = Compared(
        judgement.fixed,
        judgement.held,
        fixed_places=judgement.fixed_places,
        n=len(names),
        df=judgement.df,
        rng=np.random.default_rng([seed, 7]),
        fewest=fewest_apart(question),
    )
    truth = true_values(world, question, models, blocks)
    scale = {"df": judgement.df}
    values = {name: told(*compared.of(s)[:2], truth[name]) for s, name in enumerate(names)}
    gaps = {
        name: told(*compared.difference(s, 0)[:2], truth[name] - truth[names[0]]) for s, name in enumerate(names) if s
    }
    over_random = {
        name: told(*compared.difference(s, len(names) - 1)[:2], truth[name] - truth["random"])
        for s, name in enumerate(names[:-1])
    }
    band = compared.bands([compared.difference(s, 0) for s in range(1, len(names))])
    inside = all(
        (~(b.se > 0) | ((b.lower <= t) & (t <= b.upper))).all()
        for b, t in zip(band, (truth[name] - truth[names[0]] for name in names[1:]), strict=True)
    )
    best = compared.possibly_best(range(len(names)))
    really = np.array([truth[name] for name in names])
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
            uplift = models[size].learners[LEARNER].predict(some[SEEN], propensity=np.full(len(some), 0.5))
            leads = Leads(some[FEATURES], some["score"].to_numpy(), CUTS, ("call",), np.asarray(uplift)[:, None])
            order = ranked(some, ranking_of(strategy, leads, learns=True), world)
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
    main = [{"world": WORLDS[w], "first": first} for w in (1, 0, 2) for first in FIRSTS]
    more = [{"world": WORLDS[1], "first": first, "rules": rules} for rules in RULES if rules for first in FIRSTS]
    return main + more


def main() -> None:
    rows = pieces.run_pieces(HERE / "results.jsonl", all_pieces(), work)
    from summary import generated

    pieces.write_readme(HERE, generated(rows))


if __name__ == "__main__":
    main()
