"""DUCO-S1A: find the nonce whose SHA-1 with the last hash gives the expected one.

expected = SHA-1(last hash as its 40 ASCII characters + nonce as decimal ASCII), as lower case hex. The pool picks the
nonce from 1 to 100 × difficulty. Nonce 0 never is a solution: boards say it for "not found".
"""

from __future__ import annotations

import hashlib

import msgspec

MAX_DIFFICULTY = 655
"""Boards count nonces in 16 bits: above this they answer nonce 0 without a search."""
SLOWEST_HS = 100.0
"""Slower than any board known (a dialect A board makes 160); for deadlines while the rate is unknown."""


class Job(msgspec.Struct, frozen=True):
    """What a pool wants solved. Both hashes are 40 lower case hex digits; ``difficulty`` is 1 or more."""

    last_hash: str
    expected: str
    difficulty: int

    @property
    def most(self) -> int:
        """The largest nonce it can have."""
        return 100 * self.difficulty


TEST_JOB = Job("ba29a15896fd2d792d5c4b60668bf2b9feebc51d", "d0beba883d7e8cd119ea2b0e09b78f60f29e0968", 10)
"""The official miner's: proves a board before a pool is asked."""
TEST_NONCE = 50


def digest(last_hash: str, nonce: int) -> str:
    """The hash of one try, 40 lower case hex digits."""
    return hashlib.sha1(f"{last_hash}{nonce}".encode(), usedforsecurity=False).hexdigest()


def verify(job: Job, nonce: int) -> bool:
    """True when ``nonce`` solves ``job``: one SHA-1, to be spent before a share goes to the pool."""
    return 1 <= nonce <= job.most and digest(job.last_hash, nonce) == job.expected


def solve(job: Job) -> int | None:
    """The nonce of ``job`` by search, as a board does it; None when there is none."""
    start = hashlib.sha1(job.last_hash.encode(), usedforsecurity=False)
    expected = bytes.fromhex(job.expected)
    for nonce in range(1, job.most + 1):
        attempt = start.copy()
        attempt.update(b"%d" % nonce)
        if attempt.digest() == expected:
            return nonce
    return None


def mean_s(difficulty: int, rate_hs: float) -> float:
    """Seconds a job takes on average at ``rate_hs`` hashes a second."""
    return (50 * difficulty + 0.5) / rate_hs


def longest_s(difficulty: int, rate_hs: float | None = None) -> float:
    """Seconds a job takes at most; at the slowest board's rate when ``rate_hs`` is unknown."""
    return 100 * difficulty / (rate_hs or SLOWEST_HS)
