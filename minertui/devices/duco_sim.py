"""Boards on a simulated I2C bus, which another program of this computer serves (``minertui sim duco``).

There is no host in its name: it is 127.0.0.1, always. Its boards mine on this computer only.

    w 20 4f63  →  ok            r 20 3  →  ok 496320            scan  →  ok 20 21            errors:  no 121
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable

from minertui.model.relay import SIMULATED

_LINE = 1024
_PATIENCE_S = 10.0


def connect(way: str) -> Callable[[], SimulatedBus]:
    """Opens the bus of ``way`` (``sim:PORT``); call it again after every loss. It raises OSError, whose text is fit for
    the user, and FileNotFoundError when nobody serves it."""
    port = int(way.removeprefix(SIMULATED))

    def opened() -> SimulatedBus:
        try:
            return SimulatedBus(port)
        except OverflowError as error:
            raise FileNotFoundError(errno.ENOENT, f"there is no port {port}") from error
        except OSError as error:
            why = f"no simulated bus is served on port {port}: start minertui sim duco"
            raise FileNotFoundError(errno.ENOENT, why) from error

    return opened


class SimulatedBus:
    """The Transport of one simulated bus, for one thread at a time."""

    simulated = True

    def __init__(self, port: int) -> None:
        """Connect. Raises OSError when nobody listens."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S)
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
