"""`leadlift assign`: draw the lot, keep it, and write the CRM's list."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from leadlift.base.errors import FileError
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.problems import nearest, stop
from leadlift.base.settings import parse_settings
from leadlift.base.yaml import read_experiment, read_yaml
from leadlift.data import AssignmentStore, KeptAssignments, read_table
from leadlift.data.door import to_pandas
from leadlift.data.ledger import Appended, LeadRows, LedgerStore
from leadlift.data.ledger.imports import ImportResult, Source
from leadlift.data.ledger.opening import WAIT, sweep
from leadlift.design import (
    Assignment,
    AssignmentResult,
    CrmMapping,
    FrozenDesign,
    LeadList,
    assign,
    changed_cells,
    crm_list,
    lead_list,
    read_frozen,
    refuse_unknown_arms,
    settings_digest,
)
from leadlift.design.freeze import refuse_changed
from leadlift.study.assign_problems import with_problems
from leadlift.study.import_ import lead_rows, moment
from leadlift.study.progress import Progress, Silent

# Another process can come first now and then, but not this often.
ATTEMPTS = 20


@dataclass(frozen=True)
class Places:
    """Where a draw is kept, the leads that go there with it (a ledger's), and where the CRM's list goes."""

    store: AssignmentStore | LedgerStore
    rows: LeadRows | None
    crm_list: Path

    def append(self, assignment: Assignment, kept: KeptAssignments) -> Appended | None:
        """Keeps a draw; None when another process was faster."""
        if isinstance(self.store, LedgerStore):
            return self.store.append_with_leads(assignment.frame, assignment.info, after=kept, leads=self.rows)
        path = self.store.append(assignment.frame, assignment.info, after=kept) if len(assignment.frame) else Path()
        return None if path is None else Appended(path, None)


def assign_leads(
    config: str | Path | ExperimentConfig,
    leads: Any,
    *,
    crm: str | Path | None = None,
    out: str | Path | None = None,
    design: str | Path | None = None,
    wait: float = WAIT,
    now: pd.Timestamp | str | None = None,
    progress: Progress | None = None,
) -> AssignmentResult:
    """Assigns the leads that were not assigned before, keeps the draw and writes the CRM's list: all of it or nothing.

    Assigning the same leads again changes nothing and says so. A ledger takes the leads up as well, as an import
    would: those that come with other data than before get a new version.

    Args:
        config: the experiment's configuration, or the path of its YAML file; what is kept stands beside that file.
        leads: CSV or Parquet file, or a frame: a row per lead.
        crm: YAML file that names the CRM's columns; None: our own names.
        out: the CRM's list, a CSV file; None: `<name>-list.csv` beside the configuration.
        design: the frozen design, `design.json`; None: the one in designs/ and the configuration's name, if there.
        wait: seconds to wait for another process that has the ledger open.
        now: when the lot is drawn, with a zone; None: now.
        progress: listens to the steps.

    Raises:
        ConfigError: the configuration or the mapping can't be used, or is not the one frozen or begun with.
        FileError: a file can't be read or written.
        DataError: the leads can't be drawn, every problem named; or the frozen design was edited.
    """
    listener: Progress = progress or Silent()
    if isinstance(now, str):
        now = moment(now, "--at")
    today = pd.Timestamp.now("UTC").floor("s") if now is None else now
    folder = Path() if isinstance(config, ExperimentConfig) else Path(config).parent
    settings = config if isinstance(config, ExperimentConfig) else read_experiment(config, today=today.date())
    mapping = CrmMapping() if crm is None else parse_settings(CrmMapping, read_yaml(Path(crm)), Path(crm).name)
    refuse_unknown_arms(mapping, list(settings.experiment.shares))
    frozen = frozen_design(settings, config, design)
    store = assignment_store(settings, folder, wait)
    target = list_path(settings, folder, out)
    _refuse_overwriting(target, config, leads, crm, design, getattr(store, "path", None))
    store.check_writable()
    with listener.step("reading"):
        frame = _frame(leads, settings)
        source = Source(Path(leads).name if isinstance(leads, str | Path) else "a frame", today)
        rows = lead_rows(frame, settings, source, drawn=True) if isinstance(store, LedgerStore) else None
        known = with_problems(frame, _with_times(settings, frame), folder, store, today, frozen)
        listed = replace(lead_list(known.frame, known.config, now=today), problem_model=known.model)
    places = Places(store, rows, target)
    with listener.step("drawing"):
        drawn = _drawn_and_kept(listed, settings, mapping, places, today, None if frozen is None else frozen.digest)
    return replace(drawn, notes=(*drawn.notes, *known.notes)) if drawn.rows.used else drawn


def _with_times(config: ExperimentConfig, frame: pd.DataFrame) -> ExperimentConfig:
    """With a ledger, times that the file calls as the ledger does need not be named."""
    if config.ledger is None:
        return config
    absent = [name for name in ("created_at", "known_at") if getattr(config.leads, name) is None and name in frame]
    leads = config.leads.model_copy(update={name: name for name in absent})
    return config.model_copy(update={"leads": leads})


def assignment_store(config: ExperimentConfig, folder: Path, wait: float = WAIT) -> AssignmentStore | LedgerStore:
    """Where an experiment's assignments are kept: experiments that name one ledger see each other."""
    if config.ledger is None:
        return AssignmentStore(folder / "assignments")
    return LedgerStore(folder / config.ledger, wait=wait)


def list_path(config: ExperimentConfig, folder: Path, out: str | Path | None) -> Path:
    """Where the CRM's list goes."""
    return folder / f"{config.name}-list.csv" if out is None else Path(out)


def _refuse_overwriting(crm_list: Path, *inputs: Any) -> None:
    """Raises FileError if the list would take the place of a file that it is made from."""
    for given in inputs:
        if isinstance(given, str | Path) and _same_file(crm_list, Path(given)):
            rule, fix = "the list is a file of its own", "name another file: `--list`"
            raise stop("the CRM's list", "overwrites", rule, f"{crm_list} is what it is made from", fix, FileError)


def _same_file(one: Path, other: Path) -> bool:
    # A ledger that is not made yet has a name already.
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))


def _drawn_and_kept(
    leads: LeadList,
    config: ExperimentConfig,
    mapping: CrmMapping,
    places: Places,
    now: pd.Timestamp,
    digest: str | None,
) -> AssignmentResult:
    for _ in range(ATTEMPTS):
        kept = places.store.read()
        assignment = assign(leads, config, kept, now=now, digest=digest or settings_digest(config))
        everyone = _all_assigned(leads, assignment, kept)
        content = crm_list(everyone, mapping)
        with _staged(places.crm_list, content) as publish:
            added = places.append(assignment, kept)
            if added is None:
                continue
            publish()
        changed = changed_cells(everyone, content, mapping.columns)
        notes = _notes(assignment.result, leads.read, changed, added.leads, frozen=digest is not None)
        written = str(added.path) if len(assignment.frame) else None
        return replace(assignment.result, notes=notes, path=written, crm_list=str(places.crm_list))
    raise stop(
        "the kept assignments",
        "busy",
        "one process writes at a time",
        f"others wrote {ATTEMPTS} draws while this one was drawn",
        "assign again when they are done",
        FileError,
    )


def _all_assigned(leads: LeadList, assignment: Assignment, kept: KeptAssignments) -> pd.DataFrame:
    """Every assigned lead of the list, whenever it was assigned, in the list's order."""
    if not assignment.result.rows.dropped.get("already assigned"):
        return assignment.frame
    before = kept.assigned(assignment.info.experiment)
    parts = [part for part in (before, assignment.frame) if len(part)]
    everyone = pd.concat(parts, ignore_index=True)
    place = pd.Index(everyone["lead_id"]).get_indexer(pd.Index(leads.frame["lead_id"]))
    found: pd.DataFrame = everyone.iloc[place[place >= 0]]
    return found.reset_index(drop=True)


def _notes(
    result: AssignmentResult, read: int, changed: int, leads: ImportResult | None, *, frozen: bool
) -> tuple[str, ...]:
    notes = []
    if not result.rows.used:
        unchanged = leads is None or not leads.changed
        notes.append(f"{'nothing changed: ' if unchanged else ''}no lead of {read:,} is new to this experiment")
    if leads is not None and leads.new_versions:
        notes.append(f"other data than before: {leads.new_versions:,} leads; they have a new version, arms stay")
    notes += result.notes
    if changed:
        notes.append(
            f"identifiers that a spreadsheet would execute: {changed:,}; the list holds them behind an apostrophe"
        )
    if not frozen:
        notes.append("no frozen design: `leadlift design` freezes what this experiment is to show")
    return tuple(notes)


def frozen_digest(
    config: ExperimentConfig, path: str | Path | ExperimentConfig, design: str | Path | None
) -> str | None:
    """Digest of the frozen design; None: nothing was frozen. Raises as `frozen_design`."""
    found = frozen_design(config, path, design)
    return None if found is None else found.digest


def frozen_design(
    config: ExperimentConfig, path: str | Path | ExperimentConfig, design: str | Path | None
) -> FrozenDesign | None:
    """The frozen design; None: nothing was frozen.

    Raises:
        DataError: the design was edited after it was frozen.
        ConfigError: the configuration is not the one that was frozen.
    """
    found = None if design is None else Path(design)
    if found is None and not isinstance(path, ExperimentConfig):
        beside = Path("designs") / Path(path).stem / "design.json"
        found = next((place for place in (beside, Path(path).parent / beside) if place.is_file()), None)
    if found is None:
        return None
    frozen = read_frozen(found)
    refuse_changed(frozen, config)
    return frozen


def _frame(leads: Any, config: ExperimentConfig) -> pd.DataFrame:
    if not isinstance(leads, str | Path):
        return to_pandas(leads)
    path = Path(leads)
    if not path.is_file():
        folder = path.parent
        names = [p.name for p in folder.iterdir()] if folder.is_dir() else []
        match = nearest(path.name, names)
        fix = f"did you mean `{folder / match}`?" if match else "check the path"
        raise stop("the leads", "no-file", "the leads' file exists", f"{path} is not there", fix, FileError)
    asked = config.leads
    texts = [asked.lead_id, asked.organisation_id, asked.problem]
    return read_table(path, texts if config.ledger is None else [*texts, asked.product or "product"])


@contextmanager
def _staged(target: Path, content: pd.DataFrame) -> Iterator[Any]:
    """Writes the list under another name; calling what is yielded gives it its own."""
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent, ".list-")
        handle, name = tempfile.mkstemp(prefix=f".list-{os.getpid()}-", suffix=".part", dir=target.parent)
        temporary = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            content.to_csv(file, index=False)
        temporary.chmod(0o644)
        if target.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        yield lambda: os.replace(temporary, target)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        said = error.strerror or str(error)
        fix = "name another file: `--list`"
        raise stop("the CRM's list", "write", "the list can be written", f"{target}: {said}", fix, FileError) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
