"""Listening on loopback, and ending without a trace: every connection's task is known and dropped at the end.

Loopback only: a simulator that others can reach is a miner that anybody may command, or a pool that anybody may take
for a real one, and there is no switch for that.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import struct
from collections.abc import Awaitable, Callable

from minertui.model.errors import ConfigError

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LONGEST = 65_536
"""Bytes that a service may read up to a separator."""
_BACKLOG = 128


class Listener:
    """Several services on ports of one loopback address."""

    def __init__(self, host: str) -> None:
        """Raises ConfigError for a host that is not loopback."""
        self._host = loopback(host)
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """One for each connection."""
        return frozenset(self._tasks)

    async def listen(self, port: int, serve: Serve) -> tuple[str, int]:
        """Serve on ``port`` (0: a free one); where that is. Raises ConfigError when the port is taken."""

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            try:
                await serve(reader, writer)
            except ConnectionError:
                pass  # the client is gone
            except asyncio.CancelledError:
                reset(writer)
                if not self._closing:
                    raise
            finally:
                self._tasks.discard(task)
                writer.close()

        try:
            server = await asyncio.start_server(accept, self._host, port, limit=LONGEST, backlog=_BACKLOG)
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"the simulator cannot listen on {place(self._host, port)}: {error}; choose another port"
            ) from error
        self._servers.append(server)
        host, number = server.sockets[0].getsockname()[:2]
        return host, number

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        self._closing = True
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()


def loopback(host: str) -> str:
    """``host`` as an address of this machine alone. Raises ConfigError for anything else."""
    if host == "localhost":
        return "127.0.0.1"
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return host
    raise ConfigError(f"simulated hardware listens on loopback only, not on {host!r}; use 127.0.0.1 or ::1")


def place(host: str, port: int) -> str:
    """``host:port``, with brackets round an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reset(writer: asyncio.StreamWriter) -> None:
    """Drop the connection with an RST."""
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
