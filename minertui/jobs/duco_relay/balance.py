"""What a rig earns, from readings of the balance. Pure.

A balance moves in jumps, whenever a pool reports (every 15 s or so), and answers are cached: so the last minute's pace
is computed from time stamps, and means something; the step since the last reading hardly does. Steps that no mining
makes (backwards, or more than 500 DUCO a day: transfers, blocks) stay out of the pace.
"""

from __future__ import annotations

from collections import deque

from minertui.model.account import BalanceRow
from minertui.wire.duco.rest import Account

MINUTE_S = 60.0
_MOST_PER_DAY = 500.0
_DAY_S = 86_400.0
_ALPHA = 0.5
_SMOOTH_FROM = 7  # samples


class Performance:
    """The readings since the start."""

    def __init__(self, rows: int = 60) -> None:
        self._mined: deque[tuple[float, float]] = deque()  # (seconds, DUCO mined since the start)
        self._rows: deque[BalanceRow] = deque(maxlen=rows)
        self._first: float | None = None
        self._count = 0
        self._smooth: float | None = None

    @property
    def rows(self) -> tuple[BalanceRow, ...]:
        """Newest last."""
        return tuple(self._rows)

    def read(
        self,
        now_s: float,
        wall_s: float,
        balance: float,
        ping_s: float,
        *,
        miners: int | None = None,
        server_hs: float | None = None,
    ) -> BalanceRow:
        """A reading at ``now_s`` (monotonic); ``balance`` in DUCO."""
        self._first = balance if self._first is None else self._first
        self._count += 1
        step = span_s = None
        mined = 0.0
        if self._rows and self._mined:
            before_s, mined = self._mined[-1]
            span_s, step = now_s - before_s, balance - self._rows[-1].balance
            mined += step if _by_mining(step, span_s) else 0.0
        self._mined.append((now_s, mined))
        minute = self._minute(now_s, mined)
        if minute is not None and self._count >= _SMOOTH_FROM:
            per_day = minute * _DAY_S / MINUTE_S
            self._smooth = per_day if self._smooth is None else _ALPHA * per_day + (1 - _ALPHA) * self._smooth
        row = BalanceRow(
            at_s=wall_s,
            balance=balance,
            total_mduco=1000 * (balance - self._first),
            ping_s=ping_s,
            step_mduco=None if step is None else 1000 * step,
            span_s=span_s,
            minute_mduco=None if minute is None else 1000 * minute,
            smooth_per_day=self._smooth,
            miners=miners,
            server_hs=server_hs,
        )
        self._rows.append(row)
        return row

    def take(self, now_s: float, wall_s: float, account: Account, ping_s: float) -> BalanceRow:
        """As ``read``, from the server's answer."""
        rates = [row.hashrate for row in account.miners if row.hashrate is not None]
        return self.read(
            now_s,
            wall_s,
            account.balance.balance,
            ping_s,
            miners=len(account.miners),
            server_hs=sum(rates) if rates else None,
        )

    def _minute(self, now_s: float, mined: float) -> float | None:
        """Mined in the last 60 s; None before 60 s are known."""
        while len(self._mined) > 1 and self._mined[1][0] <= now_s - MINUTE_S:
            self._mined.popleft()
        (from_s, before), (to_s, after) = self._mined[0], self._mined[min(1, len(self._mined) - 1)]
        if from_s > now_s - MINUTE_S or to_s <= from_s:
            return None
        then = before + (after - before) * (now_s - MINUTE_S - from_s) / (to_s - from_s)
        return mined - then


def _by_mining(step: float, span_s: float) -> bool:
    return span_s > 0 and 0 <= step <= _MOST_PER_DAY * span_s / _DAY_S
