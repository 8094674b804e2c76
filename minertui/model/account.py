"""A Duino-Coin user as the master server sees him: readings of the balance, and every miner that works for him."""

from __future__ import annotations

import msgspec


class BalanceRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sample of the balance. DUCO unless the name says milli-DUCO. ``span_s``: what ``step_mduco`` really spans;
    ``minute_mduco``: balance now - balance 60 s ago, interpolated; None until 60 s are known, or after a jump (a
    transfer, a block) that is no mining."""

    at_s: float
    balance: float
    total_mduco: float
    ping_s: float
    step_mduco: float | None = None
    span_s: float | None = None
    minute_mduco: float | None = None
    smooth_per_day: float | None = None
    miners: int | None = None  # rows that the server shows
    server_hs: float | None = None

    @property
    def per_day(self) -> float | None:
        """DUCO a day at the last minute's pace."""
        return None if self.minute_mduco is None else self.minute_mduco * 1.44


class AccountMiner(msgspec.Struct, frozen=True, omit_defaults=True):
    """A miner of the user, at whatever rig: two accepted shares and up to 15 s after it began, until some minutes after
    it ended. ``rate_hs`` as reported, else the server's estimate; ``share_s``: its last share's time; ``ping_ms`` and
    ``iot`` where the server tells them; ``place``: its number beyond the three that come before any cut (kolka), 1 is
    paid in full."""

    rig: str
    software: str = ""
    pool: str = ""
    difficulty: int | None = None
    accepted: int | None = None
    rejected: int | None = None
    rate_hs: float | None = None
    share_s: float | None = None
    ping_ms: float | None = None
    place: int | None = None
    iot: str = ""

    @property
    def paid(self) -> float | None:
        """What of full pay it gets, 0..1."""
        return None if self.place is None else 0.96 ** max(0, self.place - 1)
