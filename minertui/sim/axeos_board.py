"""One simulated board: silicon, cooler, supply, firmware loop and its own protection. Pure physics, no I/O.

Time comes in through ``advance(dt_s)``; nothing else moves it, so a board that nobody asks costs nothing. A small step
is taken while something changes, a large one while everything rests.

    DOWN ──► STARTING ──► RUNNING ◄──► COOLING (from v2.11; older ones reboot crippled)
      ▲                      │
      └────── restart ───────┘         SHUTDOWN: NerdQAxe when told, TRIPPED: overheated; a restart ends both

The firmware loop takes voltage first and frequency after it, also when both go down: a single write that lowers both
undervolts the chip for a moment. ``judge`` notices that and whatever else a careless controller does.
"""

from __future__ import annotations

import random
from collections import deque
from typing import Any

from minertui.sim.axeos_faults import FaultSet
from minertui.sim.axeos_heat import Cooler, daily_c
from minertui.sim.axeos_judge import Judge, Truth
from minertui.sim.axeos_mining import Mining
from minertui.sim.axeos_models import (
    FAN_SENSOR_BOARDS,
    INA260_BOARDS,
    NERD_FIRMWARE,
    Family,
    Phase,
    family_named,
    version_of,
)
from minertui.sim.axeos_nvs import Nvs, factory
from minertui.sim.axeos_power import IDLE_MHZ, RAMP_STEP_S, PowerLoop, input_mv
from minertui.sim.axeos_reading import Reading, read, statistics_row
from minertui.sim.axeos_silicon import NO_POINT, Silicon

CHIP_TRIP_C = 75.0
VR_TRIP_C = 105.0


class Board:
    """A simulated miner. ``ambient_c``, ``ambient_swing_c`` (half the day's range), ``down_s``, ``start_s`` and
    ``faults`` may be changed at any time."""

    def __init__(
        self,
        family: Family | str = "gamma",
        *,
        firmware: str | None = None,
        seed: int = 0,
        board_version: str | None = None,
        ambient_c: float = 25.0,
        ambient_swing_c: float = 0.0,
        hostname: str | None = None,
    ) -> None:
        """``firmware`` like ``v2.12.2`` (default: the newest of its kind). Raises ConfigError for an unknown family or
        a text that is no version."""
        self.family = family_named(family) if isinstance(family, str) else family
        self.firmware = firmware or (NERD_FIRMWARE if self.family.nerd else "v2.15.3")
        self.version = version_of(self.firmware)
        self.board_version = board_version or self.family.boards[0]
        self.seed = seed
        self.dice = random.Random(f"board-{self.family.name}-{seed}")
        self.mac = f"02:00:00:{seed >> 16 & 255:02X}:{seed >> 8 & 255:02X}:{seed & 255:02X}"
        self.name = hostname or f"sim-{self.family.name.replace('+', 'p')}-{seed}"
        self.silicon = Silicon(self.family, seed)
        self.faults = FaultSet()
        self.ambient_c, self.ambient_swing_c = ambient_c, ambient_swing_c
        self.down_s, self.start_s = 20.0, 10.0
        self.nvs: Nvs = factory(self.family, self.name)
        self.judge = Judge(max_mhz=self.family.stock_mhz, max_mv=self.family.stock_mv)
        stock_w = self.silicon.core_w(self.family.stock_mhz, self.family.stock_mv)
        self.cooler = Cooler(stock_w, ambient_c)
        self.mining = Mining(self.dice, self.dice.uniform(0.05, 0.15), 1000 * self.family.chips)
        self.time_s = self.total_uptime_s = self.uptime_s = self.core_w = self.errors = 0.0
        self.reset_reason = "Reset due to power-on event"
        self.phase = Phase.STARTING
        self._needs_pool = self.version >= (2, 14, 0) and not self.family.nerd
        quick = self._needs_pool or self.family.nerd
        self.power = PowerLoop(0.1 if quick else 1.8, (46, 2390) if self.ina260 else self.family.regulator_mv)
        self.paused = self.dead = self.overheat_copy = False
        self.overheat_view: Reading | None = None  # what the firmware read before it cut the core
        self.history: deque[tuple[float, ...]] = deque(maxlen=720)
        self._phase_left_s = self.start_s
        self._restart_in_s: float | None = None
        self._sample_left_s = self._record_left_s = 0.0
        self._boot_settings()

    # what the firmware is set to

    @property
    def ina260(self) -> bool:
        """True on boards that measure input power and have no regulator thermometer."""
        return self.board_version in INA260_BOARDS

    @property
    def online(self) -> bool:
        """True when its network is up."""
        return self.phase is not Phase.DOWN

    @property
    def pool_ok(self) -> bool:
        """True when a pool can be reached."""
        return not ("pool-lost" in self.faults or "wifi-lost" in self.faults)

    @property
    def idle(self) -> bool:
        """Mining is stopped on purpose: paused, or (from v2.14) no pool to mine for."""
        return self.paused or (self._needs_pool and not self.pool_ok)

    @property
    def core_on(self) -> bool:
        """True while the chips have power."""
        return self.phase is Phase.RUNNING and (self.power.actual_mhz > IDLE_MHZ or not self.idle)

    @property
    def hashing(self) -> bool:
        """True while the chips hash in truth."""
        return self.phase is Phase.RUNNING and not (self.idle or self.dead or "lies-hashing" in self.faults)

    def store(self, key: str, value: Any) -> None:
        """Write a setting to flash; an unchanged one is not written again."""
        if self.nvs.get(key) != value:
            self.nvs[key] = value
            self.judge.flash_writes += 1
            self.judge.set_to(self.nvs["frequency"], self.nvs["coreVoltage"])

    def restart(self, reason: str = "Software reset via esp_restart", after_s: float = 0.0) -> None:
        """Reboot in ``after_s``."""
        self.reset_reason = reason
        self._restart_in_s = after_s

    def settle(self, seconds: float = 900.0) -> None:
        """Let it run into its steady state, in big steps, so that a demo does not start cold."""
        for _ in range(int(seconds // 10)):
            self._live(10.0)

    # time

    def advance(self, dt_s: float) -> None:
        """Let ``dt_s`` seconds pass."""
        while dt_s > 1e-9:
            step = min(dt_s, self._step_s(dt_s))
            dt_s -= step
            self._live(step)

    def _step_s(self, left_s: float) -> float:
        if self.phase is not Phase.RUNNING or self._restart_in_s is not None:
            return 1.0
        if not self.power.settled(self._wanted()):
            return RAMP_STEP_S
        return 1.0 if left_s <= 60 else min(10.0, left_s / 60)

    def _live(self, dt_s: float) -> None:
        self.time_s += dt_s
        self._age(dt_s)
        if self.phase is Phase.RUNNING:
            self._foreign_hand(dt_s)
            self._drive_chips(dt_s)
        self._burn(dt_s)
        self._blow(dt_s)
        if self.phase is Phase.RUNNING:
            self._protect()
        self._record(dt_s)

    # life

    def _age(self, dt_s: float) -> None:
        if self.online:
            self.uptime_s += dt_s
            self.total_uptime_s += dt_s
            if "reboot" in self.faults and self.dice.random() < dt_s / 90:
                self.restart("Reset due to task watchdog")
        if self._restart_in_s is not None:
            self._restart_in_s -= dt_s
            if self._restart_in_s <= 0:
                self._go_down()
        elif self.phase not in (Phase.RUNNING, Phase.SHUTDOWN, Phase.TRIPPED):
            self._phase_left_s -= dt_s
            if self.phase is Phase.COOLING:
                self._cool_down()
            elif self._phase_left_s <= 0:
                self._next_phase()

    def _go_down(self) -> None:
        self._restart_in_s = None
        self.judge.reboots += 1
        self.phase = Phase.DOWN
        self._phase_left_s = self.down_s + (120.0 if "slow-restart" in self.faults else 0.0)
        self.uptime_s = 0.0
        self.mining.reset()
        self._cut_core()
        self.history.clear()

    def _next_phase(self) -> None:
        if self.phase is Phase.DOWN:
            self.phase = Phase.STARTING
            self._phase_left_s = self.start_s + (60.0 if "slow-restart" in self.faults else 0.0)
            self._boot_settings()
        elif self.overheat_copy and self.version >= (2, 11, 0):
            self._start_cooling()
        else:
            self.phase = Phase.RUNNING

    def _boot_settings(self, paused: bool = False) -> None:
        self.paused = paused
        self.dead = "zombie" in self.faults
        self.overheat_copy = bool(self.nvs["overheat_mode"])
        self.power.boot(float(self.nvs["frequency"]), float(self.nvs["coreVoltage"]))
        self.overheat_view = None

    def _cut_core(self) -> None:
        self.power.actual_mhz = self.core_w = 0.0
        self.judge.under = False

    # the firmware's loop: voltage first, then frequency

    def _wanted(self) -> tuple[float, float]:
        if not self.family.nerd and self.version < (2, 2, 0):
            return self.power.target_mhz, self.power.asked_mv  # settings wait for a restart
        mhz = float(self.nvs["frequency"]) if not self.idle else IDLE_MHZ if self.core_on else 0.0
        return mhz, float(self.nvs["coreVoltage"])

    def _drive_chips(self, dt_s: float) -> None:
        if self.power.take(self._wanted(), dt_s):
            self._watch(0.0)
        self.power.ramp(dt_s)
        self._watch(dt_s)

    def _foreign_hand(self, dt_s: float) -> None:
        if "third-party" in self.faults and self.time_s // 60 != (self.time_s - dt_s) // 60:
            self.judge.foreign_writes += 1
            self.store("coreVoltage", self.family.stock_mv)
            self.store("frequency", float(self.dice.choice(self.family.chip.frequency_options[:3])))

    # electricity, hashing, heat

    @property
    def core_mv(self) -> float:
        """Core voltage at the regulator."""
        return self.power.core_mv

    @property
    def actual_mhz(self) -> float:
        """Clock of the chips."""
        return self.power.actual_mhz

    @property
    def effective_mv(self) -> float:
        """What reaches the chips: a sagging supply takes 25 mV."""
        return self.power.core_mv - (25.0 if self.power_fault else 0.0)

    @property
    def plug_w(self) -> float:
        """Power at the input: regulator losses, fan and controller on top of the core's heat."""
        return self.core_w / 0.89 + 1.5 + 1.5 * self.cooler.fan_pct / 100

    @property
    def input_mv(self) -> float:
        """Input voltage under load, without noise."""
        return input_mv(self.family.supply_v, self.plug_w, weak="droop" in self.faults)

    @property
    def shown_w(self) -> float:
        """Power as the firmware knows it: measured at the input, or the regulator's output and a fixed offset."""
        at_input = self.ina260 or self.family.nerd
        return self.plug_w if at_input else self.core_w + self.family.offset_w

    @property
    def power_fault(self) -> bool:
        """True while the input is more than 11 % below its nominal voltage."""
        return self.input_mv < 890 * self.family.supply_v

    @property
    def room_c(self) -> float:
        """Ambient temperature now, with its daily curve."""
        return daily_c(self.ambient_c, self.ambient_swing_c, self.time_s)

    def _burn(self, dt_s: float) -> None:
        chip_c = self.cooler.chip_c
        ghs = 0.0
        if self.hashing:
            point = self.silicon.point(self.power.actual_mhz, self.effective_mv, chip_c)
            self.core_w, ghs = point.core_w, point.hashrate_ghs
            self.mining.hash(ghs, dt_s, self.pool_ok)
            self.errors += point.hashrate_ghs * point.error_pct / 100 * dt_s * 1e9 / 2**32
        elif self.core_on:
            self.core_w = 0.2 * self.silicon.core_w(self.actual_mhz, self.core_mv, chip_c)
        else:
            self._cut_core()
        self._sample_left_s -= dt_s
        if self._sample_left_s <= 0 or ghs == 0.0:
            self._sample_left_s = 5.0 if (2, 12, 0) <= self.version < (2, 14, 0) else 1.0
            self.mining.sample(ghs)

    def _blow(self, dt_s: float) -> None:
        if "overheat" in self.faults:
            self.faults.discard("overheat")
            self.cooler.chip_c = max(self.cooler.chip_c, 82.0)
        else:
            self.cooler.warm(self.core_w, self.room_c, dt_s)
        stuck = 0.0 if "fan-dead" in self.faults else 25.0 if "fan-stuck" in self.faults else None
        self.cooler.stuck_pct = stuck
        self.cooler.turn(self._fan_drive(dt_s), dt_s)
        self.judge.felt(self.cooler.chip_c, self.cooler.vr_c)

    def _fan_drive(self, dt_s: float) -> float:
        if self.phase in (Phase.COOLING, Phase.SHUTDOWN):
            return 100.0
        if not self.nvs["autofanspeed"]:
            return float(self.nvs["manualFanSpeed"])
        if self.phase not in (Phase.RUNNING, Phase.TRIPPED):
            return 70.0
        if self.idle:
            return 30.0
        least = float(self.nvs["minFanSpeed"])
        return self.cooler.drive(self.cooler.chip_c, float(self.nvs["temptarget"]), least, dt_s)

    # the firmware's own protection

    def _protect(self) -> None:
        chip_c, vr_c = self.cooler.chip_c, (0.0 if self.ina260 else self.cooler.vr_c)
        if self.family.nerd:
            if chip_c > float(self.nvs["overheat_temp"]):
                self.judge.overheats += 1
                self.shut_down(Phase.TRIPPED)
        elif self.version >= (2, 1, 9) and (chip_c > CHIP_TRIP_C or vr_c > VR_TRIP_C):
            self.judge.overheats += 1
            self._trip()

    def shut_down(self, phase: Phase = Phase.SHUTDOWN) -> None:
        """NerdQAxe: chips off until a restart."""
        self.phase = phase
        self._cut_core()

    def _trip(self) -> None:
        self.store("autofanspeed", 0)
        self.store("manualFanSpeed", 100)
        self.store("overheat_mode", 1)
        if self.version >= (2, 11, 0):
            self._start_cooling()
            return
        self.store("coreVoltage", 1000)
        self.store("frequency", 50.0)
        self.restart("Reset due to exception/panic")

    def _start_cooling(self) -> None:
        self.overheat_view = read(self) if self.phase is Phase.RUNNING else None
        self.phase = Phase.COOLING
        self._phase_left_s = 30.0
        self._cut_core()

    def _cool_down(self) -> None:
        sees_chip = self.board_version in FAN_SENSOR_BOARDS and self.version < (2, 14, 0)
        if self._phase_left_s > 0 or (sees_chip and self.cooler.chip_c > 45):
            return
        if not self.ina260 and self.cooler.vr_c > 95:
            return
        mhz, mv = float(self.nvs["frequency"]), int(self.nvs["coreVoltage"])
        self.store("frequency", mhz - 100 if mhz > 100 else 400.0)
        self.store("coreVoltage", mv - 100 if mv > 100 else 1000)
        self.store("overheat_mode", 0)
        self._boot_settings(paused=self.paused)
        self.phase = Phase.RUNNING

    # judging

    def _watch(self, dt_s: float) -> None:
        def needs(mhz: float) -> float:
            return self.silicon.need_mv(mhz, self.cooler.chip_c)

        if self.judge.powered(self.hashing and self.core_mv < needs(self.actual_mhz), dt_s):
            ends = (self.power.came_from, (self.power.target_mhz, self.core_mv))
            self.judge.order_faults += all(mv >= needs(mhz) for mhz, mv in ends)

    def _record(self, dt_s: float) -> None:
        period = float(self.nvs["statsFrequency"])
        self._record_left_s -= dt_s
        if period <= 0 or self._record_left_s > 0 or not self.online:
            return
        self._record_left_s = period
        self.history.append(statistics_row(self))

    def truth(self) -> Truth:
        """The board as it is, without noise."""
        hashing, chip_c = self.hashing, self.cooler.chip_c
        point = self.silicon.point(self.actual_mhz, self.effective_mv, chip_c) if hashing else NO_POINT
        return Truth(
            hashrate_ghs=point.hashrate_ghs,
            error_pct=point.error_pct,
            chip_temp_c=chip_c,
            vr_temp_c=self.cooler.vr_c,
            power_w=self.shown_w,
            input_mv=self.input_mv,
            frequency_mhz=self.actual_mhz,
            core_mv=self.core_mv if self.core_on else 0.0,
            hashing=hashing,
            silicon=self.silicon,
        )
