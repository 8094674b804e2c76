"""Listening on loopback, and ending without a trace: every connection's task is known and dropped at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from minertui.model.errors import ConfigError
from minertui.sim.axeos import loopback

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_LINE = 65_536


class Listener:
    """Several services on ports of one loopback address."""

    def __init__(self, host: str) -> None:
        """Raises ConfigError for a host that is not loopback."""
        self._host = loopback(host)
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

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
                if not self._closing:
                    raise
            finally:
                self._tasks.discard(task)
                writer.close()

        try:
            server = await asyncio.start_server(accept, self._host, port, limit=_LINE, backlog=128)
        except (OSError, OverflowError) as error:
            raise ConfigError(f"the simulator cannot listen on port {port}: {error}; choose another") from error
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
