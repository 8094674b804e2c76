"""Many simulated miners, sweeps, guards and people, and everything that goes wrong, in virtual time.

    python -m tests.proofs.chaos                               160 miners, 1,000 hours (some hours of CPU)
    python -m tests.proofs.chaos --miners 24 --hours 2 --seed 5
    python -m tests.proofs.chaos --seeded                      faults put into the program are found; half a minute

Many hours are lives of 25, each with a seed of its own and an end at which all has to be well, on all processors.
Ctrl+C, SIGTERM and the end of ``--minutes`` bring the lives under way to that end, and what was found is told.

Boards, their HTTP servers, the real engine with its databases and journal, and the people live in one loop whose time
is wound on, so a seed gives the same history. The promises are judged at the boards (``judge``). Faults of miners come
from the simulators' fault console, those of the controller from ``mishaps``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import gc
import logging
import math
import multiprocessing
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec

from minertui import durable
from minertui.engine import supervisor
from minertui.engine.journal import Journal, UnreadError
from minertui.engine.store import Store
from minertui.sim import axeos as sim
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_faults import HARDWARE
from minertui.sim.axeos_models import Phase
from minertui.sim.axeos_patch import Reply
from minertui.sim.axeos_routes import Request
from tests.proofs.mishaps import hit
from tests.proofs.scenes import Scene
from tests.proofs.seeded import FAULTS, hunt_all
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
        return world.witnesses[self.board].obey(request, lambda r: plain(self, r), world.now_s())

    def longer(self: Board, left_s: float) -> float:
        fine = step(self, left_s)
        calm = fine >= 1.0 and self.phase is Phase.RUNNING and self.faults.isdisjoint(HARDWARE)
        return max(fine, _CALM_STEP_S) if calm else fine

    close = Journal.close

    def closed(self: Journal, key: str) -> None:
        entry = self.read(key) if self._path(key).exists() else None
        close(self, key)
        if entry is not None and "world" in world_of:
            world_of["world"].closed(key, entry.device)

    with (
        mock.patch.object(sim._Served, "_obey", obey),
        mock.patch.object(Board, "_step_s", longer),
        mock.patch.object(Journal, "close", closed),
    ):
        yield


@contextlib.contextmanager
def _bad_disk(world_of: dict[str, World]) -> Iterator[None]:
    """The journal and the databases get what the world's disk says."""

    def refusing(real: Callable[..., Any], *but: int, told: Callable[[str], Exception] | None = None) -> Any:
        """``real``, unless the disk refuses; ``told``: as what its callers know it."""

        def asked(*args: Any) -> Any:
            try:
                world_of["world"].ask_disk(*but)
            except OSError as error:
                raise error if told is None else told(str(error)) from error
            return real(*args)

        return asked

    closed = (errno.ENOSPC, errno.EROFS, errno.EIO)  # what is there can be read
    swap = mock.patch.object
    with (
        swap(Journal, "_put", refusing(Journal._put)),
        swap(Journal, "read", refusing(Journal.read, *closed, told=UnreadError)),
        swap(Journal, "entries", refusing(Journal.entries, *closed, told=UnreadError)),
        swap(durable, "remove", refusing(durable.remove, errno.ENOSPC)),
        swap(Store, "_transaction", refusing(Store._transaction, told=sqlite3.OperationalError)),
    ):
        yield


class Found(msgspec.Struct):
    """What a life found."""

    hours: float
    miners: int
    polls: int
    faults: dict[str, int]
    seen: dict[str, int]
    broken: list[str]


def prove(
    seed: int,
    miners: int,
    hours: float,
    *,
    pace: Pace | None = None,
    enough: Callable[[], bool] = lambda: False,
    scene: Scene | None = None,
) -> Found:
    """Let ``miners`` live through ``hours`` of bad days (or fewer, when somebody has had ``enough``), then heal
    everything and look. ``pace`` None: dense. A ``scene`` of the first miner takes the place of chance."""
    worlds: dict[str, World] = {}

    async def whole(loop: WoundLoop) -> Found:
        worlds["world"] = world = World(loop, Path(folder), seed, miners, pace or dense(miners))
        return await _live(world, hours, enough, scene)

    quiet = mock.patch.object(logging.getLogger(supervisor.__name__), "disabled", True)  # parts that die on purpose
    thrown_away = tempfile.TemporaryDirectory(prefix="minertui-chaos-", dir=_memory())
    with quiet, _judged(worlds), _bad_disk(worlds), thrown_away as folder:
        return run(whole)


def played(scene: Scene) -> list[str]:
    """What is broken when one miner goes through this scene."""
    return prove(1, 1, 0.0, scene=scene).broken


def _memory() -> Path | None:
    """Where files are not written to a disk, if there is such a place and it has room: nobody cuts the power here, and
    a disk's waits are as long as the rest. What reaches a disk and what not is for the crash proof."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2**30
    return shared if roomy else None


async def _chance(world: World, hours: float, enough: Callable[[], bool]) -> None:
    loop = world.loop
    others = [asyncio.create_task(world.people(), name="world people")]
    others += [asyncio.create_task(world.misfortune(), name="world misfortune")]
    until_s = loop.time() + 3600 * hours
    while loop.time() < until_s and not enough():
        await asyncio.sleep(min(until_s - loop.time() + 0.1, world.dice.expovariate(world.pace.hits / 3600)))
        await hit(world)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _live(world: World, hours: float, enough: Callable[[], bool], scene: Scene | None) -> Found:
    loop = world.loop
    await world.open()
    await (scene(world, world.miners[0]) if scene else _chance(world, hours, enough))
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


# many lives on all processors

_LIFE_H = 25.0
"""Short lives need little memory, and each ends with the proof that everything is led back and nothing is lost."""


class Sum:
    """What all lives found together."""

    def __init__(self) -> None:
        self.hours = self.cpu_s = 0.0
        self.lives = self.polls = 0
        self.faults, self.seen = Counter[str](), Counter[str]()
        self.broken: list[str] = []

    def add(self, seed: int, life: Future[tuple[Found, float] | None]) -> None:
        """One has ended. One that died of an error of its own is as bad as a broken promise."""
        if error := life.exception():
            self._tell(f"seed {seed} died: {error.__cause__ or repr(error)}")
        elif result := life.result():
            found, cpu_s = result
            self.lives, self.hours, self.cpu_s = self.lives + 1, self.hours + found.hours, self.cpu_s + cpu_s
            self.polls += found.polls
            self.faults.update(found.faults)
            self.seen.update(found.seen)
            faults, broken = sum(found.faults.values()), len(found.broken)
            said = f"{found.hours:.2f} h, {found.polls} polls, {faults} faults, {broken} promises broken"
            print(f"  seed {seed}: {said}, {cpu_s:.0f} s of CPU; together {self.hours:.0f} h", flush=True)
            for text in found.broken:
                self._tell(f"seed {seed}: {text}")

    def table(self) -> str:
        """All figures."""
        kinds = f"{sum(self.faults.values())} faults of {len(self.faults)} kinds"
        return "\n".join((
            f"  {self.hours:.2f} h, {self.lives} seeds, {self.polls} polls, {kinds}, {self.cpu_s:.0f} s of CPU",
            "  faults: " + ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items())),
            "  reached: " + ", ".join(f"{name} {count}" for name, count in sorted(self.seen.items())),
            f"  promises broken: {len(self.broken)}",
        ))  # fmt: skip

    def _tell(self, text: str) -> None:
        self.broken.append(text)
        print(f"  !! {text}", flush=True)


class _Process:
    """What a process of ours was told when it began."""

    enough: Event


def _begin(enough: Event) -> None:
    """Only whoever began all processes hears a Ctrl+C. Garbage is looked for more rarely than is usual."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    _Process.enough = enough


def _life(seed: int, miners: int, hours: float, pace: Pace) -> tuple[Found, float] | None:
    """A life and its seconds of CPU; None when there was enough before it began."""
    if _Process.enough.is_set():
        return None
    began_s = time.process_time()
    return prove(seed, miners, hours, pace=pace, enough=_Process.enough.is_set), time.process_time() - began_s


def run_lives(
    seed: int,
    miners: int,
    hours: float,
    pace: Pace,
    *,
    jobs: int,
    minutes: float | None = None,
    life_h: float = _LIFE_H,
) -> Sum:
    """``hours`` in lives of ``life_h`` at most, ``jobs`` at a time, with the seeds from ``seed`` on; after so many real
    ``minutes``, or with Ctrl+C, each comes to its end early."""
    count = math.ceil(hours / life_h)
    context = multiprocessing.get_context("spawn")
    enough, found = context.Event(), Sum()
    with ProcessPoolExecutor(min(jobs, count), context, _begin, (enough,)) as pool:
        lives = {pool.submit(_life, seed + n, miners, hours / count, pace): seed + n for n in range(count)}
        try:
            for life in as_completed(lives, None if minutes is None else 60 * minutes):
                found.add(lives.pop(life), life)
        except (KeyboardInterrupt, TimeoutError):
            print("  enough: what is under way comes to its end", flush=True)
            enough.set()
            for life in as_completed(lives):
                found.add(lives[life], life)
    return found


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
    parser.add_argument("--minutes", type=float, help="end after so many real minutes, however far it got")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes; one for each processor")
    parser.add_argument("--seed", type=int, default=1, help="of the first life")
    parser.add_argument("--dense", action="store_true", help="bad hours: a fault of each miner every eight minutes")
    parser.add_argument("--faults-per-hour", type=float, help="of all miners together")
    parser.add_argument("--mishaps-per-hour", type=float, help="of the engine and its host")
    parser.add_argument("--poll", type=float, help="seconds between two polls of a miner")
    parser.add_argument("--seeded", nargs="*", metavar="FAULT", help="only show that the judge finds seeded faults")
    args = parser.parse_args()
    if args.seeded is not None:
        print("chaos proof: faults put into the program, each in its scene", flush=True)
        return int(bool(hunt_all(args.seeded or list(FAULTS), played)))
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
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    found = run_lives(args.seed, args.miners, args.hours, pace, jobs=args.jobs, minutes=args.minutes)
    print(found.table())
    return int(bool(found.broken))


if __name__ == "__main__":
    sys.exit(main())
