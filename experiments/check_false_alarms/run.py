"""How often do the checks complain of a sound log? See README.md."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import broken  # noqa: E402
import summary  # noqa: E402
from sound import FLAT, LEDGER, flat_log, sound_ledger  # noqa: E402

from leadlift.base.records import Check  # noqa: E402
from leadlift.design import RULES, check_log  # noqa: E402
from leadlift.study import check_study  # noqa: E402

FLAT_SEEDS, LEDGER_SEEDS, BROKEN_SEEDS = range(184), range(60), range(30)
CHANCE = {rule.code for rule in RULES if rule.by_chance}


def checks(kind: str, seed: int) -> list[Check]:
    """Every check of one sound log."""
    if kind in FLAT:
        return check_log(flat_log(kind, seed), features_named=True, seed=0)
    with tempfile.TemporaryDirectory() as name:
        config = sound_ledger(Path(name), kind, seed)
        crm = Path(name) / "crm.csv"
        return list(check_study(config, received=crm if crm.exists() else None).checks)


def work(piece: pieces.Row) -> list[pieces.Row]:
    """What the checks said of one log: those that did not pass, and the p-values of those that chance can raise."""
    found = checks(piece["kind"], piece["seed"])
    alarms = {check.code: check.status for check in found if check.status != "pass"}
    p = {check.code: round(check.value, 6) for check in found if check.code in CHANCE and check.value is not None}
    return [{"checks": len(found), "alarms": alarms, "p": p}]


def look(piece: pieces.Row) -> list[pieces.Row]:
    """Whether one fault was seen."""
    return [{"seen": broken.seen(piece["fault"], piece["size"], piece["seed"])}]


def faults() -> list[pieces.Row]:
    return [
        {"fault": fault, "size": size, "seed": seed}
        for fault, (_, sizes) in broken.SIZES.items()
        for size in sizes
        for seed in BROKEN_SEEDS
    ]


def all_pieces() -> list[pieces.Row]:
    flat = [{"kind": kind, "seed": seed} for seed in FLAT_SEEDS for kind in FLAT]
    return flat + [{"kind": kind, "seed": seed} for seed in LEDGER_SEEDS for kind in LEDGER]


def main() -> None:
    # Another folder for the results: a run beside the one whose results are kept.
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1] != "--check" else HERE
    folder.mkdir(parents=True, exist_ok=True)
    rows = pieces.run_pieces(folder / "results.jsonl", all_pieces(), work)
    looks = pieces.run_pieces(folder / "broken.jsonl", faults(), look)
    text = summary.generated(rows, (*FLAT, *LEDGER), looks)
    if folder == HERE:
        pieces.write_readme(HERE, text)
    else:
        print(text)


if __name__ == "__main__":
    main()
