"""What a value of the config may be at all, wherever its key appears. What is safe is decided in ``safety``.

What nothing may go over is not lower than what a chip can work at: a digit that is missing (55 for 550 MHz) would be
obeyed to the letter, and leave a miner nearly standing still.

    160 MHz   half of the lowest frequency that any firmware offers (327, BM1372; specs: axeos 2.8); the highest cap
              that there is (1200) with its last digit missing is 120
    800 mV    no known chip hashes under it (``safety``)
"""

from __future__ import annotations

from collections.abc import Mapping

from minertui import config_rigs
from minertui.safety.limits import FLOOR_MV

_LEAST_MHZ = 160.0
RANGES: Mapping[str, tuple[float, float]] = {
    "poll_s": (2, 3600),
    "per_hour": (1, 1000),
    "hashrate_drop_pct": (1, 100),
    "max_chip_temp_c": (30, 110),
    "max_vr_temp_c": (30, 125),
    "max_power_w": (1, 10_000),
    "max_fan_pct": (10, 100),
    **dict.fromkeys(("min_mhz", "start_mhz", "low_mhz"), (50, 3000)),
    **dict.fromkeys(("max_mhz", "high_mhz"), (_LEAST_MHZ, 3000)),
    **dict.fromkeys(("min_mv", "start_mv"), (500, 2000)),
    "max_mv": (FLOOR_MV, 2000),
    **dict.fromkeys(("step_mhz", "step_down_mhz", "step_up_mhz"), (1, 500)),
    "step_mv": (1, 100),
    "settle_s": (10, 3600),
    "measure_s": (30, 86_400),
    "sample_s": (2, 300),
    "soak_s": (30, 86_400),
    "confidence": (0.5, 0.999),
    "tolerance": (0.5, 1.2),
    "max_error_pct": (0.01, 100),
    "min_chip_balance": (0, 1),
    "hysteresis_c": (0.5, 20),
    "stable_s": (60, 86_400),
    "check_s": (2, 3600),
    "hold_temp_c": (30, 110),
    "hold_dwell_s": (60, 86_400),
    "max_writes_per_day": (1, 1000),
    **config_rigs.RANGES,
}
CHOICES: Mapping[str, tuple[str, ...]] = {"log_level": ("debug", "info", "warning", "error")}
_HIGHEST = ("max_mhz", "high_mhz", "max_mv")
_GUARDING = ("step_down_mhz", "step_up_mhz", "hysteresis_c", "check_s")
_STEPPING = ("step_mhz", "step_mv", "sample_s")
_AT_MOST = ("settle_s", "max_chip_temp_c", "max_vr_temp_c")
_ORDERED = (
    *(("min_mhz", "max_mhz"), ("min_mv", "max_mv"), ("low_mhz", "max_mhz"), ("low_mhz", "high_mhz")),
    *(("min_mhz", "start_mhz"), ("start_mhz", "max_mhz"), ("min_mv", "start_mv"), ("start_mv", "max_mv")),
)


def out_of_range(name: str, value: object) -> str | None:
    """What is allowed, when ``value`` is not; None when it is fine or unknown."""
    if name in CHOICES and value not in CHOICES[name]:
        return f"allowed: {', '.join(CHOICES[name])}"
    if name in RANGES and isinstance(value, int | float):
        low, high = RANGES[name]
        if not low <= value <= high:
            return f"must be {low:g} to {high:g}"
    return None


def refusal(name: str, value: object) -> str | None:
    """What is allowed, what ``value`` is and what may be wrong with it, in one sentence; None when it is fine."""
    allowed = out_of_range(name, value)
    if allowed is None:
        return None
    hint = "; no known chip works at so little: is a digit missing?" if _too_little(name, value) else ""
    return f"{allowed}, not {f'{value:g}' if isinstance(value, float) else value}{hint}"


def mistyped(table: object) -> str | None:
    """The key of a highest value that no chip works at, of a guard's number by which it would not lower (again), or of
    a sweep's by which it would walk without end; and what it must be. None when all can be meant."""
    exact = (*_GUARDING, *_STEPPING)
    for name in (*_HIGHEST, *exact, *_AT_MOST):
        value = getattr(table, name, None)
        if _too_little(name, value) or _too_much(name, value) or (name in exact and out_of_range(name, value)):
            return f"{name}: {refusal(name, value)}"
    return None


def _too_little(name: str, value: object) -> bool:
    """True of a highest value that no chip works at."""
    return name in _HIGHEST and isinstance(value, int | float) and value < RANGES[name][0]


def _too_much(name: str, value: object) -> bool:
    """True of a wait after which, and of a temperature at which, nothing would be lowered any more."""
    return name in _AT_MOST and isinstance(value, int | float) and not value <= RANGES[name][1]


def disorder(table: object) -> tuple[str, str] | None:
    """The key of a lowest value that is above its highest, and why that is wrong; None when all are in order."""
    for low, high in _ORDERED:
        a, b = getattr(table, low, None), getattr(table, high, None)
        if a is not None and b is not None and a > b:
            return low, f"is above {high} ({b})"
    return None
