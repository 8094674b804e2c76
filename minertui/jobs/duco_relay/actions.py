"""What a brain can want, and how long to wait after failures."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from minertui.wire.duco.hash import Job

SHORTEST_S, LONGEST_S = 1.0, 300.0


class Backoff:
    """1 to 300 s, doubled at each failure, each time a random share of it: many boards must not come back at once."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        """``chance`` gives 0..1."""
        self._chance, self._failures = chance, 0

    def next_s(self) -> float:
        """How long to wait after one more failure."""
        longest = min(LONGEST_S, SHORTEST_S * 2.0 ** min(self._failures + 1, 9))
        self._failures += 1
        return max(SHORTEST_S, longest * (0.5 + 0.5 * self._chance()))

    def reset(self) -> None:
        """All is well."""
        self._failures = 0


@dataclass(frozen=True)
class Rest:
    """Nothing, until an order. The connection is to be closed."""


@dataclass(frozen=True)
class Seek:
    """Find the board and what it speaks, after ``wait_s``; ``afresh``: open its way anew, which resets it."""

    wait_s: float
    afresh: bool = False


@dataclass(frozen=True)
class Measure:
    """Ask the board how warm it is, after ``wait_s``."""

    wait_s: float


@dataclass(frozen=True)
class Dial:
    """Connect to a pool after ``wait_s``; an old connection is to be closed first."""

    wait_s: float


@dataclass(frozen=True)
class Ask:
    """Ask the pool for a job."""


@dataclass(frozen=True)
class Work:
    """Have the board solve the job; ``rate_hs``: what it makes, None while unknown; ``known``: its last exchange ended
    with an answer."""

    job: Job
    rate_hs: float | None
    known: bool


@dataclass(frozen=True)
class Send:
    """Send the verified nonce, once."""

    nonce: int
    rate_hs: float | None


Action: TypeAlias = Rest | Seek | Measure | Dial | Ask | Work | Send


@dataclass(frozen=True)
class Wait:
    """Seconds waited for the pool, and how much of it sending took."""

    wait_s: float
    send_s: float
