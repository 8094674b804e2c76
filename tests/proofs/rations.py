"""Judges what is rationed at one board: restarts, raises in an hour, and the pace of a climb."""

from __future__ import annotations

from collections import deque

from minertui.model.commands import Order, Rank, Restart

_HOUR_S, _DAY_S = 3600.0, 86_400.0
_RAISES, _REPAIRS, _DWELL_S = 60, 3, 14.5
_GAP_S, _SWEEP_GAP_S = 298.0, 58.0  # five minutes and one, less what a request is on its way


class Rations:
    """Of one board, while one engine lives: what it counts is in its memory."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Another engine."""
        self._restarts: deque[float] = deque()
        self._raised: dict[str, float] = {}  # by order, when it began to raise
        self._climb: tuple[str, float] = ("", 0.0)  # the order that raised last, and when

    def restarted(self, now_s: float, order: Order | None) -> str:
        """It was told to restart; what is wrong with that, in words. ``order`` None: a way back."""
        while self._restarts and now_s - self._restarts[0] > _DAY_S:
            self._restarts.popleft()
        rank = order.rank if order and isinstance(order.command, Restart) else Rank.SWEEP  # else beside its way back
        gap_s = _SWEEP_GAP_S if rank is Rank.SWEEP else _GAP_S
        ago_s = now_s - self._restarts[-1] if self._restarts else gap_s
        many = len(self._restarts)
        self._restarts.append(now_s)
        if ago_s < gap_s:
            return f"told to restart {ago_s:.0f} s after the last time"
        if rank in (Rank.SAFETY, Rank.CURTAILMENT) and many >= _REPAIRS:
            return f"told to restart by a program after {many} restarts in a day"
        return ""

    def raised(self, now_s: float, order: Order | None, *, above_home: bool) -> str:
        """One step up; what is wrong with that, in words. ``above_home``: over what it ran before."""
        name = order.id if order else ""
        was, was_s = self._climb
        self._climb = (name, now_s)
        if not name:
            return ""
        self._raised = {kept: at_s for kept, at_s in self._raised.items() if now_s - at_s < _HOUR_S}
        self._raised.setdefault(name, now_s)
        if len(self._raised) > _RAISES:
            return f"raised by {len(self._raised)} orders within an hour"
        if above_home and was == name and now_s - was_s < _DWELL_S:
            return f"the next step up of a climb came after {now_s - was_s:.1f} s"
        return ""

    def climbs(self, order: Order | None) -> bool:
        """Is this a further step of the same climb?"""
        return order is not None and self._climb[0] == order.id
