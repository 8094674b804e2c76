"""A second model of a board, built differently from the simulator on purpose: what a sweep claims must hold here too.

            the simulator                           here
heat        chip and regulator, one mass each       die, sink and regulator: second order, slower
fan         PID on a target                         steps of a table with hysteresis, or a fixed speed
voltage     need is a parabola, soft knee           need grows with a power of the clock, errors with a logistic
errors      k · loss with a floor                   share of wrong nonces, averaged over 20 s and more
power       V²F and leakage by temperature          V^2.3·F, static part, losses that grow with the square
room        still                                   drifts by some degrees in an hour
noise       white                                   partly remembered from reading to reading
"""

from __future__ import annotations

import math
import random

from minertui.model.plans import SweepPlan
from minertui.model.status import Ability, MinerStatus
from tests.bench.sweep_rig import Felt, Steady

_STEP_S = 1.0


class OtherBoard:
    """One chip of 2.1 GH/s per MHz. ``reports``: with an error percentage, a mean of the last ``errors_s`` seconds or
    so; ``fixed_fan``: a manual speed."""

    def __init__(
        self,
        seed: int,
        *,
        reports: bool = True,
        fixed_fan: float | None = None,
        drift_c: float = 2.0,
        errors_s: float = 20.0,
    ) -> None:
        dice = random.Random(f"other-{seed}")
        self.dice = random.Random(f"noise-{seed}")
        self.reports, self.fixed_fan, self.drift_c, self.errors_s = reports, fixed_fan, drift_c, errors_s
        self.mhz, self.mv, self.time_s, self.uptime_s = 500.0, 1150.0, 0.0, 4000.0
        self.room0_c = dice.uniform(19, 27)
        self._need = (dice.uniform(985, 1025), dice.uniform(150, 190), dice.uniform(1.5, 2.1))
        self._soft_mv = dice.uniform(5, 9)
        self._watts = (dice.uniform(0.0150, 0.0170), dice.uniform(1.5, 3.0))
        self._cooling = dice.uniform(0.95, 1.1)
        self.noise = dice.uniform(0.06, 0.12)
        self.die_c = self.sink_c = self.vr_c = 50.0
        self.fan_pct = fixed_fan or 50.0
        self._wander = 0.0
        self._errors = 0.0
        for _ in range(3000):
            self._tick(_STEP_S)
        self.time_s = 0.0

    def advance(self, seconds: float) -> None:
        while seconds > 1e-9:
            dt = min(_STEP_S, seconds)
            self._tick(dt)
            seconds -= dt

    def write(self, mhz: float, mv: float) -> None:
        self.mhz, self.mv = mhz, mv

    def restart(self) -> None:
        self.uptime_s = 0.0

    def room_c(self) -> float:
        return self.room0_c + self.drift_c * math.sin(2 * math.pi * self.time_s / 7200)

    def loss(self, mhz: float, mv: float, die_c: float) -> float:
        base, slope, power = self._need
        margin: float = mv - base - slope * math.pow(mhz / 600, power) - 0.15 * (die_c - 55)
        return 0.25 / (1 + math.exp(max(-60.0, min(60.0, margin / self._soft_mv + 1.5))))

    def watts(self, mhz: float, mv: float) -> float:
        core = self._watts[0] * math.pow(mv / 1000, 2.3) * mhz + self._watts[1]
        return core + 0.004 * core * core + 3.0

    def truth(self) -> Steady:
        ghs = 2.1 * self.mhz * 1.01 * (1 - self.loss(self.mhz, self.mv, self.die_c))
        return Steady(ghs, self.watts(self.mhz, self.mv), self.die_c, self.vr_c, self.fan_pct, passes=True)

    def felt(self) -> Felt:
        return Felt(self.die_c, self.vr_c, self.watts(self.mhz, self.mv), self.fan_pct)

    def steady(self, mhz: float, mv: float, plan: SweepPlan) -> Steady:
        """At rest in the room as it is now; the table's fan speed that holds."""
        watts, fan = self.watts(mhz, mv), self.fixed_fan or 30.0
        die, vr = self._rest(watts, fan)
        while self.fixed_fan is None and fan < 100 and die > 57:
            fan += 5.0
            die, vr = self._rest(watts, fan)
        loss = self.loss(mhz, mv, die)
        ratio, errors = 1.01 * (1 - loss), self.error_pct(loss)
        passes = ratio >= plan.tolerance and errors < plan.max_error_pct
        return Steady(2.1 * mhz * ratio, watts, die, vr, fan, passes)

    @staticmethod
    def error_pct(loss: float) -> float:
        return 0.02 + 9.0 * math.pow(loss, 1.1)

    def status(self) -> MinerStatus:
        self._wander = 0.4 * self._wander + math.sqrt(1 - 0.16) * self.dice.gauss(0, self.noise)
        ghs = self.truth().ghs * (1 + self._wander)
        return MinerStatus(
            mac="02:00:00:00:00:01", chip="BM1370", chip_count=1, small_cores=2100, board="601",
            abilities=frozenset({Ability.TUNE, Ability.TUNE_LIVE, Ability.RESTART}),
            hashrate_ghs=ghs, expected_ghs=2.1 * self.mhz,
            error_pct=max(0.0, self._errors * (1 + self.dice.gauss(0, 0.15))) if self.reports else None,
            power_w=self.watts(self.mhz, self.mv) * (1 + self.dice.gauss(0, 0.004)), input_mv=5050, nominal_input_v=5,
            core_mv=self.mv, core_actual_mv=self.mv - 12, frequency_mhz=self.mhz, actual_mhz=self.mhz,
            chip_temp_c=round(4 * (self.die_c + self.dice.gauss(0, 0.15))) / 4,
            vr_temp_c=round(self.vr_c + self.dice.gauss(0, 0.25)),
            fan_auto=self.fixed_fan is None, fan_pct=round(self.fan_pct), uptime_s=self.uptime_s, paused=False,
            total_hashes=self.uptime_s * ghs,
        )  # fmt: skip

    def _rest(self, watts: float, fan: float) -> tuple[float, float]:
        room = self.room_c()
        sink = room + self._cooling * (watts - 3) * 26 / (6 + fan**0.9 / 3.2)
        return sink + 0.45 * (watts - 3), room + 0.62 * (sink - room) + 0.85 * (watts - 3)

    def _tick(self, dt: float) -> None:
        self.time_s += dt
        self.uptime_s += dt
        watts = self.watts(self.mhz, self.mv)
        die, vr = self._rest(watts, self.fan_pct)
        sink = die - 0.45 * (watts - 3)
        self.sink_c += (sink - self.sink_c) * dt / 130
        self.die_c += (self.sink_c + 0.45 * (watts - 3) - self.die_c) * dt / 9
        self.vr_c += (vr - (sink - self.sink_c) * 0.62 - self.vr_c) * dt / 35
        self._errors += (self.error_pct(self.loss(self.mhz, self.mv, self.die_c)) - self._errors) * dt / self.errors_s
        if self.fixed_fan is None and int(self.time_s / 5) != int((self.time_s - dt) / 5):
            if self.die_c > 57:
                self.fan_pct = min(100.0, self.fan_pct + 2.0)
            elif self.die_c < 55.5:
                self.fan_pct = max(30.0, self.fan_pct - 1.0)
