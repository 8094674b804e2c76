"""The dead-man: what a miner was set to before we touched it, on disk before the first change.

Firmware keeps every change for ever and knows no lease, so a controller that dies leaves a miner where it was driven.
This journal is the way back: one small JSON file a device, named by its MAC, written as temporary file → fsync → rename
→ fsync of the folder, and deleted only when the baseline was read back. Whoever opens a second time inherits the first
baseline. A file that cannot be read is set aside as ``….corrupt-<time>``, never deleted and never believed. Of an entry
with more fields than this version knows the known ones are read; one of a newer form stays where it is, for the version
that understands it, and nothing is raised on its miner until somebody has looked.

All calls block on the disk: async code runs them in a thread. What reads an entry to write it anew is one piece, so
that a guard's new numbers and the note of a write do not lose each other.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from minertui import durable
from minertui.model.commands import Rank
from minertui.model.errors import MinertuiError
from minertui.model.fleet import Snapshot
from minertui.safety.calm import Calm
from minertui.safety.settings import Settings

SCHEMA = 1
FOLDER = "journal"
"""Its name in the state folder."""
_LARGEST = 64 * 1024
_NAME = re.compile(r"[0-9a-z][0-9a-z._-]{0,80}")
_MAC = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}")


class JournalError(MinertuiError):
    """The journal cannot be written; nothing may be raised until it can."""


class UnreadError(JournalError):
    """The disk does not give it now, which says nothing about what stands there."""


class Entry(msgspec.Struct, frozen=True):
    """The way back for one device. ``ours``: what we last made of it, and before it what it was just before that write,
    which may not have arrived. ``goal``: where a person's order was to end. ``calm``: a guard changed it, so nothing is
    raised on the way back before it is that cool. ``at_s`` is wall time, for people; ``kind`` and ``address`` lead back
    to it."""

    key: str
    device: str
    address: str
    baseline: Settings
    mac: str | None = None
    kind: str = "axeos"
    firmware: str | None = None
    overheat: bool | None = None
    reason: str = ""
    rank: Rank = Rank.SWEEP
    ours: tuple[Settings, ...] = ()
    goal: Settings | None = None
    calm: Calm | None = None
    pid: int = 0
    boot_id: str = ""
    at_s: float = 0.0
    schema: int = SCHEMA

    @property
    def left(self) -> Settings:
        """What it was left at: by our last write, or as it was found."""
        return self.ours[-1] if self.ours else self.baseline


class _Form(msgspec.Struct):
    """What every version's entry says of itself."""

    schema: int = 0


def key_of(snapshot: Snapshot) -> str:
    """The file name of a device's entry: its MAC in hex, or its cleaned name where the firmware tells no MAC."""
    mac = snapshot.status.mac if snapshot.status else None
    if mac and _MAC.fullmatch(mac):
        return mac.replace(":", "").lower()
    return _key_of_name(snapshot.device)


def _key_of_name(device: str) -> str:
    plain, raw = re.sub(r"[^0-9a-z]+", "-", device.lower()).strip("-")[:40], device.encode()
    sign = raw.hex() if plain == device else hashlib.sha256(raw).hexdigest()  # "a 1" and "a-1" are two miners
    return f"name-{plain or 'unnamed'}-{sign[:16]}"


class Journal:
    """The entries in one folder. ``problems`` tells what this object has set aside or did not understand, oldest first;
    ``unread`` what the disk did not give when all entries were read last; ``refused`` why its last write failed."""

    def __init__(self, folder: Path, wall: Callable[[], float]) -> None:
        """``wall``: seconds since the epoch, for the times in the files."""
        self._folder, self._wall = folder, wall
        self._changing = threading.Lock()
        self._signed: dict[str, float] = {}
        self._revoked: dict[str, float | None] = {}  # when each was opened; None: nobody could read that
        self.problems: tuple[str, ...] = ()
        self.unread: tuple[str, ...] = ()
        self.refused = ""

    def entries(self) -> tuple[Entry, ...]:
        """All entries that can be read, by key. The others are named in ``unread``, or in ``problems``. Raises
        UnreadError when the folder itself cannot be read."""
        try:
            with os.scandir(self._folder) as files:  # a glob would take a folder that is closed to us for an empty one
                names = sorted(file.name.removesuffix(".json") for file in files if file.name.endswith(".json"))
        except FileNotFoundError:
            names = []
        except OSError as error:
            raise _unreadable(self._folder, error) from error
        unread: list[str] = []
        found = [self._read_or_tell(name, unread) for name in names if _NAME.fullmatch(name)]
        self.unread = tuple(unread)
        return tuple(entry for entry in found if entry is not None)

    def signed(self, entry: Entry) -> bool:
        """Was it opened by this object, not by an earlier run?"""
        return self._signed.get(entry.key) == entry.at_s

    def read(self, key: str) -> Entry | None:
        """The entry, or None where there is none (or only a broken one, which is then set aside). Raises JournalError
        (UnreadError) where the disk refuses, and for an entry of a newer version, which is never touched."""
        path = self._path(key)
        try:
            with path.open("rb") as file:
                raw = file.read(_LARGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(path, error) from error
        if (form := _form(raw[:_LARGEST])) > SCHEMA:
            why = f"{path} was written by a newer version of this program (form {form}, known is {SCHEMA})"
            what = "start that version once, or set the miner right by hand and remove the file"
            raise JournalError(f"{why}; {what}; until then nothing is raised on it")
        try:
            entry = msgspec.json.decode(raw[:_LARGEST], type=Entry)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            self._set_aside(path, str(error))
            return None
        if entry.schema != SCHEMA or entry.key != key:
            self._set_aside(path, "it is of another schema, or a copy of another device's file")
            return None
        return None if self._is_revoked(entry) else entry

    def open_entry(self, entry: Entry, *, instead: bool = False) -> Entry:
        """Put the way back on disk and return it: an entry that exists already is kept, so the original baseline
        survives a second job; only what the newest guard asks is taken over. ``instead``: it gives way in one write,
        so that there is no moment without any. Durable when it returns; raises JournalError when it cannot be."""
        with self._changing:
            there = None if instead else self.read(entry.key)
            if there is not None:
                if entry.calm not in (None, there.calm):
                    there = msgspec.structs.replace(there, calm=entry.calm)
                    self._write(there)
                return there
            signed = msgspec.structs.replace(entry, pid=os.getpid(), boot_id=_boot_id(os.environ), at_s=self._wall())
            self._write(signed)
            self._signed[signed.key] = signed.at_s
            self._revoked.pop(signed.key, None)
            return signed

    def again(self, entry: Entry) -> None:
        """Write what was there and is gone, as it was; that is told as a problem."""
        self._write(entry)
        why = f"the way back of {entry.device} was deleted or damaged while work ran on it, and is written again"
        self.problems = (*self.problems, f"{why}: {entry.baseline.tune_text}")

    def note_write(self, key: str, settings: Settings, now: Settings | None = None) -> Entry | None:
        """Note what the device will hold after the write that follows, beside what it holds ``now`` (None: that is
        not ours), because a crash may fall on either side of the write. Without an entry nothing is noted."""
        with self._changing:
            there = self.read(key)
            if there is None:
                return None
            noted = msgspec.structs.replace(there, ours=(settings,) if now is None else (now, settings))
            self._write(noted)
            return noted

    def rebase(self, key: str, baseline: Settings) -> None:
        """A person changed what the device is to go back to. Without an entry there is nothing to do."""
        with self._changing:
            there = self.read(key)
            if there is not None:
                self._write(msgspec.structs.replace(there, baseline=baseline))

    def rename(self, old: str, new: str) -> Entry | None:
        """A device that tells no MAC is known by its name alone, so its way back goes with that; returns it. None where
        there is none, or the new name has one of its own. There is no moment without any; raises JournalError."""
        with self._changing:
            there, key = self.read(_key_of_name(old)), _key_of_name(new)
            if there is None or there.mac is not None or self.read(key) is not None:
                return None
            self._write(moved := msgspec.structs.replace(there, key=key, device=new))
            self._signed[key] = moved.at_s
        self.close(there.key)
        return moved

    def ask(self, key: str, calm: Calm) -> None:
        """The guard that changed the device asks this from now on; an entry of somebody else alone is not touched."""
        with self._changing:
            there = self.read(key)
            if there is not None and there.calm not in (None, calm):
                self._write(msgspec.structs.replace(there, calm=calm))

    def close(self, key: str) -> None:
        """The baseline is proven, or no longer wanted: forget the entry, durably."""
        try:
            with self._changing:
                durable.remove(self._path(key))
        except OSError as error:
            raise JournalError(f"{self._path(key)} cannot be removed: {error.strerror}") from error

    def revoke(self, key: str) -> None:
        """A person's word ended this way back, and the disk does not let go of it: for this object it is gone, and its
        file is removed as soon as that can be (``checked``)."""
        with self._changing:
            self._revoked[key] = None
            with contextlib.suppress(JournalError):
                self.read(key)

    def _is_revoked(self, entry: Entry) -> bool:
        if entry.key in self._revoked and self._revoked[entry.key] is None:
            self._revoked[entry.key] = entry.at_s
        return self._revoked.get(entry.key) == entry.at_s

    def _remove_revoked(self) -> None:
        for key in tuple(self._revoked):
            with self._changing, contextlib.suppress(JournalError, OSError):
                if self.read(key) is None:
                    durable.remove(self._path(key))
                self._revoked.pop(key)

    def writable(self) -> bool:
        """True when an entry could be written right now: tried, not guessed."""
        probe = self._folder / f".probe-{secrets.token_hex(4)}"  # one each: many devices may ask at once
        try:
            self._put(probe, b"x" * 1024)
            probe.unlink()
        except OSError as error:
            self._refuse(error)
            return False
        self.refused = ""
        return True

    def checked(self) -> str:
        """Why no entry can be written now, and what to do; empty when one can, as far as it shows. The disk is written
        to only where it looks wrong, or refused the last write. What was revoked goes when it can."""
        if self.refused or not self._looks_open():
            self.writable()
        if not self.refused:
            self._remove_revoked()
        return self.refused

    def _refuse(self, error: OSError) -> None:
        why = f"the journal {self._folder} cannot be written: {error.strerror}"
        self.refused = f"{why}; it has to be a folder that this user may write to, on a disk with room"

    def _looks_open(self) -> bool:
        """One that is not there yet is made with the first entry."""
        folder = self._folder if os.path.lexists(self._folder) else self._folder.parent
        return os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)  # noqa: PTH112 - never raises

    def _read_or_tell(self, key: str, unread: list[str]) -> Entry | None:
        try:
            return self.read(key)
        except UnreadError as error:
            unread.append(str(error))
            return None
        except JournalError as error:
            if str(error) not in self.problems:
                self.problems = (*self.problems, str(error))
            return None

    def _path(self, key: str) -> Path:
        if not _NAME.fullmatch(key):
            raise JournalError(f"{key!r} is not a name of a journal entry")
        return self._folder / f"{key}.json"

    def _write(self, entry: Entry) -> None:
        path = self._path(entry.key)
        try:
            self._put(path, msgspec.json.encode(entry))
        except OSError as error:
            self._refuse(error)
            raise JournalError(f"the journal {path} cannot be written: {error.strerror}") from error

    def _put(self, path: Path, raw: bytes) -> None:
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            durable.sync(self._folder.parent)
        durable.replace(path, raw)

    def _set_aside(self, path: Path, why: str) -> None:
        stem = f"{path.name}.corrupt-{self._wall():.0f}"  # a clock may tell the same time twice
        free = (path.with_name(f"{stem}-{n}" if n else stem) for n in itertools.count())
        aside = next(name for name in free if not name.exists())
        with contextlib.suppress(OSError):
            path.rename(aside)
        text = (
            f"{path.name} could not be understood ({why}) and was set aside as {aside.name}; check that miner by hand"
        )
        self.problems = (*self.problems, text)


def _unreadable(path: Path, error: OSError) -> UnreadError:
    return UnreadError(f"the journal {path} cannot be read: {error.strerror}; mend the state folder")


def _form(raw: bytes) -> int:
    """The schema that an entry says it has; 0 where it says none."""
    with contextlib.suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return msgspec.json.decode(raw, type=_Form).schema
    return 0


def _boot_id(environment: Mapping[str, str]) -> str:
    """The kernel's id of this boot as 32 hex digits; given by systemd (``%b``) where /proc is hidden."""
    told = environment.get("MINERTUI_BOOT_ID", "")
    if not told:
        with contextlib.suppress(OSError):
            told = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    return told.strip().replace("-", "")[:64]
