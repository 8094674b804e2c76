"""One GET to the engine with nothing but asyncio and h11: all that a screen needs before its first picture, and what
carries every event after it. A whole HTTP client costs a third of the time until that picture, and more of each event
than decoding it. Orders and other questions go through such a client (``api.client``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import h11

BROKEN = (h11.ProtocolError, UnicodeError, OSError)
"""What ``get`` and ``pieces`` raise when the other side breaks off or does not speak HTTP, and for what HTTP cannot say
itself; ``open`` raises OSError."""

_PIECE = 64 * 1024


class Connection:
    """A connection for one GET. It is read only as fast as ``pieces`` are taken, so a screen that stands still is seen
    by the engine as one."""

    def __init__(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host, self._reader, self._writer = host, reader, writer
        self._http = h11.Connection(h11.CLIENT)

    @classmethod
    async def open(cls, socket_path: Path | None, url: str) -> Self:
        """To the Unix socket, or to host and port of ``url`` without one. Raises OSError."""
        place = urlsplit(url)
        if socket_path is not None:
            return cls(place.netloc, *await asyncio.open_unix_connection(socket_path))
        return cls(place.netloc, *await asyncio.open_connection(place.hostname, place.port or 80))

    async def get(self, target: str, headers: Mapping[str, str]) -> int:
        """Ask; the status of the answer. Raises one of BROKEN."""
        request = h11.Request(method="GET", target=target, headers=[("host", self._host), *headers.items()])
        self._writer.write((self._http.send(request) or b"") + (self._http.send(h11.EndOfMessage()) or b""))
        while not isinstance(event := await self._next(), h11.Response):
            pass  # 1xx: the answer is still to come
        return event.status_code

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises one of BROKEN, also when it ends before its end."""
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)

    async def body(self) -> bytes:
        """The whole body. Raises one of BROKEN."""
        return b"".join([piece async for piece in self.pieces()])

    def close(self) -> None:
        """Drop it; nothing is waited for."""
        self._writer.close()

    async def _next(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._reader.read(_PIECE))
        return event
