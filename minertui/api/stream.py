"""The event stream: the whole fleet, then numbered changes, one JSON value a line, for as long as the caller reads.

What happens is sent at once, and then nothing for GATHER_S: what comes meanwhile travels together, which is cheaper on
both sides than a chunk an event. A caller that takes nothing for SEND_S is dropped by the server, and one that has not
taken what was sent within SLOW_S here: it comes back with ``after`` and gets what it missed. While nothing happens a
heartbeat goes out, so that silence means a broken connection. Times are real seconds: they judge the transport, not the
miners.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, MutableMapping
from typing import Any, Protocol, cast

import msgspec

from minertui.api.guard import Receive, Send
from minertui.api.shapes import HEARTBEAT_S, Heartbeat, StreamLine, problem_of, status_of
from minertui.model.errors import LinkError, MinertuiError
from minertui.model.events import Message
from minertui.model.seams import Link

SEND_S = 10.0
SLOW_S = 120.0
"""The whole of a large fleet, over a phone's line: dropped sooner it would be asked for anew, again and again."""
GATHER_S = 0.1
AHEAD = 256
"""Messages taken from the link before the caller has taken what went before; the rest waits there."""
FIRST_S = 0.2
"""A caller who resumes when nothing has happened gets a heartbeat after so long, and knows that it is connected."""


class Resumable(Protocol):
    """A link that can go on after a version that the caller has seen, instead of starting with the whole fleet."""

    def watch(self, after: int | None = None) -> AsyncIterator[Message]:
        """As ``Link.watch``, after that version as far as it is still known."""
        ...


def messages(link: Link, after: int | None) -> AsyncIterator[Message]:
    """The link's messages, after version ``after`` if the link can resume."""
    if after is not None and "after" in inspect.signature(link.watch).parameters:
        return cast(Resumable, link).watch(after)
    return link.watch()


class EventStream:
    """An ASGI answer that goes on until the caller leaves, is too slow, or ``closing`` is set."""

    def __init__(
        self,
        source: AsyncIterator[Message],
        closing: asyncio.Event,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        send_s: float = SLOW_S,
    ) -> None:
        self._source, self._closing = source, closing
        self._heartbeat_s, self._send_s = heartbeat_s, send_s

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer for as long as it goes."""
        inbox = _Inbox(self._source)
        ends: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(_gone(receive)),
            asyncio.ensure_future(self._closing.wait()),
        ]
        try:
            await self._answer(send, inbox, ends)
        finally:
            inbox.close()
            for end in ends:
                end.cancel()

    async def _answer(self, send: Send, inbox: _Inbox, ends: list[asyncio.Future[Any]]) -> None:
        lines = self._lines(inbox, ends)
        try:
            first = await anext(lines, None)
        except MinertuiError as error:
            await _error(send, error)
            return
        if first is None:
            await _error(send, LinkError("the engine is going down"))
            return
        headers = [(b"content-type", b"application/x-ndjson"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            await self._send(send, first)
            async for some in lines:
                await self._send(send, some)
            if self._closing.is_set() and (last := inbox.take()):  # how the jobs ended, say
                await self._send(send, last)
            await send({"type": "http.response.body", "body": b""})
        except (TimeoutError, MinertuiError):
            return  # an answer without an end closes the connection; the caller resumes
        finally:
            await lines.aclose()

    async def _send(self, send: Send, lines: bytes) -> None:
        async with asyncio.timeout(self._send_s):
            await send({"type": "http.response.body", "body": lines, "more_body": True})

    async def _lines(self, inbox: _Inbox, ends: list[asyncio.Future[Any]]) -> AsyncGenerator[bytes, None]:
        """Messages as they come, a heartbeat when none came for a while; stops when one of ``ends`` is done."""
        quiet_s = min(FIRST_S, self._heartbeat_s)
        while True:
            news = asyncio.ensure_future(inbox.news.wait())
            await asyncio.wait([news, *ends], timeout=quiet_s, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            quiet_s = self._heartbeat_s
            if any(end.done() for end in ends):
                return
            if not inbox.news.is_set():
                yield _line(Heartbeat())
            elif lines := inbox.take():
                yield lines
                await asyncio.wait(ends, timeout=GATHER_S, return_when=asyncio.FIRST_COMPLETED)
            else:
                return


class _Inbox:
    """Takes messages from a link a little ahead of the caller, already as lines. ``news`` is set when there is
    something to take, or no more to come."""

    def __init__(self, source: AsyncIterator[Message]) -> None:
        self.news = asyncio.Event()
        self._source, self._lines = source, list[bytes]()
        self._room = asyncio.Event()
        self._filling = asyncio.ensure_future(self._fill())

    def take(self) -> bytes:
        """The lines until now; empty when there will be no more. Raises what the link raised, after the last line."""
        lines, self._lines = self._lines, []
        self._room.set()
        if not self._filling.done():
            self.news.clear()
        elif not lines:
            self._filling.result()
        return b"".join(lines)

    def close(self) -> None:
        """Take no more."""
        if not self._filling.cancel() and not self._filling.cancelled():
            self._filling.exception()  # nobody wants to know any more

    async def _fill(self) -> None:
        try:
            async for message in self._source:
                self._lines.append(_line(message))
                self.news.set()
                while len(self._lines) >= AHEAD:
                    self._room.clear()
                    await self._room.wait()
        finally:
            self.news.set()


def _line(value: StreamLine) -> bytes:
    return msgspec.json.encode(value) + b"\n"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _error(send: Send, error: MinertuiError) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status_of(error), "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode(problem_of(error))})
