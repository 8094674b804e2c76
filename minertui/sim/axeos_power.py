"""The firmware's power loop: takes settings at its own pace, voltage first, then ramps the clock.

A request outside the regulator's range is refused once and for all: the old voltage stays, and there is no second try.
"""

from __future__ import annotations

RAMP_MHZ = 6.25
RAMP_STEP_S = 0.1
IDLE_MHZ = 50.0


class PowerLoop:
    """``core_mv`` at the regulator, ``actual_mhz`` at the clock generator, and what is asked of both."""

    def __init__(self, period_s: float, range_mv: tuple[int, int]) -> None:
        self._period_s, self._range_mv = period_s, range_mv
        self._left_s = 0.0
        self.core_mv = self.actual_mhz = 0.0
        self.asked_mv = self.target_mhz = 0.0
        self.came_from = (0.0, 0.0)  # MHz and mV when the change under way began

    @property
    def moving(self) -> bool:
        """True while the clock is on its way."""
        return self.actual_mhz != self.target_mhz

    def settled(self, wanted: tuple[float, float]) -> bool:
        """True when ``wanted`` (MHz, mV) was taken and reached."""
        return not self.moving and wanted == (self.target_mhz, self.asked_mv)

    def boot(self, mhz: float, mv: float) -> None:
        """Start with these settings: full voltage, lowest clock."""
        self.asked_mv, self.target_mhz = mv, mhz
        self.core_mv = mv if self._takes(mv) else 0.0
        self.actual_mhz = IDLE_MHZ

    def take(self, wanted: tuple[float, float], dt_s: float) -> bool:
        """When its period is over, take ``wanted`` (MHz, mV). True when the voltage changed just now."""
        self._left_s -= dt_s
        if self._left_s > 1e-9:
            return False
        self._left_s = self._period_s
        if wanted != (self.target_mhz, self.asked_mv):
            self.came_from = (self.actual_mhz, self.core_mv)
        self.target_mhz, mv = wanted
        changed = mv != self.asked_mv
        self.asked_mv = mv
        if changed and self._takes(mv):
            self.core_mv = mv
            return True
        return False

    def ramp(self, dt_s: float) -> None:
        """The clock moves 6.25 MHz per 100 ms; a smaller change is made at once."""
        gap = self.target_mhz - self.actual_mhz
        reach = RAMP_MHZ * dt_s / RAMP_STEP_S
        self.actual_mhz = self.target_mhz if abs(gap) <= reach else self.actual_mhz + (reach if gap > 0 else -reach)

    def _takes(self, mv: float) -> bool:
        low, high = self._range_mv
        return low <= mv <= high


def input_mv(supply_v: int, plug_w: float, *, weak: bool) -> float:
    """Input voltage with ``plug_w`` drawn from a usual 5 or 12 V supply and its cable, or from a ``weak`` one."""
    five = supply_v == 5
    open_v, ohm = (5.20, 0.045) if five else (12.15, 0.015)
    if weak:
        ohm += 0.20 if five else 0.25
    return 1000 * (open_v - ohm * plug_w / supply_v)
