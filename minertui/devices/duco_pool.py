"""Duino-Coin's servers: one TCP connection to a pool, and questions to the master server over HTTP.

A pool takes one segment as one message, so what is written goes out in one piece at once (TCP_NODELAY, which asyncio
sets). Simulated boards mine on loopback only: where ``loopback`` is asked for, the RESOLVED address is checked at every
connect, and connected to; no option lifts that. Emulated boards are why the network switched AVR mining off in 2021.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from minertui.model.errors import Unreachable, Unsupported

if TYPE_CHECKING:
    import httpx2

CONNECT_S = 5.0
ANSWER_S = 15.0
MAX_BYTES = 1024 * 1024
_CHUNK = 2048


class PoolLine:
    """One connection. Raises Unreachable when it is gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: str) -> None:
        self._reader, self._writer, self._place = reader, writer, place

    @property
    def place(self) -> str:
        """``ip:port`` at the other end."""
        return self._place

    @property
    def over(self) -> bool:
        """True once the other end closed it."""
        return self._reader.at_eof() or self._writer.is_closing() or self._reader.exception() is not None

    async def write(self, data: bytes) -> None:
        """One message, in one segment."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise self._gone() from error

    async def read(self) -> bytes:
        """What came, at least a byte."""
        try:
            data = await self._reader.read(_CHUNK)
        except OSError as error:
            raise self._gone() from error
        if not data:
            raise self._gone()
        return data

    async def close(self) -> None:
        """Let it go; waits for nothing."""
        self._writer.close()

    def _gone(self) -> Unreachable:
        return Unreachable(self._place, "the pool closed the connection")


class Servers:
    """The Outside of a rig."""

    def __init__(self) -> None:
        self._client: httpx2.AsyncClient | None = None

    async def dial(self, host: str, port: int, *, loopback: bool) -> PoolLine:
        """Connect. Raises Unreachable; Unsupported where ``loopback`` forbids the address."""
        why = "no answer; the pool is down, or this computer has no network"
        try:
            async with asyncio.timeout(CONNECT_S):
                for address in await _resolved(host, port, loopback=loopback):
                    try:
                        reader, writer = await asyncio.open_connection(address, port)
                    except OSError as error:
                        why = f"cannot be connected to: {error.strerror or error}"
                        continue
                    return PoolLine(reader, writer, f"{address}:{port}")
        except TimeoutError:
            why = f"no answer within {CONNECT_S:g} s"
        raise Unreachable(f"{host}:{port}", why)

    async def ask(self, url: str, *, loopback: bool) -> tuple[int, bytes]:
        """Status and body of a GET, at most MAX_BYTES. Raises Unreachable, whose text leaves the path out (it can hold
        the mining key); Unsupported where ``loopback`` forbids the address."""
        import httpx2

        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise Unreachable("the server", "its address cannot be one; brackets or port are not right") from error
        if loopback:
            address = (await _resolved(host, port, loopback=True))[0]
            shown = f"[{address}]" if ":" in address else address
            url = urlunsplit(parts._replace(netloc=f"{shown}:{port}"))
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._got(url)
        except TimeoutError as error:
            raise Unreachable(host, f"no answer within {ANSWER_S:g} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise Unreachable(host, f"cannot be asked ({type(error).__name__}); is there a network?") from error

    async def close(self) -> None:
        """Let the connections go."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _got(self, url: str) -> tuple[int, bytes]:
        import httpx2

        if self._client is None:
            for name in ("httpx2", "httpcore2"):
                logging.getLogger(name).setLevel(logging.WARNING)  # they would log the mining key
            self._client = httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=httpx2.Timeout(None))
        body = b""
        async with self._client.stream("GET", url) as answer:
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise httpx2.TransportError("the answer is too long")
            return answer.status_code, body


async def _resolved(host: str, port: int, *, loopback: bool) -> list[str]:
    """The IP addresses behind ``host``. Raises Unreachable; Unsupported when one must be loopback and is not."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(host, "its address cannot be found; is there a network?") from error
    addresses = [str(place[0]).partition("%")[0] for *_, place in found]
    if loopback and not (addresses and all(_is_loopback(address) for address in addresses)):
        raise Unsupported(host, "simulated boards mine on this computer (127.0.0.1) only, never on a real pool")
    return addresses


def _is_loopback(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    mapped = getattr(ip, "ipv4_mapped", None)
    return bool((mapped or ip).is_loopback)
