"""The line between a simulated board and its client: HTTP/1.1 over one connection, and all that may go wrong on it.

The request is read by hand because the faults need the transport itself: a byte at a time, a reset, an endless body.
Faults wait in real seconds, whatever the speed of the simulated time, because clients' deadlines are real.
"""

from __future__ import annotations

import asyncio
import functools
import zlib
from collections.abc import Callable, Coroutine
from typing import Any

from minertui.model.seams import Clock
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_faults import LINE
from minertui.sim.axeos_patch import Reply
from minertui.sim.axeos_routes import UNAUTHORIZED, WRITES, Request
from minertui.sim.listener import reset

_MAX_BODY = 1_048_576
_REASONS = {200: "OK", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found",
            413: "Content Too Large", 429: "Too Many Requests", 500: "Internal Server Error"}  # fmt: skip
_HTML = Reply(200, "text/html", b"<!doctype html><html><body><h1>It works</h1></body></html>")
_SWAPS: dict[str, Reply] = {
    "empty": Reply(200, "application/json", b""),
    "empty-json": Reply(200, "application/json", b"{}"),
    "null": Reply(200, "application/json", b"null"),
    "html": _HTML,
    "deep-json": Reply(200, "application/json", b'{"temp":' + b"[" * 200_000),
}


class HeadTooLong(Exception):  # noqa: N818 (says what happened)
    """The client's request is larger than any real client's."""


async def read_request(reader: asyncio.StreamReader) -> tuple[Request, bytes] | None:
    """The next request and its raw head; None when the client is gone. Raises HeadTooLong."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length") or 0)
        if length > _MAX_BODY:
            raise HeadTooLong
        body = await reader.readexactly(length) if length > 0 else b""
    except asyncio.LimitOverrunError as error:
        raise HeadTooLong from error
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        return None
    return Request(method, target, headers, body), head


def encoded(reply: Reply, *, keep: bool, head: bytes = b"") -> bytes:
    """A reply on the wire. An empty 200 goes out chunked, as the firmware's does. ``head``: further header lines."""
    reason = _REASONS.get(reply.status, "OK")
    location = b"Location: /\r\n" if reply.status == 302 else b""
    size = b"Transfer-Encoding: chunked\r\n" if not reply.body else f"Content-Length: {len(reply.body)}\r\n".encode()
    end = b"0\r\n\r\n" if not reply.body else reply.body
    close = b"" if keep else b"Connection: close\r\n"
    start = f"HTTP/1.1 {reply.status} {reason}\r\nContent-Type: {reply.kind}\r\n".encode()
    return b"".join(
        (start, b"Access-Control-Allow-Origin: *\r\n", head, location, size, close, b"\r\n", end)
    )  # fmt: skip


Answer = Callable[[], Reply]


class Line:
    """One connection of a client to a board."""

    def __init__(self, board: Board, clock: Clock, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._board, self._clock, self._reader, self._writer = board, clock, reader, writer

    @property
    def sound(self) -> bool:
        """True while no fault of the line is on, so that a websocket can be opened."""
        return "wifi-lost" not in self._board.faults and self._board.faults.first_of(LINE) is None

    async def reply(self, request: Request, answer: Answer) -> bool:
        """Send what ``answer`` says (it obeys the request when called), through the line's faults. False when the
        connection is over."""
        fault = self._fault(request)
        if fault is None:
            keep = request.headers.get("connection", "").lower() != "close"
            self._writer.write(encoded(answer(), keep=keep))
            await self._writer.drain()
            return keep
        return await self._faulty(fault, answer)

    def _fault(self, request: Request) -> str | None:
        faults = self._board.faults
        if "wifi-lost" in faults:
            return "hang"
        fault = faults.first_of(LINE)
        if fault == "cut-answer" and request.method not in WRITES:
            return None
        return fault

    async def _faulty(self, fault: str, answer: Answer) -> bool:
        if fault in _SWAPS:
            answer()
            return await self._plain(_SWAPS[fault])
        sending = asyncio.create_task(_FAULTY[fault](self, answer))
        gone = asyncio.create_task(self._client_gone())
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
            return sending.result() if sending.done() else False
        finally:
            sending.cancel()
            gone.cancel()
            await asyncio.gather(sending, gone, return_exceptions=True)

    async def _client_gone(self) -> None:
        while await self._reader.read(4096):
            pass  # the client still hopes

    async def _plain(self, reply: Reply, head: bytes = b"") -> bool:
        self._writer.write(encoded(reply, keep=False, head=head))
        await self._writer.drain()
        return False

    async def _hang(self, answer: Answer) -> bool:
        await asyncio.Event().wait()
        return False

    async def _reset(self, answer: Answer) -> bool:
        reset(self._writer)
        return False

    async def _cut(self, answer: Answer) -> bool:
        answer()
        reset(self._writer)
        return False

    async def _drip(self, answer: Answer) -> bool:
        for byte in encoded(answer(), keep=False):
            self._writer.write(bytes((byte,)))
            await self._writer.drain()
            await self._real_sleep(0.5)
        return False

    async def _auth(self, answer: Answer) -> bool:
        if self._board.family.nerd:
            return await self._plain(Reply(401, "text/plain", b"OTP/Session required"))
        return await self._plain(UNAUTHORIZED)

    async def _busy(self, answer: Answer) -> bool:
        odd = self._board.judge.requests % 2
        return await self._plain(Reply(429 if odd else 500, "text/plain", b"Too busy"))

    async def _endless(self, answer: Answer) -> bool:
        answer()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        self._writer.write(head + b'8\r\n{"pad":"\r\n')
        piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
        while not self._writer.is_closing():
            self._writer.write(piece)
            await self._writer.drain()
            await self._real_sleep(0.005)  # 13 MB/s: enough to fill any memory, not to starve the other boards
        return False

    async def _gzip(self, answer: Answer) -> bool:
        answer()
        return await self._plain(Reply(200, "application/json", _bomb()), b"Content-Encoding: gzip\r\n")

    async def _huge_header(self, answer: Answer) -> bool:
        return await self._plain(answer(), b"X-Filler: " + b"x" * 1_048_576 + b"\r\n")

    async def _real_sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds * self._clock.speed)


_FAULTY: dict[str, Callable[[Line, Answer], Coroutine[Any, Any, bool]]] = {
    "hang": Line._hang,
    "reset": Line._reset,
    "cut-answer": Line._cut,
    "drip": Line._drip,
    "auth": Line._auth,
    "busy": Line._busy,
    "endless": Line._endless,
    "gzip-bomb": Line._gzip,
    "huge-header": Line._huge_header,
}


@functools.cache
def _bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(b" " * 1_048_576) for _ in range(64)), packer.flush()])
