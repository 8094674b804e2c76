"""What happens to the engine and its host in the chaos proof, by name, with its weight: ``MISHAPS``."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import io
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from minertui.cli.restore import restore
from minertui.config import Config, load
from minertui.engine.engine import Engine
from minertui.engine.journal import FOLDER, Journal
from minertui.model.errors import LinkError

if TYPE_CHECKING:
    from tests.proofs.world import World

Mishap = Callable[["World"], Awaitable[None]]


async def killed(world: World) -> None:
    """Gone at once, and started again."""
    await world.kill()
    await world.open_engine()


async def restored(world: World) -> None:
    """Gone at once, and ``minertui restore`` runs before the next start; some only look first."""
    await world.kill()
    world.excuse()
    for dry_run in (True, False) if world.dice.random() < 0.3 else (False,):
        await _restore(world, dry_run=dry_run, now=world.dice.random() < 0.3)
    await world.open_engine()


async def _restore(world: World, *, dry_run: bool, now: bool) -> None:
    journal = Journal(world.folder / FOLDER, world.clock.wall)
    for miner in world.miners:
        miner.witness.dry, miner.witness.at_once, miner.witness.led = dry_run, now, True
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        await restore(journal, load(world.config_path), world.clock, dry_run=dry_run, now=now)
    world.seen["restored by hand"] += said.getvalue().count("proven")
    for miner in world.miners:
        miner.witness.dry = miner.witness.at_once = miner.witness.led = False


async def ended(world: World) -> None:
    """In good order, as at SIGTERM."""
    await world.engine.close()
    await world.open_engine()


async def stood_still(world: World) -> None:
    """The process was stopped, or its loop hung."""
    world.loop.stand_still(world.dice.choice([3.0, 60.0, 900.0]))
    _unseen(world)


async def suspended(world: World) -> None:
    """The host slept: only the boot-time clock went on, and the miners."""
    world.clock.slept_s += world.dice.choice([30.0, 3600.0])
    _unseen(world)


def _unseen(world: World) -> None:
    for witness in world.witnesses.values():
        witness.heat.unseen()


async def wall_clock(world: World) -> None:
    """Somebody set it, or it is 1970 until NTP answers."""
    world.clock.skew_s = world.dice.choice([-3600.0, 0.0, 3600.0, -1.7e9])


async def disk_full(world: World) -> None:
    """Nothing can be written; what is there can be read and removed."""
    await _refused(world, errno.ENOSPC)


async def broken_disk(world: World) -> None:
    """Read-only, or broken: nothing can be written or removed."""
    await _refused(world, world.dice.choice([errno.EROFS, errno.EIO]))


async def no_files_left(world: World) -> None:
    """No file can be opened, and no connection."""
    world.loop.crowded = True
    await _refused(world, errno.EMFILE)
    world.loop.crowded = False


async def _refused(world: World, number: int) -> None:
    """For a while the disk says so to everything; sometimes an engine has to start in it."""
    world.disk = OSError(number, os.strerror(number))
    for miner in world.miners:
        miner.witness.owner.mute = True
    for _ in range(2):
        await asyncio.sleep(world.dice.choice([30, 300]))
        if world.dice.random() < 0.2:
            await world.kill()
            _forgotten(world)
            await world.open_engine()
    world.disk = None
    await asyncio.sleep(10)  # what cannot be read is tried again every few seconds
    for miner in world.miners:
        miner.unkept = miner.witness.forgot = miner.witness.owner.mute = miner.witness.owner.unnoted = False


def _forgotten(world: World) -> None:
    """Another engine knows nothing of what no disk has kept, or tells: a guard, who is meant, what was lowered."""
    for miner in world.miners:
        miner.witness.forgot = True
        miner.witness.owner.bereft()
        if miner.unkept:
            miner.by_hand = miner.unkept = False
            miner.renewed()


async def part_dies(world: World) -> None:
    """A bug in one of the engine's parts, wherever it sleeps: it is started again, and the others notice nothing."""
    sleeping = [task for task in world.engine._supervisor._tasks.values() if _asleep(task)]
    if sleeping:
        waiter: asyncio.Future[None] = world.dice.choice(sleeping)._fut_waiter  # type: ignore[attr-defined]
        waiter.set_exception(RuntimeError("a bug"))


def _asleep(task: asyncio.Task[None]) -> bool:
    inner: Any = task.get_coro()
    while getattr(inner, "cr_await", None) is not None and hasattr(inner.cr_await, "cr_await"):
        inner = inner.cr_await
    waiter = getattr(task, "_fut_waiter", None)
    return inner.__qualname__ == "sleep" and waiter is not None and not waiter.done()


async def torn_file(world: World) -> None:
    """A disk that lied: at the next start the telemetry ends in the middle, and so does a file in the journal."""
    await world.kill()
    history = world.folder / "history.db"
    if world.dice.random() < 0.5 and history.exists():
        os.truncate(history, world.dice.randrange(history.stat().st_size + 1))
    else:
        (world.folder / FOLDER).mkdir(exist_ok=True)
        (world.folder / FOLDER / "0200aabbccdd.json").write_bytes(b'{"key": "0200aabb')
    await world.open_engine()


async def second_engine(world: World) -> None:
    """Another one on the same folder."""
    second = Engine(Config(), state=world.folder, clock=world.clock)
    try:
        await second.open()
        world.notes.append("a second engine was let in")
    except LinkError:
        world.seen["second engine refused"] += 1
    await second.close()


async def stray_file(world: World) -> None:
    """What a power cut leaves of a file that was being written."""
    folder = world.folder / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / ".aabbccddeeff.json.1.tmp").write_bytes(b'{"key": "aabb')


async def slow_watcher(world: World) -> None:
    """A screen that reads once and never again."""
    watcher = world.engine.watch()
    await anext(watcher)
    world.watchers = [*world.watchers[-3:], watcher]


MISHAPS: dict[Mishap, int] = {
    killed: 3, restored: 2, ended: 2, stood_still: 4, suspended: 3, wall_clock: 3, disk_full: 2, broken_disk: 2,
    no_files_left: 2, part_dies: 4, torn_file: 2, second_engine: 2, stray_file: 1, slow_watcher: 2,
}  # fmt: skip
NAMES = tuple(mishap.__name__.replace("_", " ") for mishap in MISHAPS)


async def hit(world: World) -> None:
    """One of them; counted, and an excuse for late polls."""
    mishap = world.dice.choices(list(MISHAPS), list(MISHAPS.values()))[0]
    world.faults[mishap.__name__.replace("_", " ")] += 1
    await mishap(world)
    world.excuse()
