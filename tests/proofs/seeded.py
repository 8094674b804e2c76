"""Faults put into the program on purpose, each of which the judge of the chaos proof has to find.

    python -m tests.proofs.chaos --seeded              all of them, each in lives of bad hours until it is found
    python -m tests.proofs.chaos --seeded "guard never lowers"

A fault takes away one thing that keeps a promise, and no more. Lives are those of the proof itself, from the first seed
on; what the whole program breaks in the same life does not count.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

from msgspec.structs import replace

import minertui.jobs.guard as guards
from minertui.engine import arbiter, last_resort, line, stepping, walk, way_back
from minertui.engine.journal import Entry, Journal
from minertui.engine.restoring import Restoring
from minertui.engine.way_back import WayBack
from minertui.jobs.sweep import transient, watch
from minertui.model.commands import OutcomeState
from minertui.model.errors import DeviceError
from minertui.model.status import MinerStatus
from minertui.safety import kernel, others, raising, samples
from minertui.safety.calm import Calm

Patch = AbstractContextManager[Any]
_swap = mock.patch.object


async def _unproven(self: WayBack, entry: Entry, target: object, short: str = "") -> Any:
    return await self._close(entry, "proven")


async def _nothing(*_: object) -> None:
    return None


async def _believed(its_line: stepping.Line, clock: object, step: Any, give_way: object) -> stepping.Taken:
    with contextlib.suppress(DeviceError):
        await its_line.write(step.command)
    return stepping.Taken(OutcomeState.APPLIED, await stepping.look(its_line))


def _answered(change: Callable[[line.Line, MinerStatus], MinerStatus]) -> Patch:
    right = line.Line._answered

    def answered(self: line.Line, status: MinerStatus, boot_s: float, wall_s: float) -> None:
        right(self, change(self, status), boot_s, wall_s)

    return _swap(line.Line, "_answered", answered)


def _takes_for_its_own(self: line.Line, status: MinerStatus) -> MinerStatus:
    return replace(status, mac=self.expected_mac) if self.expected_mac else status


def _learns(self: line.Line, status: MinerStatus) -> MinerStatus:
    if status.mac:
        self._identity = replace(self._identity, mac=status.mac)
    return status


def _overwritten() -> Patch:
    right = Journal.open_entry
    return _swap(Journal, "open_entry", lambda self, entry, *, instead=False: right(self, entry, instead=True))


def _forgotten_first() -> Patch:
    right = WayBack.bring

    async def bring(self: WayBack, entry: Entry, *args: Any, **options: Any) -> Any:
        self._journal.close(entry.key)
        return await right(self, entry, *args, **options)

    return _swap(WayBack, "bring", bring)


def _without(*gates: str) -> Patch:
    return _swap(raising, "GATES", tuple(gate for gate in raising.GATES if gate.__name__ not in gates))


def _backwards() -> Patch:
    right = kernel._ordered
    return _swap(kernel, "_ordered", lambda *args: tuple(reversed(right(*args))))


def _written_all_the_same() -> Patch:
    right = kernel.decide
    return _swap(kernel, "decide", lambda request: right(replace(request, readonly=False)))


def _no_fight() -> tuple[Patch, ...]:
    places = ((way_back, "stays"), (arbiter, "stays"), (way_back, "foreign"), (walk, "foreign"))
    more = ((walk, "changed_since"), (walk, "doubt"))
    return tuple(_swap(module, name, lambda *_: "") for module, name in (*places, *more))


FAULTS: dict[str, Callable[[], tuple[Patch, ...]]] = {
    "a way back is closed unproven": lambda: (_swap(WayBack, "_prove", _unproven),),
    "what others lowered is raised": _no_fight,
    "the baseline is overwritten by a test point": lambda: (_overwritten(),),
    "a way back is forgotten before it is walked": lambda: (_forgotten_first(),),
    "nothing is led back while the engine runs": lambda: (
        _swap(Restoring, "owe", _nothing), _swap(Restoring, "last", _nothing),
    ),
    "a stranger is taken for its own": lambda: (_answered(_takes_for_its_own),),
    "any MAC is learned": lambda: (_answered(_learns),),
    "a guard never lowers": lambda: (_swap(guards, "_down", lambda *_: None),),
    "a guard's calm is not waited for": lambda: (_swap(Calm, "reached", lambda *_: True),),
    "a guard raises at once": lambda: (_swap(guards, "_calm", lambda *_: True),),
    "a sweep ignores its limits": lambda: (
        _swap(watch, "touched", lambda *_: None), _swap(transient, "leaving", lambda *_: None),
    ),
    "the last resort does nothing": lambda: (_swap(last_resort.LastResort, "took", lambda *_: None),),
    "the heat of a step is not waited for": lambda: (_swap(walk.Walker, "_warming", _no_wait),),
    "raises are not counted": lambda: (_without("_budget"),),
    "raised while hot": lambda: (_without("_cool"),),
    "raised on old readings": lambda: (_swap(samples, "fresh", lambda *_: True),),
    "raised over the caps": lambda: (_without("_under_caps"),),
    "in one step": lambda: (_swap(kernel, "_ladder", lambda have, want, step: [want]),),
    "steps the wrong way round": lambda: (_backwards(),),
    "a lost answer is believed": lambda: (_swap(stepping, "take", _believed),),
    "restarts are not rationed": lambda: (_swap(others, "recent", lambda *_: 0),),
    "a fan may stand still": lambda: (_swap(others, "_fan_too_slow", lambda *_: None),),
    "read-only is written": lambda: (_written_all_the_same(),),
}  # fmt: skip


async def _no_wait(*_: object) -> str:
    return ""


@contextlib.contextmanager
def seeded(name: str) -> Iterator[None]:
    """The program with this fault. KeyError for one that is not in the table."""
    with contextlib.ExitStack() as stack:
        for patch in FAULTS[name]():
            stack.enter_context(patch)
        yield


Life = Callable[[int], list[str]]


def hunt(name: str, life: Life, seeds: range, sound: Callable[[int], bool]) -> tuple[int, str] | None:
    """The first seed whose life shows this fault, and what the judge says; None where none does. Only lives that are
    ``sound`` without it count."""
    for seed in seeds:
        with seeded(name):
            broken = life(seed)
        if broken and sound(seed):
            return seed, broken[0]
    return None


def hunt_all(names: list[str], life: Life, seeds: range) -> int:
    """Print what becomes of each; how many were not found."""
    sound = functools.cache(lambda seed: not life(seed))
    missed = 0
    for name in names:
        began_s = time.process_time()
        found = hunt(name, life, seeds, sound)
        missed += found is None
        said = "NOT FOUND" if found is None else f"seed {found[0]}: {found[1]}"
        print(f"  {name}: {said} ({time.process_time() - began_s:.0f} s of CPU)", flush=True)
    print(f"  {len(names) - missed} of {len(names)} faults were found")
    return missed
