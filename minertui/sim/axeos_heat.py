"""Heat and air: chip and regulator as two thermal masses behind one fan.

The cooler of every board is taken as big enough to hold its stock heat at 60 °C in a room of 25 °C with the fan near
half speed, as a Gamma shows (60.1 °C at 48 % and 13.8 W in the core; regulator 62 °C). A stopped fan lets it pass
100 °C. The automatic fan is the firmware's PID (P 5, I 0.1, D 2 on the hotter sensor).
"""

from __future__ import annotations

import math

_GAMMA_W = 14.2  # core heat of the board that the figures below were read from
_SINK_K_PER_W = 0.75
_AIR_K_PER_W = 1.15
_STILL_AIR = 0.15  # what moves without a fan, as a share of full speed
_CHIP_TAU_S = 80.0
_VR_TAU_S = 45.0
_VR_FROM_CHIP = 0.35
_VR_K_PER_W = 1.75
_FAN_TAU_S = 2.0
_FULL_RPM = 6600.0


def daily_c(mean_c: float, swing_c: float, time_s: float) -> float:
    """Room temperature at ``time_s``: ``swing_c`` around the mean over 24 h, coldest at 0."""
    return mean_c - swing_c * math.cos(2 * math.pi * time_s / 86_400) if swing_c else mean_c


class Cooler:
    """Temperatures in °C, fan in per cent; ``stock_w`` is the core heat that the cooler was built for."""

    def __init__(self, stock_w: float, ambient_c: float) -> None:
        self._scale = _GAMMA_W / stock_w
        self.chip_c = ambient_c
        self.vr_c = ambient_c
        self.fan_pct = 0.0
        self.airflow_pct = 0.0
        self.stuck_pct: float | None = None
        self._integral = 0.0
        self._last_error = 0.0

    def turn(self, wanted_pct: float, dt_s: float) -> None:
        """The fan follows its drive; a stuck fan (``stuck_pct``) only says so."""
        ease = 1 - math.exp(-dt_s / _FAN_TAU_S)
        self.fan_pct += (wanted_pct - self.fan_pct) * ease
        self.airflow_pct = self.fan_pct if self.stuck_pct is None else self.stuck_pct

    def drive(self, hot_c: float, target_c: float, min_pct: float, dt_s: float) -> float:
        """The PID's answer, ``min_pct``..100 %."""
        error = hot_c - target_c
        self._integral = max(0.0, min(100.0, self._integral + 0.1 * error * dt_s))
        slope = (error - self._last_error) / dt_s if dt_s > 0 else 0.0
        self._last_error = error
        return max(min_pct, min(100.0, 5 * error + self._integral + 2 * slope))

    def warm(self, core_w: float, ambient_c: float, dt_s: float) -> None:
        """Let ``core_w`` flow for ``dt_s`` in a room of ``ambient_c``."""
        rest_c = self.rest_chip_c(core_w, ambient_c)
        self.chip_c += (rest_c - self.chip_c) * (1 - math.exp(-dt_s / _CHIP_TAU_S))
        air = 1.25 - 0.5 * self.airflow_pct / 100
        vr_rest = ambient_c + _VR_FROM_CHIP * (self.chip_c - ambient_c) + _VR_K_PER_W * self._scale * core_w * air
        self.vr_c += (vr_rest - self.vr_c) * (1 - math.exp(-dt_s / _VR_TAU_S))

    def rest_chip_c(self, core_w: float, ambient_c: float) -> float:
        """Where the chip would settle with the fan as it turns now."""
        resistance = _SINK_K_PER_W + _AIR_K_PER_W / (_STILL_AIR + self.airflow_pct / 100)
        return ambient_c + resistance * self._scale * core_w

    @property
    def rpm(self) -> float:
        """Speed of the fan."""
        return _FULL_RPM * math.pow(max(0.0, self.airflow_pct) / 100, 0.75)
