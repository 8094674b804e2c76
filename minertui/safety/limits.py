"""How far a model may be driven. The firmware accepts 1..65535 for voltage and frequency and stops at nothing but the
regulator (2.0 V and more, ESP-Miner main/http_server and main/power), so these caps are the guard.

In force is always the lowest of three: the user's caps, this table, and what the device itself publishes as absolute.
A model that is not in the table has no caps and is only watched: nothing on it is ever raised.

Where the numbers come from:

    1200 MHz, 1400 mV   the top of the range of the reference benchmark script (mrv777/Bitaxe-Hashrate-Benchmark)
    BM1397 1500 mV      the highest voltage the firmware itself offers for that chip (its stock is 1400 mV)
    BM1372/BM1373       no script knows them: 600 MHz, 1250 mV = the firmware's highest offered voltage, and half as
                        much again as its highest offered frequency
    800 MHz, 1400 mV    absolute maxima of the NerdQAxe family (ESP-Miner-NerdQAxePlus, boards/*.cpp)
    70 °C, 95 °C        chip and regulator: the firmware cuts power at 75 and 105 °C; we act before it rewrites settings
    68 °C               NerdQAxe family: its own stop is 70 °C by default
    power               ``maxPower`` of the device, else of its family (ESP-Miner main/device_config.h)
    4800..5500 mV       5 V supplies (reference script); 12 V supplies in proportion: 11520..13200 mV
"""

from __future__ import annotations

import math

import msgspec

from minertui.model.plans import Limits
from minertui.model.status import MinerStatus

FLOOR_MHZ = 50.0
"""The firmware's own fall-back frequency; nothing is ever set below it."""
FLOOR_MV = 800
"""Below this no known chip hashes; Hex regulators end at 833 mV per domain, TPS546 boards at 1000 mV."""


class ChipCaps(msgspec.Struct, frozen=True):
    """What one kind of chip may be given, MHz and mV."""

    max_mhz: float
    max_mv: int


CHIPS: dict[str, ChipCaps] = {
    "BM1397": ChipCaps(1200, 1500),
    "BM1366": ChipCaps(1200, 1400),
    "BM1368": ChipCaps(1200, 1400),
    "BM1370": ChipCaps(1200, 1400),
    "BM1372": ChipCaps(600, 1250),
    "BM1373": ChipCaps(600, 1250),
}

HIGHEST_MHZ = max(caps.max_mhz for caps in CHIPS.values())
"""No clock is higher; a reading that says so says nothing about where one is."""

NERDQAXE = ChipCaps(800, 1400)
NERDQAXE_CHIP_C = 68.0
CHIP_C = 70.0
VR_C = 95.0

POWER_W: dict[str, float] = {
    "max": 25,
    "ultra": 25,
    "hex": 90,
    "supra": 40,
    "gamma": 40,
    "gammaduo": 40,
    "suprahex": 120,
    "gammaturbo": 60,
}
"""Watts by family, for firmware that does not publish ``maxPower``."""

BOARDS: dict[str, str] = {
    **dict.fromkeys(("2.2", "102"), "max"),
    **dict.fromkeys(("0.11", "201", "202", "203", "204", "205", "207"), "ultra"),
    **dict.fromkeys(("302", "303"), "hex"),
    **dict.fromkeys(("400", "401", "402", "403"), "supra"),
    **dict.fromkeys(("600", "601", "602", "603"), "gamma"),
    "650": "gammaduo",
    **dict.fromkeys(("701", "702"), "suprahex"),
    "801": "gammaturbo",
}
"""Board versions as the firmware reports them, and their family."""

_SUPPLIES_MV: dict[int, tuple[float, float]] = {5: (4800.0, 5500.0), 12: (11520.0, 13200.0)}


def model_caps(status: MinerStatus) -> Limits | None:
    """The caps of this model by chip and board; None where the chip or its power is not known."""
    nerd = status.family == "nerdqaxe"
    chip = CHIPS.get((status.chip or "").upper())
    power = _power(status)
    if chip is None or power is None:
        return None
    return Limits(
        max_chip_temp_c=NERDQAXE_CHIP_C if nerd else CHIP_C,
        max_vr_temp_c=VR_C,
        max_power_w=power,
        min_mhz=FLOOR_MHZ,
        max_mhz=min(chip.max_mhz, NERDQAXE.max_mhz) if nerd else chip.max_mhz,
        min_mv=FLOOR_MV,
        max_mv=min(chip.max_mv, NERDQAXE.max_mv) if nerd else chip.max_mv,
    )


def effective(user: Limits, status: MinerStatus) -> Limits | None:
    """The caps in force, every field set: user's, model's and device's joined, the stricter wins.

    None: no cap of the model is known, so the device is only watched and nothing may be raised.
    """
    model = model_caps(status)
    if model is None:
        return None
    max_mv = _lowest(user.max_mv, model.max_mv, status.cap_mv)
    return Limits(
        max_chip_temp_c=_lowest(user.max_chip_temp_c, model.max_chip_temp_c),
        max_vr_temp_c=_lowest(user.max_vr_temp_c, model.max_vr_temp_c),
        max_power_w=_lowest(user.max_power_w, model.max_power_w),
        min_mhz=max(user.min_mhz or FLOOR_MHZ, FLOOR_MHZ),
        max_mhz=_lowest(user.max_mhz, model.max_mhz, status.cap_mhz),
        min_mv=max(user.min_mv or FLOOR_MV, FLOOR_MV),
        max_mv=None if max_mv is None else int(max_mv),
    )


def own_power(limits: Limits, status: MinerStatus) -> bool:
    """True when the power limit in force is the user's own number, rather than what the model is built for; a model
    that nobody knows has no other."""
    model = model_caps(status)
    return limits.max_power_w is not None and (model is None or limits.max_power_w != model.max_power_w)


def supply_window_mv(status: MinerStatus) -> tuple[float, float] | None:
    """Lowest and highest input voltage that is right for the supply (5 or 12 V), mV; None when it is not known."""
    nominal = status.nominal_input_v
    if nominal is None and status.input_mv is not None and math.isfinite(status.input_mv):
        nominal = 12 if status.input_mv > 8000 else 5
    if nominal is None or not math.isfinite(nominal):
        return None
    return _SUPPLIES_MV.get(round(nominal))


def _power(status: MinerStatus) -> float | None:
    published = status.max_power_w
    if published is not None and math.isfinite(published) and published > 0:
        return published
    family = BOARDS.get(status.board or "")
    return POWER_W.get(family or (status.model or "").lower().replace(" ", ""))


def _lowest(*values: float | None) -> float | None:
    """The smallest of the values that are real caps (finite and above 0); 0 published means "none set"."""
    return min((v for v in values if v is not None and math.isfinite(v) and v > 0), default=None)
