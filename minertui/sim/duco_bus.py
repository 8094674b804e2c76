"""A simulated I2C bus with several boards, to stand where smbus2 stands: blocking calls, OSError when one fails.

bus = FakeBus({20: board("A"), 21: board("A", seed=1)}, clock.mono)
bus.write(20, b"S")
bus.read(20, 3)             # b"Ic "
bus.boards[20].faults.add("bit-flip")
"""

from __future__ import annotations

import errno
import random
import threading
import time
from collections.abc import Callable, Mapping

from minertui.sim.duco_boards import BoardA, I2cBoard

_NOW_AND_THEN = 1 / 40
_NO_ACK = 1 / 8
_BLOCK_STEP_S = 0.01  # real seconds: a blocked thread looks whether the fault is off
_MOST_LATE_S = 0.002


def transfer_s(count: int, hz: float) -> float:
    """Seconds that a transaction of ``count`` bytes takes on a bus of ``hz``: start, address and bytes with their
    acknowledgements, stop."""
    return (9 * (count + 1) + 2) / hz


class Opened:
    """A fake bus as a relay opens it: closed and opened as often as wanted, while the bus and its boards stay."""

    simulated = True

    def __init__(self, bus: FakeBus) -> None:
        self.write, self.read = bus.write, bus.read

    def close(self) -> None:
        """Nothing: the bus is its maker's."""


class FakeBus:
    """Boards by address (1 to 127). ``now_s`` gives the boards' time. Thread-safe: one transaction at a time, and a
    blocked one does not hold the others back. A relay may have it as its transport; ``simulated`` then keeps the boards
    on loopback. ``hz``: the bus takes the time, in real seconds, that its bytes take at this clock; None: no time."""

    simulated = True

    def __init__(
        self, boards: Mapping[int, I2cBoard], now_s: Callable[[], float], *, seed: int = 0, hz: float | None = None
    ) -> None:
        self.boards, self._hz = dict(boards), hz
        self._ahead_s = 0.0
        self.transactions = 0
        self._now_s = now_s
        self._dice = random.Random(f"bus-{seed}")
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._moving: set[int] = set()  # told another address

    def write(self, address: int, data: bytes) -> None:
        """One write transaction. Raises OSError: 121 when nobody is there, 110 when the bus is down, 19 when it was
        not acknowledged."""
        board = self._reached(address)
        with self._lock:
            self._pass(len(data))
            faults = board.faults
            if "lost-byte" in faults and data and self._chance(_NOW_AND_THEN):
                lost = self._dice.randrange(len(data))
                data = data[:lost] + data[lost + 1 :]
            if data:
                board.write(data, self._now_s())
            if data[:1] == b"V":
                self._moving.add(address)

    def read(self, address: int, count: int) -> bytes:
        """One read transaction of ``count`` bytes. Raises OSError as ``write`` does."""
        board = self._reached(address)
        with self._lock:
            data = board.read(count, self._now_s())
            self._pass(count)
            if "stretch" in board.faults and self._chance(_NOW_AND_THEN):
                data = b"\xff" * count
            if "bit-flip" in board.faults and self._chance(_NOW_AND_THEN):
                place = self._dice.randrange(count)
                flipped = data[place] ^ 1 << self._dice.randrange(8)
                data = data[:place] + bytes((flipped,)) + data[place + 1 :]
            return data

    def scan(self) -> tuple[int, ...]:
        """The addresses that answer."""
        found = []
        for address in sorted(self.boards):
            try:
                self.read(address, 1)
            except ConnectionError:
                raise
            except OSError:
                continue
            found.append(address)
        return tuple(found)

    def close(self) -> None:
        """End of the bus: everything raises ConnectionError, blocked transactions too."""
        self._closed.set()

    def _readdress(self) -> None:
        """A board that was told another address has it after its restart."""
        for old in [*self._moving]:
            board = self.boards.get(old)
            new = board.moved(self._now_s()) if isinstance(board, BoardA) else old
            if new is not None:
                self._moving.discard(old)
                self.boards[new] = self.boards.pop(old)

    def _reached(self, address: int) -> I2cBoard:
        self.transactions += 1
        if self._moving:
            self._readdress()
        if self._closed.is_set():
            raise ConnectionError("the simulated bus is closed")
        if any("hang-bus" in board.faults for board in self.boards.values()):
            raise OSError(errno.ETIMEDOUT, "Connection timed out")
        board = self.boards.get(address)
        if board is None or "unplugged" in board.faults:
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        while "block" in board.faults:
            if self._closed.wait(_BLOCK_STEP_S):
                raise ConnectionError("the simulated bus is closed")
        if "no-ack" in board.faults and self._chance(_NO_ACK):
            raise OSError(errno.ENODEV, "No such device")
        return board

    def _pass(self, count: int) -> None:
        """The time of ``count`` bytes. When the host sleeps too long the next ones make it good: a wire is punctual."""
        if self._hz is None:
            return
        began_s = time.perf_counter()
        self._ahead_s += transfer_s(count, self._hz)
        if self._ahead_s > 0:
            self._closed.wait(self._ahead_s)
            self._ahead_s = max(-_MOST_LATE_S, self._ahead_s - (time.perf_counter() - began_s))

    def _chance(self, share: float) -> bool:
        return self._dice.random() < share
