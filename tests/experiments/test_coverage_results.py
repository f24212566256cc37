"""The committed coverage of intervals: every targeted one inside its band, on all designs and logs."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "coverage"
LOGS = {600: 500, 5_000: 500, 50_000: 200}
PROGRAM = """
import sys; sys.path[:0] = sys.argv[2:]
import pieces, summary
from pathlib import Path
first, again = (
    summary.coverages(pieces.read_rows(Path(sys.argv[1]) / name)) for name in ("results.jsonl", "again.jsonl")
)
for c in summary.failures(first):
    other = again[c.design][c.name]
    if other.given < 1_900 or not other.passes:
        print(summary.design_words(c.design), c.name, f"{c.held} of {c.given}, then {other.held} of {other.given}")
"""


def outside(folder: Path) -> list[str]:
    """Targeted intervals outside their band twice: on the design's logs, and on 2,000 other logs of it.

    In a process of its own: the experiment sets the number of threads.
    """
    command = [sys.executable, "-c", PROGRAM, str(folder), str(FOLDER), str(FOLDER.parent / "common")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def test_every_design_has_all_its_logs() -> None:
    logs: dict[str, int] = defaultdict(int)
    for line in (FOLDER / "results.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        design = {name: value for name, value in row["piece"].items() if name != "part"}
        logs[json.dumps(design)] += int(row["tally"]["difference_in_means|all"][0])
    assert len(logs) == 36
    assert {design: n for design, n in logs.items() if n != LOGS[json.loads(design)["n"]]} == {}


def test_targeted_intervals_are_inside_their_band() -> None:
    assert outside(FOLDER) == []


@pytest.mark.slow
def test_coverage_made_anew() -> None:
    # `results/` is not committed: a run that is broken off goes on there. Delete the folder to begin afresh.
    folder = FOLDER / "results"
    subprocess.run([sys.executable, str(FOLDER / "run.py"), str(folder)], check=True)
    assert outside(folder) == []
