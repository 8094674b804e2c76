"""Loopback without sockets: both ends of a connection live in one loop, so bytes need no system.

``NearLoop`` takes the place of the loop's own ``create_server`` and ``create_connection``; streams and protocols above
them notice nothing. An end that is closed says so to the other as TCP does: in order behind its bytes, as the end of
the stream or, after a reset (SO_LINGER of 0 s), as an error. What is written to somebody who is gone breaks the writer.
"""

from __future__ import annotations

import asyncio
import errno
from collections import deque
from collections.abc import Callable
from typing import Any

_PIECE = 262_144  # bytes that a socket hands over at once
_FIRST_PORT = 20_001

Factory = Callable[[], asyncio.BaseProtocol]


class _Sock:
    """What ``reset`` wants of a socket: it takes the option that makes closing a reset."""

    def __init__(self, end: End) -> None:
        self._end = end

    def setsockopt(self, *option: object) -> None:
        """SO_LINGER is the only one that anybody sets."""
        self._end.resets = True


class End(asyncio.Transport):
    """One end of a connection."""

    other: End

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._loop, self._protocol = loop, protocol
        self._inbox: deque[bytes | None] = deque()  # None: the other end is closed
        self._paused = self._closing = False
        self.resets = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``socket`` can be set to reset; nothing else is known."""
        return _Sock(self) if name == "socket" else default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Who reads from now on."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who reads."""
        return self._protocol

    def is_closing(self) -> bool:
        """True once it was closed here or broke."""
        return self._closing

    def is_reading(self) -> bool:
        """False while bytes are held back."""
        return not self._paused

    def pause_reading(self) -> None:
        """Hold back what comes."""
        self._paused = True

    def resume_reading(self) -> None:
        """Hand over what was held back."""
        self._paused = False
        self._loop.call_soon(self._hand_over)

    def get_write_buffer_size(self) -> int:
        """Nothing waits here: it is the reader who holds it."""
        return 0

    def can_write_eof(self) -> bool:
        """No half-closed connections."""
        return False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """To the other end."""
        if self._closing:
            return
        if self.other._closing:
            self._break(BrokenPipeError(errno.EPIPE, "Broken pipe"))
            return
        raw = bytes(data)
        for start in range(0, len(raw), _PIECE):
            self.other._put(raw[start : start + _PIECE])

    def close(self) -> None:
        """No more from here; the other end reads what is on its way."""
        if self._closing:
            return
        self._break(None)
        self.other._put(None)

    abort = close

    def _break(self, error: Exception | None) -> None:
        self._closing = True
        self._loop.call_soon(self._protocol.connection_lost, error)

    def _put(self, data: bytes | None) -> None:
        self._inbox.append(data)
        self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        assert isinstance(self._protocol, asyncio.Protocol)
        while self._inbox and not self._paused and not self._closing:
            data = self._inbox.popleft()
            if data is not None:
                self._protocol.data_received(data)
            elif self.other.resets:
                self._break(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))
            elif not self._protocol.eof_received():
                self._break(None)


class _Door:
    """A listening server: ``asyncio.Server`` as far as ours are used."""

    def __init__(self, doors: dict[int, Factory], host: str, port: int) -> None:
        self._doors, self._place = doors, (host, port)

    @property
    def sockets(self) -> tuple[_Door, ...]:
        """One."""
        return (self,)

    def getsockname(self) -> tuple[str, int]:
        """Host and port."""
        return self._place

    def close(self) -> None:
        """Nobody is let in any more."""
        self._doors.pop(self._place[1], None)

    async def wait_closed(self) -> None:
        """At once."""


class NearLoop(asyncio.SelectorEventLoop):
    """Servers and connections of this loop meet in it; there is nothing else to reach. ``crowded``: the process may
    open no more files, so that nobody can connect."""

    crowded = False

    def __init__(self, selector: Any = None) -> None:
        super().__init__(selector)
        self._doors: dict[int, Factory] = {}

    async def create_server(self, protocol_factory: Factory, host: Any = None, port: Any = None, **_: Any) -> Any:
        """Listen; a port of 0 is the next free one."""
        number = int(port) or _FIRST_PORT + len(self._doors)
        if number in self._doors:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        self._doors[number] = protocol_factory
        return _Door(self._doors, str(host), number)

    async def create_connection(self, protocol_factory: Factory, host: Any = None, port: Any = None, **_: Any) -> Any:
        """Both ends. Raises OSError where nobody listens."""
        if self.crowded:
            raise OSError(errno.EMFILE, "Too many open files")
        door = self._doors.get(int(port))
        if door is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        here, there = End(self, protocol_factory()), End(self, door())
        here.other, there.other = there, here
        there._protocol.connection_made(there)
        here._protocol.connection_made(here)
        return here, here._protocol
