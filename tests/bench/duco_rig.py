"""Simulated rigs to measure: boards, pools and masters, on loopback; what must not be counted runs in processes of its
own."""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from minertui.clock import SystemClock
from minertui.devices import duco_serial
from minertui.devices.duco_pool import Servers
from minertui.jobs.duco_relay import Buses, Relay
from minertui.model.relay import BoardPlan, BoardState, BoardStats, BoardView, Place, RelayPlan, RelayView, Wire
from minertui.sim.duco_boards import board
from minertui.sim.duco_bus import FakeBus, Opened
from minertui.sim.duco_pool import DucoPool
from minertui.sim.duco_rules import Rules, Tier
from minertui.sim.duco_serial import SerialBench
from minertui.sim.duco_sketch import SketchBoard
from tests.bench.figures import must

CLOCK = SystemClock()
BUS_HZ = 100_000.0
JOB_MS, VERDICT_MS, DIFFICULTY = 882.0, 799.0, 5
"""The waits that the brief's author recorded at his pool, and the difficulty of that time."""
_STARTED_WITHIN_S = 30.0


class Site:
    """The engine's part."""

    mining_key = ""

    def __init__(self) -> None:
        self.over, self.view = asyncio.Event(), RelayView(RelayPlan())

    now, wall, sleep = staticmethod(CLOCK.mono), staticmethod(CLOCK.wall), staticmethod(CLOCK.sleep)

    async def ended(self) -> None:
        await self.over.wait()

    def log(self, text: str) -> None:
        pass

    def report(self, view: RelayView, note: str = "") -> None:
        self.view = view


def rules(job_ms: float = JOB_MS, verdict_ms: float = VERDICT_MS, difficulty: int = DIFFICULTY) -> Rules:
    """A pool that takes any rate and any number of workers."""
    return Rules(job_ms, verdict_ms, tiers={"AVR": Tier(difficulty, 0, 1e6)}, workers=1000)


def fake_bus(count: int, dialect: str = "A", *, hz: float | None = BUS_HZ, rate_hs: float | None = None) -> FakeBus:
    """``count`` boards from address 20 on; the bus takes its real time."""
    boards = {20 + n: board(dialect, rate_hs=rate_hs, seed=n) for n in range(count)}
    return FakeBus(boards, CLOCK.mono, hz=hz)


def on_bus(bus: FakeBus, number: int = 1) -> list[BoardPlan]:
    """The plans of its boards, as those of I2C bus ``number``."""
    return [BoardPlan(f"i{number}-{n}", f"i2c:{number}:{n}") for n in bus.boards]


def on_ports(folder: str, count: int) -> list[BoardPlan]:
    """The plans of ``sketches`` in ``folder``."""
    return [BoardPlan(f"s{n}", f"serial:{folder}/usb-minertui_sim_{n}") for n in range(count)]


def way(*buses: FakeBus) -> Callable[[Place], Any]:
    """How the places of those plans are opened."""

    def opener(place: Place) -> Any:
        if place.wire is Wire.SERIAL:
            return duco_serial.connect(place.way, list)
        bus = buses[int(place.way) - 1]
        return lambda: Opened(bus)

    return opener


@asynccontextmanager
async def mining(rest: str, boards: Sequence[BoardPlan], ways: Any, **more: Any) -> AsyncIterator[Relay]:
    """A rig at work."""
    site, buses, servers = Site(), Buses(ways, CLOCK), Servers()
    plan = RelayPlan("bench", "alice", rest=rest, board=tuple(boards), **{"apart_s": 0.02, "worker_limit": 200, **more})
    relay = Relay(plan, site, servers, buses)
    tasks = [asyncio.create_task(buses.watch()), asyncio.create_task(relay.run())]
    try:
        yield relay
        site.over.set()
        await tasks[1]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await servers.close()


def stats(relay: Relay) -> list[BoardStats]:
    """Of every board."""
    return [one.stats for one in relay.view().boards]


def cpu_s() -> float:
    """User and system time of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Spent(msgspec.Struct, frozen=True):
    """Whole shares of some boards, each from the verdict before it to its own, and the seconds they took together."""

    shares: int
    elapsed_s: float
    nonces: int

    @property
    def share_s(self) -> float:
        """Mean time of one share, everything included."""
        return self.elapsed_s / self.shares

    def lost_pct(self, rate_hs: float, waits_s: float, wire_s: float) -> float:
        """What is missing of the shares that calculation, waits and wire alone would allow, per cent."""
        return 100 * (1 - (self.nonces / rate_hs + self.shares * (waits_s + wire_s)) / self.elapsed_s)

    def per_minute(self, rate_hs: float, mean_nonce: float) -> float:
        """Shares a minute and board, had the nonces been of average luck."""
        return 60 / (self.share_s + (mean_nonce - self.nonces / self.shares) / rate_hs)


class Span:
    """Shares of some boards from ``begun`` to ``ended``."""

    def __init__(self, relay: Relay, then: dict[str, BoardView]) -> None:
        self._relay, self._then = relay, then
        self._now = then

    @classmethod
    async def begun(cls, relay: Relay) -> Span:
        """From now on, once every board mines."""
        while not all(one.shares for one in stats(relay)):
            await CLOCK.sleep(0.05)
        return cls(relay, await _between_shares(relay))

    async def ended(self, seconds: float) -> None:
        """``seconds`` later, and when every board has had a share since: in a short span some have none."""
        await CLOCK.sleep(seconds)
        while any(one.stats.shares == self._then[one.name].stats.shares for one in self._relay.view().boards):
            await CLOCK.sleep(0.05)
        self._now = await _between_shares(self._relay)

    def spent(self, of: str = "") -> Spent:
        """By the boards whose names start with ``of``."""
        pairs = [(self._then[name], self._now[name]) for name in self._then if name.startswith(of)]
        spent = Spent(
            sum(now.stats.shares - then.stats.shares for then, now in pairs),
            sum(now.last.at_s - then.last.at_s for then, now in pairs if now.last and then.last),
            sum(now.stats.nonces - then.stats.nonces for then, now in pairs),
        )
        must(spent.shares > 0, "the rig mines")
        return spent


async def _between_shares(relay: Relay) -> dict[str, BoardView]:
    """Each board at a moment when no verdict is awaited: its nonces are then those of its shares."""
    found: dict[str, BoardView] = {}
    while len(found) < len(relay.plan.board):
        for one in relay.view().boards:
            if one.state not in (BoardState.RESULT, BoardState.SENT):
                found.setdefault(one.name, one)
        await CLOCK.sleep(0.05)
    return found


class Elsewhere:
    """A process of its own. ``first``: what it told first."""

    first: Any = None

    def __init__(self, told: Any, stop: Any) -> None:
        self._told, self._stop = told, stop

    async def heard(self) -> Any:
        """What it tells next."""
        return await asyncio.to_thread(self._told.get, True, _STARTED_WITHIN_S)

    async def ended(self) -> Any:
        """Have it end; what it tells last."""
        self._stop.set()
        return await self.heard()


@asynccontextmanager
async def elsewhere(target: Callable[..., None], *args: Any) -> AsyncIterator[Elsewhere]:
    """``target(told, stop, *args)`` in a process of its own, until it has told something. It ends when ``stop`` is
    set."""
    spawn = multiprocessing.get_context("spawn")
    told, stop = spawn.Queue(), spawn.Event()
    process = spawn.Process(target=target, args=(told, stop, *args), daemon=True)
    process.start()
    other = Elsewhere(told, stop)
    try:
        other.first = await other.heard()
        yield other
    finally:
        stop.set()
        await asyncio.to_thread(process.join, 5)
        process.kill()


def pools(told: Any, stop: Any, waits: Sequence[tuple[float, float, int]]) -> None:
    """Tells the master server's address of one pool for each job wait, verdict wait (ms) and difficulty."""

    async def serve() -> None:
        made = [DucoPool(clock=CLOCK, rules=rules(*each)) for each in waits]
        for pool in made:
            await pool.open()
        told.put([(pool.rest, *pool.address) for pool in made])
        while not stop.is_set():
            await CLOCK.sleep(0.2)
        for pool in made:
            await pool.close()

    asyncio.run(serve())


def sketches(told: Any, stop: Any, folder: str, count: int, version: str) -> None:
    """Boards on ptys in ``folder``; one is unplugged for as long as a file ``<its name>.out`` is there."""

    async def serve() -> None:
        boards = [SketchBoard(version, seed=n) for n in range(count)]
        async with SerialBench(boards, Path(folder), CLOCK) as bench:
            told.put(count)
            while not stop.is_set():
                await CLOCK.sleep(0.2)
                for one in bench.ports:
                    out = (Path(folder) / f"{one.path.name}.out").exists()
                    (one.board.faults.add if out else one.board.faults.discard)("unplugged")

    asyncio.run(serve())
