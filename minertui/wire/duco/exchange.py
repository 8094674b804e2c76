"""One task of one board, told in single transfers: whoever holds the bus does them and may serve other boards between.

    step = exchange.next(now_s)
    Write, Read   do it, then ``got(data)``: the bytes read, b"" after a write, None when the bus failed
    Wait          nothing to do before ``until_s``
    an Outcome    over; ``next`` keeps saying it

A dialect writes its task as a generator (a script) that yields Write, Read and Pause and returns the Outcome; Scripted
turns that into an Exchange. Scripts bound every repetition, so each ends by itself whatever the board does, provided
that time goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Protocol, TypeAlias

import msgspec

BUS_TRIES = 4
_RETRY_PAUSE_S = 0.005


class Write(msgspec.Struct, frozen=True):
    """Write ``data`` to the board in one transaction."""

    data: bytes


class Read(msgspec.Struct, frozen=True):
    """Read ``count`` bytes in one transaction. From a serial port: what is there, at most ``count``, maybe nothing."""

    count: int


class Wait(msgspec.Struct, frozen=True):
    """Nothing to do before ``until_s``, on the clock given to ``next``."""

    until_s: float


class Solved(msgspec.Struct, frozen=True):
    """The board found ``nonce``, and one SHA-1 proved it. ``elapsed_us``: hashing time the board measured, None when
    it tells none worth a rate. ``chip_id``: the DUCOID in the answer, None when the dialect sends none."""

    nonce: int
    elapsed_us: int | None = None
    chip_id: str | None = None

    @property
    def rate_hs(self) -> float | None:
        """Hashes a second; coarse for small nonces, so average over shares."""
        return 1e6 * self.nonce / self.elapsed_us if self.elapsed_us else None


class NotFound(msgspec.Struct, frozen=True):
    """The board says that there is no nonce (0 or ``#``): a board error, give it the same job again."""


class WrongNonce(msgspec.Struct, frozen=True):
    """The board's nonce does not solve the job: it must not go to the pool."""

    nonce: int


class TooHard(msgspec.Struct, frozen=True):
    """The job was not handed over: this kind of board cannot do more than difficulty ``most``."""

    difficulty: int
    most: int


class BoardError(msgspec.Struct, frozen=True):
    """No answer, or none that makes sense, after all repetitions. ``reason`` is fit for the user."""

    reason: str


class Replied(msgspec.Struct, frozen=True):
    """The answer to a question; cleaned, printable ASCII."""

    text: str


class Detected(msgspec.Struct, frozen=True):
    """What answers at an address. ``dialect``: A, A85, B, C or D. ``chip`` and ``chip_id`` are empty when unknown."""

    dialect: str
    chip: str = ""
    chip_id: str = ""
    crc: bool = True


Transfer: TypeAlias = Write | Read
Outcome: TypeAlias = Solved | NotFound | WrongNonce | TooHard | BoardError | Replied | Detected


class Tally(msgspec.Struct):
    """What an exchange met so far."""

    bus_errors: int = 0
    bad_answers: int = 0  # damaged, CRC included
    busy_polls: int = 0
    repeats: int = 0  # jobs or questions sent again


class Exchange(Protocol):
    """One task of one board; see the module's text."""

    @property
    def tally(self) -> Tally:
        """What it met so far."""
        ...

    def next(self, now_s: float, sharing: int = 1) -> Transfer | Wait | Outcome:
        """What to do now; the same again until ``got`` or until it is time. ``sharing``: exchanges under way on the
        same bus, this one included."""
        ...

    def got(self, data: bytes | None) -> None:
        """The result of the transfer that ``next`` gave last."""
        ...


class Pause(msgspec.Struct, frozen=True):
    """Inside a script: let ``seconds`` pass."""

    seconds: float


class Trouble(Exception):  # noqa: N818 - says what happened
    """Inside a script: the board cannot be talked to; becomes a BoardError."""


class Moment:
    """What a script may know besides the bytes."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.sharing = 1  # exchanges under way on the bus
        self.tally = Tally()


Steps: TypeAlias = Generator[Write | Read | Pause, bytes | None, Outcome]
Script: TypeAlias = Callable[[Moment], Steps]


class Scripted:
    """A script as an Exchange."""

    def __init__(self, script: Script) -> None:
        self._moment = Moment()
        self._steps = script(self._moment)
        self._step: Transfer | Wait | Outcome | None = None
        self._answer: bytes | None = None
        self._due = True  # the script may go on

    @property
    def tally(self) -> Tally:
        """What it met so far."""
        return self._moment.tally

    def next(self, now_s: float, sharing: int = 1) -> Transfer | Wait | Outcome:
        """What to do now."""
        self._moment.now_s, self._moment.sharing = now_s, sharing
        while self._due or (isinstance(self._step, Wait) and now_s >= self._step.until_s):
            self._step = self._advance()
        assert self._step is not None
        return self._step

    def got(self, data: bytes | None) -> None:
        """The result of the transfer. Raises RuntimeError when none is under way."""
        if self._due or not isinstance(self._step, Write | Read):
            raise RuntimeError("no transfer is under way")
        self._answer, self._due = data, True

    def _advance(self) -> Transfer | Wait | Outcome:
        answer, self._answer, self._due = self._answer, None, False
        try:
            step = self._steps.send(answer)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        except Trouble as trouble:
            return BoardError(str(trouble))
        return Wait(self._moment.now_s + step.seconds) if isinstance(step, Pause) else step


def write(moment: Moment, data: bytes) -> Generator[Write | Read | Pause, bytes | None, None]:
    """Write with a few repetitions. Raises Trouble when the bus refuses them all."""
    for _ in range(BUS_TRIES):
        if (yield Write(data)) is not None:
            return
        moment.tally.bus_errors += 1
        yield Pause(_RETRY_PAUSE_S)
    raise Trouble("the board does not answer on the bus; check its power, its address and the wires")


def read(moment: Moment, count: int) -> Generator[Write | Read | Pause, bytes | None, bytes | None]:
    """Read once; None when the bus failed or gave fewer bytes."""
    data = yield Read(count)
    if data is None:
        moment.tally.bus_errors += 1
    elif len(data) != count:
        moment.tally.bad_answers += 1
        return None
    return data
