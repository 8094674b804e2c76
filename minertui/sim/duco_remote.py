"""A simulated I2C bus for another process: served on loopback, one line a transaction.

w 20 4f63        →  ok            write these bytes (hex) to address 20
r 20 3           →  ok 496320     read three
scan             →  ok 20 21 22
                 →  no 121        the OSError's number

server = await serve(bus)
remote = RemoteBus("127.0.0.1", server.sockets[0].getsockname()[1])     # blocking, for a thread
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket

from minertui.sim.duco_bus import FakeBus
from minertui.sim.duco_pool import only_loopback
from minertui.sim.listener import Listener

_LINE = 1024
_PATIENCE_S = 10.0


class BusServer:
    """``bus`` on loopback; ``address`` is where."""

    def __init__(self, bus: FakeBus, *, host: str = "127.0.0.1") -> None:
        """Raises ConfigError for a host that is not loopback."""
        self._bus, self._listener = bus, Listener(host)
        self.address = ("", 0)

    async def open(self, port: int = 0) -> None:
        """Listen; 0 takes a free port. Raises ConfigError for one that is taken."""
        self.address = await self._listener.listen(port, self._serve)

    async def close(self) -> None:
        """Close the bus and drop every connection."""
        self._bus.close()
        await self._listener.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ValueError):  # a line without end
            while line := await reader.readline():
                writer.write(await asyncio.to_thread(_done, self._bus, line.decode("ascii", "replace")))
                await writer.drain()


class RemoteBus:
    """The bus at the other end: as FakeBus, for one thread at a time."""

    simulated = True

    def __init__(self, host: str, port: int) -> None:
        """Connect. Raises ConfigError for an address that is not loopback, OSError when nobody listens."""
        self._socket = socket.create_connection((only_loopback(host), port), timeout=_PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self._socket.makefile("rb")

    def write(self, address: int, data: bytes) -> None:
        """One transaction. Raises ConnectionError when the simulator is gone, other OSError as the bus did."""
        self._asked(f"w {address} {data.hex()}")

    def read(self, address: int, count: int) -> bytes:
        """One transaction. Raises as ``write``."""
        return bytes.fromhex(self._asked(f"r {address} {count}"))

    def scan(self) -> tuple[int, ...]:
        """The addresses that answer."""
        return tuple(int(word) for word in self._asked("scan").split())

    def close(self) -> None:
        """Let it go."""
        self._lines.close()
        self._socket.close()

    def _asked(self, command: str) -> str:
        try:
            self._socket.sendall(command.encode() + b"\n")
            answer = self._lines.readline(_LINE).decode("ascii", "replace")
        except TimeoutError as error:
            self.close()  # its late answer would be taken for the next one's
            raise ConnectionError("the simulated bus does not answer") from error
        except (OSError, ValueError) as error:
            raise ConnectionError("the simulated bus is gone") from error
        word, _, rest = answer.strip().partition(" ")
        if word == "no":
            raise OSError(int(rest), os.strerror(int(rest)))
        if word != "ok":
            raise ConnectionError("the simulated bus is gone")
        return rest


def _done(bus: FakeBus, line: str) -> bytes:
    words = line.split()
    try:
        if words == ["scan"]:
            return f"ok {' '.join(map(str, bus.scan()))}\n".encode()
        address, rest = int(words[1]), words[2]
        if words[0] == "r":
            return f"ok {bus.read(address, min(int(rest), 64)).hex()}\n".encode()
        bus.write(address, bytes.fromhex(rest))
        return b"ok\n"
    except ConnectionError:
        return b"gone\n"
    except OSError as error:
        return f"no {error.errno or errno.EIO}\n".encode()
    except (IndexError, ValueError):
        return f"no {errno.EINVAL}\n".encode()
