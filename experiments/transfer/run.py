"""Which mechanics are worth trying where nobody tried them? See README.md."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy.special import ndtr  # noqa: E402
from company import KINDS, MECHANICS, PRODUCTS, Company, make_company, mechanic_names, product_names  # noqa: E402

from leadlift.problems.transfer import TransferModel  # noqa: E402

PICKS, NEAREST, LEVEL = 50, 5, 0.95
SEEDS = {"as assumed": 15}
FEWER_SEEDS = 6
MAIN, IGNORED, RECORDED, PLAIN = (
    "transfer",
    "transfer, choice ignored",
    "transfer, beliefs recorded",
    "transfer, without problems",
)


def work(piece: pieces.Row) -> list[pieces.Row]:
    """Picks of every method on one company, and the models' intervals."""
    company = make_company(KINDS[piece["company"]], piece["seed"])
    rng = np.random.default_rng([piece["seed"], 5])
    rows = []
    for name, model in models(company, every=piece["company"] in SEEDS).items():
        mean, _ = model.moments()
        found = picked(company, mean, rng)
        rows.append({"method": name, **found, **intervals(company, model, mean)})
    for name, score in rivals(company, rng).items():
        rows.append({"method": name, **picked(company, score, rng)})
    return [{"method": row.pop("method"), "figures": {k: shortened(v) for k, v in row.items()}} for row in rows]


def models(company: Company, *, every: bool) -> dict[str, TransferModel]:
    """Fitted models; without `every`, the two whose difference is what choosing does."""
    names = {"products": list(product_names()), "mechanics": list(mechanic_names())}
    found = {
        MAIN: TransferModel().fit(company.effects, company.profiles, **names),
        IGNORED: TransferModel(selection="none").fit(company.effects, company.profiles, **names),
    }
    if every:
        cells = {"product": np.repeat(product_names(), MECHANICS), "mechanic": np.tile(mechanic_names(), PRODUCTS)}
        beliefs = pd.DataFrame({**cells, "believed": company.believed.ravel()})
        found[RECORDED] = TransferModel().fit(company.effects, company.profiles, believed=beliefs, **names)
        found[PLAIN] = TransferModel().fit(company.effects, **names)
    return found


def rivals(company: Company, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Scores of each untried cell by simpler rules, shape (products, mechanics)."""
    effect, weight = np.zeros(company.tried.shape), np.zeros(company.tried.shape)
    rows, columns = np.nonzero(company.tried)
    effect[rows, columns], weight[rows, columns] = company.effects["effect"], 1 / company.effects["se"] ** 2
    mean = np.tile((weight * effect).sum(axis=0) / weight.sum(axis=0), (PRODUCTS, 1))
    looks = np.column_stack([10.0 * np.eye(company.category.max() + 1)[company.category], company.price])
    profile = company.profiles.to_numpy()
    return {
        "similar products (looks)": nearest(looks, effect, weight, mean),
        "similar products (problems)": nearest(profile, effect, weight, mean),
        "mean of the mechanic": mean,
        "what the company believes in next": company.believed,
        "at random": rng.random(company.tried.shape),
        "knowing the truth": company.uplift,
    }


def nearest(features: np.ndarray, effect: np.ndarray, weight: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Mean effect of the mechanic on the five nearest products on which it was measured, by precision."""
    score = mean.copy()
    for m in range(MECHANICS):
        measured = np.flatnonzero(weight[:, m] > 0)
        distance = ((features[:, None, :] - features[None, measured, :]) ** 2).sum(axis=2)
        near = measured[np.argsort(distance, axis=1, kind="stable")[:, :NEAREST]]
        if measured.size:
            score[:, m] = (weight[near, m] * effect[near, m]).sum(axis=1) / weight[near, m].sum(axis=1)
    return score


def picked(company: Company, score: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """True mean uplift of the 50 untried cells with the highest score, ties at random, and how far from the best."""
    untried = np.flatnonzero(~company.tried.ravel())
    truth = company.uplift.ravel()
    best = np.sort(truth[untried])[-PICKS:].mean()
    first = top(score, untried, rng)
    return {
        "uplift": truth[first].mean(),
        "regret": best - truth[first].mean(),
        "predicted": score.ravel()[first].mean(),
    }


def top(score: np.ndarray, untried: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    order = np.lexsort((rng.random(len(untried)), -score.ravel()[untried]))
    return untried[order[:PICKS]]


def intervals(company: Company, model: TransferModel, mean: np.ndarray) -> dict[str, float]:
    """How many intervals hold the truth: of untried cells, of the 50 picked, and of those that leave the cell out."""
    integral = model.integral_
    means, deviations = integral.predicted
    own = integral.spreads()["cell"][:, None, None]
    holds = held(company.uplift, means, deviations, integral.weights)
    # What an interval of an average would be: the cell's own deviation left out.
    average = held(company.uplift, means, np.sqrt(np.maximum(deviations**2 - own**2, 1e-4)), integral.weights)
    untried = np.flatnonzero(~company.tried.ravel())
    first = top(mean, untried, np.random.default_rng(0))
    _, sd = model.moments()
    return {
        "covered": holds.ravel()[untried].mean(),
        "covered_picked": holds.ravel()[first].mean(),
        "covered_tried": holds[company.tried].mean(),
        "covered_average": average.ravel()[untried].mean(),
        "covered_average_picked": average.ravel()[first].mean(),
        "bias": (mean - company.uplift).ravel()[untried].mean(),
        "sd": sd.ravel()[untried].mean(),
        "effective_points": integral.effective,
    }


def held(truth: np.ndarray, means: np.ndarray, deviations: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Does the interval hold the truth? It does if the truth lies between the distribution's quantiles."""
    below = np.tensordot(weights, ndtr((truth - means) / deviations), 1)
    return (below > (1 - LEVEL) / 2) & (below < (1 + LEVEL) / 2)


def shortened(value: float) -> float:
    return float(f"{value:.5g}")


def all_pieces() -> list[pieces.Row]:
    return [{"company": name, "seed": seed} for name in KINDS for seed in range(SEEDS.get(name, FEWER_SEEDS))]


def main() -> None:
    rows = pieces.run_pieces(HERE / "results.jsonl", all_pieces(), work)
    from figure import draw
    from summary import generated

    if not pieces.CHECK:
        draw(rows, HERE / "transfer.svg")
    pieces.write_readme(HERE, generated(rows, list(KINDS)))


if __name__ == "__main__":
    main()
