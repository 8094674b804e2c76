"""Opens the doors and lets uvicorn speak HTTP behind them.

Uvicorn's own signal handlers, logs and ticking are off: the engine's process is the engine's.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from minertui.api.app import application
from minertui.api.guard import HEAD_BYTES, RECEIVE_S, Guard
from minertui.api.sockets import UnixDoor, tcp_door
from minertui.api.stream import SEND_S
from minertui.api.tokens import tokens_from
from minertui.model.errors import ConfigError
from minertui.model.seams import Link

CONNECTIONS = 100
"""Connections per door; one more is answered with 503."""

_CLOSE_S = 2


class ApiServer:
    """The running API. ``tcp`` is the address in use, None without the TCP door."""

    def __init__(
        self, unix: UnixDoor, tcp: socket.socket | None, servers: list[_Server], closing: asyncio.Event
    ) -> None:
        self._unix, self._closing = unix, closing
        self._servers = servers
        self._tasks: list[asyncio.Future[None]] = [asyncio.ensure_future(server.serve()) for server in servers]
        self.tcp: tuple[str, int] | None = tcp.getsockname()[:2] if tcp else None

    async def started(self) -> None:
        """Wait until every door answers; raises what kept it from that."""
        for server, task in zip(self._servers, self._tasks, strict=True):
            ready: asyncio.Future[Any] = asyncio.ensure_future(server.ready.wait())
            await asyncio.wait([ready, task], return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            if task.done():
                task.result()

    async def close(self) -> None:
        """End the event streams, let running requests finish (2 s at most), take the socket away."""
        self._closing.set()
        for server in self._servers:
            server.ending.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._unix.close()


async def serve(link: Link, *, socket_path: Path, tcp: str | None = None, token_file: Path | None = None) -> ApiServer:
    """Serve ``link`` at the Unix socket, and on ``tcp`` (``127.0.0.1:8337``) with the tokens of ``token_file``.

    Returns when it answers. Raises LinkError when an engine is there already and ConfigError when a door cannot open.
    """
    if tcp is not None and token_file is None:
        raise ConfigError("needs a token_file beside it", key="api.tcp")
    closing = asyncio.Event()
    app = application(link, closing)
    unix = UnixDoor(socket_path)
    try:
        servers = [_Server(Guard(app, None), unix.socket)]
        listening = None
        if tcp is not None and token_file is not None:
            tokens = tokens_from(token_file)
            listening = tcp_door(tcp)
            servers.append(_Server(Guard(app, tokens), listening))
    except BaseException:
        unix.close()
        raise
    server = ApiServer(unix, listening, servers, closing)
    try:
        await server.started()
    except BaseException:
        await server.close()
        raise
    return server


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers and without its tick ten times a second."""

    def __init__(self, app: Guard, listening: socket.socket) -> None:
        self.ready, self.ending = asyncio.Event(), asyncio.Event()
        self._listening = listening
        config = uvicorn.Config(
            app,
            http=_Deadlined,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=_CLOSE_S,
            h11_max_incomplete_event_size=HEAD_BYTES,
        )
        super().__init__(config)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Until ``ending`` is set."""
        await super().serve([self._listening])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Sleep until the end."""
        await self.ending.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the engine's business."""
        yield


class _Deadlined(H11Protocol):
    """Closes a connection that does not complete a request's head in time, and drops one that does not take its answer:
    uvicorn would wait for ever, and a hundred such are all that a door takes."""

    _deadline: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody came; the clock starts."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(RECEIVE_S, transport.close)

    def data_received(self, data: bytes) -> None:
        """Bytes came: when they complete a head the clock stops, when they begin another one it starts."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_clock()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(RECEIVE_S, self.transport.close)

    def pause_writing(self) -> None:
        """The caller does not take what is sent."""
        super().pause_writing()
        self._wait_for(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """It does again."""
        self._take_on()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Over."""
        self._stop_clock()
        self._take_on()
        super().connection_lost(exc)

    def _wait_for(self, left: int) -> None:
        """Less of it by then: slow lines may take their time."""
        self._stuck = self.loop.call_later(SEND_S, self._look, left)

    def _look(self, left: int) -> None:
        now = self.transport.get_write_buffer_size()
        if now < left:
            self._wait_for(now)
        else:
            self.transport.abort()

    def _take_on(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
