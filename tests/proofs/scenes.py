"""Short stories of one simulated miner in which a fault of the program would show: what happens, and when, in order.

Engine, boards, judge and end are those of the chaos proof; only chance is left out. The miner is a Gamma at 525 MHz and
1150 mV, whose owner allows 585 MHz and 1210 mV.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from minertui.model.commands import Rank, Restart, SetFan, Tune
from minertui.model.errors import MinertuiError
from minertui.model.plans import Limits, Strategy, SweepPlan
from tests.proofs import mishaps
from tests.proofs.people import Miner, guard, order, put_back, remove, sweep

if TYPE_CHECKING:
    from tests.proofs.world import World

Scene = Callable[["World", Miner], Awaitable[None]]


def _plan(miner: Miner, **changes: object) -> SweepPlan:
    plan = SweepPlan(
        miner.name, strategy=Strategy.GRID, start_mhz=550, start_mv=1150, step_mhz=25, step_mv=20, min_mhz=475,
        max_mhz=585, min_mv=1130, max_mv=1210, max_chip_temp_c=68, max_vr_temp_c=90, max_power_w=200, settle_s=30,
        measure_s=120, sample_s=30, soak_s=120, apply_best=False,
    )  # fmt: skip
    return replace(plan, **changes)


async def _tries(world: World, miner: Miner, *commands: object, gap_s: float = 30.0) -> None:
    """Orders of a person; no is an answer too."""
    for command in commands:
        with contextlib.suppress(MinertuiError):
            await order(world, miner, command)  # type: ignore[arg-type]
        await asyncio.sleep(gap_s)


@contextlib.contextmanager
def _on(world: World, miner: Miner, *faults: str) -> Iterator[None]:
    world.server.touch(miner.board)
    miner.board.faults.update(faults)
    miner.witness.calm_s = 1e12
    yield
    world.server.touch(miner.board)
    miner.board.faults.clear()
    miner.witness.calm_s = world.now_s()


def _room(world: World, miner: Miner, room_c: float) -> None:
    world.server.touch(miner.board)
    miner.board.ambient_c = room_c


async def swept(world: World, miner: Miner) -> None:
    """A sweep is stopped at a test point."""
    await asyncio.sleep(60)
    await sweep(world, miner, _plan(miner))
    await asyncio.sleep(240)
    await world.engine.stop(f"sweep:{miner.name}")
    await asyncio.sleep(120)


async def swept_and_killed(world: World, miner: Miner) -> None:
    """The engine is gone at a test point, and goes on."""
    await asyncio.sleep(60)
    await sweep(world, miner, _plan(miner))
    await asyncio.sleep(200)
    await mishaps.killed(world)
    await asyncio.sleep(200)


async def ousted(world: World, miner: Miner) -> None:
    """A person wants another fan while it is at a test point."""
    await asyncio.sleep(60)
    await sweep(world, miner, _plan(miner))
    await asyncio.sleep(200)
    await _tries(world, miner, SetFan(auto=False, pct=90), gap_s=200.0)


async def swept_and_lost(world: World, miner: Miner) -> None:
    """It is taken out of the config at a test point, while nobody can reach it; the engine dies; and it is put back."""
    await asyncio.sleep(60)
    await sweep(world, miner, _plan(miner))
    await asyncio.sleep(200)
    with _on(world, miner, "hang"):
        await remove(world, miner)
        await mishaps.killed(world)
    await put_back(world, miner)
    await asyncio.sleep(700)


async def tripped(world: World, miner: Miner) -> None:
    """Its firmware trips after its guard has lowered it, and then it is cool and guarded no more."""
    await guard(world, miner)
    await asyncio.sleep(60)
    _room(world, miner, 45.0)
    await asyncio.sleep(600)
    with _on(world, miner, "overheat"):
        await asyncio.sleep(5)
    _room(world, miner, 20.0)
    await asyncio.sleep(600)
    await guard(world, miner)
    await asyncio.sleep(200)


async def stranger(world: World, miner: Miner) -> None:
    """Another one answers at its address while it is swept, and somebody orders something."""
    await asyncio.sleep(120)
    await sweep(world, miner, _plan(miner))
    await asyncio.sleep(150)
    with _on(world, miner, "mac-swap"):
        await asyncio.sleep(60)
        await _tries(world, miner, Tune(500.0), SetFan(auto=False, pct=90))
    await asyncio.sleep(120)


async def hot_and_guarded(world: World, miner: Miner) -> None:
    """A hot afternoon; the engine ends and begins while it is still too hot for what it ran."""
    await guard(world, miner)
    await asyncio.sleep(60)
    _room(world, miner, 45.0)
    await asyncio.sleep(900)
    _room(world, miner, 51.0)
    await asyncio.sleep(900)
    await mishaps.ended(world)
    await asyncio.sleep(600)


async def hot_and_swept(world: World, miner: Miner) -> None:
    """The room turns hot under a sweep that takes its time."""
    await asyncio.sleep(60)
    await sweep(world, miner, _plan(miner, measure_s=900.0))
    await asyncio.sleep(200)
    _room(world, miner, 45.5)
    await asyncio.sleep(900)


async def raised_and_hot(world: World, miner: Miner) -> None:
    """Raised on a cool day, and then it is none."""
    await asyncio.sleep(60)
    await _tries(world, miner, Tune(575.0, 1150))
    _room(world, miner, 45.5)
    await asyncio.sleep(900)


async def warm_and_raised(world: World, miner: Miner) -> None:
    """It is over its owner's limit, and somebody wants more."""
    await asyncio.sleep(60)
    await world.configure(miner, replace(miner.config, limits=replace(miner.config.limits, max_chip_temp_c=62.0)))
    _room(world, miner, 44.0)
    await asyncio.sleep(600)
    await _tries(world, miner, Tune(540.0, 1150))


async def climbed(world: World, miner: Miner) -> None:
    """A long climb, on a fan that hardly turns."""
    await asyncio.sleep(60)
    await _tries(world, miner, SetFan(auto=False, pct=30), Tune(425.0, 1150), gap_s=600.0)
    await _tries(world, miner, Tune(585.0, 1210), gap_s=300.0)


async def too_much(world: World, miner: Miner) -> None:
    """Over every limit, of its owner and of its kind."""
    await asyncio.sleep(60)
    await _tries(world, miner, Tune(610.0, 1150), Tune(525.0, 1300), Tune(525.0, 1150))


async def not_answering(world: World, miner: Miner) -> None:
    """It obeys, and nobody can read what it says."""
    await asyncio.sleep(60)
    with _on(world, miner, "html"):
        await asyncio.sleep(90)
        await _tries(world, miner, Tune(550.0, 1150))


async def up_and_down(world: World, miner: Miner) -> None:
    """Both values up, and then a long way down: a clock takes seconds, and needs its voltage until it has arrived."""
    await asyncio.sleep(300)
    await _tries(world, miner, Tune(575.0, 1200), Tune(300.0, 1000), gap_s=60.0)


async def again_and_again(world: World, miner: Miner) -> None:
    """Somebody's script means well."""
    await asyncio.sleep(60)
    for n in range(64):
        await _tries(world, miner, Tune(525.0), Tune(519.0), gap_s=2.0 if n else 5.0)


async def restarted(world: World, miner: Miner) -> None:
    """People, and a program that repairs, restart it too often."""
    await asyncio.sleep(60)
    await _tries(world, miner, Restart(), Restart(), gap_s=100.0)
    for _ in range(5):
        with contextlib.suppress(MinertuiError):
            await order(world, miner, Restart(), Rank.CURTAILMENT)
        await asyncio.sleep(320)


async def fan_off(world: World, miner: Miner) -> None:
    """So slow a fan would cook it."""
    await asyncio.sleep(60)
    await _tries(world, miner, SetFan(auto=False, pct=5), SetFan(auto=True))


async def forbidden(world: World, miner: Miner) -> None:
    """Its owner forbids every write, and somebody orders one."""
    await asyncio.sleep(60)
    await world.configure(miner, replace(miner.config, readonly=True))
    await _tries(world, miner, Tune(500.0), SetFan(auto=False, pct=90), Restart())
    await world.configure(miner, replace(miner.config, readonly=False))


async def limited(world: World, miner: Miner) -> None:
    """A limit is lowered under what it runs, and the new one is kept."""
    await asyncio.sleep(60)
    await world.configure(miner, replace(miner.config, limits=Limits(max_mhz=500.0, max_mv=1160)))
    await asyncio.sleep(120)
    await _tries(world, miner, Tune(520.0), Tune(500.0, 1180))


async def full_disk(world: World, miner: Miner) -> None:
    """Nothing can be written, and somebody wants it raised."""
    await asyncio.sleep(60)
    world.disk = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with contextlib.suppress(MinertuiError):
        await sweep(world, miner, _plan(miner))
    await asyncio.sleep(200)
    await mishaps.killed(world)
    world.disk = None
    await asyncio.sleep(100)
