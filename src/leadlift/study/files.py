"""What a study leaves behind: results, page, figures, tables and leads, written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leadlift.base.errors import FileError
from leadlift.base.problem_records import CardEffect
from leadlift.base.problems import listed, stop
from leadlift.base.record import Record, plain
from leadlift.base.records import StudyResult
from leadlift.data.door import like_frame
from leadlift.design import safe_table
from leadlift.learners import in_input_order, lead_table, uplift_columns
from leadlift.report import Drawn, all_figures, html
from leadlift.study.analyse import Findings

LIST = "whom_to_touch.csv"
HEAVIEST = 10
# What a list without a lot leaves in the place of results.json.
LIST_RESULT = "list.json"
OURS = frozenset(
    {"results.json", "report.html", "leads.parquet", "problem_model.json", LIST, LIST_RESULT, "figures", "tables"}
)


@dataclass(frozen=True)
class CardRow(Record):
    """A problem's card as a row: its heaviest products, whose main problem it is, and one arm's effect there."""

    problem: str
    products: str
    n_products: int | None
    n_organisations: int
    n_leads: int
    uplift: CardEffect


def check_folder(folder: Path) -> None:
    """Raises FileError unless results can be written into `folder`: absent, empty, or holding an earlier study's."""
    where = "the output folder"
    if folder.is_dir():
        held = sorted(path.name for path in folder.iterdir())
        others = held if not {"results.json", LIST_RESULT} & set(held) else [name for name in held if name not in OURS]
        if others:
            raise stop(
                where,
                "not-empty",
                "the folder is empty or holds an earlier study",
                f"{folder} holds {listed(others, 5)}",
                "name another folder: `--out`",
                FileError,
            )
    parent = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not parent.is_dir():
        raise stop(
            where, "not-a-folder", "results go into a folder", f"{parent} is a file", "name another folder", FileError
        )
    # Root may write anywhere and os.access says so; elsewhere this finds a read-only folder before hours of work.
    if not os.access(parent, os.W_OK | os.X_OK):
        raise stop(
            where,
            "no-permission",
            "results can be written",
            f"no write permission in {parent}",
            "name another folder: `--out`",
            FileError,
        )


@contextmanager
def staging(folder: Path | None) -> Iterator[Path]:
    """A folder to write into; at the end it takes the place of `folder`, or vanishes if something went wrong."""
    # A link to a folder stays a link.
    folder = None if folder is None else folder.resolve()
    parent = None if folder is None else folder.parent
    with _said_plainly("no-permission", parent, "name another folder: `--out`"), _made(parent):
        temporary = Path(tempfile.mkdtemp(prefix=".leadlift-", dir=parent))
        try:
            with _said_plainly("write", folder, "check the space and the permissions"):
                yield temporary
                if folder is not None:
                    _replace(folder, temporary)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _said_plainly(code: str, folder: Path | None, fix: str) -> Iterator[None]:
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        found = f"{folder or 'the temporary folder'}: {error.strerror or error}"
        raise stop("the output folder", code, "results can be written", found, fix, FileError) from error


@contextmanager
def _made(parent: Path | None) -> Iterator[None]:
    """Makes `parent`; folders made on the way go again if nothing came to stand in them."""
    made = [] if parent is None else [path for path in (parent, *parent.parents) if not path.exists()]
    try:
        if parent is not None:
            parent.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for path in made:
            with suppress(OSError):
                path.rmdir()


def _replace(folder: Path, temporary: Path) -> None:
    temporary.chmod(0o755)
    old = temporary.with_name(temporary.name + "-old")
    if folder.exists():
        if Path.cwd().resolve().is_relative_to(folder):
            # The folder one stands in must stay: what it holds of ours is replaced one by one.
            _replace_content(folder, temporary)
            return
        try:
            folder.rename(old)
        except OSError:
            # Nor can a mounted folder be renamed.
            _replace_content(folder, temporary)
            return
    try:
        temporary.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _replace_content(folder: Path, temporary: Path) -> None:
    for name in OURS:
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
        else:
            (folder / name).unlink(missing_ok=True)
    for path in temporary.iterdir():
        shutil.move(path, folder / path.name)


def write_result(folder: Path, result: StudyResult, pictures: Mapping[str, Drawn] | None = None) -> None:
    """Writes results.json, the page and, unless a check stopped the study, figures (SVG, PNG) and tables (CSV).

    `pictures` are drawn already, and stand beside those that are drawn from the result.
    """
    figures = {**all_figures(result), **(pictures or {})}
    text = json.dumps(result.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "results.json").write_text(text + "\n", encoding="utf-8")
    (folder / "report.html").write_text(html(result, figures=figures), encoding="utf-8")
    if result.stopped:
        return
    (folder / "figures").mkdir()
    for name, drawn in figures.items():
        (folder / "figures" / f"{name}.svg").write_text(drawn.svg, encoding="utf-8")
        (folder / "figures" / f"{name}.png").write_bytes(drawn.png_bytes)
    (folder / "tables").mkdir()
    for name, table in tables(result).items():
        safe_table(table).to_csv(folder / "tables" / f"{name}.csv", index=False)


def tables(result: StudyResult, like: Any = None) -> dict[str, Any]:
    """What a study found, as flat tables by name: effects, learners, choices ...; empty ones are left out.

    Args:
        result: of `run_study`.
        like: a frame of the library that tables are to be of (pandas, Polars, Arrow); None: pandas.
    """
    records = {
        "effects": result.effects,
        "compliers": result.compliers,
        "segment_tests": result.segment_tests,
        "pooled": result.pooled,
        "problem_cards": _card_rows(result),
        "learners": result.learners,
        "differences": result.differences,
        "choices": result.choices,
        "uplift_fifths": tuple(row for learner in result.learners for row in learner.calibration.bins),
        "strategies": result.strategies,
        **decision_tables(result),
        "balance": result.balance,
        "checks": result.checks,
        "truth": result.truth,
    }
    return {
        name: like_frame(pd.DataFrame([_flat(row) for row in rows]), like) for name, rows in records.items() if rows
    }


def _card_rows(result: StudyResult) -> tuple[Record, ...]:
    """A row per problem and arm."""
    cards = () if result.problems is None else result.problems.cards
    return tuple(
        CardRow(
            card.problem,
            "; ".join(one.product for one in card.products[:HEAVIEST]),
            card.n_products,
            card.n_organisations,
            card.n_leads,
            effect,
        )
        for card in cards
        for effect in card.effects
    )


def decision_tables(result: StudyResult) -> dict[str, tuple[Record, ...]]:
    """What else decides whom to touch."""
    found = result.decision
    if found is None:
        return {}
    return {
        "strategies_settled": found.settled,
        "stops_paying": found.stops_paying,
        "response_shares": found.shares,
        "leave_alone": found.leave_alone,
    }


def _flat(record: Record) -> dict[str, Any]:
    """One level of plain values: nested records get prefixed names, curves are left to results.json."""
    flat: dict[str, Any] = {}
    for name, value in record.to_dict().items():
        if isinstance(value, dict):
            flat.update({f"{name}_{key}": item for key, item in value.items() if not isinstance(item, list)})
        elif name == "possibly_best" and isinstance(value, list):
            flat[name] = ", ".join(value)
        elif not isinstance(value, list):
            flat[name] = plain(value)
    return flat


def leads_frame(findings: Findings) -> pd.DataFrame:
    """A row per used lead in input order: group, arm and out-of-fold uplift by learner, outcome units."""
    log = findings.log
    table = lead_table(log)
    if log.problem is not None:
        table.insert(1, "problem", log.problem)
    if findings.segments is not None:
        names = np.array(findings.segments.names, dtype=object)
        table.insert(1, "score_group", names[findings.segments.code])
    uplift = {} if findings.out_of_fold is None else findings.out_of_fold.uplift
    return in_input_order(log, table.assign(**uplift_columns(log, uplift)))
