"""Are hidden problems found again, and do looks find them? See README.md."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy.optimize import linear_sum_assignment  # noqa: E402
from sklearn.cluster import KMeans  # noqa: E402
from sklearn.metrics import adjusted_rand_score  # noqa: E402

from leadlift.data import make_world  # noqa: E402
from leadlift.problems import ProblemModel  # noqa: E402

PROBLEMS, PRODUCTS, ORGANISATIONS = 12, 300, 20_000
DEALS, SEEDS = (8.0, 4.0), range(3)
NOISE, DRAWS = 0.15, 20_000


def work(piece: pieces.Row) -> list[pieces.Row]:
    """One company: what the problem model, looks, and a judge who knows every product's problem make of it."""
    world = make_world(
        leads=1_000,
        organisations=ORGANISATIONS,
        problems=PROBLEMS,
        products=PRODUCTS,
        deals_per_organisation=piece["deals"],
        seed=piece["seed"],
    )
    model = ProblemModel().fit(world.deals)
    true_problem = world.products.set_index("product")["problem"].loc[model.product_problem_["product"]].to_numpy()
    rows = [int(name.removeprefix("org-")) for name in model.mixtures_.index]
    truth = world.mixtures[rows]
    looks = look_clusters(world.organisations.iloc[rows])
    row = {
        "problems": model.n_problems_,
        "ari": adjusted_rand_score(true_problem, model.product_problem_["problem"].fillna("none")),
        "correlation": matched_correlation(model.mixtures_.to_numpy(), truth),
        "agreement": float(model.product_problem_["agrees"].mean()),
        "known": matched_correlation(judge(world, rows, piece["seed"]), truth),
        "looks_ari": adjusted_rand_score(true_problem, by_looks(model, looks)),
        "looks_correlation": matched_correlation(np.eye(PROBLEMS)[looks], truth),
        "won_per_organisation": float(np.diff(model.deals_.matrix.indptr).mean()),
    }
    return [{name: round(float(value), 4) for name, value in row.items()}]


def look_clusters(organisations: pd.DataFrame) -> np.ndarray:
    """As many clusters as there are problems, by industry, region and size."""
    size = np.log(organisations["employees"].to_numpy())
    looks = pd.get_dummies(organisations[["industry", "region"]]).to_numpy(dtype=float)
    values = np.column_stack([looks, (size - size.mean()) / size.std()])
    return KMeans(PROBLEMS, n_init=5, random_state=0).fit_predict(values)


def by_looks(model: ProblemModel, looks: np.ndarray) -> np.ndarray:
    """Each product's cluster: where it sells furthest above its share."""
    sold = np.stack([np.asarray(model.deals_.matrix[looks == k].sum(axis=0)).ravel() for k in range(PROBLEMS)])
    return (sold / sold.sum(axis=1, keepdims=True)).argmax(axis=0)


def judge(world, rows: list[int], seed: int) -> np.ndarray:
    """Mean mixtures given the deals won, by one who knows products' problems and how companies are made.

    The most that deals can tell: draws from the true prior, weighed by the chance of each organisation's deals.
    """
    history, prevalence = world.history_data, world.product_data.prevalence
    won = history.won
    counts = np.zeros((len(world.organisations), PROBLEMS))
    np.add.at(counts, (history.organisation[won], world.product_data.problem[history.product[won]]), 1)
    rng = np.random.default_rng(seed)
    draws = np.maximum(rng.dirichlet(world.config.mixture_concentration * prevalence, DRAWS), 1e-12)
    logs = np.log((1 - NOISE) * draws + NOISE * prevalence)
    patterns, back = np.unique(counts[rows], axis=0, return_inverse=True)
    means = np.empty(patterns.shape)
    for start in range(0, len(patterns), 100):
        score = patterns[start : start + 100] @ logs.T
        weight = np.exp(score - score.max(axis=1, keepdims=True))
        means[start : start + 100] = weight @ draws / weight.sum(axis=1, keepdims=True)
    return means[back]


def matched_correlation(found: np.ndarray, truth: np.ndarray) -> float:
    """Mean correlation of shares over organisations, after the best match of problems; unmatched ones count as 0."""
    if found.shape[1] == 0:
        return 0.0
    both = np.nan_to_num(np.corrcoef(found.T, truth.T)[: found.shape[1], found.shape[1] :])
    rows, columns = linear_sum_assignment(-both)
    return float(both[rows, columns].sum() / truth.shape[1])


def all_pieces() -> list[pieces.Row]:
    return [{"deals": deals, "seed": seed} for deals in DEALS for seed in SEEDS]


def generated(rows: list[pieces.Row]) -> str:
    lines = []
    for deals in DEALS:
        of = [row for row in rows if row["piece"]["deals"] == deals]
        if not of:
            continue
        mean = {name: np.mean([row[name] for row in of]) for name in of[0] if name not in ("piece", "cpu_seconds")}
        least = {name: min(row[name] for row in of) for name in ("ari", "correlation")}
        lines.append(
            (
                f"{deals:g} ({mean['won_per_organisation']:.1f} products)",
                f"{mean['problems']:.1f}",
                f"{mean['ari']:.3f} ({least['ari']:.3f})",
                f"{mean['correlation']:.3f} ({least['correlation']:.3f})",
                f"{mean['known']:.3f}",
                f"{mean['looks_ari']:.3f}",
                f"{mean['looks_correlation']:.3f}",
                f"{mean['agreement']:.0%}",
            )
        )
    header = (
        "mean deals per organisation",
        "problems found",
        "ARI of products (least)",
        "correlation of mixtures (least)",
        "most that deals tell",
        "looks: ARI",
        "looks: correlation",
        "two views agree",
    )
    words = f"{PROBLEMS} problems, {PRODUCTS} products, {ORGANISATIONS:,} organisations; {len(SEEDS)} companies a row."
    foot = f"{pieces.cpu_minutes(rows).capitalize()}. {pieces.provenance(HERE)}"
    return f"{words}\n\n{pieces.table(header, lines)}\n\n{foot}"


def main() -> None:
    rows = pieces.run_pieces(HERE / "results.jsonl", all_pieces(), work)
    pieces.write_readme(HERE, generated(rows))


if __name__ == "__main__":
    main()
