"""RIG_METRICS: every number of a Duino-Coin board or rig that is kept over time. Chart, API and export follow from it.

A stretch of time holds the sums of that time, so means over any longer stretch are right too. ``attic/pro mini 1`` is a
board, ``attic`` its whole rig; balance and pace are the rig's alone.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from minertui.model.relay import BoardStats


class Stretch(msgspec.Struct, frozen=True):
    """What happened in ``seconds``: sums of the shares that ended in it, mean temperature (°C), the balance at its end
    (DUCO), and its mean pace (milli-DUCO a minute). None: not known."""

    seconds: float
    stats: BoardStats = BoardStats()
    temp_c: float | None = None
    balance: float | None = None
    minute_mduco: float | None = None


class RigMetric(msgspec.Struct, frozen=True):
    """One number. ``digits``: decimals shown."""

    id: str
    title: str
    unit: str
    digits: int
    read: Callable[[Stretch], float | None]


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds


def _polling(s: Stretch) -> float | None:
    return max(0.0, s.stats.turn_s - s.stats.calc_s) / s.stats.rated if s.stats.rated else None


def _errors(s: Stretch) -> float | None:
    stats = s.stats
    return float(stats.bus_errors + stats.wrong + stats.not_found + stats.lost) if stats.jobs else None


RIG_METRICS: tuple[RigMetric, ...] = (
    RigMetric("board_hs", "Hashrate", "H/s", 0, lambda s: s.stats.mean_hs),
    RigMetric("shares_min", "Shares a minute", "", 1, lambda s: 60 * s.stats.shares / s.seconds),
    RigMetric("request_ms", "asking", "ms", 0, lambda s: _ms(s.stats.request_wait_mean_s)),
    RigMetric("handover_ms", "hand-over", "ms", 0, lambda s: _ms(s.stats.handover_mean_s)),
    RigMetric("calc_ms", "calculation", "ms", 0, lambda s: _ms(s.stats.calc_mean_s)),
    RigMetric("polling_ms", "polling", "ms", 0, lambda s: _ms(_polling(s))),
    RigMetric("verdict_ms", "verdict", "ms", 0, lambda s: _ms(s.stats.verdict_wait_mean_s)),
    RigMetric("good_pct", "Accepted", "%", 1, lambda s: None if s.stats.accepted is None else 100 * s.stats.accepted),
    RigMetric("board_errors", "Errors", "", 0, _errors),
    RigMetric("board_temp_c", "Temperature", "°C", 1, lambda s: s.temp_c),
    RigMetric("balance_duco", "Balance", "DUCO", 4, lambda s: s.balance),
    RigMetric("duco_day", "Pace", "DUCO/day", 2, lambda s: None if s.minute_mduco is None else 1.44 * s.minute_mduco),
)
RIG_BY_ID = {metric.id: metric for metric in RIG_METRICS}
