"""Bugs put into the program on purpose: a checker that does not find them proves nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

from minertui.engine import stepping
from minertui.engine.journal import Entry, Journal
from minertui.engine.way_back import WayBack
from minertui.safety import kernel
from tests.proofs.flash import Flash


@contextlib.contextmanager
def _journal_late(_: Flash) -> Iterator[None]:
    """The baseline goes to disk only after the first change."""
    waiting: list[tuple[Journal, Entry]] = []
    opened, took = Journal.open_entry, stepping.take

    def remember(self: Journal, entry: Entry, *, instead: bool = False) -> Entry:
        if instead or self.read(entry.key) is None:
            waiting.append((self, entry))
        return entry

    async def take(*args: Any) -> Any:
        taken = await took(*args)
        while waiting:
            journal, entry = waiting.pop()
            opened(journal, entry, instead=True)
        return taken

    with mock.patch.object(Journal, "open_entry", remember), mock.patch.object(stepping, "take", take):
        yield


@contextlib.contextmanager
def _told_early(_: Flash) -> Iterator[None]:
    """The acknowledgement comes before the commit (the witness of the proof does it)."""
    yield


@contextlib.contextmanager
def _wrong_order(_: Flash) -> Iterator[None]:
    """Steps are taken the wrong way round."""
    right = kernel._ordered
    with mock.patch.object(kernel, "_ordered", lambda *args: tuple(reversed(right(*args)))):
        yield


@contextlib.contextmanager
def _journal_gone(_: Flash) -> Iterator[None]:
    """The entry is deleted before the way back is walked."""
    right = WayBack.bring

    async def bring(self: WayBack, entry: Entry, *args: Any) -> Any:
        self._journal.close(entry.key)
        return await right(self, entry, *args)

    with mock.patch.object(WayBack, "bring", bring):
        yield


@contextlib.contextmanager
def _unsynced(_: Flash) -> Iterator[None]:
    """The journal's folder and files are never synced: only a power cut shows it."""

    def put(self: Journal, path: Any, raw: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(raw)

    with mock.patch.object(Journal, "_put", put):
        yield


Bug = Callable[[Flash], AbstractContextManager[None]]
BUGS: dict[str, Bug] = {
    "journal after the first change": _journal_late,
    "told before it is kept": _told_early,
    "wrong order": _wrong_order,
    "journal deleted before the way back": _journal_gone,
    "journal not synced": _unsynced,
}
