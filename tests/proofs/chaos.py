"""Many simulated miners, sweeps, guards and people, and everything that goes wrong, in virtual time.

    python -m tests.proofs.chaos                               160 miners, 1,000 hours (some hours of CPU)
    python -m tests.proofs.chaos --miners 24 --hours 2 --seed 5

Boards, their HTTP servers, the real engine with its databases and journal, and the people live in one loop whose time
is wound on, so a seed gives the same history. The promises are judged at the boards (``judge``). Faults of miners come
from the simulators' fault console, those of the controller from ``mishaps``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import logging
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec

from minertui import durable
from minertui.engine import supervisor
from minertui.engine.journal import Entry, Journal, JournalError
from minertui.engine.store import Store
from minertui.sim import axeos as sim
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_faults import HARDWARE
from minertui.sim.axeos_models import Phase
from minertui.sim.axeos_patch import Reply
from minertui.sim.axeos_routes import Request
from tests.proofs.mishaps import hit
from tests.proofs.world import Pace, World, dense, spread
from tests.proofs.wound import WoundLoop, run

_CALM_STEP_S = 40.0
"""Of the physics while nothing moves and nothing is broken: through a raise of 75 MHz and 60 mV, and down again, no
temperature of any family differs by more than 0.8 °C from what steps of one second give; the judge allows 2.5 °C."""


@contextlib.contextmanager
def _judged(world_of: dict[str, World]) -> Iterator[None]:
    """Judges between the boards and their clients, and larger steps of physics."""
    plain, step = sim._Served._obey, Board._step_s

    def obey(self: Any, request: Request) -> Reply:
        world = world_of["world"]
        return world.witnesses[self.board].obey(request, lambda r: plain(self, r), world.loop.time())

    def longer(self: Board, left_s: float) -> float:
        fine = step(self, left_s)
        calm = fine >= 1.0 and self.phase is Phase.RUNNING and self.faults.isdisjoint(HARDWARE)
        return max(fine, _CALM_STEP_S) if calm else fine

    with mock.patch.object(sim._Served, "_obey", obey), mock.patch.object(Board, "_step_s", longer):
        yield


@contextlib.contextmanager
def _bad_disk(world_of: dict[str, World]) -> Iterator[None]:
    """The journal and the databases get what the world's disk says."""
    put, read, remove, commit = Journal._put, Journal.read, durable.remove, Store._transaction

    def refuse(*but: int) -> None:
        world_of["world"].ask_disk(*but)

    def put_on(self: Journal, path: Path, raw: bytes) -> None:
        refuse()
        put(self, path, raw)

    def remove_from(path: Path) -> None:
        refuse(errno.ENOSPC)
        remove(path)

    def read_of(self: Journal, key: str) -> Entry | None:
        try:
            refuse(errno.ENOSPC, errno.EROFS, errno.EIO)
        except OSError as error:
            raise JournalError(f"the journal cannot be read: {error.strerror}") from error
        return read(self, key)

    def commit_to(self: Store, batch: Any) -> Any:
        try:
            refuse()
        except OSError as error:
            raise sqlite3.OperationalError(str(error)) from error
        return commit(self, batch)

    with (
        mock.patch.object(Journal, "_put", put_on),
        mock.patch.object(Journal, "read", read_of),
        mock.patch.object(durable, "remove", remove_from),
        mock.patch.object(Store, "_transaction", commit_to),
    ):
        yield


def _progress(world: World, began: float, shown: tuple[float, int]) -> tuple[float, int]:
    """A line every half minute, and each broken promise when it is seen."""
    broken, now = world.broken(), time.perf_counter()
    for text in broken[shown[1] :]:
        print(f"  !! {text}", flush=True)
    if now - shown[0] > 30:
        hours, faults = world.loop.time() / 3600, sum(world.faults.values())
        print(f"  {hours:.1f} h in {now - began:.0f} s, {faults} faults, {len(broken)} promises broken", flush=True)
        shown = now, shown[1]
    return shown[0], len(broken)


class Found(msgspec.Struct):
    """What a run found."""

    hours: float
    miners: int
    polls: int
    faults: dict[str, int]
    seen: dict[str, int]
    broken: list[str]


def prove(
    seed: int, miners: int, hours: float, *, pace: Pace | None = None, minutes: float = 1e9, said: bool = False
) -> Found:
    """Let ``miners`` live through ``hours`` of bad days (or as many as fit into so many real minutes), then heal
    everything and look. ``pace`` None: dense."""
    worlds: dict[str, World] = {}

    async def whole(loop: WoundLoop) -> Found:
        worlds["world"] = world = World(loop, Path(folder), seed, miners, pace or dense(miners))
        return await _live(world, hours, minutes, said=said)

    quiet = mock.patch.object(logging.getLogger(supervisor.__name__), "disabled", True)  # parts that die on purpose
    with quiet, _judged(worlds), _bad_disk(worlds), tempfile.TemporaryDirectory(prefix="minertui-chaos-") as folder:
        return run(whole)


async def _live(world: World, hours: float, minutes: float, *, said: bool) -> Found:
    loop = world.loop
    await world.open()
    others = [asyncio.create_task(world.people(), name="world people")]
    others += [asyncio.create_task(world.misfortune(), name="world misfortune")]
    began, until_s, shown = time.perf_counter(), loop.time() + 3600 * hours, (0.0, 0)
    while loop.time() < until_s and time.perf_counter() - began < 60 * minutes:
        await asyncio.sleep(min(until_s - loop.time() + 0.1, world.dice.expovariate(world.pace.hits / 3600)))
        await hit(world)
        if said:
            shown = _progress(world, began, shown)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    hours = loop.time() / 3600
    for board, witness in world.witnesses.items():
        world.seen["overheated"] += board.judge.overheats
        world.seen["rebooted"] += board.judge.reboots
        world.seen["polls"] += witness.polls
    wrong = await world.heal()
    for job in world.engine.hub.fleet.jobs.values():
        world.seen[f"job {job.phase.value}"] += 1
    broken = world.broken() + wrong
    await world.server.close()
    polls = world.seen.pop("polls")
    return Found(hours, len(world.boards), polls, dict(world.faults), dict(world.seen), broken)


def _said(pace: Pace) -> str:
    return (
        f"a poll every {pace.poll_s:g} s, in an hour {pace.faults:g} faults of miners, {pace.hits:g} of the controller "
        f"and {pace.acts:g} acts of people"
    )


def main() -> int:
    """Print the figures; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--miners", type=int, default=160)
    parser.add_argument("--hours", type=float, default=1000.0)
    parser.add_argument("--minutes", type=float, default=1e9, help="end after so many real minutes, however far it got")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dense", action="store_true", help="bad hours: a fault of each miner every eight minutes")
    parser.add_argument("--faults-per-hour", type=float, help="of all miners together")
    parser.add_argument("--mishaps-per-hour", type=float, help="of the engine and its host")
    parser.add_argument("--poll", type=float, help="seconds between two polls of a miner")
    args = parser.parse_args()
    pace = dense(args.miners) if args.dense else spread(args.miners)
    pace = msgspec.structs.replace(
        pace,
        faults=args.faults_per_hour or pace.faults,
        hits=args.mishaps_per_hour or pace.hits,
        poll_s=args.poll or pace.poll_s,
    )
    print(
        f"chaos proof: {args.miners} miners, {args.hours:g} h of virtual time, seed {args.seed}; {_said(pace)}",
        flush=True,
    )
    began = time.process_time()
    found = prove(args.seed, args.miners, args.hours, pace=pace, minutes=args.minutes, said=True)
    took_s = time.process_time() - began
    kinds = f"{sum(found.faults.values())} faults of {len(found.faults)} kinds"
    print(f"  {found.hours:.2f} h, {found.polls} polls, {kinds}, {took_s:.0f} s of CPU")
    print("  faults: " + ", ".join(f"{name} {count}" for name, count in sorted(found.faults.items())))
    print("  reached: " + ", ".join(f"{name} {count}" for name, count in sorted(found.seen.items())))
    print(f"  promises broken: {len(found.broken)}")
    for text in found.broken[:30]:
        print(f"  !! {text}")
    return int(bool(found.broken))


if __name__ == "__main__":
    sys.exit(main())
