"""How late a loop is, and what held it up.

A task asks to be woken every tenth of a second and counts by how much it was late, in steps of a millisecond. The
kernel tells how long the loop's thread was ready meanwhile and had no processor (``schedstat``): that part of a
lateness is the machine's. A second thread looks what the first one does whenever it is late by 50 ms or more. All of
it is of a bounded size, so that it does not grow in a process whose growth is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import os
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from types import FrameType
from typing import TypeVar

import msgspec

K = TypeVar("K")
LATE_S = 0.05
_EVERY_S = 0.1
_STEPS = 5000  # milliseconds; what is later counts as that
_PLACES = 200
_IDLE = ("threading.py", "thread.py", "selectors.py", "queue.py")


class Looks(msgspec.Struct, frozen=True):
    """How many looks were late by so many ms (at least; the last step: and more), the worst place first."""

    late: dict[int, int] = {}
    own: dict[int, int] = {}
    places: dict[str, int] = {}
    collected_ms: float = 0.0

    def plus(self, other: Looks) -> Looks:
        """Both together."""
        return Looks(
            _sum(self.late, other.late),
            _sum(self.own, other.own),
            _sum(self.places, other.places),
            max(self.collected_ms, other.collected_ms),
        )

    def ms(self, share: float, *, own: bool = False) -> float:
        """So late at most were this share of the looks; ``own``: without the wait for a processor."""
        counts = sorted((self.own if own else self.late).items())
        left = share * sum(n for _, n in counts)
        for ms, n in counts:
            left -= n
            if left <= 0:
                return ms + 1
        return math.nan


class Lateness:
    """Watches the loop that runs ``watch``; ``take`` gives what was seen since the last time."""

    def __init__(self) -> None:
        self._late, self._own = array("L", bytes(8 * _STEPS)), array("L", bytes(8 * _STEPS))
        self._places: dict[str, int] = {}
        self._due_s, self._loop, self._over = float("inf"), threading.get_ident(), threading.Event()
        self._collecting_s = self._collected_s = 0.0
        self._kernel = _schedstat()
        self._excused = False

    async def watch(self) -> None:
        """Until cancelled."""
        gc.callbacks.append(self._collected)
        beside = threading.Thread(target=self._look, name="lateness", daemon=True)
        beside.start()
        try:
            while True:
                waited_s, self._due_s = self._waited_s(), time.monotonic() + _EVERY_S
                await asyncio.sleep(_EVERY_S)
                late_s = time.monotonic() - self._due_s
                self._due_s, excused, self._excused = float("inf"), self._excused, False
                if excused:
                    continue
                own_s = max(0.0, late_s - (self._waited_s() - waited_s))
                self._late[min(_STEPS - 1, max(0, int(1000 * late_s)))] += 1
                self._own[min(_STEPS - 1, int(1000 * own_s))] += 1
        finally:
            self._over.set()
            beside.join()
            gc.callbacks.remove(self._collected)

    @contextlib.contextmanager
    def excused(self) -> Iterator[None]:
        """What the watchers do themselves: the look that it delays does not count, nor what is collected."""
        self._excused, self._due_s = True, float("inf")
        yield

    def take(self) -> Looks:
        """What was seen since the last time."""
        seen = Looks(_counts(self._late), _counts(self._own), self._places, 1000 * self._collected_s)
        self._late, self._own = array("L", bytes(8 * _STEPS)), array("L", bytes(8 * _STEPS))
        self._places, self._collected_s = {}, 0.0
        return seen

    def _waited_s(self) -> float:
        return 0.0 if self._kernel is None else int(os.pread(self._kernel, 80, 0).split()[1]) / 1e9

    def _collected(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._collecting_s = time.monotonic()
        elif not self._excused:
            self._collected_s = max(self._collected_s, time.monotonic() - self._collecting_s)

    def _look(self) -> None:
        told_s = 0.0
        while not self._over.wait(0.01):
            due_s = self._due_s
            if due_s != told_s and time.monotonic() - due_s > LATE_S:
                told_s = due_s
                at = sorted({said for frame in self._frames() if (said := place(frame))})
                where = " | ".join(at) or "no thread was at work"
                if where in self._places or len(self._places) < _PLACES:
                    self._places[where] = self._places.get(where, 0) + 1

    def _frames(self) -> list[FrameType]:
        own = threading.get_ident()
        return [frame for thread, frame in sys._current_frames().items() if thread != own]


def _schedstat() -> int | None:
    """Of this thread; None where the kernel does not count, and then all lateness is taken for the loop's own."""
    try:
        return os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)
    except OSError:
        return None


def place(frame: FrameType | None) -> str:
    """The innermost calls of a thread, the last one first; empty when it waits."""
    if frame is None or _file(frame) in _IDLE:
        return ""
    said: list[str] = []
    while frame is not None and len(said) < 3:
        said.append(f"{_file(frame)}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(said)


def _file(frame: FrameType) -> str:
    return frame.f_code.co_filename.rpartition("/")[2]


def _counts(steps: array[int]) -> dict[int, int]:
    return {ms: n for ms, n in enumerate(steps) if n}


def _sum(a: dict[K, int], b: dict[K, int]) -> dict[K, int]:
    return {key: a.get(key, 0) + b.get(key, 0) for key in {**a, **b}}
