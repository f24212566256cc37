"""Every command on a ledger that it can't use: clear words, exit 1, and the ledger as it was, to the byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from leadlift.data.ledger import LedgerStore, make_ledger
from small_lists import leads, newcomers

CONFIG = """\
version: 1
name: calls
ledger: {ledger}
experiment: {{arms: {{control: {{share: 0.5}}, call: {{share: 0.5}}}}, strata: []}}
"""
COMMANDS = {
    "assign": ("assign", "calls.yaml", "--leads", "more.csv"),
    "import": ("import", "calls.yaml", "leads", "more.csv"),
    "forget": ("forget", "calls.yaml", "org-0"),
    "check": ("check", "calls.yaml"),
    "run": ("run", "calls.yaml"),
}
WRITING = ("assign", "import", "forget")


def put(name: str, frame: pd.DataFrame) -> None:
    frame.assign(created_at="2026-01-01T00:00:00Z").to_csv(name, index=False)


@pytest.fixture
def place(folder, leadlift) -> Path:
    (folder / "calls.yaml").write_text(CONFIG.format(ledger="calls.duckdb"), encoding="utf-8")
    put("leads.csv", leads(60))
    put("more.csv", newcomers(400, 3))
    assert leadlift("assign", "calls.yaml", "--leads", "leads.csv").code == 0
    return folder


def newer(ledger: Path) -> None:
    with duckdb.connect(str(ledger)) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'version'")


def another(ledger: Path) -> None:
    ledger.unlink()
    with duckdb.connect(str(ledger)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")


def truncated(ledger: Path) -> None:
    whole = ledger.read_bytes()
    ledger.write_bytes(whole[: len(whole) // 3])


def text(ledger: Path) -> None:
    ledger.write_text("lead_id,score\n1,0.5\n" * 500, encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (newer, ["[ledger-newer]", "has version 99", "install a newer leadlift"]),
        (another, ["[not-a-ledger]", "a DuckDB file with other tables"]),
        (truncated, ["[ledger-broken]", "bring it back from a copy"]),
        (text, ["[not-a-ledger]", "no DuckDB file"]),
    ],
    ids=["newer", "another", "truncated", "text"],
)
def test_a_file_that_is_no_ledger_of_ours(place, leadlift, command, spoil, words) -> None:
    ledger = place / "calls.duckdb"
    spoil(ledger)
    before = {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()}
    ended = leadlift(*COMMANDS[command])
    assert ended.code == 1
    assert all(word in ended.err for word in words), ended.err
    assert {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()} == before


def test_a_ledger_that_another_process_holds(place, leadlift) -> None:
    ledger = place / "calls.duckdb"
    before = ledger.read_bytes()
    program = f"import duckdb, sys; c = duckdb.connect({str(ledger)!r}); print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        for command, words in COMMANDS.items():
            ended = leadlift(*words, "--wait", "0")
            assert ended.code == 1
            assert "[ledger-busy]" in ended.err, command
            assert f"process {holder.pid}" in ended.err
    finally:
        holder.communicate("")
    assert ledger.read_bytes() == before


def test_a_ledger_that_is_not_there(place, leadlift) -> None:
    (place / "calls.duckdb").unlink()
    for command in ("forget", "check", "run"):
        ended = leadlift(*COMMANDS[command])
        assert ended.code == 1
        assert "import leads or assign first" in ended.err
    assert not (place / "calls.duckdb").exists()


@pytest.fixture
def small_disk(folder):
    """A file system of 16 MB; skipped where none may be mounted."""
    place = folder / "small"
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount, "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
    if not mount or os.geteuid() != 0 or subprocess.run(command, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("command", WRITING)
def test_a_full_disk_and_a_read_only_one(place, small_disk, leadlift, command) -> None:
    ledger = small_disk / "calls.duckdb"
    ledger.write_bytes((place / "calls.duckdb").read_bytes())
    (place / "calls.yaml").write_text(CONFIG.format(ledger="small/calls.duckdb"), encoding="utf-8")
    put("more.csv", newcomers(3_000, 3))
    before = LedgerStore(ledger).read()
    content = ledger.read_bytes()
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"0" * (os.statvfs(small_disk).f_bavail * 4096 - 300_000))
    ended = leadlift(*COMMANDS[command])
    assert ended.code == 1, ended.out
    assert "[disk-full]" in ended.err
    assert "the ledger is as it was before" in ended.err
    assert LedgerStore(ledger).read() == before
    ballast.unlink()
    ledger.write_bytes(content)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    ended = leadlift(*COMMANDS[command])
    assert ended.code == 1
    assert "[no-permission]" in ended.err
    assert ledger.read_bytes() == content
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert leadlift(*COMMANDS[command]).code == 0


def test_an_empty_ledger_says_what_is_missing(place, leadlift) -> None:
    (place / "calls.duckdb").unlink()
    make_ledger(place / "calls.duckdb")
    before = (place / "calls.duckdb").read_bytes()
    for command in ("check", "run"):
        ended = leadlift(*COMMANDS[command])
        assert ended.code == 1
        assert "[no-assignments]" in ended.err
    assert "has no leads, assignments or deals" in leadlift(*COMMANDS["forget"]).err
    assert (place / "calls.duckdb").read_bytes() == before


@pytest.mark.parametrize("wait", ["-1", "1e300"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_wait_that_cannot_be_waited_is_wrong_usage(place, leadlift, command, wait):
    ended = leadlift(*COMMANDS[command], "--wait", wait)
    assert ended.code == 2
    assert "--wait" in ended.err


def test_a_table_that_is_none_is_wrong_usage(place, leadlift):
    ended = leadlift("import", "calls.yaml", "lead", "leads.csv")
    assert ended.code == 2
    assert "did you mean `leads`?" in " ".join(ended.err.replace("│", " ").split())
