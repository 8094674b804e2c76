"""A simulated Duino-Coin pool with the master server's REST beside it, on loopback.

    async with DucoPool(clock=clock, rules=Rules(job_wait_ms=882)) as pool:
        pool.address            # ("127.0.0.1", 40001), what miners connect to
        pool.rest               # "http://127.0.0.1:40002"
        pool.miners[0].accepted, pool.duplicates, pool.paid("alice")
        pool.faults.add("stall"); pool.kick()

Simulated boards must never mine on the real network: emulated ones are why it switched AVR mining off in August 2021.
This pool listens on loopback only, and the relay connects a simulated board to nothing else; no option lifts that.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from types import TracebackType
from typing import Any

from minertui.model.seams import Clock
from minertui.sim.duco_faults import POOL_FAULTS, Faults
from minertui.sim.duco_rest import Rest
from minertui.sim.duco_rules import Issuer, Miner, OpenJob, Rules, book, judge, opening_error
from minertui.sim.listener import Listener, reset

_SEGMENT = 4096
_BYTE_S = 0.001
_STALL_LOOK_S = 0.05
_HARD = 1_000_000
_REMEMBERED = 4
_DIVISOR = 20_000.0


class DucoPool:
    """Pool and REST. ``miners``: every connection ever, in order."""

    def __init__(self, *, clock: Clock, rules: Rules | None = None, host: str = "127.0.0.1", seed: int = 0) -> None:
        """Raises ConfigError for a host that is not loopback."""
        self._clock, self._listener = clock, Listener(host)
        self.rules = rules or Rules()
        self.faults = Faults(POOL_FAULTS)
        self.miners: list[Miner] = []
        self.duplicates = 0  # wrong results that repeat one of the last nonces of the same chip id
        self.results = 0
        self.address = ("", 0)
        self.rest = ""
        self.rest_server = Rest(self)
        self._issuer = Issuer(seed)
        self._answered: dict[str, deque[str]] = {}
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self, port: int = 0, rest_port: int = 0) -> None:
        """Listen; 0 takes free ports. Raises ConfigError for one that is taken."""
        self.address = await self._listener.listen(port, self._serve)
        host, rest_port = await self._listener.listen(rest_port, self.rest_server.serve)
        self.rest = f"http://[{host}]:{rest_port}" if ":" in host else f"http://{host}:{rest_port}"

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        await self._listener.close()

    async def __aenter__(self) -> DucoPool:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def now_s(self) -> float:
        """The pool's time."""
        return self._clock.mono()

    def kick(self) -> None:
        """Reset every connection."""
        for writer in list(self._writers):
            reset(writer)

    def ban(self, user: str) -> None:
        """Refuse ``user`` from now on, and throw its connections out."""
        self.rules.banned.add(user)
        self.kick()

    def connected(self, user: str | None = None) -> list[Miner]:
        """The connections that are open, of one user or of all."""
        return [miner for miner in self.miners if miner.open and user in (None, miner.user)]

    def paid(self, user: str) -> float:
        """What ``user`` earned, in DUCO."""
        return math.fsum(miner.paid_duco for miner in self.miners if miner.user == user)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if "refuse" in self.faults:
            return
        miner = Miner(len(self.miners), place=len(self.connected()) + 1)
        self.miners.append(miner)
        self._writers.add(writer)
        try:
            await _Talk(self, miner, reader, writer).run()
        finally:
            miner.open = False
            self._writers.discard(writer)

    def take(self, message: str, open_job: OpenJob, miner: Miner) -> str:
        """Judge and book one result; the verdict's line."""
        self.results += 1
        nonce, _, _, _, chip_id = [*message.split(","), "", "", "", ""][:5]
        answered = self._answered.setdefault(chip_id, deque(maxlen=_REMEMBERED))
        self.duplicates += nonce != str(open_job.nonce) and nonce in answered
        answered.append(nonce)
        reason = judge(message, open_job, miner, self.rules, self.now_s)
        if reason:
            miner.rejected += 1
            miner.reasons.append(reason)
            return f"BAD,{reason}\n"
        self._issuer.accepted()
        if book(miner, message):
            miner.paid_duco += 2 * math.log(max(miner.rate_hs, 2.0)) / _DIVISOR * 0.96 ** max(0, miner.place - 4)
        return "BAD\n" if "bad" in self.faults else "GOOD\n"

    def issue(self, miner: Miner, asked: str) -> OpenJob:
        """The next job for the message ``asked``. A moved tier stays for the connection; an unknown one is NET."""
        miner.iot = [*asked.split(","), "", "", "", "", ""][4]
        tier = [*asked.split(","), "", ""][2]
        if not miner.moved:
            miner.tier = tier if tier in self.rules.tiers else "NET"
        difficulty = _HARD if "hard-job" in self.faults else self.rules.tiers[miner.tier].difficulty
        return self._issuer.job(difficulty, self.now_s)

    async def sleep(self, seconds: float) -> None:
        """Wait on the pool's clock."""
        await self._clock.sleep(seconds)


class _Talk:
    """One connection: a received segment is a message, answers are lines."""

    def __init__(
        self, pool: DucoPool, miner: Miner, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._pool, self._miner, self._reader, self._writer = pool, miner, reader, writer

    async def run(self) -> None:
        rules = self._pool.rules
        await self._say(f"{rules.version}\n")
        message = await self._hear(rules.first_job_s)
        while message is not None and not message.startswith("JOB"):
            if message == "MOTD":
                await self._say(rules.motd)
            message = await self._hear(rules.first_job_s)
        if message is None:
            return
        if error := opening_error(message, rules):
            await self._say(f"BAD,{error}\n")
            return
        self._miner.user = message.split(",")[1]
        while message is not None and await self._share(message):
            message = await self._hear(rules.silence_s)

    async def _share(self, message: str) -> bool:
        pool, faults = self._pool, self._pool.faults
        await pool.sleep(pool.rules.job_wait_ms / 1000)
        open_job = pool.issue(self._miner, message)
        job = open_job.job
        line = f"{job.last_hash},{job.expected},{job.difficulty}\n"
        if "half-job" in faults:
            await self._say(line[:50])
            await self._hear(pool.rules.silence_s)
            return False
        await self._say(f"GOOD\n{line}" if "glued" in faults else line)
        open_job.given_s = pool.now_s
        result = await self._hear(pool.rules.silence_s)
        if result is None:
            return False
        verdict = pool.take(result, open_job, self._miner)
        await pool.sleep(pool.rules.verdict_wait_ms / 1000)
        if "cut-verdict" in faults or "half-verdict" in faults:
            await self._say(verdict[:2] if "half-verdict" in faults else "")
            return False
        await self._say(verdict)
        return True

    async def _hear(self, limit_s: float) -> str | None:
        """The next message; None when the miner is gone, or silent for too long (then it is closed without a word)."""
        reading = asyncio.ensure_future(self._reader.read(_SEGMENT))
        limit = asyncio.ensure_future(self._pool.sleep(limit_s))
        try:
            await asyncio.wait({reading, limit}, return_when=asyncio.FIRST_COMPLETED)
            data = reading.result() if reading.done() else b""
        finally:
            await _drop(reading, limit)
        if not data:
            return None
        return data.decode("latin-1").strip()

    async def _say(self, text: str) -> None:
        faults = self._pool.faults
        while "stall" in faults:
            await self._pool.sleep(_STALL_LOOK_S)
        if "garbage" in faults:
            text = "\x1b[31m???\x00\n"
        if "endless" in faults:
            text = "x" * 100_000
        pieces = text if "split" in faults else [text]
        for piece in pieces:
            self._writer.write(piece.encode("latin-1"))
            await self._writer.drain()
            if len(pieces) > 1:
                await self._pool.sleep(_BYTE_S)


async def _drop(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
