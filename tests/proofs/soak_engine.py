"""The engine that is soaked: ``minertui engine`` as it is, and beside it a probe that tells what the process holds.

Started by ``tests.proofs.soak`` with its settings as JSON; says a sample a line on stdout. Nothing here is kept.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from minertui.cli.engine import allow_files, serve
from minertui.clock import SystemClock
from minertui.config import Config, load
from minertui.engine.alert_rules import RULES, Signal
from minertui.engine.engine import Engine
from minertui.engine.loglines import KEPT_IN_ALL
from minertui.model.alerts import Severity
from minertui.model.commands import CommandRecord, Order, Outcome, OutcomeState, SetFan
from minertui.safety.request import DAY_S
from tests.proofs.held import Held, held
from tests.proofs.lateness import Lateness, Looks

_SOURCES = 320  # of log lines: miners and their sweeps
_THREADS = 64  # more than asyncio ever has
_COMMANDS = 6000  # more than the pages that SQLite caches
_WRITES, _RAISES = 500, 150  # of a miner in a day, as a soak makes them; 1,000 writes are the most


class Settings(msgspec.Struct, frozen=True):
    """Where, how fast, and how many real seconds apart samples are. ``full``: what is bounded is full from the start.
    ``weak``: so many miners have faults and sweeps."""

    folder: str
    speed: float
    sample_s: float
    full: bool = False
    weak: int = 0


class Sample(msgspec.Struct, frozen=True):
    """What the process holds at a moment (real seconds since it began). ``disk_kb``: the files of the state folder."""

    at_s: float
    held: Held
    files: int
    tasks: int
    threads: int
    version: int
    looks: Looks
    disk_kb: dict[str, int]


async def fill(engine: Engine, settings: Settings) -> None:
    """What takes hours and days to fill is full: log lines, the threads for files, SQLite's cache of the records; of
    the miners that have faults and sweeps all kinds of alerts and a day's writes."""
    for n in range(KEPT_IN_ALL):
        engine.say(f"earlier {n % _SOURCES}", f"lost: no answer within 10 s ({n}); it is asked again in a while")
    await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.05) for _ in range(_THREADS)))
    ended = Outcome(
        OutcomeState.REFUSED, "an earlier one, which was refused for a reason that takes a sentence to tell"
    )
    for n in range(_COMMANDS):
        order = Order(f"earlier {n}", engine.config.miner[0].name, SetFan(auto=True))
        await engine.records.done(CommandRecord(order, 0.0, ended))
    now_s = SystemClock().boot()
    for miner in engine.config.miner[: settings.weak]:
        for rule in RULES:
            engine._alarms.book.take(Signal(rule, miner.name, Severity.INFO, f"an earlier one: {RULES[rule]}"))
        desk = engine.arbiter._desk(miner.name)
        desk.deeds.wrote_s.extend(now_s - DAY_S + n * DAY_S / _WRITES for n in range(_WRITES))
        desk.deeds.raised_s.extend(now_s - DAY_S + n * DAY_S / _RAISES for n in range(_RAISES))


async def tell(engine: Opened, settings: Settings, lateness: Lateness) -> None:
    """A line a sample, until cancelled."""
    await engine.opened.wait()
    if settings.full:
        await fill(engine, settings)
    began_s, state = time.monotonic(), Path(settings.folder) / "state"
    while True:
        await asyncio.sleep(settings.sample_s)
        with lateness.excused():
            sample = Sample(
                at_s=time.monotonic() - began_s,
                held=held(),
                files=sum(1 for _ in Path("/proc/self/fd").iterdir()),
                tasks=len(asyncio.all_tasks()),
                threads=threading.active_count(),
                version=engine.hub.fleet.version & 0xFFFF_FFFF,
                looks=lateness.take(),
                disk_kb={path.name: path.stat().st_size // 1024 for path in state.glob("*.db*")},
            )
            print(msgspec.json.encode(sample).decode(), flush=True)


class Opened(Engine):
    """Tells when it is open."""

    def __init__(self, config: Config, **rest: Any) -> None:
        super().__init__(config, **rest)
        self.opened = asyncio.Event()

    async def open(self) -> None:
        """As an engine does."""
        await super().open()
        self.opened.set()


async def main() -> None:
    """Until SIGTERM."""
    settings = msgspec.json.decode(sys.argv[1], type=Settings)
    folder = Path(settings.folder)
    config = load(folder / "config.toml")
    engine = Opened(
        config, state=folder / "state", clock=SystemClock(settings.speed), config_path=folder / "config.toml"
    )
    lateness = Lateness()
    beside = [asyncio.create_task(lateness.watch()), asyncio.create_task(tell(engine, settings, lateness))]
    await serve(engine, folder / "engine.sock")
    for task in beside:
        task.cancel()
    await asyncio.wait(beside)
    for task in beside:
        if not task.cancelled():
            task.result()


if __name__ == "__main__":
    os.umask(0o077)
    allow_files()
    asyncio.run(main())
