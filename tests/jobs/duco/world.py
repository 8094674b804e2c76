"""Boards, pool and master server in memory and in wound-on time: no socket, no thread, the program's own simulators."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from minertui.jobs.duco_relay.relay import Relay
from minertui.jobs.duco_relay.seams import Absent, Done
from minertui.model.errors import Unreachable, Unsupported
from minertui.model.relay import BoardPlan, BoardView, Place, RelayPlan, RelayView, Wire
from minertui.sim.duco_bus import FakeBus
from minertui.sim.duco_pool import DucoPool
from minertui.sim.duco_rules import Rules
from minertui.sim.duco_sketch import SketchBoard
from minertui.wire.duco.exchange import Exchange, Read, Wait, Write

AHEAD_S = 0.25


class LoopClock:
    speed = 1.0

    def mono(self) -> float:
        return asyncio.get_running_loop().time()

    boot = wall = mono

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class MemoryBench:
    """A bus or a sketch; answers at once, in the loop's time."""

    simulated = True

    def __init__(self, thing: FakeBus | SketchBoard) -> None:
        self.thing, self.plugged, self.opened = thing, True, 0
        self._open = False

    async def open(self) -> bool:
        if not self.plugged:
            raise Absent("bench", "it is not plugged in")
        if self._open:
            return False
        self._open, self.opened = True, self.opened + 1
        if isinstance(self.thing, SketchBoard):
            self.thing.reset(asyncio.get_running_loop().time())
        return True

    def close(self) -> None:
        self._open = False

    async def do(self, address: int, exchange: Exchange) -> Done:
        """Runs ahead of the loop by up to a quarter of a second: a test has better to do than thousands of sleeps."""
        loop = asyncio.get_running_loop()
        began_s = now_s = loop.time()
        while True:
            if not (self.plugged and self._open):
                self._open = False
                raise Unreachable("bench", "it was unplugged")
            step = exchange.next(now_s)
            if isinstance(step, Wait):
                now_s = step.until_s
                if now_s - loop.time() > AHEAD_S:
                    await asyncio.sleep(now_s - loop.time())
            elif isinstance(step, Write | Read):
                exchange.got(self._transfer(address, step, now_s))
            else:
                await asyncio.sleep(now_s - loop.time())
                return Done(step, exchange.tally, 0.01, now_s - began_s)

    def _transfer(self, address: int, step: Write | Read, now_s: float) -> bytes | None:
        try:
            if isinstance(self.thing, SketchBoard):
                if isinstance(step, Write):
                    self.thing.feed(step.data, now_s)
                    return b""
                return self.thing.output(now_s)
            self.thing._now_s = lambda: now_s
            if isinstance(step, Write):
                self.thing.write(address, step.data)
                return b""
            return self.thing.read(address, step.count)
        except OSError:
            return None


class MemoryLine:
    """Both ends of a connection."""

    def __init__(self, place: str) -> None:
        self.place, self.sent = place, []
        self.reader = asyncio.StreamReader()
        self._came: asyncio.Queue[bytes] = asyncio.Queue()
        self._over = False
        self.transport = self

    place: str
    sent: list[bytes]

    # the pool's end
    def write_back(self, data: bytes) -> None:
        self._came.put_nowait(data)

    def cut(self) -> None:
        if not self._over:
            self._over = True
            self._came.put_nowait(b"")
            self.reader.feed_eof()

    # the relay's end
    @property
    def over(self) -> bool:
        return self._over and self._came.qsize() <= 1

    async def write(self, data: bytes) -> None:
        if self._over:
            raise Unreachable(self.place, "the pool closed the connection")
        self.sent.append(data)
        self.reader.feed_data(data)

    async def read(self) -> bytes:
        data = await self._came.get()
        if not data:
            self._came.put_nowait(b"")
            raise Unreachable(self.place, "the pool closed the connection")
        return data

    async def close(self) -> None:
        self.cut()


class _Writer:
    """What the simulated pool writes to."""

    def __init__(self, line: MemoryLine) -> None:
        self.line = line

    def write(self, data: bytes) -> None:
        if data:
            self.line.write_back(data)

    async def drain(self) -> None:
        if self.line._over:
            raise ConnectionResetError

    def close(self) -> None:
        self.line.cut()


class Servers:
    """Pools by ``(host, port)``, and the master server of the first one."""

    def __init__(self, pools: Mapping[tuple[str, int], DucoPool]) -> None:
        self.pools, self.down = dict(pools), set[tuple[str, int]]()
        self.dialled: list[tuple[float, tuple[str, int], bool]] = []
        self.asked: list[str] = []
        self.told = next(iter(self.pools))
        self.lines: list[MemoryLine] = []
        self.rest_down = False
        self._tasks: list[asyncio.Task[Any]] = []

    async def dial(self, host: str, port: int, *, loopback: bool) -> MemoryLine:
        if loopback and host != "127.0.0.1":
            raise Unsupported(host, "simulated boards mine on this computer only")
        self.dialled.append((asyncio.get_running_loop().time(), (host, port), loopback))
        if (host, port) in self.down:
            raise Unreachable(f"{host}:{port}", "no answer")
        line = MemoryLine(f"{host}:{port}")
        self.lines.append(line)
        pool: Any = self.pools[host, port]
        self._tasks.append(asyncio.create_task(self._serve(pool, line)))
        return line

    async def _serve(self, pool: Any, line: MemoryLine) -> None:
        try:
            await pool._serve(line.reader, _Writer(line))
        finally:
            line.cut()

    async def ask(self, url: str, *, loopback: bool) -> tuple[int, bytes]:
        parts = urlsplit(url)
        self.asked.append(parts.path)
        if self.rest_down:
            raise Unreachable(parts.netloc, "no answer")
        pool: Any = next(iter(self.pools.values()))
        pool.rest_server.told_pool = self.told
        reply = pool.rest_server.answer(f"{parts.path}?{parts.query}" if parts.query else parts.path, "GET")
        return reply.status, reply.body

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def kick(self) -> None:
        for line in self.lines:
            line.cut()


class Site:
    """The engine's part."""

    def __init__(self, key: str = "") -> None:
        self.mining_key, self.over = key, asyncio.Event()
        self.views: list[RelayView] = []
        self.lines: list[str] = []

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    wall = now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def ended(self) -> None:
        await self.over.wait()

    def log(self, text: str) -> None:
        self.lines.append(text)

    def report(self, view: RelayView, note: str = "") -> None:
        self.views.append(view)


class World:
    """A rig at work on ``things``: FakeBus under «i2c:1», sketches under their port's name."""

    def __init__(self, things: Mapping[str, FakeBus | SketchBoard], pools: int = 1, rules: Rules | None = None) -> None:
        self.clock = LoopClock()
        self.pools = {("127.0.0.1", 7001 + n): DucoPool(clock=self.clock, rules=rules, seed=n) for n in range(pools)}
        for pool in self.pools.values():
            pool.address = next(place for place, other in self.pools.items() if other is pool)
        self.servers = Servers(self.pools)
        self.benches = {way: MemoryBench(thing) for way, thing in things.items()}
        self.taken: list[str] = []
        self.site = Site()

    @property
    def pool(self) -> DucoPool:
        return next(iter(self.pools.values()))

    def take(self, place: Place) -> MemoryBench:
        self.taken.append(place.key)
        return self.benches[place.key]

    def release(self, place: Place) -> None:
        self.taken.remove(place.key)
        if place.key not in self.taken:
            self.benches[place.key].close()

    def plan(self, **more: Any) -> RelayPlan:
        boards = [
            BoardPlan(f"b{address}", f"{way}:{address}")
            for way, bench in self.benches.items()
            if isinstance(bench.thing, FakeBus)
            for address in bench.thing.boards
        ]
        boards += [BoardPlan(way.rpartition("/")[2], way) for way in self.benches if way.startswith(Wire.SERIAL)]
        return RelayPlan("rig", **{"user": "alice", "rest": "http://127.0.0.1:1", "board": tuple(boards), **more})

    @asynccontextmanager
    async def mining(self, **more: Any) -> AsyncIterator[Relay]:
        relay = Relay(self.plan(**more), self.site, self.servers, self)
        task = asyncio.create_task(relay.run())
        try:
            yield relay
            self.site.over.set()
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.servers.close()

    def board(self, relay: Relay, name: str) -> BoardView:
        return next(board for board in relay.view().boards if board.name == name)
