"""Whom to touch, settled: on a simulated company under four presets, and on Hillstrom's e-mails. See README.md."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import numpy as np  # noqa: E402
from cases import HILLSTROM, PRESETS, company, hillstrom  # noqa: E402

from leadlift.base.decisions import StrategyValue  # noqa: E402


def work(piece: pieces.Row) -> list[pieces.Row]:
    """Every strategy at every capacity in one case, with the truth where it is known."""
    found = hillstrom() if piece["case"] == HILLSTROM else company(piece["case"])
    rows = [row for row in found.strategies if row.measure == found.measure]
    return [
        {
            "sentence": found.sentence,
            "capacity": found.capacity,
            "current": found.current,
            "unit": found.unit,
            "strategies": [shortened(row) for row in rows],
            "truth": found.truth,
        }
    ]


def shortened(row: StrategyValue) -> pieces.Row:
    """A row with numbers of five digits and without what is the same in all."""
    values = row.to_dict()
    kept = {name: value for name, value in values.items() if name not in ("measure", "value_se", "difference_from")}
    return {
        name: float(f"{value:.5g}") if isinstance(value, float) and np.isfinite(value) else value
        for name, value in kept.items()
    }


def all_pieces() -> list[pieces.Row]:
    return [{"case": case} for case in (*PRESETS, HILLSTROM)]


def main() -> None:
    rows = pieces.run_pieces(HERE / "results.jsonl", all_pieces(), work)
    from summary import generated

    if not pieces.CHECK:
        from figure import draw

        draw(rows, HERE / "frontier.png")
    pieces.write_readme(HERE, generated(rows))


if __name__ == "__main__":
    main()
