"""What every experiment here does: pieces done once and kept, and a README whose results nobody types.

`run.py --check` computes nothing: it fails if README.md is not what the results at hand make.

A piece is a dict of plain values (its key); its results are lines of JSON, written as soon as the piece is done. A run
that was broken off goes on where it stopped. Two processes work side by side, one thread each.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

# Before numpy and LightGBM are loaded, here and in the processes: one thread each.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "LOKY_MAX_CPU_COUNT"):
    os.environ.setdefault(_name, "1")

Row = dict[str, Any]
START, END = "<!-- generated: start -->", "<!-- generated: end -->"
CHECK = "--check" in sys.argv
PROCESSES = int(os.environ.get("EXPERIMENT_PROCESSES", "2"))
LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "lightgbm", "causalml")


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def read_rows(path: Path) -> list[Row]:
    """The rows written so far; a last line that was cut off is left out."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def run_pieces(
    path: Path, pieces: Sequence[Row], work: Callable[[Row], Iterable[Row]], *, processes: int = PROCESSES
) -> list[Row]:
    """Does the pieces that `path` does not hold yet, and returns all rows of `pieces`.

    Args:
        path: JSON lines, one per result row, each with its piece's key.
        pieces: keys, each a dict of plain values.
        work: from a key to its result rows; importable, since other processes call it.
        processes: how many at once.

    Returns:
        Rows of the pieces asked for, sorted by piece.
    """
    place = {as_key(piece): number for number, piece in enumerate(pieces)}
    held = read_rows(path)
    done = {as_key(row["piece"]) for row in held}
    todo = [] if CHECK else [piece for piece in pieces if as_key(piece) not in done]
    started, rows_before = time.monotonic(), len(held)
    if held and not path.read_text(encoding="utf-8").endswith("\n"):
        _write(path, held)
    if todo:
        say(f"{path.parent.name}: {len(todo)} of {len(pieces)} pieces to do")
        _note_versions(path.parent)
    with ProcessPoolExecutor(min(processes, max(len(todo), 1)), mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(_timed, work, piece): piece for piece in todo}
        for number, future in enumerate(as_completed(futures), start=1):
            rows = future.result()
            with path.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows)
            held += rows
            passed = time.monotonic() - started
            say(f"{number}/{len(todo)}, {passed:.0f} s, {passed / number * (len(todo) - number):.0f} s left")
    wanted = [row for row in held if as_key(row["piece"]) in place]
    wanted.sort(key=lambda row: place[as_key(row["piece"])])
    if len(held) > rows_before and not CHECK:
        others = [row for row in held if as_key(row["piece"]) not in place]
        _write(path, wanted + others)
    return wanted


def as_key(piece: Row) -> str:
    """A piece as text that does not depend on the order of its names."""
    return json.dumps(piece, sort_keys=True)


def _timed(work: Callable[[Row], Iterable[Row]], piece: Row) -> list[Row]:
    started = time.process_time()
    rows = list(work(piece))
    seconds = (time.process_time() - started) / max(len(rows), 1)
    return [{"piece": piece, **row, "cpu_seconds": round(seconds, 3)} for row in rows]


def _write(path: Path, rows: Iterable[Row]) -> None:
    temporary = path.with_suffix(".part")
    temporary.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    temporary.replace(path)


def say(words: str) -> None:
    """Progress, on one line of the terminal."""
    ending = "\r" if sys.stderr.isatty() else "\n"
    print(f"{words:<60}", end=ending, file=sys.stderr, flush=True)


def cpu_minutes(rows: Iterable[Row]) -> str:
    """Processor time that the rows took, in words."""
    return f"{sum(row['cpu_seconds'] for row in rows) / 60:.0f} processor minutes"


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [" | ".join(header), " | ".join(["---", *["---:"] * (len(header) - 1)])]
    lines += [" | ".join(str(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def write_readme(folder: Path, generated: str) -> None:
    """Puts `generated` between the marks of the folder's README.md; the words around them stay."""
    path = folder / "README.md"
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(START, 1)
    after = rest.split(END, 1)[1]
    current = f"{before}{START}\n\n{generated.strip()}\n\n{END}{after}"
    if CHECK:
        raise SystemExit(0 if text == current else f"{path} is not what its results make: run run.py")
    path.write_text(current, encoding="utf-8")


def _note_versions(folder: Path) -> None:
    """Writes what the results are made with to provenance.json."""
    from leadlift.learners import UPLIFT_DEFAULTS

    facts = {"versions": versions(), "learners": UPLIFT_DEFAULTS}
    (folder / "provenance.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def provenance(folder: Path) -> str:
    """What the results were made with, for the foot of a README's results."""
    facts = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    made = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    learners = ", ".join(f"{name} {value}" for name, value in facts["learners"].items())
    return f"Made with {made}; leadlift's learners with {learners}."
