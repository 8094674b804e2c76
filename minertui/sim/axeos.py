"""Simulated AxeOS miners over real HTTP on loopback: many boards, one process, one port each.

A board's physics is brought up to now only when somebody asks it, so an idle board costs nothing. Loopback only: a
simulator that others can reach is a miner that anybody may command, and there is no switch for that.

    server = await serve(fleet(8, seed=1), clock=SystemClock())
    server.addresses            # ["127.0.0.1:40001", …]
    server.boards[0].faults.add("drip")
    await server.close()
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Mapping, Sequence

from minertui.model.errors import ConfigError
from minertui.model.seams import Clock
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_control import serve_control
from minertui.sim.axeos_fields import info
from minertui.sim.axeos_line import HeadTooLong, Line, encoded, read_request
from minertui.sim.axeos_models import NERD_FIRMWARE, family_named
from minertui.sim.axeos_patch import Reply
from minertui.sim.axeos_payload import Payload
from minertui.sim.axeos_routes import Request, answer
from minertui.sim.axeos_socket import MAX_CLIENTS, Socket, wants_socket
from minertui.sim.listener import Listener, place, reset

_MAX_CONNECTIONS = 20  # the firmware's; one more drops the one that was silent longest

# What people run, as (family, firmware) → weight.
MIX: Mapping[tuple[str, str], int] = {
    ("gamma", "v2.15.3"): 8,
    ("gamma", "v2.12.2"): 4,
    ("gamma", "v2.10.1"): 2,
    ("gamma", "v2.7.0"): 1,
    ("supra", "v2.14.2"): 2,
    ("supra", "v2.4.5"): 1,
    ("ultra", "v2.13.1"): 2,
    ("ultra", "v2.1.3"): 1,
    ("max", "v2.9.0"): 1,
    ("hex", "v2.12.2"): 1,
    ("suprahex", "v2.14.2"): 1,
    ("gammaduo", "v2.15.3"): 1,
    ("gammaturbo", "v2.15.3"): 2,
    ("nerdqaxe++", NERD_FIRMWARE): 3,
}


class _Served:
    """A board on its port."""

    def __init__(self, board: Board, clock: Clock) -> None:
        self.board, self._clock = board, clock
        self._now_s = clock.mono()
        self._payload = Payload()
        self._writers: dict[asyncio.StreamWriter, None] = {}
        self._pending: dict[asyncio.StreamWriter, asyncio.StreamReader] = {}
        self._sockets = 0

    def touch(self) -> None:
        """Bring the physics up to now."""
        now = self._clock.mono()
        self.board.advance(now - self._now_s)
        self._now_s = now

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        self._writers[writer] = None
        if len(self._writers) > _MAX_CONNECTIONS:
            oldest = next(iter(self._writers))
            self._writers.pop(oldest)
            reset(oldest)
        try:
            line = Line(self.board, self._clock, reader, writer)
            while await self._one(line, reader, writer):
                self._writers.pop(writer, None)
                self._writers[writer] = None  # the newest again
        except HeadTooLong:
            writer.write(encoded(Reply(413, "text/plain", b"too long"), keep=False))
        except ConnectionError:
            pass  # the client went away
        finally:
            self._writers.pop(writer, None)
            writer.close()

    async def _one(self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        came = await read_request(reader)
        if came is None:
            return False
        request, head = came
        self.touch()
        if not self.board.online:
            reset(writer)
            return False
        if line.sound and wants_socket(request.headers, request.path, self.board):
            await self._stream(request, head, reader, writer)
            return False
        self.board.judge.requests += 1
        self._pending[writer] = reader
        self._count_pending()
        try:
            return await line.reply(request, lambda: self._obey(request))
        finally:
            self._pending.pop(writer, None)
            self._count_pending()

    def _count_pending(self) -> None:
        """Requests under way whose client still waits: one that was given up is none."""
        waiting = sum(
            not (reader.at_eof() or reader.exception() or writer.is_closing())
            for writer, reader in self._pending.items()
        )
        judge = self.board.judge
        judge.in_flight = waiting
        judge.max_in_flight = max(judge.max_in_flight, waiting)

    def _obey(self, request: Request) -> Reply:
        if self.board.faults and request.method == "GET" and request.path == "/api/system/info":
            return Reply(200, "application/json", self._payload.bytes_of(self.board, info(self.board)))
        return answer(self.board, request)

    async def _stream(
        self, request: Request, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._sockets >= MAX_CLIENTS:
            writer.write(encoded(Reply(429, "text/plain", b"Max WebSocket clients reached"), keep=False))
            await writer.drain()
            return
        self._sockets += 1
        try:
            await Socket(self.board, self._clock, reader, writer).run(
                head, self.touch, live=request.path.endswith("/live")
            )
        finally:
            self._sockets -= 1


class SimServer:
    """Boards on their ports. ``addresses[i]`` is ``host:port`` of ``boards[i]``; ``control`` that of the fault
    console, empty when there is none."""

    def __init__(self, boards: Sequence[Board], clock: Clock) -> None:
        self.boards = list(boards)
        self.addresses: list[str] = []
        self.control = ""
        self._served = [_Served(board, clock) for board in boards]
        self._listener: Listener | None = None

    def touch(self, *boards: Board) -> None:
        """Bring the physics of ``boards`` (of all, when none is named) up to now: before a fault is switched on, and
        for a test that looks at ``truth()`` without asking over HTTP."""
        for served in self._served:
            if not boards or served.board in boards:
                served.touch()

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """One for each connection."""
        return self._listener.tasks if self._listener is not None else frozenset()

    async def open(self, host: str, port: int, control_port: int | None) -> None:
        """Listen. Raises ConfigError when the host is not loopback or a port is taken."""
        self._listener = listener = Listener(host)
        _allow_files(3 * len(self.boards) + 100)
        try:
            for index, served in enumerate(self._served):
                self.addresses.append(place(*await listener.listen(port and port + index, served.connected)))
            if control_port is not None:
                console = serve_control(self.boards, self.addresses, self.touch)
                self.control = place(*await listener.listen(control_port, console))
        except ConfigError:
            await self.close()
            raise

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._listener is not None:
            await self._listener.close()


async def serve(
    boards: Sequence[Board],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Clock,
    control_port: int | None = None,
) -> SimServer:
    """Serve ``boards`` on ``host`` (loopback only), on free ports (``port`` 0) or on consecutive ones from ``port``;
    with a fault console on ``control_port`` when that is given (0: a free one). Raises ConfigError."""
    server = SimServer(boards, clock)
    await server.open(host, port, control_port)
    return server


def fleet(
    count: int,
    *,
    seed: int = 0,
    mix: Mapping[tuple[str, str], int] = MIX,
    ambient_c: float = 25.0,
    warm_s: float = 0.0,
) -> list[Board]:
    """``count`` boards drawn from ``mix`` ((family, firmware) → weight); the first are the likeliest ones, so that a
    small fleet is a usual one. ``warm_s``: let each run that long before, so that nothing starts cold. Raises
    ConfigError for a family or firmware that cannot be simulated."""
    dice = random.Random(f"fleet-{seed}")
    kinds = sorted(mix, key=lambda kind: -mix[kind])
    weights = [mix[kind] for kind in kinds]
    boards = []
    for index in range(count):
        name, firmware = kinds[index] if index < len(kinds) else dice.choices(kinds, weights)[0]
        family = family_named(name)
        board = Board(family, firmware=firmware, seed=1000 * seed + index + 1, ambient_c=ambient_c)
        if warm_s:
            board.settle(warm_s + 60 * dice.random())
        boards.append(board)
    return boards


def _allow_files(count: int) -> None:
    """Each board needs a listening socket and its connections."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 512
    if soft < wanted and soft != resource.RLIM_INFINITY:
        new = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (new, hard))
