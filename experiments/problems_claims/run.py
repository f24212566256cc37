"""How often are problems claimed that are not there, and weak ones missed? See README.md."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import numpy as np  # noqa: E402
from companies import BREADTHS, DRAWS, POPULARITIES, independent, with_problems  # noqa: E402
from scipy import stats  # noqa: E402

from leadlift.inference.multiplicity import adjust_p_values  # noqa: E402
from leadlift.problems import ProblemModel  # noqa: E402
from leadlift.problems.caution import fit_cautious  # noqa: E402
from leadlift.problems.heldout import heldout_gains  # noqa: E402
from leadlift.problems.selection import split_halves  # noqa: E402

# Organisations, products, companies for each way to be independent.
SIZES = ((300, 30, 100), (2_000, 60, 100), (20_000, 300, 4), (100_000, 200, 1))
# Organisations, products, problems, products of each, companies for each strength.
WEAK = ((2_000, 60, 4, 8, 20), (20_000, 300, 12, 12, 4))
ODDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
WEAK_BREADTHS = BREADTHS[:2]
ERROR = 0.01


def work(piece: pieces.Row) -> list[pieces.Row]:
    return [none_there(piece) if piece["part"] == "none" else weak_ones(piece)]


def none_there(piece: pieces.Row) -> pieces.Row:
    """Companies without problems: in how many is one claimed?"""
    ways = {name: piece[name] for name in ("breadth", "popularity", "draw")}
    claimed = with_pair = 0
    below, lift = [], []
    for number in range(piece["companies"]):
        rng = np.random.default_rng([number, *map(ord, "".join(ways.values()))])
        deals = independent(piece["organisations"], piece["products"], rng=rng, **ways)
        model = ProblemModel().fit(deals)
        found = model.intersections_
        claimed += model.n_problems_ > 0
        with_pair += bool((found.q_value < model.q).any())
        below.append(float((found.p_value < 0.05).sum() / found.n_pairs))
        lift.append(float(found.shared.sum() / found.expected.sum()))
    return {
        "claimed": int(claimed),
        "with_pair": int(with_pair),
        "below_05": round(float(np.mean(below)), 5),
        "lift": round(float(np.mean(lift)), 4),
    }


def weak_ones(piece: pieces.Row) -> pieces.Row:
    """Companies with problems: how many are found, how many are no problem, how many a judge would find?"""
    rows = []
    for number in range(piece["companies"]):
        rng = np.random.default_rng([number, piece["organisations"], int(piece["odds"])])
        deals, problem = with_problems(
            piece["organisations"],
            piece["products"],
            problems=piece["problems"],
            each=piece["each"],
            odds=piece["odds"],
            breadth=piece["breadth"],
            rng=rng,
        )
        model = ProblemModel().fit(deals)
        places = [int(name[1:]) for name in model.product_problem_["product"]]
        found = model.product_problem_["problem"]
        rows.append(
            (
                (model.intersections_.q_value < model.q).sum(),
                model.n_problems_,
                false_ones(found, problem[places]),
                judged(model, problem[places]),
            )
        )
    found = np.array(rows)
    return {
        "none": int((found[:, 1] == 0).sum()),
        "pairs": round(float(found[:, 0].mean()), 1),
        "found": round(float(found[:, 1].mean()), 2),
        "false": int(found[:, 2].sum()),
        "judge_none": int((found[:, 3] == 0).sum()),
        "judge": round(float(found[:, 3].mean()), 2),
    }


def false_ones(found, truth: np.ndarray) -> int:
    """Problems found of which half or more do not belong to one true problem."""
    many = 0
    for name in found.dropna().unique():
        inside = truth[(found == name).to_numpy()]
        right = np.bincount(inside[inside >= 0], minlength=1).max()
        many += right <= len(inside) / 2
    return many


def judged(model: ProblemModel, truth: np.ndarray) -> int:
    """How many problems one would claim who is told each product's problem, and asks hidden deals alone."""
    if truth.max() < 0:
        return 0
    label = truth.astype(np.intp)
    halves = split_halves(model.deals_.matrix, list(model.deals_.products), q=model.q, most=model.most_hidden, seed=0)
    gain = np.concatenate(
        [
            heldout_gains(fit_cautious(half.train, label, half.background), label, half.background, half.hidden).problem
            for half in halves
        ]
    )
    error = gain.std(axis=0, ddof=1) / np.sqrt(len(gain))
    return int((adjust_p_values(stats.t.sf(gain.mean(axis=0) / error, len(gain) - 1), method="holm") < ERROR).sum())


def all_pieces() -> list[pieces.Row]:
    found: list[pieces.Row] = []
    for organisations, products, companies in SIZES:
        size = {"part": "none", "organisations": organisations, "products": products, "companies": companies}
        found += [
            {**size, "breadth": breadth, "popularity": popularity, "draw": draw}
            for breadth in BREADTHS
            for popularity in POPULARITIES
            for draw in DRAWS
        ]
    for organisations, products, problems, each, companies in WEAK:
        size = {"part": "weak", "organisations": organisations, "products": products, "problems": problems}
        found += [
            {**size, "each": each, "companies": companies, "breadth": breadth, "odds": odds}
            for breadth in WEAK_BREADTHS
            for odds in ODDS
        ]
    return found


def band(claimed: int, companies: int) -> str:
    """A rate with its exact 95% interval (Clopper, Pearson 1934)."""
    ends = stats.binomtest(claimed, companies).proportion_ci(method="exact")
    return f"{claimed} of {companies:,}: {claimed / companies:.2%} ({ends.low:.2%} to {ends.high:.2%})"


def of_none(rows: list[pieces.Row]) -> str:
    lines = []
    for name in (*(("organisations", size[0]) for size in SIZES), *(("breadth", kind) for kind in BREADTHS),
                 *(("draw", kind) for kind in DRAWS), (None, None)):  # fmt: skip
        of = [row for row in rows if name[0] is None or row["piece"][name[0]] == name[1]]
        companies = sum(row["piece"]["companies"] for row in of)
        if not companies:
            continue
        weight = [row["piece"]["companies"] for row in of]
        words = "all" if name[0] is None else f"{name[1]:,} organisations" if name[0] == "organisations" else name[1]
        lines.append(
            (
                words,
                band(sum(row["claimed"] for row in of), companies),
                f"{sum(row['with_pair'] for row in of):,}",
                f"{np.average([row['below_05'] for row in of], weights=weight):.1%}",
                f"{np.average([row['lift'] for row in of], weights=weight):.2f}",
            )
        )
    header = ("companies", "problems claimed (95% interval)", "with a significant pair", "pairs with p < .05", "lift")
    return pieces.table(header, lines)


def of_weak(rows: list[pieces.Row]) -> str:
    lines = []
    for row in rows:
        piece = row["piece"]
        lines.append(
            (
                f"{piece['organisations']:,} x {piece['products']}, {piece['breadth']}, odds x {piece['odds']:g}",
                f"{piece['companies'] - row['none']} of {piece['companies']}",
                f"{row['found']:g} of {piece['problems']}",
                row["false"],
                f"{row['pairs']:g}",
                f"{piece['companies'] - row['judge_none']} of {piece['companies']}",
                f"{row['judge']:g}",
            )
        )
    header = (
        "companies",
        "with problems found",
        "problems found",
        "false ones, in all",
        "significant pairs",
        "judge: with problems",
        "judge: problems",
    )
    return pieces.table(header, lines)


def generated(rows: list[pieces.Row]) -> str:
    none, weak = ([row for row in rows if row["piece"]["part"] == part] for part in ("none", "weak"))
    foot = f"{pieces.cpu_minutes(rows).capitalize()}. {pieces.provenance(HERE)}"
    return f"### No problems\n\n{of_none(none)}\n\n### Weak problems\n\n{of_weak(weak)}\n\n{foot}"


def main() -> None:
    rows = pieces.run_pieces(HERE / "results.jsonl", all_pieces(), work)
    pieces.write_readme(HERE, generated(rows))


if __name__ == "__main__":
    main()
