"""Deals from a file or a ledger, and saved problem models."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from leadlift.base.deals_config import DealsFile
from leadlift.base.errors import FileError
from leadlift.base.problems import nearest, stop
from leadlift.data import find_file, read_table
from leadlift.data.ledger import ledger_deals
from leadlift.data.ledger.opening import WAIT
from leadlift.problems.saved import SavedProblems, parse_saved

MODEL = "problem_model.json"
WHERE = "the problem model"


def deals_frame(settings: DealsFile, beside: Path | None, wait: float = WAIT) -> pd.DataFrame:
    """A row per deal, under the names that the settings say.

    Raises:
        FileError: the file or the ledger can't be read.
    """
    if settings.ledger is not None:
        return ledger_deals((beside or Path()) / settings.ledger, wait=wait)
    file = find_file(str(settings.file), beside, settings.source)
    return read_table(file, [settings.organisation, settings.product])


def read_model(name: str | Path, beside: Path | None) -> SavedProblems:
    """A saved problem model: its file, or the folder of results that holds it.

    Raises:
        FileError: it is not there, or something else.
    """
    path = (beside or Path()) / name
    path = path / MODEL if path.is_dir() else path
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        match = nearest(path.name, names)
        fix = f"did you mean `{path.parent / match}`?" if match else "find problems first: `leadlift problems CONFIG`"
        said = "it is not there" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise stop(WHERE, "no-file", "the file can be read", f"{path}: {said}", fix, FileError) from None
    except UnicodeDecodeError:
        text = ""
    found = parse_saved(text)
    if found is None:
        rule, fix = "the file is what `leadlift problems` saved", f"name `{MODEL}` of its results"
        raise stop(WHERE, "format", rule, f"{path} holds something else", fix, FileError)
    return found
