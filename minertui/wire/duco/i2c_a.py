"""Dialect A, hauchel's boards: one write is a command letter with its text, one read the bytes that it prepared.

    S → 3 bytes: I idle, B busy, C complete; firmware letter; letter of the pending command
    A   clear, L M N   pieces of the hashes, O   the last piece, starts the search
    R → 5 nonce, E → 5 milliseconds (16 bits, wraps), I → 22 DUCOID, D06   search limit in hundreds
    V42   keep another address in EEPROM and restart

S, R and E are answered at any time. Everything else waits in one slot that the next command would overwrite, so S is
asked before each until it is not B. Asking costs hashes: ``polling`` tells how often while the board searches.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TypeAlias

from minertui.wire.duco.exchange import (
    Moment,
    NotFound,
    Outcome,
    Pause,
    Read,
    Replied,
    Scripted,
    Solved,
    Steps,
    TooHard,
    Trouble,
    Write,
    WrongNonce,
    read,
    write,
)
from minertui.wire.duco.hash import Job, longest_s, verify
from minertui.wire.duco.polling import pause_s

Pieces: TypeAlias = tuple[tuple[str, int], ...]
_Doing: TypeAlias = Generator[Write | Read | Pause, bytes | None, None]

PIECES: Pieces = (("L", 20), ("M", 20), ("N", 20), ("O", 20))
"""Letters and sizes in which the last hash and then the expected one travel; the last letter starts the search."""
MAX_DIFFICULTY = 99
"""The search limit ``D`` has two digits."""
_DEFAULT_DIFFICULTY = 10
_POLL_S = 0.03
_SETTLE_S = 0.0005  # an idle board's loop takes a command at once
_TRIES = 3
_IDLE, _BUSY, _COMPLETE = "I", "B", "C"
_NUMBER = re.compile(rb" *(\d{1,5})")
_CHIP_ID = re.compile(rb"DUCOID[0-9A-Fa-f]{16}")
_WRAP_MS = 65_536


def solve(job: Job, *, rate_hs: float | None = None, pieces: Pieces = PIECES) -> Scripted:
    """Have the board solve ``job``; ``rate_hs``: what it makes, for the deadlines."""
    return Scripted(lambda moment: _solve(moment, job, rate_hs, pieces))


def chip_id() -> Scripted:
    """Ask for the DUCOID (ATtiny boards have none: BoardError)."""
    return Scripted(ask_chip_id)


def set_address(address: int) -> Scripted:
    """Have the board keep ``address`` (1 to 99) in its EEPROM and restart; from then on it answers there."""

    def steps(moment: Moment) -> Steps:
        yield from _command(moment, b"V%02d" % address, longest_s(_DEFAULT_DIFFICULTY))
        return Replied("")

    return Scripted(steps)


def state_of(data: bytes | None) -> str | None:
    """The run state in an answer to ``S``; None for anything that is not one."""
    if data is None or len(data) != 3 or data[:1] not in (b"I", b"B", b"C") or not data.isascii():
        return None
    return chr(data[0])


def number_of(data: bytes | None) -> int | None:
    """The number in an answer to ``R`` or ``E``, decimal and padded with spaces; None for anything else."""
    match = _NUMBER.fullmatch(data) if data is not None and len(data) == 5 else None
    return int(match[1]) if match else None


def ask_chip_id(moment: Moment) -> Steps:
    """The script behind ``chip_id``. A search that runs would hold the answer back, so its end is awaited."""
    for _ in range(_TRIES):
        yield from _command(moment, b"I", longest_s(_DEFAULT_DIFFICULTY))
        yield Pause(0.01)
        data = yield from read(moment, 22)
        if data is not None and _CHIP_ID.fullmatch(data):
            return Replied(data.decode())
        moment.tally.bad_answers += 1
    raise Trouble("the board tells no DUCOID")


def ask_state(moment: Moment) -> Generator[Write | Read | Pause, bytes | None, str | None]:
    """Ask ``S`` once; None when the answer is no answer."""
    yield from write(moment, b"S")
    data = yield from read(moment, 3)
    state = state_of(data)
    if state is None and data is not None:
        moment.tally.bad_answers += 1
    return state


def _solve(moment: Moment, job: Job, rate_hs: float | None, pieces: Pieces) -> Steps:
    if job.difficulty > MAX_DIFFICULTY:
        return TooHard(job.difficulty, MAX_DIFFICULTY)
    longest = 1.5 * longest_s(job.difficulty, rate_hs) + 1.0
    for _ in range(_TRIES):
        yield from _clear(moment, longest)
        if job.difficulty > _DEFAULT_DIFFICULTY:
            yield from write(moment, b"D%02d" % job.difficulty)
            yield from _settled(moment, longest)
        yield from _hand_over(moment, job, pieces, longest)
        started_s = moment.now_s
        if (yield from _searched(moment, longest, longest_s(job.difficulty, rate_hs) if rate_hs else None)):
            outcome = yield from _result(moment, job, started_s)
            yield from write(moment, b"A")
            return outcome
        moment.tally.repeats += 1
    raise Trouble("the board does not start to search; reset it")


def _clear(moment: Moment, longest_s: float) -> _Doing:
    """Let a search that runs end, then clear until the board says idle."""
    for _ in range(_TRIES):
        yield from _command(moment, b"A", longest_s)
        if (yield from _settled(moment, longest_s)) == _IDLE:
            return
    raise Trouble("the board does not clear its last job; reset it")


def _command(moment: Moment, data: bytes, longest_s: float) -> _Doing:
    yield from _settled(moment, longest_s)
    yield from write(moment, data)


def _settled(moment: Moment, longest_s: float) -> Generator[Write | Read | Pause, bytes | None, str]:
    """Ask until the board is not busy; its state then."""
    until_s = moment.now_s + longest_s
    pause_s = _SETTLE_S
    while moment.now_s <= until_s:
        state = yield from ask_state(moment)
        if state is not None and state != _BUSY:
            return state
        moment.tally.busy_polls += state == _BUSY
        yield Pause(pause_s)
        pause_s = min(2 * pause_s, _POLL_S)
    raise Trouble("the board stays busy; reset it")


def _hand_over(moment: Moment, job: Job, pieces: Pieces, longest_s: float) -> _Doing:
    """Piece by piece; the board has settled."""
    text, at = (job.last_hash + job.expected).encode(), 0
    for letter, size in pieces:
        if at:
            yield from _settled(moment, longest_s)
        yield from write(moment, letter.encode() + text[at : at + size])
        at += size


def _searched(
    moment: Moment, longest_s: float, likely_s: float | None
) -> Generator[Write | Read | Pause, bytes | None, bool]:
    """Poll until the search is over, for ``longest_s``; at the board's own rate it takes ``likely_s`` at most. False
    when the board is idle instead: the start got lost."""
    started_s = moment.now_s
    idle = 0
    while moment.now_s <= started_s + longest_s:
        yield Pause(pause_s(moment.now_s - started_s, likely_s, moment.sharing))
        state = yield from ask_state(moment)
        if state == _COMPLETE:
            return True
        idle = idle + 1 if state == _IDLE else 0
        if idle == 2:
            return False
        moment.tally.busy_polls += state == _BUSY
    raise Trouble("the board does not finish its search; reset it")


def _result(moment: Moment, job: Job, started_s: float) -> Generator[Write | Read | Pause, bytes | None, Outcome]:
    """Nonce and time. There is no checksum, but both can be read again."""
    searched_ms = 1000 * (moment.now_s - started_s)
    nonce = None
    for _ in range(_TRIES):
        nonce = yield from _number(moment, b"R")
        if nonce is not None and (nonce == 0 or verify(job, nonce)):
            break
        moment.tally.bad_answers += 1
    if nonce is None:
        raise Trouble("the board's result cannot be read")
    if nonce == 0:
        return NotFound()
    if not verify(job, nonce):
        return WrongNonce(nonce)
    elapsed_ms = yield from _number(moment, b"E")
    if elapsed_ms is not None:
        elapsed_ms += _WRAP_MS * max(0, round((searched_ms - elapsed_ms) / _WRAP_MS))
    return Solved(nonce, 1000 * elapsed_ms if elapsed_ms else None)


def _number(moment: Moment, letter: bytes) -> Generator[Write | Read | Pause, bytes | None, int | None]:
    yield from write(moment, letter)
    return number_of((yield from read(moment, 5)))
