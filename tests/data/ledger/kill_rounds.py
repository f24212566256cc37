"""Writes to a ledger in forked processes and kills them at random moments; prints what the ledger holds after each.

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

from ledger_rows import deals, draw, info, leads, put, touches

from leadlift.data.ledger import LedgerStore, forget_organisation
from leadlift.data.ledger.chain import verify
from leadlift.data.ledger.opening import reading

ROWS = 1_000


def write(path: Path, turn: int, what: str) -> None:
    first = turn * ROWS
    if what == "assign":
        store = LedgerStore(path, wait=60)
        store.append(draw(ROWS, start=first), info(), after=store.read())
    elif what == "leads":
        put(path, "leads", leads(ROWS, start=first))
    elif what == "touches":
        put(path, "touches", touches(ROWS, touch_id=[f"{turn}-{k}" for k in range(ROWS)], lead_id="L1"))
    elif what == "deals":
        frame = deals(ROWS, deal_id=[f"{turn}-{k}" for k in range(ROWS)], lead_id="L1", organisation_id="O0")
        put(path, "deals", frame)
    else:
        forget_organisation(path, f"O{turn + 7}")


def state(path: Path) -> dict[str, object]:
    with reading(path, 60) as connection:
        chain = verify(connection)
        tables = ("leads", "assignments", "touches", "deals", "forgotten")
        rows = {t: connection.execute(f"SELECT count(*) FROM {t}").fetchall()[0][0] for t in tables}
        keys = {"leads": "lead_id", "assignments": "lead_id", "touches": "touch_id", "deals": "deal_id"}
        different = "SELECT count(*) - count(DISTINCT {}) FROM {}"
        twice = sum(connection.execute(different.format(key, t)).fetchall()[0][0] for t, key in keys.items())
    left = [file.name for file in path.parent.iterdir() if file.name.startswith(".leadlift-")]
    files = sorted(file.name for file in path.parent.iterdir() if not file.name.startswith(".leadlift-"))
    return {"sound": chain.sound, "batches": chain.batches, "twice": twice, "files": files, "left": len(left), **rows}


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
    kinds = ["assign", "touches", "deals", "leads", "forget"]
    spent: dict[str, float] = {}
    for turn in range(len(kinds) + rounds):
        what = kinds[turn % len(kinds)]
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
    # One more write finds whatever the killed ones left.
    os.waitpid(child(lambda: write(path, turn + 1, "leads")), 0)
    tell({"what": "leads", "killed": False})
    os.waitpid(child(lambda: tell(state(path))), 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
