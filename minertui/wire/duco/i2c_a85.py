"""Dialect A on ATtiny85 boards (address 50 and up): 16 bytes of buffer, so the hashes travel in six pieces.

They have no DUCOID; the host supplies one (``pool.made_up_id``). An acknowledge missing now and then is usual, and the
repetitions of every write cover it.
"""

from __future__ import annotations

from minertui.wire.duco import i2c_a
from minertui.wire.duco.exchange import Scripted
from minertui.wire.duco.hash import Job

PIECES: i2c_a.Pieces = (("L", 14), ("M", 14), ("N", 12), ("O", 14), ("P", 14), ("Q", 12))


def solve(job: Job, *, rate_hs: float | None = None) -> Scripted:
    """Have the board solve ``job``; ``rate_hs``: what it makes, for the deadlines."""
    return i2c_a.solve(job, rate_hs=rate_hs, pieces=PIECES)
