"""Which score group gains most from a touch, and would score-first have found out? See README.md."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402  (first: it sets the number of threads)

from leadlift import run_study, simulate_crm  # noqa: E402
from leadlift.base.config import Tracking  # noqa: E402
from leadlift.base.records import StudyResult  # noqa: E402
from leadlift.base.yaml import read_config  # noqa: E402
from leadlift.report import answer  # noqa: E402
from leadlift.study.run import read_log  # noqa: E402

LEADS, SEEDS = 200_000, (0, 1)
PRESETS = ("fence_sitters", "likeliest", "unrelated", "null")
CONFIGS = HERE.parents[1] / "configs"
SHOWN = ("effects", "segment_tests", "learners", "differences", "truth")


def all_pieces() -> list[pieces.Row]:
    studies: list[pieces.Row] = [{"log": preset, "seed": seed} for seed in SEEDS for preset in PRESETS]
    there = "LEADLIFT_DATA" in os.environ or pieces.CHECK
    return [*studies, {"log": "hillstrom", "seed": 0}] if there else studies


def work(piece: pieces.Row) -> list[pieces.Row]:
    """One study: what it found, and what its report says."""
    result = study(piece["log"], piece["seed"])
    record = result.to_dict()
    for learner in record["learners"]:
        del learner["curve"]
    words = answer(result)
    said = {"headline": words.headline, "sure": words.sure, "ranking": words.ranking}
    return [
        {"leads": result.rows.used, "arms": list(result.arms), **{name: record[name] for name in SHOWN}, "said": said}
    ]


def study(name: str, seed: int) -> StudyResult:
    """The study as `leadlift run` does it, tracked in a store that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        tracking = Tracking(uri=f"sqlite:///{folder}/mlflow.db", leads=False)
        if name == "hillstrom":
            config = read_config(CONFIGS / "hillstrom.yaml")
            log, truth = read_log(config, CONFIGS), ()
        else:
            crm = simulate_crm(leads=LEADS, seed=seed, preset=name)
            config, log, truth = crm.config, crm.log, crm.true_effects()
        return run_study(config.model_copy(update={"tracking": tracking}), log, truth=truth)


def main() -> None:
    rows = pieces.run_pieces(HERE / "results.jsonl", all_pieces(), work)
    from figure import draw
    from summary import generated

    if not pieces.CHECK:
        draw(rows, HERE / "six_groups.svg")
    pieces.write_readme(HERE, generated(rows))


if __name__ == "__main__":
    main()
