"""The committed comparison with peers: several logs of each truth, and the default nowhere worse."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "peers"
ROWS = [json.loads(line) for line in (FOLDER / "results.jsonl").read_text(encoding="utf-8").splitlines()]
PROGRAM = """
import json, sys; sys.path[:0] = sys.argv[2:]
import pieces, peer_summary as summary
from pathlib import Path
found = summary.verdicts(pieces.read_rows(Path(sys.argv[1])))
print(json.dumps([[*key, word] for key, word in found.items()]))
"""


def test_every_learner_met_every_log_once() -> None:
    met = defaultdict(list)
    for row in ROWS:
        met[row["piece"]["data"], row["piece"]["seed"]].append(row["learner"])
    assert {len(names) for names in met.values()} == {len(set(names)) for names in met.values()} == {25}
    logs = defaultdict(int)
    for data, _ in met:
        logs[data] += 1
    assert logs["hillstrom"] == 1
    assert min(logs[truth] for truth in ("linear", "fence-sitter", "sparse")) >= 3


def test_the_default_is_best_or_tied_everywhere() -> None:
    # In a process of its own: the experiment sets the number of threads.
    command = [sys.executable, "-c", PROGRAM, str(FOLDER / "results.jsonl"), str(FOLDER), str(FOLDER.parent / "common")]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert len(found) == 4 * 20
    assert [row for row in found if row[2] == "worse"] == []
    # Against LightGBM as it comes the default is clearly ahead where uplift is linear.
    ahead = [row for row in found if row[0] == "linear" and "its defaults" in row[1] and "forest" not in row[1]]
    assert {row[2] for row in ahead} == {"better"}
