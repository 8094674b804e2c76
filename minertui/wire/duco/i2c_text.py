"""What dialects B, C and D share: lines of text, one byte a transaction in both directions.

A newline read is "nothing to say" and no part of an answer. While it searches, or has an answer unread, a board ignores
what is written: so an exchange first reads until a newline. A half-written job stays in the board's buffer and spoils
the next one: hence the repetitions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import TypeAlias

import msgspec

from minertui.model.errors import Garbled
from minertui.wire.duco.exchange import (
    BUS_TRIES,
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
from minertui.wire.duco.hash import MAX_DIFFICULTY, Job, longest_s, verify
from minertui.wire.duco.polling import pause_s

FILLER = 0x0A
MAX_ANSWER = 64
_TRIES = 4
_POLL_S = 0.03
_LETTER_S = 0.0002
_ANSWER_S = 4.0
_QUESTION_S = 1.0
_FIRST_HONEST_NONCE = 5  # below, the sketches of C and D say 4 ms a hash whatever it took

_WITH_ID = re.compile(rb"(#|\d{1,5}),(\d{1,10}),(DUCOID[0-9A-Fa-f]{16})")
_WITHOUT_ID = re.compile(rb"(#|\d{1,5}),(\d{1,7})")
_REPLY = re.compile(rb"[ -#%-~]{1,48}")  # printable, and no "$": then a question ran into the answer


class Spelling(msgspec.Struct, frozen=True):
    """How a dialect writes jobs and answers. ``crc`` None: without checksum. ``twice``: ``#`` may also mean a damaged
    job, so the job is sent once more before that counts."""

    crc: Callable[[bytes], int] | None
    has_id: bool
    us_per_tick: int
    twice: bool


class Answer(msgspec.Struct, frozen=True):
    """A board's answer to a job; ``nonce`` is None for ``#`` and for 0."""

    nonce: int | None
    elapsed_us: int
    chip_id: str | None


_Bytes: TypeAlias = Generator[Write | Read | Pause, bytes | None, bytes | None]


def job_text(job: Job, spelling: Spelling) -> bytes:
    """The job as it is written to the board, byte by byte."""
    text = f"{job.last_hash},{job.expected},{job.difficulty}".encode()
    if spelling.crc is None:
        return text + b"\n"
    text += b","
    return text + b"%d\n" % spelling.crc(text)


def parse_answer(text: bytes, spelling: Spelling) -> Answer:
    """The answer in ``text`` (without the newline). Raises Garbled when it is damaged."""
    if spelling.crc is not None:
        text, comma, crc = text.rpartition(b",")
        if not crc.isdigit() or len(crc) > 3 or int(crc) != spelling.crc(text + comma):
            raise Garbled("", "the board's answer has a wrong checksum")
    match = (_WITH_ID if spelling.has_id else _WITHOUT_ID).fullmatch(text)
    if not match:
        raise Garbled("", "the board's answer is no nonce with its time")
    nonce = 0 if match[1] == b"#" else int(match[1])
    chip_id = match[3].decode() if spelling.has_id else None
    return Answer(nonce or None, int(match[2]) * spelling.us_per_tick, chip_id)


def solve(job: Job, spelling: Spelling, *, rate_hs: float | None, known: bool) -> Scripted:
    """Have the board solve ``job``. ``rate_hs``: what it makes, for the deadlines. ``known``: its last exchange ended
    with an answer, so that it cannot be searching now."""
    return Scripted(lambda moment: _solve(moment, job, spelling, rate_hs, known))


def ask(question: bytes, *, known: bool) -> Scripted:
    """Ask one of the board's questions (``get,name$``); Replied or BoardError. ``known`` as for a job."""
    return Scripted(lambda moment: _ask(moment, question, known))


def reset(text: bytes) -> Scripted:
    """Write what resets the board's input; Replied("") or BoardError."""
    return Scripted(lambda moment: _reset(moment, text))


def send(moment: Moment, text: bytes) -> Generator[Write | Read | Pause, bytes | None, None]:
    """Write byte by byte, with the breath that the board's loop needs."""
    for byte in text:
        yield from write(moment, bytes((byte,)))
        yield Pause(_LETTER_S)


def drain(moment: Moment, wait_s: float) -> Generator[Write | Read | Pause, bytes | None, None]:
    """Read away an unread answer; wait up to ``wait_s`` for one that a running search will still give."""
    until_s, dropped = moment.now_s + wait_s, 0
    while True:
        if (yield from _take(moment)) != FILLER:
            dropped += 1
            if dropped > 2 * MAX_ANSWER:
                raise Trouble("the board sends without end; reset it")
        elif dropped or moment.now_s >= until_s:
            return
        else:
            yield Pause(_POLL_S)


def collect(moment: Moment, wait_s: float, likely_s: float | None = None) -> _Bytes:
    """Poll for an answer and read it; None when there is none within ``wait_s``. ``likely_s``: the longest that it
    takes a board of this rate, None when the rate is unknown."""
    started_s, text = moment.now_s, bytearray()
    while True:
        byte = yield from _take(moment)
        if byte != FILLER:
            text.append(byte)
            if len(text) > MAX_ANSWER:
                raise Trouble("the board sends without end; reset it")
        elif text:
            return bytes(text)
        elif moment.now_s >= started_s + wait_s:
            return None
        else:
            moment.tally.busy_polls += 1
            yield Pause(pause_s(moment.now_s - started_s, likely_s, moment.sharing))


def question(moment: Moment, text: bytes) -> Generator[Write | Read | Pause, bytes | None, str | None]:
    """Ask and give the answer, or None when there is none that makes sense."""
    yield from send(moment, text)
    answer = yield from collect(moment, _QUESTION_S)
    if answer is None:
        return None
    if not _REPLY.fullmatch(answer):
        moment.tally.bad_answers += 1
        return None
    return answer.decode("ascii")


def judged(answer: Answer, job: Job) -> Outcome:
    """What an answer means for its job."""
    if answer.nonce is None:
        return NotFound()
    if not verify(job, answer.nonce):
        return WrongNonce(answer.nonce)
    honest = answer.nonce >= _FIRST_HONEST_NONCE and answer.elapsed_us > 0
    return Solved(answer.nonce, answer.elapsed_us if honest else None, answer.chip_id)


def _solve(moment: Moment, job: Job, spelling: Spelling, rate_hs: float | None, known: bool) -> Steps:
    if job.difficulty > MAX_DIFFICULTY:
        return TooHard(job.difficulty, MAX_DIFFICULTY)
    longest = longest_s(job.difficulty, rate_hs)
    likely = longest if rate_hs else None
    yield from drain(moment, 0.0 if known else max(_ANSWER_S, longest))
    longest = max(_ANSWER_S, 2 * longest)
    not_found, silent = 0, True
    for _ in range(_TRIES):
        yield from send(moment, job_text(job, spelling))
        text = yield from collect(moment, longest, likely)
        silent = silent and text is None
        outcome = _outcome(moment, text, job, spelling)
        not_found += isinstance(outcome, NotFound)
        if outcome is not None and (not isinstance(outcome, NotFound) or not spelling.twice or not_found == 2):
            return outcome
        moment.tally.repeats += 1
    raise Trouble("the board does not answer; reset it" if silent else "the board's answers are damaged on the bus")


def _outcome(moment: Moment, text: bytes | None, job: Job, spelling: Spelling) -> Outcome | None:
    if text is None:
        return None
    try:
        return judged(parse_answer(text, spelling), job)
    except Garbled:
        moment.tally.bad_answers += 1
        return None


def _ask(moment: Moment, text: bytes, known: bool) -> Steps:
    yield from drain(moment, 0.0 if known else _ANSWER_S)
    for _ in range(_TRIES):
        answer = yield from question(moment, text)
        if answer is not None:
            return Replied(answer)
        moment.tally.repeats += 1
    raise Trouble(f"the board does not answer {text.decode('ascii', 'replace')}")


def _reset(moment: Moment, text: bytes) -> Steps:
    yield from send(moment, text)
    yield from drain(moment, 0.0)
    return Replied("")


def _take(moment: Moment) -> Generator[Write | Read | Pause, bytes | None, int]:
    """One byte. A set top bit is a flipped one (seen on real buses): dropped, and checksum and hash judge the rest."""
    for _ in range(BUS_TRIES):
        data = yield from read(moment, 1)
        if data is not None:
            return data[0] & 0x7F
        yield Pause(_POLL_S)
    raise Trouble("the board does not answer on the bus; check its power, its address and the wires")
