"""Dialect B, DuinoCoinI2C of ricaun (and JK 3.x): a line of text without checksum; nonce 0 for "not found"."""

from __future__ import annotations

from minertui.wire.duco import i2c_text
from minertui.wire.duco.exchange import Scripted
from minertui.wire.duco.hash import Job

SPELLING = i2c_text.Spelling(crc=None, has_id=True, us_per_tick=1, twice=False)


def solve(job: Job, *, rate_hs: float | None = None, known: bool = True) -> Scripted:
    """Have the board solve ``job``; see ``i2c_text.solve``."""
    return i2c_text.solve(job, SPELLING, rate_hs=rate_hs, known=known)


def reset() -> Scripted:
    """Drop what the board has got so far of a job."""
    return i2c_text.reset(b"#\n")
