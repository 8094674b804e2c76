"""Which pool to mine at: the one the master server names, unless it cannot be reached and another one can.

``getPool`` is asked at the start and after a pool failed, at most every 15 s, and ever less often (up to 300 s) while
that does not help: error answers are strikes, and ten strikes ban the address for an hour, which is then waited for.
Pools named earlier are kept
for this run as a way out, and are never stored: addresses change.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from minertui.jobs.duco_relay.account import BANNED_S, banned
from minertui.jobs.duco_relay.seams import Line, Outside, RelaySite
from minertui.model.errors import MinertuiError, Unreachable, Unsupported
from minertui.model.relay import RelayPlan
from minertui.wire.duco import rest

SHORTEST_S, LONGEST_S = 15.0, 300.0
_ENOUGH = 2  # failures before the server is asked for another pool


@dataclass
class _Known:
    """A pool and what was seen of it. ``failures`` since it last worked."""

    host: str
    port: int
    name: str
    failures: int = 0
    connect_s: float = 0.0

    @property
    def text(self) -> str:
        """As it is shown."""
        place = f"{self.host}:{self.port}"
        return f"{self.name} {place}" if self.name else place


class Pools:
    """The pools of a rig, shared by its boards. Only the event loop touches it."""

    def __init__(self, plan: RelayPlan, site: RelaySite, outside: Outside) -> None:
        self._plan, self._site, self._outside = plan, site, outside
        self._known: list[_Known] = []
        self._proven: _Known | None = None
        self._asked_s: float | None = None
        self._pause_s = SHORTEST_S
        self._asking = asyncio.Lock()
        self._lines: dict[int, _Known] = {}
        self.current = ""

    async def connect(self, *, loopback: bool) -> tuple[Line, str]:
        """A new connection and the name of its pool. Raises Unreachable; Unsupported where ``loopback`` forbids it."""
        pool = await self._choose(loopback=loopback)
        began_s = self._site.now()
        try:
            line = await self._outside.dial(pool.host, pool.port, loopback=loopback)
        except Unreachable as error:
            pool.failures += 1
            raise Unreachable(pool.text, error.message) from error
        pool.connect_s = self._site.now() - began_s
        self._lines[id(line)] = pool
        return line, pool.text

    def works(self, line: Line) -> bool:
        """The pool at the other end greeted, or answered. True when it is the one that the server names and the last
        one that was named and worked is another."""
        pool = self._lines.get(id(line))
        if pool is None:
            return False
        pool.failures = 0
        self.current = pool.text
        if pool is self._proven or pool is not self._known[0]:
            return False
        self._proven = pool
        return True

    def gone(self, line: Line, failures: int) -> None:
        """The connection is closed; ``failures``: how much that speaks against the pool."""
        pool = self._lines.pop(id(line), None)
        if pool is not None:
            pool.failures += failures

    async def _choose(self, *, loopback: bool) -> _Known:
        if self._plan.pool is not None:
            if not self._known:
                host, _, port = self._plan.pool.rpartition(":")
                self._known = [_Known(host.strip("[]"), int(port), "")]
            return self._known[0]
        async with self._asking:
            if self._due():
                await self._ask(loopback=loopback)
        return min(self._known, key=lambda pool: (pool.failures, self._known.index(pool), pool.connect_s))

    def _due(self) -> bool:
        """True when the server should be asked: nothing known, or what it named last does not work."""
        if self._asked_s is None or not self._known:
            return True
        return self._known[0].failures >= _ENOUGH and self._site.now() - self._asked_s >= self._pause_s

    async def _ask(self, *, loopback: bool) -> None:
        """Put the pool that the server names first. Raises DeviceError when none is known at all."""
        if self._asked_s is not None and not self._known:
            await self._site.sleep(max(0.0, self._asked_s + self._pause_s - self._site.now()))
        repeated = self._asked_s is not None
        self._asked_s = self._site.now()
        try:
            status, body = await self._outside.ask(f"{self._plan.rest}/getPool", loopback=loopback)
            told = rest.parse_get_pool(body, status)
        except Unsupported:
            raise
        except MinertuiError as error:
            self._not_told(error)
            return
        known = next((p for p in self._known if (p.host, p.port) == (told.ip, told.port)), None)
        fresh = known or _Known(told.ip, told.port, told.name)
        self._pause_s = min(LONGEST_S, 2 * self._pause_s) if repeated and known and known.failures else SHORTEST_S
        self._known = [fresh, *(pool for pool in self._known if pool is not fresh)][:8]
        if known is None:
            self._site.log(f"the server names the pool {fresh.text}")

    def _not_told(self, error: MinertuiError) -> None:
        self._pause_s = BANNED_S if banned(error) else min(LONGEST_S, 2 * self._pause_s)
        message = getattr(error, "message", str(error))
        if not self._known:
            raise Unreachable("getPool", f"no pool is known: {message}") from error
        self._site.log(f"the server names no pool ({message}); trying those known")
