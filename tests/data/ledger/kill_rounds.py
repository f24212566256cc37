"""Runs assign, import and forget in forked processes and kills them at random moments; prints what the ledger holds.

Run by test_kill.py in a process of its own: it forks, so nothing here may open the ledger before forking.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

import pandera.pandas  # noqa: F401  loaded once, before anything forks
from ledger_rows import deals, leads, touches

from leadlift.data.ledger import forget_organisation
from leadlift.data.ledger.chain import verify
from leadlift.data.ledger.opening import reading
from leadlift.study.assign import assign_leads
from leadlift.study.import_ import import_file

ROWS = 1_000
CONFIG = """\
version: 1
name: calls
ledger: calls.duckdb
experiment: {arms: {control: {share: 0.5}, call: {share: 0.5}}, strata: []}
"""


def write(path: Path, turn: int, what: str) -> None:
    first = turn * ROWS
    config = path.with_suffix(".yaml")
    if what == "assign":
        assign_leads(config, leads(ROWS, start=first), wait=60)
    elif what in ("leads", "touches", "deals"):
        import_file(config, what, files(path.parent, turn, what), wait=60)
    else:
        forget_organisation(path, f"O{turn + 7}")


def files(folder: Path, turn: int, what: str) -> Path:
    return folder / "files" / f"{turn}-{what}.csv"


def write_file(folder: Path, turn: int, what: str) -> None:
    """The file that a turn imports; not what is killed."""
    mine = [f"{turn}-{k}" for k in range(ROWS)]
    made = {
        "leads": lambda: leads(ROWS, start=turn * ROWS),
        "touches": lambda: touches(ROWS, touch_id=mine, lead_id="L1"),
        "deals": lambda: deals(ROWS, deal_id=mine, lead_id="L1", organisation_id="O0"),
    }
    if what in made:
        made[what]().to_csv(files(folder, turn, what), index=False)


def state(path: Path) -> dict[str, object]:
    with reading(path, 60) as connection:
        chain = verify(connection)
        tables = ("leads", "assignments", "touches", "deals", "forgotten")
        rows = {t: connection.execute(f"SELECT count(*) FROM {t}").fetchall()[0][0] for t in tables}
        keys = {"leads": "lead_id", "assignments": "lead_id", "touches": "touch_id", "deals": "deal_id"}
        different = "SELECT count(*) - count(DISTINCT {}) FROM {}"
        twice = sum(connection.execute(different.format(key, t)).fetchall()[0][0] for t, key in keys.items())
    left = [file.name for file in path.parent.iterdir() if file.name.startswith((".leadlift-", ".list-"))]
    names = sorted(file.name for file in path.parent.iterdir() if not file.name.startswith((".leadlift-", ".list-")))
    listed = path.parent / "calls-list.csv"
    lines = len(listed.read_text(encoding="utf-8").splitlines()) if listed.exists() else 0
    return {
        "sound": chain.sound,
        "batches": chain.batches,
        "twice": twice,
        "files": names,
        "left": len(left),
        "lines": lines,
        **rows,
    }


def child(work) -> int:
    number = os.fork()
    if number:
        return number
    code = 1
    try:
        work()
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


def tell(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main(path: Path, rounds: int, seed: int) -> None:
    luck = random.Random(seed)
    (path.parent / "files").mkdir()
    path.with_suffix(".yaml").write_text(CONFIG, encoding="utf-8")
    kinds = ["assign", "touches", "deals", "leads", "forget"]
    spent: dict[str, float] = {}
    for turn in range(len(kinds) + rounds):
        what = kinds[turn % len(kinds)]
        write_file(path.parent, turn, what)
        started = time.monotonic()
        number = child(lambda turn=turn, what=what: write(path, turn, what))
        if turn >= len(kinds):
            time.sleep(luck.uniform(0, 1.1 * spent[what]))
            os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)
        spent.setdefault(what, time.monotonic() - started)
        tell({"what": what, "killed": turn >= len(kinds)})
        _, status = os.waitpid(child(lambda: tell(state(path))), 0)
        if status:
            sys.exit("the next command failed")
    # One more draw finds whatever the killed ones left.
    os.waitpid(child(lambda: write(path, turn + 1, "assign")), 0)
    tell({"what": "assign", "killed": False})
    os.waitpid(child(lambda: tell(state(path))), 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
