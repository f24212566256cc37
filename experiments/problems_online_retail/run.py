"""What problems does a gift seller's year of invoices reveal? See README.md."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402  (first: it sets the number of threads)

from leadlift.problems import UNKNOWN, ProblemModel  # noqa: E402

CONFIG = HERE.parents[1] / "configs" / "online_retail.yaml"
CARDS, NAMED = 5, 8


def work(piece: pieces.Row) -> list[pieces.Row]:
    """`leadlift problems configs/online_retail.yaml`, without tracking it."""
    from leadlift.base.problem_config import read_problems
    from leadlift.data import find_file, read_table
    from leadlift.study.problems import make_model

    config = read_problems(CONFIG)
    model: ProblemModel = make_model(config).fit(read_table(find_file(config.deals.file, CONFIG.parent)))
    found, table = model.intersections_, model.deals_
    return rows_of(
        {
            "rows": table.account.to_dict(),
            "n_organisations": len(table.organisations),
            "n_products": len(table.products),
            "n_pairs": found.n_pairs,
            "n_significant": int((found.q_value < model.q).sum()),
            "n_unknown": int((model.main_problems() == UNKNOWN).sum()),
            "n_refused": int((~model.candidates_["problem"].astype(bool)).sum()),
            "problems": [card.to_dict() for card in model.problems_],
        }
    )


def rows_of(result: pieces.Row) -> list[pieces.Row]:
    """A row for all, then one per problem; no customers are named."""
    head = {name: result[name] for name in ("rows", "n_organisations", "n_products", "n_pairs", "n_significant")}
    head |= {"n_unknown": result["n_unknown"], "n_refused": result["n_refused"]}
    cards = []
    for card in result["problems"]:
        kept = {name: value for name, value in card.items() if name not in ("typical", "products")}
        cards.append({"card": {**kept, "products": card["products"][:NAMED], "n_products": len(card["products"])}})
    return [{"all": head}, *cards]


def shown(card: pieces.Row) -> str:
    products = "; ".join(f"{one['product'].strip()} {one['weight']:.1%}" for one in card["products"])
    chains = "; ".join(
        f"{one['first'].strip()} → {one['then'].strip()} ({one['first_before']} customers, the other way round "
        f"{one['then_before']})"
        for one in card["chains"][:3]
    )
    lines = [
        f"### {card['problem']}: {' '.join(card.get('words', ())) or card['products'][0]['product'].strip()}",
        f"{card['organisations']:,} customers have it as their main problem. Comes back in {card['recovered']:.2f}, "
        f"gain {card['gain']:.4f} nats, views agree on {card['agreement']:.0%} of {card['n_products']} products.",
        f"**Products**: {products}.",
    ]
    return "\n\n".join([*lines, f"**Bought after**: {chains}."] if chains else lines)


def generated(rows: list[pieces.Row]) -> str:
    head = next(row["all"] for row in rows if "all" in row)
    cards = [row["card"] for row in rows if "card" in row]
    dropped = ", ".join(f"{n:,} {reason}" for reason, n in head["rows"]["dropped"].items())
    words = (
        f"{head['rows']['used']:,} of {head['rows']['read']:,} lines used ({dropped} dropped); "
        f"{head['n_organisations']:,} customers, {head['n_products']:,} products; {head['n_significant']:,} of "
        f"{head['n_pairs']:,} pairs share more customers than chance. {len(cards)} problems, {head['n_refused']} "
        f"groups refused; {head['n_unknown']:,} customers have no product of any. The first {CARDS} cards:"
    )
    return "\n\n".join([words, *(shown(card) for card in cards[:CARDS]), pieces.provenance(HERE)])


def main() -> None:
    rows = pieces.run_pieces(HERE / "results.jsonl", [{"data": "Online Retail"}], work)
    pieces.write_readme(HERE, generated(rows))


if __name__ == "__main__":
    main()
