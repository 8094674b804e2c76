"""Which stretch of time the charts show: how long, and how far back. Pure."""

from __future__ import annotations

import msgspec

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
SPANS_S = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY, 90 * DAY)
_TITLES = ("1 minute", "5 minutes", "15 minutes", "1 hour", "6 hours", "1 day", "3 days", "7 days", "30 days",
           "90 days")  # fmt: skip
_MAX_BACK_S = 90 * DAY


class Timespan(msgspec.Struct, frozen=True):
    """``index`` into SPANS_S; ``back_s``: how long before now it ends, 0 follows the present."""

    index: int = 3
    back_s: float = 0.0

    @property
    def length_s(self) -> float:
        """How much time is shown."""
        return SPANS_S[self.index]

    @property
    def title(self) -> str:
        """``1 hour``."""
        return _TITLES[self.index]

    @property
    def live(self) -> bool:
        """Does it end now?"""
        return self.back_s == 0

    def longer(self, by: int) -> Timespan:
        """The next longer (1) or shorter (-1) stretch that ends at the same moment."""
        return msgspec.structs.replace(self, index=min(len(SPANS_S) - 1, max(0, self.index + by)))

    def moved(self, by: int) -> Timespan:
        """Half its length earlier (-1) or later (1), not beyond now and not beyond 90 days."""
        back = min(_MAX_BACK_S, max(0.0, self.back_s - by * self.length_s / 2))
        return msgspec.structs.replace(self, back_s=back)

    def now(self) -> Timespan:
        """The same length up to now."""
        return msgspec.structs.replace(self, back_s=0.0)

    def bounds(self, now_s: float) -> tuple[float, float]:
        """Since and until, wall time."""
        until = now_s - self.back_s
        return until - self.length_s, until
