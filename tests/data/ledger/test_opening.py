"""One writer at a time, whole or not at all, and clear words where the file is not what it should be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest
from ledger_rows import draw, info, leads, put, touches

from leadlift.base.errors import FileError
from leadlift.data.ledger import LedgerStore, forget_organisation, opening, schema, verify_ledger
from leadlift.data.ledger.opening import copies_of, reading, writing

HOLD = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("held", flush=True)
time.sleep(float(sys.argv[3]))
"""


@pytest.fixture
def ledger(tmp_path):
    path = tmp_path / "calls.duckdb"
    put(path, "leads", leads(20))
    return path


def hold(path, how, seconds):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path), how, str(seconds)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    return process


def words(call, error=FileError):
    with pytest.raises(error) as caught:
        call()
    text = str(caught.value)
    assert "Traceback" not in text
    return text


def test_who_holds_the_ledger_is_said(ledger):
    process = hold(ledger, "write", 60)
    try:
        for attempt in (lambda: put_with(ledger, 0.2), lambda: verify_ledger(ledger, wait=0.2)):
            text = words(attempt)
            assert "[ledger-busy]" in text
            assert f"process {process.pid} for 0.2 s" in text
            assert "--wait" in text
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def put_with(path, wait):
    with writing(path, wait):
        pass


def test_a_ledger_that_is_free_soon_is_waited_for(ledger):
    process = hold(ledger, "write", 1)
    started = time.monotonic()
    assert verify_ledger(ledger, wait=30).sound
    assert time.monotonic() - started > 0.3
    process.wait()
    process.stdout.close()


def test_readers_don_t_keep_readers_out(ledger):
    process = hold(ledger, "read", 60)
    try:
        assert verify_ledger(ledger, wait=0.2).sound
        assert "[ledger-busy]" in words(lambda: put_with(ledger, 0.2))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_threads_of_one_process_wait_as_well(ledger):
    with writing(ledger):
        assert "another part of this program" in words(lambda: verify_ledger(ledger, wait=0.1))


def test_nothing_is_held_after_reading(ledger):
    store = LedgerStore(ledger)
    store.append(draw(20), info(), after=store.read())
    store.read().leads("calls")
    with duckdb.connect(str(ledger)) as connection:
        assert connection.execute("SELECT count(*) FROM assignments").fetchall() == [(20,)]


def test_threads_that_import_the_same_rows_add_them_once(ledger):
    added = []
    threads = [threading.Thread(target=lambda: added.append(put(ledger, "touches", touches(20)).added)) for _ in "1234"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [0, 0, 0, 20]


def test_a_thread_does_not_wait_for_ever(ledger):
    said = []
    with reading(ledger):
        thread = threading.Thread(target=lambda: said.append(words(lambda: verify_ledger(ledger, wait=0.1))))
        thread.start()
        thread.join()
    assert "another part of this program for 0.1 s" in said[0]


def test_a_lock_on_a_file_that_was_replaced_is_no_lock(ledger, monkeypatch):
    seen = iter([(1, 1), (1, 2)])
    real, asked = opening._file_number, []
    monkeypatch.setattr(opening, "_file_number", lambda path: asked.append(path) or next(seen, None) or real(path))
    with opening._connected(ledger, 5, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM leads").fetchall() == [(20,)]
    assert len(asked) == 4


def test_a_failure_inside_leaves_the_ledger_as_it_was(ledger):
    def fail():
        with writing(ledger) as connection:
            connection.execute("DELETE FROM leads")
            raise KeyError("x")

    with pytest.raises(KeyError):
        fail()
    with reading(ledger) as connection:
        assert connection.execute("SELECT count(*) FROM leads").fetchall() == [(20,)]


def test_a_new_ledger_appears_whole_or_not_at_all(tmp_path):
    def fail():
        with writing(tmp_path / "new.duckdb"):
            raise KeyError("x")

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_no_ledger(tmp_path):
    assert "[no-ledger]" in words(lambda: verify_ledger(tmp_path / "none.duckdb"))
    assert "No such file" in words(lambda: put_with(tmp_path / "nowhere" / "x.duckdb", 1))


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "not-a-ledger"), (b"lead_id,score\n1,0.5\n" * 500, "not-a-ledger"), (b"DUCK", "not-a-ledger")],
)
def test_a_file_that_is_no_database(tmp_path, content, code):
    path = tmp_path / "calls.duckdb"
    path.write_bytes(content)
    for attempt in (lambda: verify_ledger(path), lambda: put_with(path, 1)):
        assert f"[{code}]" in words(attempt)
    assert path.read_bytes() == content


def test_a_folder_is_no_ledger(tmp_path):
    assert "Is a directory" in words(lambda: verify_ledger(tmp_path))


@pytest.mark.parametrize("statement", ["CREATE TABLE t (i INTEGER)", "CREATE TABLE meta (key INTEGER)", "SELECT 1"])
def test_another_database_is_left_alone(tmp_path, statement):
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)
    before = path.read_bytes()
    for attempt in (lambda: verify_ledger(path), lambda: put_with(path, 1)):
        assert "DuckDB file with other tables" in words(attempt)
    assert path.read_bytes() == before


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_ledger_cut_short_is_refused_or_read_whole(tmp_path, share):
    path = tmp_path / "calls.duckdb"
    store = LedgerStore(path)
    store.append(draw(20_000), info(), after=store.read())
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    text = words(lambda: verify_ledger(path))
    assert "[ledger-broken]" in text
    assert "bring it back from a copy" in text


def test_a_newer_ledger_is_refused_with_its_version(ledger):
    with duckdb.connect(str(ledger)) as connection:
        connection.execute("UPDATE meta SET value = '7' WHERE key = 'version'")
    before = ledger.read_bytes()
    for attempt in (lambda: verify_ledger(ledger), lambda: put_with(ledger, 1)):
        text = words(attempt)
        assert "[ledger-newer]" in text
        assert "has version 7" in text
    assert ledger.read_bytes() == before


def test_an_older_ledger_is_upgraded_after_a_copy(ledger, monkeypatch):
    monkeypatch.setattr(schema, "VERSION", 2)
    monkeypatch.setattr(schema, "MIGRATIONS", {1: ("ALTER TABLE touches ADD COLUMN channel VARCHAR",)})
    with reading(ledger) as connection:
        assert schema.version_of(connection) == 2
        assert "channel" in [name for name, *_ in connection.execute("DESCRIBE touches").fetchall()]
        assert connection.execute("SELECT count(*) FROM leads").fetchall() == [(20,)]
    (copy,) = copies_of(ledger)
    assert copy.name == "calls.version-1.duckdb"
    monkeypatch.setattr(schema, "VERSION", 1)
    with reading(copy) as connection:
        assert connection.execute("SELECT count(*) FROM leads").fetchall() == [(20,)]


def test_an_upgrade_that_fails_leaves_the_old_ledger(ledger, monkeypatch):
    monkeypatch.setattr(schema, "VERSION", 2)
    monkeypatch.setattr(schema, "MIGRATIONS", {1: ("ALTER TABLE touches ADD COLUMN channel VARCHAR", "SELECT nothing")})
    words(lambda: verify_ledger(ledger))
    monkeypatch.setattr(schema, "VERSION", 1)
    assert verify_ledger(ledger).sound


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 32 MB; skipped where none may be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount, "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(place)]
    if not mount or os.geteuid() != 0 or subprocess.run(command, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk, *, leave):
    """Leaves so many bytes free."""
    (disk / "ballast").write_bytes(b"0" * (os.statvfs(disk).f_bavail * 4096 - leave))


def test_a_full_disk_leaves_the_ledger_as_it_was(small_disk: Path):
    path = small_disk / "calls.duckdb"
    store = LedgerStore(path)
    store.append(draw(20), info(), after=store.read())
    before = verify_ledger(path)
    fill(small_disk, leave=1_500_000)
    assert "[disk-full]" in words(lambda: store.append(draw(60_000, start=20), info(), after=store.read()))
    assert verify_ledger(path) == before
    (small_disk / "ballast").unlink()
    assert store.append(draw(20, start=20), info(), after=store.read()) == path
    assert verify_ledger(path).rows == 40


@pytest.mark.parametrize("leave", [0, 400_000, 1_000_000])
def test_a_full_disk_makes_no_new_ledger(small_disk: Path, leave):
    fill(small_disk, leave=leave)
    store = LedgerStore(small_disk / "calls.duckdb")
    assert "[disk-full]" in words(lambda: store.append(draw(2_000), info(), after=store.read()))
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


@pytest.mark.parametrize("leave", [2_000_000, 6_000_000])
def test_forgetting_on_a_full_disk_keeps_the_ledger(small_disk: Path, leave):
    path = small_disk / "calls.duckdb"
    store = LedgerStore(path)
    store.append(draw(10_000), info(), after=store.read())
    before = path.read_bytes()
    fill(small_disk, leave=leave)
    assert "[disk-full]" in words(lambda: forget_organisation(path, "O1"))
    assert path.read_bytes() == before
    (small_disk / "ballast").unlink()
    forget_organisation(path, "O1")
    assert verify_ledger(path).sound


def test_a_read_only_disk_can_be_read_and_says_so(small_disk: Path):
    path = small_disk / "calls.duckdb"
    put(path, "leads", leads(20))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert verify_ledger(path).sound
    assert "[no-permission]" in words(lambda: put_with(path, 1))
