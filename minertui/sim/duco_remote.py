"""A simulated I2C bus for another process: served on loopback, one line a transaction.

w 20 4f63        →  ok            write these bytes (hex) to address 20
r 20 3           →  ok 496320     read three
scan             →  ok 20 21 22
                 →  no 121        the OSError's number

server = BusServer(bus)
await server.open()
server.at(20)                     # "i2c:sim:40123:20", what goes into a config
"""

from __future__ import annotations

import asyncio
import contextlib
import errno

from minertui.model.relay import SIMULATED, Wire
from minertui.sim.duco_bus import FakeBus
from minertui.sim.listener import Listener


class BusServer:
    """``bus`` on 127.0.0.1; ``address`` is where."""

    def __init__(self, bus: FakeBus) -> None:
        self._bus, self._listener = bus, Listener("127.0.0.1")
        self.address = ("", 0)

    async def open(self, port: int = 0) -> None:
        """Listen; 0 takes a free port. Raises ConfigError for one that is taken."""
        self.address = await self._listener.listen(port, self._serve)

    def at(self, address: int) -> str:
        """The place of the board at ``address``, as a config has it."""
        return f"{Wire.I2C}:{SIMULATED}{self.address[1]}:{address}"

    async def close(self) -> None:
        """Close the bus and drop every connection."""
        self._bus.close()
        await self._listener.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ValueError):  # a line without end
            while line := await reader.readline():
                writer.write(await asyncio.to_thread(_done, self._bus, line.decode("ascii", "replace")))
                await writer.drain()


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
