"""What the engine is doing when it dies: the lives that the crash proof cuts short."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

from minertui.config import Config, MinerConfig, load
from minertui.engine.engine import Engine
from minertui.jobs import guard, sweep
from minertui.model.commands import Order, Tune
from minertui.model.history import MinerEntry
from minertui.model.plans import GuardPlan, Strategy, SweepPlan, SweepPoint, SweepSample
from tests.proofs.flash import Flash, Wire
from tests.proofs.wound import WoundClock, WoundLoop

PLAN = SweepPlan(
    "m1", strategy=Strategy.GRID, start_mhz=525, start_mv=1200, step_mhz=25, max_mhz=575, max_mv=1200,
    max_chip_temp_c=68, settle_s=10, measure_s=30, sample_s=10, apply_best=False,
)  # fmt: skip
BEST = msgspec.structs.replace(PLAN, apply_best=True)
SMALL = msgspec.structs.replace(PLAN, max_mhz=550, settle_s=2, measure_s=6, sample_s=3)
GUARD = GuardPlan("m1", max_chip_temp_c=65, low_mhz=450, step_down_mhz=50, settle_s=10, stable_s=60)
DOWN, UP = (500.0, 1140.0), (550.0, 1200.0)
POINTS, SAMPLES, ORDER, CONFIG = 1, 100, 60, 61  # slots of acknowledgements


LOADED = (guard, sweep)  # the runner imports them when they are wanted: not in every life anew


class Witness(Engine):
    """An engine whose acknowledgements are seen outside: what ``keep`` returned from is told to the world."""

    flash: Flash
    early = False

    async def keep(self, job_id: str, record: SweepPoint | SweepSample) -> None:
        slot = record.n if isinstance(record, SweepPoint) else SAMPLES + 10 * record.n + record.index
        if self.early:
            self.flash.acknowledge(slot, 1.0)
        await super().keep(job_id, record)
        self.flash.acknowledge(slot, 1.0)


def new_engine(flash: Flash, loop: WoundLoop, folder: Path) -> Witness:
    """An engine for this miner on this folder; time goes on where the last one left it."""
    path = folder / "config.toml"
    clock = WoundClock(loop, flash.now_s)
    config = load(path) if path.exists() else Config(miner=(MinerConfig("m1", Wire.address),))

    def connect(kind: str, address: str, headers: Mapping[str, str]) -> Wire:
        return Wire(flash)

    engine = Witness(
        config, state=folder / "state", clock=clock, connect=connect, config_path=path if path.exists() else None
    )
    engine.flash = flash
    return engine


async def until_over(engine: Engine, job: str, within_s: float = 3000) -> None:
    """Wait until a job has ended."""
    async with asyncio.timeout(within_s):
        while not engine.hub.fleet.jobs[job].phase.over:
            await asyncio.sleep(1)


# scenarios: what the program is doing when it dies ------------------------------------------------------------------


async def _sweep(engine: Engine, flash: Flash) -> None:
    await engine.start(PLAN)
    await until_over(engine, "sweep:m1")


async def _small_sweep(engine: Engine, flash: Flash) -> None:
    await engine.start(SMALL)
    await until_over(engine, "sweep:m1")


async def _sweep_best(engine: Engine, flash: Flash) -> None:
    await engine.start(BEST)
    await until_over(engine, "sweep:m1")


async def _guard(engine: Engine, flash: Flash) -> None:
    await engine.start(GUARD)
    await asyncio.sleep(1)
    flash.runs_hot_over(480)
    await asyncio.sleep(60)
    flash.runs_hot_over(1e9)
    await asyncio.sleep(80)
    await engine.stop("guard:m1")
    await until_over(engine, "guard:m1")


async def _by_hand(engine: Engine, flash: Flash, wanted: tuple[float, float]) -> None:
    record = await engine.send(Order("by-hand", "m1", Tune(wanted[0], int(wanted[1]))))
    flash.acknowledge(ORDER, 1.0 if record.outcome.ok else 2.0)


async def _down_by_hand(engine: Engine, flash: Flash) -> None:
    await _by_hand(engine, flash, DOWN)


async def _up_by_hand(engine: Engine, flash: Flash) -> None:
    await _by_hand(engine, flash, UP)


async def _config(engine: Engine, flash: Flash) -> None:
    await engine.save_miner(MinerEntry("m2", "127.0.0.1:8002", readonly=True))
    flash.acknowledge(CONFIG)


Scenario = Callable[[Engine, Flash], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {
    "small sweep": _small_sweep,
    "sweep": _sweep,
    "sweep, best point": _sweep_best,
    "guard": _guard,
    "lowered by hand": _down_by_hand,
    "raised by hand": _up_by_hand,
    "config": _config,
}


async def live(loop: WoundLoop, flash: Flash, folder: Path, scenario: Scenario, *, early: bool = False) -> None:
    """A life from the start of the engine to its end, if nobody kills it."""
    engine = new_engine(flash, loop, folder)
    engine.early = early
    engine._lines._rng = random.Random(1)  # the same life again and again, so that each call can be met
    await engine.open()
    await asyncio.sleep(12)
    await scenario(engine, flash)
    await engine.close()
