"""Faults put into the program on purpose, each of which the judge of the chaos proof has to find.

    python -m tests.proofs.chaos --seeded                         all of them
    python -m tests.proofs.chaos --seeded "a guard never lowers"

A fault takes away one thing that keeps a promise, and no more. It is looked for in a scene, which is a short story of
one miner; the whole program breaks nothing in any of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from unittest import mock

from msgspec.structs import replace

import minertui.jobs.guard as guards
from minertui.engine import last_resort, line, stepping, walk
from minertui.engine.journal import Entry, Journal
from minertui.engine.restoring import Restoring
from minertui.engine.way_back import WayBack
from minertui.jobs.guard import state
from minertui.jobs.sweep import transient, watch
from minertui.model.commands import OutcomeState, Tune
from minertui.model.errors import DeviceError
from minertui.model.status import MinerStatus
from minertui.safety import kernel, others, raising, samples
from minertui.safety.calm import Calm
from tests.proofs import scenes
from tests.proofs.scenes import Scene

Patch = AbstractContextManager[Any]
_swap = mock.patch.object


async def _unproven(self: WayBack, entry: Entry, target: object, short: str = "") -> Any:
    return await self._close(entry, "proven")


async def _nothing(*_: object) -> None:
    return None


async def _no_wait(*_: object) -> str:
    return ""


async def _believed(its_line: line.Line, clock: object, step: Any, *_: object) -> stepping.Taken:
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


def _impatient() -> tuple[Patch, ...]:
    """A way back that waits neither before its way up nor at each step of it."""
    return _swap(Calm, "reached", lambda *_: True), _swap(WayBack, "_cool", lambda *_: None)


def _hasty() -> tuple[Patch, ...]:
    """A guard that climbs back at the next poll."""
    right = state.written

    def written(was: state.GuardState, tune: Tune, now_s: float) -> state.GuardState:
        return dataclasses.replace(right(was, tune, now_s), changed_s=-1e9)

    return _swap(guards, "written", written), _swap(guards, "_calm", lambda *_: True)


def _no_fight() -> tuple[Patch, ...]:
    """Nobody notices what others changed, in whatever module of the engine it is asked."""
    names = ("stays", "foreign", "changed_since", "doubt")
    engine = [module for name, module in sorted(sys.modules.items()) if name.startswith("minertui.engine.")]
    return tuple(_swap(module, name, lambda *_: "") for module in engine for name in names if hasattr(module, name))


class Fault(NamedTuple):
    """What is put into the program, and the scene in which it shows."""

    patches: Callable[[], tuple[Patch, ...]]
    scene: Scene


def _one(place: object, name: str, instead: object) -> Callable[[], tuple[Patch, ...]]:
    return lambda: (_swap(place, name, instead),)


FAULTS: dict[str, Fault] = {
    "a way back is closed unproven": Fault(_one(WayBack, "_prove", _unproven), scenes.swept),
    "what others lowered is raised": Fault(_no_fight, scenes.tripped),
    "the baseline is overwritten by a test point": Fault(lambda: (_overwritten(),), scenes.swept),
    "a way back is forgotten before it is walked": Fault(lambda: (_forgotten_first(),), scenes.swept),
    "no way back at the start": Fault(_one(Restoring, "once", _nothing), scenes.swept_and_lost),
    "nothing is led back while the engine runs": Fault(
        lambda: (_swap(Restoring, "owe", _nothing), _swap(Restoring, "last", _nothing)), scenes.ousted
    ),
    "a stranger is taken for its own": Fault(lambda: (_answered(_takes_for_its_own),), scenes.stranger),
    "any MAC is learned": Fault(lambda: (_answered(_learns),), scenes.stranger),
    "a guard never lowers": Fault(_one(guards, "_down", lambda *_: None), scenes.hot_and_guarded),
    "a guard's calm is not waited for": Fault(_impatient, scenes.hot_and_guarded),
    "a guard raises at once": Fault(_hasty, scenes.hot_and_guarded),
    "a sweep ignores its limits": Fault(
        lambda: (_swap(watch, "touched", lambda *_: None), _swap(transient, "leaving", lambda *_: None)),
        scenes.hot_and_swept,
    ),
    "the last resort does nothing": Fault(_one(last_resort.LastResort, "took", lambda *_: None), scenes.raised_and_hot),
    "the heat of a step is not waited for": Fault(_one(walk.Walker, "_warming", _no_wait), scenes.climbed),
    "a step has no time to show": Fault(_one(walk, "_no_room", lambda *_: None), scenes.climbed),
    "raises are not counted": Fault(lambda: (_without("_budget"),), scenes.again_and_again),
    "raised while hot": Fault(lambda: (_without("_cool"),), scenes.warm_and_raised),
    "raised on old readings": Fault(_one(samples, "fresh", lambda *_: True), scenes.not_answering),
    "raised over the caps": Fault(lambda: (_without("_under_caps"),), scenes.too_much),
    "in one step": Fault(_one(kernel, "_ladder", lambda have, want, step: [want]), scenes.up_and_down),
    "steps the wrong way round": Fault(lambda: (_backwards(),), scenes.up_and_down),
    "a lost answer is believed": Fault(_one(stepping, "take", _believed), scenes.up_and_down),
    "restarts are not rationed": Fault(_one(others, "recent", lambda *_: 0), scenes.restarted),
    "a fan may stand still": Fault(_one(others, "_fan_too_slow", lambda *_: None), scenes.fan_off),
    "read-only is written": Fault(_one(line.Line, "readonly", False), scenes.forbidden),
    "a config that changes is not taken over": Fault(_one(line.Line, "change", lambda *_: None), scenes.limited),
}


@contextlib.contextmanager
def seeded(name: str) -> Iterator[None]:
    """The program with this fault. KeyError for one that is not in the table."""
    with contextlib.ExitStack() as stack:
        for patch in FAULTS[name].patches():
            stack.enter_context(patch)
        yield


Life = Callable[[Scene], list[str]]


def hunt(name: str, life: Life) -> str:
    """What the judge says of this fault in its scene, and not without it; empty when it says nothing."""
    fault = FAULTS[name]
    with seeded(name):
        broken = life(fault.scene)
    sound = not life(fault.scene) if broken else True
    return broken[0] if broken and sound else ""


def hunt_all(names: Sequence[str], life: Life) -> int:
    """Print what becomes of each; how many were not found."""
    missed = 0
    for name in names:
        began_s = time.process_time()
        found = hunt(name, life)
        missed += not found
        print(f"  {name}: {found or 'NOT FOUND'} ({time.process_time() - began_s:.1f} s of CPU)", flush=True)
    print(f"  {len(names) - missed} of {len(names)} faults were found")
    return missed
