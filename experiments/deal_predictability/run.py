"""Do problems predict an organisation's next products better than its looks do? See README.md."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy import sparse, stats  # noqa: E402
from sklearn.cluster import KMeans  # noqa: E402

from leadlift.data import make_world  # noqa: E402
from leadlift.problems import DealColumns, DealTable, ProblemModel, read_deals  # noqa: E402
from leadlift.problems.lifts import lifts_of, suggested  # noqa: E402
from leadlift.problems.ranking import popular_chances  # noqa: E402

K = 10
CUTS = {"simulated company": "2025-07-01", "simulated company, few deals": "2025-07-01", "Online Retail": "2011-09-01"}
AGAINST = ("popularity", "looks", "item cosine", "ALS")
OURS = ("shipped", "shipped, without trend", "shipped, without problems", "problems")
RETAIL = {"organisation": "CustomerID", "product": "Description", "closed_at": "InvoiceDate", "won": None}
RETAIL_RETURNS = {**RETAIL, "amount": "Quantity"}


def load(name: str) -> tuple[pd.DataFrame, dict[str, str | None], pd.DataFrame]:
    """Deals, the names of their columns, and looks by organisation."""
    if name == "Online Retail":
        deals = pd.read_parquet(Path(os.environ["LEADLIFT_DATA"]) / "online_retail.parquet")
        known = deals[deals["CustomerID"].notna()]
        country = known.groupby(known["CustomerID"].astype(int).astype(str))["Country"].first()
        return deals, RETAIL_RETURNS, pd.get_dummies(country).astype(float)
    few = "few" in name
    world = make_world(
        leads=1_000, organisations=10_000, problems=12, products=120, deals_per_organisation=4 if few else 10, seed=1
    )
    table = world.organisations.set_index("organisation_id")
    looks = pd.get_dummies(table[["industry", "region"]]).astype(float)
    size = np.log(table["employees"])
    return world.deals, {}, looks.assign(size=(size - size.mean()) / size.std())


def work(piece: pieces.Row) -> list[pieces.Row]:
    """Scores every ranking on the products that each organisation bought for the first time after the cut."""
    deals, columns, looks = load(piece["data"])
    settings = {"columns": columns, "returns": "drop", "as_of": CUTS[piece["data"]]}
    model = ProblemModel(**settings).fit(deals)
    train, every = model.deals_, read_deals(deals, DealColumns(**columns), returns="drop")
    after = later(train, every)
    asked = np.flatnonzero(np.diff(after.indptr) > 0)
    popular = np.asarray(train.matrix.sum(axis=0), dtype=float)
    neighbours, ranker = cosine(train.matrix), model.next_deals().ranker
    without, steady = replace(ranker, weight=0.0), replace(ranker, trend=np.ones_like(ranker.trend))
    rankings = {
        "popularity": top(lambda rows: np.tile(popular, (len(rows), 1)), train.matrix, asked),
        "looks": top(by_looks(train, looks.reindex(train.organisations).fillna(0.0)), train.matrix, asked),
        "item cosine": top(lambda rows: train.matrix[rows] @ neighbours, train.matrix, asked),
        "problems": top(lambda rows: model.chances(train.matrix[rows]), train.matrix, asked),
        "shipped": top(lambda rows: ranker.chances(train.matrix[rows]), train.matrix, asked),
        "shipped, without trend": top(lambda rows: steady.chances(train.matrix[rows]), train.matrix, asked),
        "shipped, without problems": top(lambda rows: without.chances(train.matrix[rows]), train.matrix, asked),
    }
    chosen = als(train.matrix)
    if chosen is not None:
        rankings["ALS"] = chosen[asked]
    scores = {name: measured(ranked, after[asked]) for name, ranked in rankings.items()}
    test = model.next_deals().test.to_dict()
    facts = {"organisations": len(asked), "deals": int(after.nnz), "problems": model.n_problems_}
    facts["lifts"] = lifts(model, train.matrix[asked], after[asked])
    facts |= {name: test[name] for name in ("set_aside", "since", "neighbours", "trend", "problem_weight")}
    return [{"measure": measure, **facts, "rows": summary(scores, measure)} for measure in ("recall", "ndcg")]


def lifts(model: ProblemModel, held: sparse.csr_array, after: sparse.csr_array) -> list[list[float]]:
    """What suggestions were said to be worth and what they were: lift, its interval, suggestions, lift afterwards."""
    following, share = model.next_deals(), 1.0 / np.diff(after.indptr)
    parts = []
    for start in range(0, held.shape[0], 1_000):
        some = held[start : start + 1_000]
        plain = popular_chances(following.ranker.popularity, some.toarray() > 0)
        found = suggested(following.ranker.chances(some), plain)
        bought = (after[start : start + 1_000].toarray()[found.row, found.product] > 0) * share[start + found.row]
        said = lifts_of(found, following.test.lifts)
        names = ("lift", "lower", "upper", "bought", "plain")
        parts.append(pd.DataFrame(dict(zip(names, (*said, bought, found.plain), strict=True))))
    bands = (
        pd.concat(parts)
        .groupby(["lift", "lower", "upper"])
        .agg(suggestions=("plain", "size"), bought=("bought", "sum"), plain=("plain", "sum"))
    )
    bands = bands.assign(after=bands["bought"] / bands["plain"]).reset_index()
    return bands[["lift", "lower", "upper", "suggestions", "after"]].round(3).to_numpy().tolist()


def later(train: DealTable, every: DealTable) -> sparse.csr_array:
    """Products that organisations of the training deals bought for the first time afterwards, if known then."""
    rows = pd.Index(every.organisations).get_indexer(pd.Index(train.organisations))
    columns = pd.Index(every.products).get_indexer(pd.Index(train.products))
    new = sparse.csr_array(every.matrix[rows][:, columns] - train.matrix)
    new.eliminate_zeros()
    return new


def cosine(matrix: sparse.csr_array) -> np.ndarray:
    """Item-to-item cosine, shape (products, products), 0 on the diagonal."""
    both = np.asarray((matrix.T @ matrix).todense(), dtype=float)
    size = np.sqrt(np.maximum(np.diag(both), 1.0))
    both /= np.outer(size, size)
    np.fill_diagonal(both, 0.0)
    return both


def by_looks(train: DealTable, looks: pd.DataFrame):
    """Popularity within clusters of like looks, the number of clusters chosen by hidden organisations' deals."""
    values = looks.to_numpy()
    half = np.random.default_rng(0).random(len(values)) < 0.5
    popular = np.asarray(train.matrix.sum(axis=0), dtype=float)

    def rates(cluster: np.ndarray, rows: np.ndarray, many: int) -> np.ndarray:
        sold = np.stack([np.asarray(train.matrix[rows & (cluster == k)].sum(axis=0)).ravel() for k in range(many)])
        return (sold + 20 * popular / popular.sum()) / (sold.sum(axis=1, keepdims=True) + 20)

    def likelihood(many: int) -> float:
        cluster = KMeans(many, n_init=3, random_state=0).fit_predict(values)
        chance = np.log(rates(cluster, half, many))
        return float(sum(train.matrix[~half & (cluster == k)].sum(axis=0) @ chance[k] for k in range(many)))

    most = min(24, len(np.unique(values, axis=0)))
    many = max([k for k in (2, 4, 8, 12, 24) if k <= most] or [1], key=likelihood)
    cluster = KMeans(many, n_init=3, random_state=0).fit_predict(values)
    found = rates(cluster, np.ones(len(values), dtype=bool), many)
    return lambda rows: found[cluster[rows]]


def top(score, matrix: sparse.csr_array, rows: np.ndarray) -> np.ndarray:
    """The K best products that each organisation does not have, shape (rows, K)."""
    best = []
    for start in range(0, len(rows), 1_000):
        some = rows[start : start + 1_000]
        values = np.array(score(some), dtype=float)
        values[np.asarray(matrix[some].todense()) > 0] = -np.inf
        best.append(np.argsort(-values, axis=1, kind="stable")[:, :K])
    return np.concatenate(best)


def als(matrix: sparse.csr_array) -> np.ndarray | None:
    """ALS in the environment that LEADLIFT_PEERS names, its settings chosen on hidden deals before the cut."""
    python = os.environ.get("LEADLIFT_PEERS")
    if python is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        sparse.save_npz(Path(folder) / "train.npz", sparse.csr_matrix(matrix))
        command = [python, str(HERE / "als.py"), f"{folder}/train.npz", f"{folder}/out.npy", str(K)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return np.load(Path(folder) / "out.npy")


def measured(ranked: np.ndarray, after: sparse.csr_array) -> dict[str, np.ndarray]:
    """recall@K and NDCG@K of each organisation."""
    hit = np.asarray(after.todense())[np.arange(len(ranked))[:, None], ranked] > 0
    bought = np.minimum(np.diff(after.indptr), K)
    discount = 1.0 / np.log2(np.arange(K) + 2)
    return {"recall": hit.sum(axis=1) / bought, "ndcg": (hit @ discount) / np.cumsum(discount)[bought - 1]}


def summary(scores: dict[str, dict[str, np.ndarray]], measure: str) -> list[pieces.Row]:
    """Means with 95% intervals over organisations, and paired differences of our rankings to their rivals."""
    rows = []
    for name, values in scores.items():
        row = {"ranking": name, "mean": interval(values[measure])}
        if name in OURS:
            row["over"] = {
                rival: interval(values[measure] - scores[rival][measure]) for rival in AGAINST if rival in scores
            }
        rows.append(row)
    return rows


def interval(values: np.ndarray) -> list[float]:
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return [round(float(x), 5) for x in (values.mean(), values.mean() - half, values.mean() + half)]


def all_pieces() -> list[pieces.Row]:
    return [{"data": name} for name in CUTS if name != "Online Retail" or "LEADLIFT_DATA" in os.environ or pieces.CHECK]


def shown(values: list[float]) -> str:
    mean, lower, upper = (100 * value for value in values)
    return f"{mean:.1f} [{lower:.1f}, {upper:.1f}]"


def said(row: pieces.Row) -> list[tuple[str, ...]]:
    return [
        (f"{lift:.1f}", f"[{lower:.1f}, {upper:.1f}]", f"{many:,.0f}", f"{came:.1f}")
        for lift, lower, upper, many, came in row["lifts"]
    ]


def generated(rows: list[pieces.Row]) -> str:
    parts = []
    for row in rows:
        name = {"recall": f"recall@{K}", "ndcg": f"NDCG@{K}"}[row["measure"]]
        if row["measure"] == "recall":
            words = (
                f"{row['organisations']:,} organisations with {row['deals']:,} first purchases after "
                f"{CUTS[row['piece']['data']]}; {row['problems']} problems. Shipped, as deals from {row['since']} on "
                f"chose: neighbours {row['neighbours']}; trend {row['trend']}; weight of problems "
                f"{row['problem_weight']:g}."
            )
            parts.append(f"## {row['piece']['data']}\n\n{words}")
        lines = []
        for one in sorted(row["rows"], key=lambda one: -one["mean"][0]):
            over = one.get("over", {})
            lines.append((one["ranking"], shown(one["mean"]), *(shown(over[r]) if r in over else "" for r in AGAINST)))
        header = ("ranking", f"{name}, %", *(f"over {rival}" for rival in AGAINST))
        parts.append(pieces.table(header, lines))
        if row["measure"] == "ndcg":
            parts.append(pieces.table(("lift said", "95% interval", "suggestions", "lift afterwards"), said(row)))
    parts.append(f"{pieces.cpu_minutes(rows).capitalize()}. {pieces.provenance(HERE)}")
    return "\n\n".join(parts)


def main() -> None:
    rows = pieces.run_pieces(HERE / "results.jsonl", all_pieces(), work)
    pieces.write_readme(HERE, generated(rows))


if __name__ == "__main__":
    main()
