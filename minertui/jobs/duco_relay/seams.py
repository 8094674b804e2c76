"""What a relay needs of the world, so that it runs on real wires, on simulated ones and on nothing but a test's clock.

Transport   blocking, used by one thread: a serial port, an I2C bus, an adaptor
Bench       the boards' side: carries exchanges out
Line        one connection to a pool: whole lines in, one message a write out
Outside     pools and the master server
RelaySite   the engine
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from minertui.model.errors import Unreachable
from minertui.model.relay import Place, RelayView
from minertui.wire.duco.exchange import Exchange, Outcome, Tally


class Transport(Protocol):
    """A way to boards. ``write`` and ``read`` raise ConnectionError when the whole way is gone (unplugged), and any
    other OSError when this one board did not answer. A serial port has one board and ignores ``address``; its ``read``
    gives what is there, maybe nothing."""

    @property
    def simulated(self) -> bool:
        """True when there is no hardware behind it: its boards mine on loopback only."""
        ...

    def write(self, address: int, data: bytes) -> None:
        """In one transaction."""
        ...

    def read(self, address: int, count: int) -> bytes:
        """In one transaction."""
        ...

    def close(self) -> None:
        """Safe to call again."""
        ...


class Absent(Unreachable):
    """The port or bus is not there at all: unplugged."""


Opener = Callable[[], Transport]
"""Opens the way; blocking. Raises OSError, whose text is fit for the user; FileNotFoundError when it is unplugged."""


class Done(msgspec.Struct, frozen=True):
    """An exchange that ended. Seconds of the program's clock: passing the job, and from then to the outcome."""

    outcome: Outcome
    tally: Tally
    handover_s: float
    turn_s: float


class Bench(Protocol):
    """One way with one or more boards. ``open`` is safe to call again; it and ``do`` raise Unreachable."""

    @property
    def simulated(self) -> bool:
        """As its transport's."""
        ...

    async def open(self) -> bool:
        """True when it was not open before."""
        ...

    def close(self) -> None:
        """Safe to call again."""
        ...

    async def do(self, address: int, exchange: Exchange) -> Done:
        """Carry ``exchange`` out with the board at ``address``."""
        ...


class Benches(Protocol):
    """The ways of this computer. All boards on one way get the same bench."""

    def take(self, place: Place) -> Bench:
        """Give it back with ``release``; the last one closes it."""
        ...

    def release(self, place: Place) -> None:
        """A board needs it no more."""
        ...


class Line(Protocol):
    """One connection to a pool. Raises Unreachable when it is gone."""

    @property
    def place(self) -> str:
        """``ip:port`` at the other end."""
        ...

    @property
    def over(self) -> bool:
        """True once the other end closed it."""
        ...

    async def write(self, data: bytes) -> None:
        """One message, in one segment."""
        ...

    async def read(self) -> bytes:
        """What came, at least a byte; waits for it."""
        ...

    async def close(self) -> None:
        """Safe to call again."""
        ...


class Outside(Protocol):
    """Pools and the master server. ``loopback``: refuse every other address, checked on the resolved one."""

    async def dial(self, host: str, port: int, *, loopback: bool) -> Line:
        """Raises Unreachable; Unsupported where ``loopback`` forbids the address."""
        ...

    async def close(self) -> None:
        """Let the connections to the master server go."""
        ...

    async def ask(self, url: str, *, loopback: bool) -> tuple[int, bytes]:
        """HTTP status and body of a GET. Raises Unreachable; Unsupported where ``loopback`` forbids the address."""
        ...


class RelaySite(Protocol):
    """What the engine gives a relay."""

    @property
    def mining_key(self) -> str:
        """The user's; empty when there is none. Never logged, never shown."""
        ...

    def now(self) -> float:
        """Monotonic seconds of the program's clock."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Seconds of the program's clock."""
        ...

    async def ended(self) -> None:
        """Waits until the rig is to end."""
        ...

    def log(self, text: str) -> None:
        """A line under the job's id."""
        ...

    def report(self, view: RelayView, note: str = "") -> None:
        """How the rig does."""
        ...
