"""The real engine in a process of its own, in real time, on simulated miners in another, with faults, sweeps and a
screen, for as long as one likes: what grows, and how late is its loop?

    python -m tests.proofs.soak --hours 72                  figures every minute; what it comes to at the end
    python -m tests.proofs.soak --hours 1.2 --speed 12      the same by program time: an hour is over in five minutes

Before the faults begin and after they ended everything comes to rest; files and tasks at rest have to be the same.
Memory is judged only after what is bounded is full: rings of an hour; and for days log lines, remembered orders,
alerts, a day's writes, the threads for files, what is held of each miner's sweep. A run of ten minutes and more begins
with all but the last full, and faults and sweeps stay with forty of the miners; then the heap's gaps come to rest
within four hours. With ``--speed`` everything but the machine runs faster, so the loop carries so many times the load,
and its lateness is shown and not judged.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec

from minertui.api.client import ApiClient
from minertui.clock import SystemClock
from minertui.engine import rows, tables
from minertui.model.commands import Order, SetFan
from minertui.model.errors import MinertuiError
from minertui.model.fleet import Health
from minertui.model.plans import Strategy, SweepPlan
from minertui.model.status import MinerStatus
from tests.bench.process import Simulator, answers, client, end, simulator, write_config
from tests.proofs.soak_engine import Sample, Settings
from tests.proofs.soak_report import Run, Soaked, in_a_line, judged

FAULTS = ("hang", "reset", "drip", "auth", "busy", "empty", "null", "html", "nan", "temp-minus-one", "freeze", "reboot",
          "missing-fields", "mac-swap", "wifi-lost", "cut-answer", "huge-header", "deep-json")  # fmt: skip
_FAULT_S, _SWEEP_S, _LOOK_S = 6.0, 30.0, 60.0  # program seconds between two of them
_SWEEPS = 8  # at a time, so that what is held can come to rest
_WEAK, _ILL = 40, 20  # so many have faults and sweeps, so many of them at a time a fault
_TRIES = 6  # at rest: a poll that is late just then opens a connection anew, a leak stays
_ORDERS = 1000  # remembered by the engine
_BUSY_S = 120.0  # real seconds for the simulator to answer, on a machine that has others to serve
_REST_S = 200.0  # program seconds: a lost miner is asked once a minute, a way back takes one or two


def _past(file: Path, sim: Simulator, run: Run) -> float:
    """History of an hour, as an engine leaves it that ran before; how large it is, MB."""
    status, now = MinerStatus(hashrate_ghs=1000.0, chip_temp_c=60.0, power_w=17.5), int(time.time()) // 60 * 60
    row, apart_s = rows.sample(status), run.poll_s
    times = [n * apart_s for n in range(int(60 / apart_s))]
    file.parent.mkdir(mode=0o700)
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript(tables.SCHEMA)
        tables.fits(db)
        minutes = range(now - 3600, now, 60)
        tables.write(db, [(name, at, [(at + s, row) for s in times]) for name, _ in sim.miners for at in minutes])
        db.commit()
    return file.stat().st_size / 1e6


def _switch(console: str, board: int, fault: str, on: bool) -> None:
    body = json.dumps({"board": board, "fault": fault, "on": on}).encode()
    with urllib.request.urlopen(f"http://{console}/faults", body, timeout=_BUSY_S):
        pass


async def _misfortune(sim: Simulator, soaked: Soaked, dice: random.Random, clock: SystemClock) -> None:
    """Faults come and go; all go at the end."""
    on: list[tuple[int, str]] = []
    try:
        while True:
            await clock.sleep(_FAULT_S)
            on.append((dice.randrange(min(_WEAK, soaked.run.miners)), dice.choice(FAULTS)))
            await asyncio.to_thread(_switch, sim.control, *on[-1], True)
            soaked.faults += 1
            if len(on) > _ILL:
                await asyncio.to_thread(_switch, sim.control, *on.pop(0), False)
    finally:
        for board, fault in on:
            _switch(sim.control, board, fault, False)


async def _people(link: ApiClient, sim: Simulator, soaked: Soaked, dice: random.Random, clock: SystemClock) -> None:
    """Sweeps are started and stopped, miner after miner."""
    running, weak = list[str](), sim.miners[:_WEAK]
    for name, _ in itertools.cycle(dice.sample(weak, len(weak))):
        await clock.sleep(_SWEEP_S)
        plan = SweepPlan(
            name, strategy=Strategy.GRID, settle_s=10, measure_s=30, sample_s=10, max_mhz=700, max_power_w=200
        )
        with contextlib.suppress(MinertuiError):
            running.append((await link.start(plan)).id)
            soaked.sweeps += 1
        if len(running) > _SWEEPS:
            with contextlib.suppress(MinertuiError):
                await link.stop(running.pop(0))


async def _ordered(link: ApiClient, sim: Simulator) -> None:
    """As many orders as are remembered; dry runs, which change nothing."""
    for n in range(_ORDERS):
        name = sim.miners[n % len(sim.miners)][0]
        await link.send(Order(f"soak/{n}", name, SetFan(auto=False, pct=90), dry_run=True))


async def _screen(link: ApiClient) -> None:
    """Follows all changes."""
    async for _ in link.watch():
        pass


async def _curious(link: ApiClient, sim: Simulator, dice: random.Random, clock: SystemClock) -> None:
    """Looks at logs, charts and lists."""
    while True:
        await clock.sleep(_LOOK_S)
        name, now_s = sim.miners[dice.randrange(len(sim.miners))][0], clock.wall()
        await link.log()
        await link.log(name)
        await link.history(name, ["hashrate_ghs", "power_w"], now_s - 3600, now_s)
        await link.commands()
        await link.sweeps(name)


async def _rest(link: ApiClient, run: Run, clock: SystemClock) -> None:
    """Until every miner is well and no sweep runs; raises where that does not come to pass."""
    until_s = time.monotonic() + 10 * _REST_S / run.speed + 120
    while True:
        fleet = await link.fleet()
        busy = [job.id for job in fleet.jobs.values() if not job.phase.over]
        for job in busy:
            with contextlib.suppress(MinertuiError):
                await link.stop(job)
        ill = [f"{s.device}: {s.health} {s.why}" for s in fleet.snapshots.values() if s.health is not Health.OK]
        if not busy and not ill and len(fleet.snapshots) == run.miners:
            return
        if time.monotonic() > until_s:
            raise RuntimeError(f"no rest: {busy[:5]}, {ill[:5]}")
        await clock.sleep(run.poll_s)


def _prefer(pid: int, nice: int) -> None:
    """Linux weighs sessions against each other first, where it groups them by itself."""
    os.setpriority(os.PRIO_PROCESS, pid, nice)
    group = Path(f"/proc/{pid}/autogroup")
    if group.exists():
        group.write_text(f"{nice}", encoding="ascii")


@contextlib.contextmanager
def _engine(folder: Path, run: Run) -> Iterator[subprocess.Popen[bytes]]:
    settings = Settings(str(folder), run.speed, run.sample_s, run.full, _WEAK)
    command = [sys.executable, "-m", "tests.proofs.soak_engine", msgspec.json.encode(settings).decode()]
    with (folder / "engine.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, cwd=Path(__file__).parents[2], start_new_session=True
        )
    try:
        if run.nice:
            _prefer(process.pid, run.nice)
        yield process
    finally:
        end(process)


class _Told:
    """What the engine's probe says, read as it comes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process, self._news = process, asyncio.Event()
        self._newest: Sample | None = None

    async def read(self) -> None:
        """Until the engine ends."""
        assert self._process.stdout is not None
        while line := await asyncio.to_thread(self._process.stdout.readline):
            self._newest = msgspec.json.decode(line, type=Sample)
            self._news.set()

    async def next(self) -> Sample:
        """The next one to come, whatever came before."""
        self._news.clear()
        await self._news.wait()
        assert self._newest is not None
        return self._newest


async def soak(run: Run, *, said: bool = False) -> Soaked:
    """Run the engine for so long, and say what it held."""
    soaked = Soaked(run)
    with tempfile.TemporaryDirectory(prefix="minertui-soak-") as name:
        folder = Path(name)
        with simulator(folder, run.miners, "--seed", run.seed, "--speed", run.speed) as sim:
            write_config(folder, sim.miners, f"[engine]\npoll_s = {run.poll_s:g}\n")
            if run.full:
                soaked.past_mb = _past(folder / "state" / "history.db", sim, run)
            with _engine(folder, run) as process:
                try:
                    await _soaked(soaked, folder, sim, process, said)
                except Exception as error:
                    log = (folder / "engine.log").read_text(encoding="utf-8")[-2000:]
                    raise RuntimeError(f"the engine said: {log}") from error
        soaked.disk_mb = {path.name: path.stat().st_size / 1e6 for path in (folder / "state").glob("*.db")}
        with contextlib.closing(sqlite3.connect(folder / "state" / "history.db")) as db:
            soaked.rows = db.execute("SELECT count(*) FROM minute").fetchone()[0]
    return soaked


async def _soaked(soaked: Soaked, folder: Path, sim: Simulator, process: subprocess.Popen[bytes], said: bool) -> None:
    run, clock, link, told = soaked.run, SystemClock(soaked.run.speed), client(folder), _Told(process)
    try:
        await answers(link, process, folder)
        beside = [asyncio.create_task(told.read()), asyncio.create_task(_screen(link))]
        if run.full:
            await _ordered(link, sim)
        await _rest(link, run, clock)
        soaked.at_rest.append(await told.next())
        async with client(folder) as guest:  # whose connections end with it
            others = _storm(guest, sim, soaked, clock)
            until_s = time.monotonic() + run.seconds / run.speed
            while time.monotonic() < until_s and not any(task.done() for task in (*others, *beside)):
                soaked.samples.append(await told.next())
                if said:
                    print(in_a_line(soaked.samples[-1]), flush=True)
            await _ended(others)
        for _ in range(_TRIES):
            await _rest(link, run, clock)
            await clock.sleep(3 * run.poll_s)
            soaked.at_rest[1:] = [await told.next()]
            if not soaked.moved():
                break
        await _ended(beside)
    finally:
        await link.close()


def _storm(guest: ApiClient, sim: Simulator, soaked: Soaked, clock: SystemClock) -> list[asyncio.Task[None]]:
    dice = random.Random(soaked.run.seed)
    return [
        asyncio.create_task(_misfortune(sim, soaked, dice, clock)),
        asyncio.create_task(_people(guest, sim, soaked, dice, clock)),
        asyncio.create_task(_curious(guest, sim, dice, clock)),
    ]


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel them; what one of them died of is raised."""
    for task in tasks:
        task.cancel()
    for done in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(done, Exception):
            raise done


def main() -> int:
    """Print the figures; 1 where a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--seconds", type=float, default=600.0, help="real seconds")
    parser.add_argument("--miners", type=int, default=160)
    parser.add_argument("--poll", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0, help="program seconds in a real one")
    parser.add_argument("--nice", type=int, default=0, help="priority of the engine; less than 0 needs root")
    args = parser.parse_args()
    seconds = 3600 * args.hours or args.seconds
    run = Run(seconds * args.speed, args.miners, args.poll, args.seed, args.speed, args.nice)
    print(f"soak: {run.miners} miners, a poll each {run.poll_s:g} s, {seconds:g} s at speed {run.speed:g}, "
          f"seed {run.seed}, engine at nice {run.nice}, load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it ends the engine and the boards too
    try:
        soaked = asyncio.run(soak(run, said=True))
    except KeyboardInterrupt:
        print("  ended early: nothing is judged")
        return 130
    print(f"  load at the end {os.getloadavg()[0]:.1f}")
    return int(judged(soaked) > 0)


if __name__ == "__main__":
    sys.exit(main())
