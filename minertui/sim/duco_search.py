"""The search of a simulated board: real SHA-1, and as many seconds as the real board's rate makes of it."""

from __future__ import annotations

import random

from minertui.sim.duco_faults import BOARD_FAULTS, Faults
from minertui.wire.duco.hash import MAX_DIFFICULTY, Job, solve

NEVER_S = float("inf")


class Found:
    """A search's end: ``nonce`` (0: not found) and the seconds it takes."""

    def __init__(self, nonce: int, takes_s: float) -> None:
        self.nonce, self.takes_s = nonce, takes_s


class Hasher:
    """What boards of all dialects have: a rate in H/s, an id, faults."""

    def __init__(self, rate_hs: float, chip_id: str) -> None:
        self.rate_hs, self.chip_id = rate_hs, chip_id
        self.faults = Faults(BOARD_FAULTS)
        self.jobs = 0  # handed over whole
        self.solved = 0

    def search(self, last_hash: str, expected: str, difficulty: int) -> Found:
        """Look for the nonce, from 0 to 100 × difficulty."""
        self.jobs += 1
        if "stuck-busy" in self.faults or "silent" in self.faults:
            return Found(0, NEVER_S)
        if difficulty > MAX_DIFFICULTY or difficulty < 1 or "not-found" in self.faults:
            return Found(0, 0.0)
        try:
            nonce = solve(Job(last_hash, expected, difficulty)) or 0
        except ValueError:  # hashes that are none, after a fault of the wire
            nonce = 0
        tries = nonce or 100 * difficulty
        self.solved += nonce > 0
        if nonce and "wrong-nonce" in self.faults:
            nonce = nonce + 1
        return Found(nonce, tries / self.rate_hs)


def chip_id(seed: int, *, lower: bool = False) -> str:
    """A DUCOID for simulated board number ``seed``."""
    digits = f"{random.Random(f'duco-{seed}').getrandbits(64):016x}"
    return "DUCOID" + (digits if lower else digits.upper())
