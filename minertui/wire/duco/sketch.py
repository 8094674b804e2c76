"""The official Arduino sketch on USB serial: 115200 8N1, a job without newline, an answer with one.

    → last,expected,difficulty,        three commas; the sketch drops what else is in its buffer
    ← nonce,microseconds,DUCOID\\n

Sketches 2.4 to 2.6.4 write decimal numbers, 2.6.5 and later binary text. ``1`` looks the same in both, so the official
test job decides, once, before the first real one. Opening the port resets the board: leave it 2 s. A torn job costs
10 s, the time that the sketch waits for missing bytes.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from enum import IntEnum

from minertui.model.errors import Garbled
from minertui.wire.duco.exchange import (
    Moment,
    NotFound,
    Outcome,
    Pause,
    Read,
    Scripted,
    Solved,
    Steps,
    TooHard,
    Trouble,
    Write,
    WrongNonce,
)
from minertui.wire.duco.hash import MAX_DIFFICULTY, TEST_JOB, TEST_NONCE, Job, longest_s, verify
from minertui.wire.duco.i2c_text import Answer
from minertui.wire.duco.lines import Lines

BAUD = 115_200
BOOT_S = 2.0
TORN_S = 10.0
MAX_LINE = 120
TRIES = 3
_POLL_S = 0.02
_CHUNK = 256
_TEST_S = (1.0, TORN_S + 2.0, TORN_S + 2.0)
"""The test job's 50 hashes are done in half a second. A board that was still starting has not heard the first one; a
torn one stands in its way for longer."""
_REPLY = re.compile(rb"([0-9]{1,32}),([0-9]{1,40}),([A-Za-z0-9]{0,40})")
_MOST_US = 10**10


class Base(IntEnum):
    """How a sketch writes numbers."""

    BINARY = 2
    DECIMAL = 10


def job_text(job: Job) -> bytes:
    """The job as it is written to the port, in one write."""
    return f"{job.last_hash},{job.expected},{job.difficulty},".encode()


def parse_reply(line: bytes, base: Base) -> Answer:
    """The answer in ``line`` (without the newline). Raises Garbled when it is damaged."""
    match = _REPLY.fullmatch(line.rstrip(b"\r"))
    if not match:
        raise Garbled("", "the board's answer is no nonce with its time")
    try:
        nonce, elapsed_us = int(match[1], base), int(match[2], base)
    except ValueError as error:
        raise Garbled("", "the board's answer is decimal, but its sketch writes binary numbers") from error
    if nonce > 100 * MAX_DIFFICULTY or elapsed_us > _MOST_US:
        raise Garbled("", "the board's answer holds a number no board can reach")
    return Answer(nonce or None, elapsed_us, match[3].decode() or None)


def base_told_by(line: bytes) -> Base | None:
    """How the sketch that gave this answer to TEST_JOB writes numbers; None when it is not its answer."""
    for base in Base:
        try:
            if parse_reply(line, base).nonce == TEST_NONCE:
                return base
        except Garbled:
            continue
    return None


def timeout_s(job: Job, rate_hs: float | None = None) -> float:
    """How long an answer may take: the longest search, and the sketch's own wait for a torn job."""
    return 1.5 * longest_s(job.difficulty, rate_hs) + TORN_S


def solve(job: Job, base: Base, *, rate_hs: float | None = None) -> Scripted:
    """Have the board solve ``job``, torn and lost ones sent again. Its Read steps may give b"" (nothing there yet)."""
    return Scripted(lambda moment: _solve(moment, job, base, rate_hs))


class Handshake:
    """The test job as an Exchange; ``base`` and ``chip_id`` are known once it says Solved."""

    def __init__(self) -> None:
        self.base: Base | None = None
        self.exchange = Scripted(self._script)

    def _script(self, moment: Moment) -> Steps:
        for wait_s in _TEST_S:
            line = yield from _asked(moment, TEST_JOB, wait_s)
            self.base = base_told_by(line) if line is not None else None
            if line is not None and self.base is not None:
                return _judged(parse_reply(line, self.base), TEST_JOB)
            moment.tally.bad_answers += line is not None
            moment.tally.repeats += 1
        raise Trouble("the board does not solve the test job; is the Duino-Coin sketch on it?")


def _solve(moment: Moment, job: Job, base: Base, rate_hs: float | None) -> Steps:
    if job.difficulty > MAX_DIFFICULTY:
        return TooHard(job.difficulty, MAX_DIFFICULTY)
    silent = True
    for _ in range(TRIES):
        line = yield from _asked(moment, job, timeout_s(job, rate_hs))
        if line is not None:
            silent = False
            try:
                return _judged(parse_reply(line, base), job)
            except Garbled:
                moment.tally.bad_answers += 1
        moment.tally.repeats += 1
    raise Trouble(
        "the board does not answer; unplug it and plug it in" if silent else "the board's answers are damaged"
    )


def _judged(answer: Answer, job: Job) -> Outcome:
    if answer.nonce is None:
        return NotFound()
    if not verify(job, answer.nonce):
        return WrongNonce(answer.nonce)
    return Solved(answer.nonce, answer.elapsed_us or None, answer.chip_id)


def _asked(moment: Moment, job: Job, wait_s: float) -> Generator[Write | Read | Pause, bytes | None, bytes | None]:
    """Write the job and give the line that answers; None when none comes in time."""
    yield from _emptied(moment)
    if (yield Write(job_text(job))) is None:
        raise Trouble("the port is gone")
    until_s, lines = moment.now_s + wait_s, Lines(MAX_LINE)
    while moment.now_s <= until_s:
        data = yield Read(_CHUNK)
        if data is None:
            raise Trouble("the port is gone")
        for line in lines.feed(data):
            if isinstance(line, bytes):
                return line
            raise Trouble("the port sends without end; this is no Duino-Coin board")
        if not data:
            moment.tally.busy_polls += 1
            yield Pause(_POLL_S)
    return None


def _emptied(moment: Moment) -> Generator[Write | Read | Pause, bytes | None, None]:
    """Drop what came unasked: it would be taken for the answer."""
    for _ in range(16):
        data = yield Read(_CHUNK)
        if data is None:
            raise Trouble("the port is gone")
        if not data:
            return
    raise Trouble("the port sends without end; this is no Duino-Coin board")
