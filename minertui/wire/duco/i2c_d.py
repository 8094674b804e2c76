"""Dialect D, workers of DuinoI2C_ESP (JK-Rolling): as C with the other CRC-8, milliseconds, no DUCOID."""

from __future__ import annotations

from minertui.wire.duco import crc, i2c_text
from minertui.wire.duco.exchange import Scripted
from minertui.wire.duco.hash import Job

SPELLING = i2c_text.Spelling(crc=crc.plain, has_id=False, us_per_tick=1000, twice=True)

CHIP_ID = b"get,id$"


def solve(job: Job, *, rate_hs: float | None = None, known: bool = True) -> Scripted:
    """Have the board solve ``job``; see ``i2c_text.solve``."""
    return i2c_text.solve(job, SPELLING, rate_hs=rate_hs, known=known)


def ask(question: bytes, *, known: bool = True) -> Scripted:
    """Ask ``CHIP_ID``, or one of dialect C's questions."""
    return i2c_text.ask(question, known=known)


def reset() -> Scripted:
    """Drop what the board has got so far of a job or a question."""
    return i2c_text.reset(b"&\n")
