"""Which dialect the board at an address speaks, found out by asking it.

The first question is harmless to all: read a byte. Text dialects say a newline, or an answer that nobody fetched. Then
``get,name$`` gets a name from C and D, and ``get,id$`` tells these two apart; B knows no questions and proves itself
with the official test job. Dialect A is known by the form of its status, and by its DUCOID where it has one.
"""

from __future__ import annotations

from collections.abc import Generator

from minertui.model.errors import Garbled
from minertui.wire.duco import i2c_a, i2c_a85, i2c_b, i2c_c, i2c_d, i2c_text
from minertui.wire.duco.exchange import (
    BoardError,
    Detected,
    Exchange,
    Moment,
    Pause,
    Read,
    Scripted,
    Solved,
    Steps,
    Trouble,
    Write,
    read,
)
from minertui.wire.duco.hash import TEST_JOB, Job, longest_s

DIALECTS = ("A", "A85", "B", "C", "D")
_AGREE_S = 0.2
_FIRST_READS = 3
_ID_PREFIX = "DUCOID"


def detect() -> Scripted:
    """Find out what a board speaks; Detected or BoardError. Takes up to about 20 s at a board that is silent."""
    return Scripted(_detect)


def solve(
    dialect: str, job: Job, *, rate_hs: float | None = None, known: bool = True, checked: bool = True
) -> Exchange:
    """Have a board of ``dialect`` (one of DIALECTS) solve ``job``. ``rate_hs``: hashes a second it makes, None when
    unknown; ``known``: its last exchange ended with an answer, so it is not searching; ``checked``: Detected.crc.
    Raises ValueError for another dialect."""
    if dialect == "A":
        return i2c_a.solve(job, rate_hs=rate_hs)
    if dialect == "A85":
        return i2c_a85.solve(job, rate_hs=rate_hs)
    if dialect == "B":
        return i2c_b.solve(job, rate_hs=rate_hs, known=known)
    if dialect == "C":
        return i2c_c.solve(job, rate_hs=rate_hs, known=known, checked=checked)
    if dialect == "D":
        return i2c_d.solve(job, rate_hs=rate_hs, known=known)
    raise ValueError(f"no dialect {dialect!r}; there are {', '.join(DIALECTS)}")


def _detect(moment: Moment) -> Steps:
    if (yield from _speaks_text(moment)):
        return (yield from _text_dialect(moment))
    for _ in range(_FIRST_READS):
        if (yield from i2c_a.ask_state(moment)) is not None:
            return (yield from _dialect_a(moment))
        yield Pause(0.01)
    # Perhaps a text board with an answer half read, into which the S of the status question fell.
    return (yield from _text_dialect(moment))


def _speaks_text(moment: Moment) -> Generator[Write | Read | Pause, bytes | None, bool]:
    errors = 0
    for _ in range(_FIRST_READS):
        data = yield from read(moment, 1)
        errors += data is None
        if data == b"\n":
            return True
        yield Pause(0.01)
    if errors == _FIRST_READS:
        raise Trouble("nothing answers at this address; check power, address and wires")
    return False


def _dialect_a(moment: Moment) -> Steps:
    try:
        reply = yield from i2c_a.ask_chip_id(moment)
    except Trouble:
        return Detected("A85", crc=False)
    return Detected("A", chip_id=getattr(reply, "text", ""), crc=False)


def _text_dialect(moment: Moment) -> Steps:
    name = None
    for wait_s in (0.0, longest_s(TEST_JOB.difficulty)):
        yield from i2c_text.drain(moment, wait_s)
        name = yield from i2c_text.question(moment, i2c_c.NAME)
        if name is not None:
            break
    if name is None:
        return (yield from _dialect_b(moment))
    chip_id = yield from i2c_text.question(moment, i2c_d.CHIP_ID)
    if chip_id is not None and chip_id.startswith(_ID_PREFIX):
        return Detected("D", name, chip_id)
    return Detected("C", name, crc=(yield from _has_crc(moment)))


def _has_crc(moment: Moment) -> Generator[Write | Read | Pause, bytes | None, bool]:
    """Two equal answers in a row: a single byte has no checksum of its own."""
    last = None
    for _ in range(4):
        told = yield from i2c_text.question(moment, i2c_c.CRC8)
        if told in ("0", "1") and told == last:
            return told == "1"
        last = told
        yield Pause(_AGREE_S)
    raise Trouble("the board does not tell whether it checks its texts (get,crc8$)")


def _dialect_b(moment: Moment) -> Steps:
    """The question still stands in the board's buffer: end it, drop what that gives, then the test job."""
    yield from i2c_text.send(moment, b"#\n")
    yield from i2c_text.collect(moment, 1.0)
    spelled = i2c_text.job_text(TEST_JOB, i2c_b.SPELLING)
    yield from i2c_text.send(moment, spelled)
    text = yield from i2c_text.collect(moment, longest_s(TEST_JOB.difficulty))
    if text is not None:
        try:
            answer = i2c_text.parse_answer(text, i2c_b.SPELLING)
        except Garbled:
            return BoardError("the board answers, but in no dialect known")
        if isinstance(i2c_text.judged(answer, TEST_JOB), Solved):
            return Detected("B", chip_id=answer.chip_id or "", crc=False)
    return BoardError("the board answers, but in no dialect known")
