"""The journal against torn, flipped and full disks."""

from __future__ import annotations

import errno
import os
import re
import threading
from pathlib import Path

import msgspec
import pytest

from minertui.engine.journal import Entry, Journal, JournalError, UnreadError, key_of
from minertui.model.fleet import Snapshot
from minertui.model.status import MinerStatus
from minertui.safety.calm import Calm
from minertui.safety.settings import Settings

KEY = "020000000010"
ENTRY = Entry(KEY, "garage", "192.0.2.1", Settings(525.0, 1150, True), mac="02:00:00:00:00:10", reason="sweep:garage")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal", lambda: 1_700_000_000.0)


def test_an_entry_comes_back_signed(journal: Journal):
    opened = journal.open_entry(ENTRY)
    assert (opened.pid, opened.at_s) == (os.getpid(), 1_700_000_000.0)
    assert journal.read(KEY) == opened
    assert journal.entries() == (opened,)
    assert msgspec.structs.replace(opened, pid=0, at_s=0.0, boot_id="") == ENTRY


def test_the_boot_id_may_come_from_systemd(journal: Journal, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MINERTUI_BOOT_ID", raising=False)
    kernels = journal.open_entry(ENTRY).boot_id
    journal.close(KEY)
    monkeypatch.setenv("MINERTUI_BOOT_ID", kernels or "0" * 32)  # systemd writes it without dashes
    assert re.fullmatch("[0-9a-f]{32}", journal.open_entry(ENTRY).boot_id)
    journal.close(KEY)
    monkeypatch.setenv("MINERTUI_BOOT_ID", "abc")
    assert journal.open_entry(ENTRY).boot_id == "abc"


def test_the_first_baseline_survives_a_second_job(journal: Journal):
    first = journal.open_entry(ENTRY)
    second = msgspec.structs.replace(ENTRY, baseline=Settings(700.0, 1300), reason="second")
    assert journal.open_entry(second) == first
    assert journal.read(KEY) == first


def test_writes_are_noted_beside_what_was_before(journal: Journal):
    assert journal.note_write(KEY, Settings(600)) is None
    journal.open_entry(ENTRY)
    noted = journal.note_write(KEY, Settings(600.0, 1150), Settings(525.0, 1150))
    assert noted is not None
    assert noted.ours == (Settings(525.0, 1150), Settings(600.0, 1150))
    journal.note_write(KEY, Settings(500.0, 1150))
    kept = journal.read(KEY)
    assert kept is not None
    assert kept.ours == (Settings(500.0, 1150),)
    assert kept.baseline == ENTRY.baseline


def test_rebase_and_close(journal: Journal):
    journal.rebase(KEY, Settings(1))
    journal.open_entry(ENTRY)
    journal.rebase(KEY, Settings(550.0, 1160))
    kept = journal.read(KEY)
    assert kept is not None
    assert kept.baseline == Settings(550.0, 1160)
    journal.close(KEY)
    journal.close(KEY)
    assert journal.entries() == ()


def test_what_ends_while_a_guard_asks_is_not_written_anew(journal: Journal, monkeypatch: pytest.MonkeyPatch):
    """Who ends it waits for its turn instead of coming in between."""
    journal.open_entry(msgspec.structs.replace(ENTRY, calm=Calm(65, 85)))
    ending, read = threading.Thread(target=journal.close, args=(ENTRY.key,)), journal.read

    def meanwhile(key: str) -> Entry | None:
        found = read(key)
        ending.start()
        ending.join(0.05)
        return found

    monkeypatch.setattr(journal, "read", meanwhile)
    journal.ask(ENTRY.key, Calm(60, 80))
    ending.join()
    assert journal.entries() == ()


def test_no_folder_is_no_entries(journal: Journal):
    assert journal.entries() == ()
    journal.close(KEY)


def test_the_order_is_temporary_fsync_rename_fsync_of_the_folder(journal: Journal, monkeypatch: pytest.MonkeyPatch):
    steps: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace

    def sync(fd: int) -> None:
        steps.append("sync folder" if Path(f"/proc/self/fd/{fd}").resolve().is_dir() else "sync file")
        real_sync(fd)

    def replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    journal.open_entry(ENTRY)
    assert steps == ["sync folder", "sync file", "rename", "sync folder"]  # the first: the new folder's own name
    journal.close(KEY)
    assert steps[4:] == ["sync folder"]


def test_files_are_the_owners_alone(journal: Journal, tmp_path: Path):
    journal.open_entry(ENTRY)
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "journal" / f"{KEY}.json").stat().st_mode & 0o777 == 0o600


def test_truncated_at_every_byte_it_is_set_aside_or_whole(tmp_path: Path):
    journal = Journal(tmp_path, lambda: 1.0)
    journal.open_entry(ENTRY)
    path = tmp_path / f"{KEY}.json"
    raw = path.read_bytes()
    for length in range(len(raw)):
        path.write_bytes(raw[:length])
        journal = Journal(tmp_path, lambda: 1.0)
        assert journal.entries() == ()
        assert len(journal.problems) == 1
        assert "set aside as" in journal.problems[0]
        assert not path.exists()
    assert (tmp_path / f"{KEY}.json.corrupt-1").exists()


def test_every_flipped_bit_is_set_aside_or_a_valid_entry_of_this_key(tmp_path: Path):
    journal = Journal(tmp_path, lambda: 1.0)
    journal.open_entry(ENTRY)
    path = tmp_path / f"{KEY}.json"
    raw = path.read_bytes()
    for at in range(len(raw)):
        flipped = bytearray(raw)
        flipped[at] ^= 1 << (at % 8)
        path.write_bytes(flipped)
        journal = Journal(tmp_path, lambda: 1.0)
        entries = journal.entries()
        assert len(entries) + len(journal.problems) == 1
        assert all(entry.key == KEY for entry in entries)


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"[]", b"{}", b"[" * 60_000, b"\xff\xfe", b'{"key":"x"}', b"x" * 1_000_000]
)
def test_garbage_is_set_aside_and_said(tmp_path: Path, raw: bytes):
    (tmp_path / f"{KEY}.json").write_bytes(raw)
    journal = Journal(tmp_path, lambda: 1.0)
    assert journal.read(KEY) is None
    assert KEY in journal.problems[0]


def test_a_copy_under_another_name_or_schema_is_not_believed(tmp_path: Path):
    journal = Journal(tmp_path, lambda: 1.0)
    journal.open_entry(ENTRY)
    raw = (tmp_path / f"{KEY}.json").read_bytes()
    (tmp_path / "020000000011.json").write_bytes(raw)
    assert journal.read("020000000011") is None
    older = msgspec.json.encode({**msgspec.json.decode(raw), "schema": 0})
    (tmp_path / f"{KEY}.json").write_bytes(older)
    assert journal.read(KEY) is None


def test_temporary_and_foreign_files_are_ignored(tmp_path: Path):
    journal = Journal(tmp_path, lambda: 1.0)
    journal.open_entry(ENTRY)
    (tmp_path / f".{KEY}.json.123.tmp").write_text("torn")
    (tmp_path / "Read Me.json").write_text("hello")
    (tmp_path / "notes.txt").write_text("hello")
    assert len(journal.entries()) == 1
    assert journal.problems == ()


def test_a_leftover_temporary_file_does_not_block(tmp_path: Path):
    (tmp_path / f".{KEY}.json.{os.getpid()}.tmp").write_text("torn")
    assert Journal(tmp_path, lambda: 1.0).open_entry(ENTRY).key == KEY


def test_writable_is_tried(journal: Journal, tmp_path: Path):
    assert journal.writable()
    assert list((tmp_path / "journal").iterdir()) == []
    blocked = Journal(tmp_path / "file" / "journal", lambda: 1.0)
    (tmp_path / "file").write_text("")
    assert not blocked.writable()
    with pytest.raises(JournalError, match=r"cannot be (read|written)"):
        blocked.open_entry(ENTRY)


def test_a_full_disk_leaves_the_old_entry(journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    journal.open_entry(ENTRY)

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert not journal.writable()
        with pytest.raises(JournalError, match="No space left"):
            journal.note_write(KEY, Settings(600))
        with pytest.raises(JournalError, match="cannot be removed"):
            journal.close(KEY)
    assert not [path for path in (tmp_path / "journal").iterdir() if path.suffix == ".tmp"]


def test_names_stay_in_the_folder(journal: Journal):
    for bad in ("../x", "/etc/passwd", "", ".hidden", "a/b", "a" * 200, "A"):
        with pytest.raises(JournalError, match="not a name"):
            journal.read(bad)


def test_an_unreadable_entry_is_an_error_and_not_nothing(journal: Journal, tmp_path: Path):
    (tmp_path / "journal" / f"{KEY}.json").mkdir(parents=True)
    with pytest.raises(JournalError, match="cannot be read"):
        journal.read(KEY)


def test_a_folder_that_is_closed_to_us_is_an_error_and_not_empty(journal: Journal, monkeypatch: pytest.MonkeyPatch):
    """Of another user, or no file left to open it with."""
    journal.open_entry(ENTRY)

    def closed(*_: object) -> object:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", closed)
        with pytest.raises(UnreadError, match="cannot be read: Permission denied; mend the state folder"):
            journal.entries()
    assert len(journal.entries()) == 1


def test_an_entry_that_the_disk_does_not_give_is_named_until_it_does(journal: Journal, tmp_path: Path):
    journal.open_entry(ENTRY)
    other = tmp_path / "journal" / "020000000011.json"
    other.mkdir()
    assert [entry.key for entry in journal.entries()] == [KEY]
    assert (journal.problems, len(journal.unread)) == ((), 1)
    assert str(other) in journal.unread[0]
    other.rmdir()
    journal.entries()
    assert journal.unread == ()


def test_what_this_run_opened_is_known_from_what_an_earlier_one_left(journal: Journal, tmp_path: Path):
    opened = journal.open_entry(ENTRY)
    assert journal.signed(opened)
    next_run = Journal(tmp_path / "journal", lambda: 1_700_000_001.0)
    assert not next_run.signed(next_run.open_entry(ENTRY))


def test_keys():
    def key(device: str, mac: str | None) -> str:
        return key_of(Snapshot(device, status=MinerStatus(mac=mac)))

    assert key("garage", "02:00:00:00:00:AF") == "0200000000af"
    assert key("garage", "../../etc") == key("garage", None)
    assert key("Gäräge 1", None) != key("Garage 1", None)
    assert key("a/../b", None).startswith("name-a-b-")
    assert key("…", None).startswith("name-unnamed-")
    assert key_of(Snapshot("garage")) == key("garage", None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("майнер один", "майнер два"),
        ("garage miner (1)", "garage miner [1]"),
        ("garage-1", "garage 1"),
        ("a" * 50, "a" * 51),
    ],
)
def test_two_miners_without_a_mac_have_a_way_back_each(journal: Journal, one: str, other: str):
    """The second one would be led back to what the first one ran."""
    first, second = (key_of(Snapshot(name, status=MinerStatus())) for name in (one, other))
    journal.open_entry(msgspec.structs.replace(ENTRY, key=first, device=one, mac=None))
    theirs = msgspec.structs.replace(ENTRY, key=second, device=other, mac=None, baseline=Settings(400, 1000))
    opened = journal.open_entry(theirs)
    assert (opened.device, opened.baseline) == (other, Settings(400, 1000))


def test_what_was_set_aside_is_not_written_over_by_the_next_one(tmp_path: Path):
    """A board without a battery tells the same time after each start."""
    for content in (b"first", b"second"):
        (tmp_path / f"{ENTRY.key}.json").write_bytes(content)
        assert Journal(tmp_path, lambda: 1.0).read(ENTRY.key) is None
    assert {file.read_bytes() for file in tmp_path.glob("*.corrupt-*")} == {b"first", b"second"}
