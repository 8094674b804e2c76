"""What is true about a board, whatever its firmware says: for tests of controllers and for benchmarks of sweeps."""

from __future__ import annotations

from dataclasses import dataclass

from minertui.sim.axeos_silicon import Silicon


@dataclass
class Judge:
    """What happened to the board, judged at the board: what a test of a controller asserts on.

    ``order_faults``: under-voltage while a change was under way although both ends of it were fine.
    ``undervolt_moments``/``undervolt_s``: how often and how long V < need(F) while hashing, sweeps included.
    """

    max_mhz: float = 0.0
    max_mv: float = 0.0
    undervolt_moments: int = 0
    undervolt_s: float = 0.0
    order_faults: int = 0
    writes: int = 0
    flash_writes: int = 0
    foreign_writes: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    requests: int = 0
    reboots: int = 0
    overheats: int = 0
    max_chip_c: float = 0.0
    max_vr_c: float = 0.0
    under: bool = False

    def set_to(self, mhz: float, mv: float) -> None:
        """The stored settings are these now."""
        self.max_mhz, self.max_mv = max(self.max_mhz, mhz), max(self.max_mv, mv)

    def felt(self, chip_c: float, vr_c: float) -> None:
        """The temperatures are these now."""
        self.max_chip_c, self.max_vr_c = max(self.max_chip_c, chip_c), max(self.max_vr_c, vr_c)

    def powered(self, under: bool, dt_s: float) -> bool:
        """Over ``dt_s`` the chips were ``under`` their needed voltage; True when that begins."""
        begins = under and not self.under
        self.under = under
        self.undervolt_moments += begins
        self.undervolt_s += dt_s if under else 0.0
        return begins


@dataclass(frozen=True)
class Truth:
    """The board without noise and without the firmware's view of it."""

    hashrate_ghs: float
    error_pct: float
    chip_temp_c: float
    vr_temp_c: float
    power_w: float  # as the firmware computes it on a good day
    input_mv: float
    frequency_mhz: float  # at the chips now
    core_mv: float  # at the regulator now
    hashing: bool
    silicon: Silicon

    def need_mv(self, mhz: float) -> float:
        """The core voltage that the weakest chip needs for ``mhz`` at its temperature now."""
        return self.silicon.need_mv(mhz, self.chip_temp_c)
