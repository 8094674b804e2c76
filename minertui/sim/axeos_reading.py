"""What the firmware sees of its board: noise, missing sensors, and readings that stand still while the core is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from minertui.sim.axeos_models import FAN_SENSOR_BOARDS, Phase

if TYPE_CHECKING:
    from minertui.sim.axeos_board import Board

_LOADLINE_MOHM = 0.7  # 1144 mV at 12.0 A and 1201 mV at 19.2 A for 1150 and 1220 set


class Reading(msgspec.Struct, frozen=True):
    """One look at the sensors, in the units of the API. -1: the sensor cannot be read; 0: there is none."""

    power_w: float
    input_mv: float
    current_ma: float
    core_mv: float
    temp_c: float
    temp2_c: float
    vr_c: float
    fan_pct: float
    rpm: float
    hashrate_ghs: float
    mean_1m_ghs: float
    mean_10m_ghs: float
    mean_1h_ghs: float
    expected_ghs: float
    error_pct: float
    actual_mhz: float
    chip_ghs: tuple[float, ...]


def read(board: Board) -> Reading:
    """The sensors now."""
    reading = _live(board)
    if board.phase is Phase.COOLING and board.overheat_view is not None:
        return _while_cooling(board, reading, board.overheat_view)
    return reading


def statistics_row(board: Board) -> tuple[float, ...]:
    """The firmware's history row: every label that any version knows, in the order of ``STATISTICS``."""
    r = read(board)
    return (
        r.hashrate_ghs, r.mean_1m_ghs, r.mean_10m_ghs, r.mean_1h_ghs, r.error_pct, r.temp_c, r.temp2_c, r.vr_c,
        r.core_mv, r.input_mv, r.power_w, r.current_ma, r.fan_pct, r.rpm, 0, -48, 7_518_048, 44.65,
        round(1000 * board.uptime_s),
    )  # fmt: skip


def _live(board: Board) -> Reading:
    gauss, cooler, family = board.dice.gauss, board.cooler, board.family
    on, chips = board.core_on, family.chips
    domains = 3 if family.regulator_mv == (833, 1500) else 1
    volts = board.effective_mv * domains / 1000
    amps = board.core_w / volts if on and volts > 0 else 0.0
    ghs, means = _hashrates(board)
    share = board.silicon.point(board.actual_mhz, board.effective_mv, cooler.chip_c) if board.hashing else None
    at_plug = board.ina260 or family.nerd
    input_mv = board.input_mv + gauss(0, 8)
    expected = board.nvs["frequency"] * family.chip.cores * chips / 1000
    stopped = board.version >= (2, 14, 0) and (board.idle or not on)
    return Reading(
        power_w=board.shown_w * (1 + gauss(0, 0.006)),
        input_mv=round(input_mv / 15.625) * 15.625,
        current_ma=1000 * (1000 * board.plug_w / input_mv if at_plug else amps) * (1 + gauss(0, 0.006)),
        core_mv=round(board.effective_mv - _LOADLINE_MOHM * amps + gauss(0, 1)) if on else 0,
        temp_c=_quarter(cooler.chip_c + gauss(0, 0.2)) if on or board.phase is Phase.TRIPPED else -1,
        temp2_c=_quarter(cooler.chip_c - 1.5 + gauss(0, 0.2)) if on and family.name == "gammaturbo" else -1,
        vr_c=0 if board.ina260 else round(cooler.vr_c + gauss(0, 0.3)),
        fan_pct=cooler.fan_pct,
        rpm=round(cooler.rpm * (1 + gauss(0, 0.004))),
        hashrate_ghs=ghs,
        mean_1m_ghs=means[0],
        mean_10m_ghs=means[1],
        mean_1h_ghs=means[2],
        expected_ghs=0.0 if stopped and not family.nerd else expected,
        error_pct=max(0.0, share.error_pct * (1 + gauss(0, 0.25))) if share and ghs else 0.0,
        actual_mhz=board.actual_mhz,
        chip_ghs=_per_chip(share.chip_ghs if share else (0.0,) * chips, ghs),
    )


def _hashrates(board: Board) -> tuple[float, tuple[float, float, float]]:
    mining = board.mining
    if "lies-hashing" in board.faults and board.core_on:
        expected = board.nvs["frequency"] * board.family.chip.cores * board.family.chips / 1000
        return expected * (1 + board.dice.gauss(0, mining.cv)), (expected, expected, expected)
    ghs = mining.sample_ghs if board.hashing else 0.0
    return ghs, (mining.mean(60), mining.mean(600), mining.mean(3600))


def _per_chip(chip_ghs: tuple[float, ...], shown_ghs: float) -> tuple[float, ...]:
    total = sum(chip_ghs)
    return tuple(one * shown_ghs / total for one in chip_ghs) if total > 0 else chip_ghs


def _while_cooling(board: Board, now: Reading, last: Reading) -> Reading:
    """The core was cut by the firmware's protection: the power loop waits and refreshes almost nothing."""
    new = board.version >= (2, 14, 0)
    live_core = board.version < (2, 13, 0)
    fan_sensor = board.board_version in FAN_SENSOR_BOARDS
    on_sensor = -1.0 if new else _quarter(board.cooler.chip_c)
    return msgspec.structs.replace(
        last,
        fan_pct=now.fan_pct,
        rpm=now.rpm,
        vr_c=now.vr_c,
        temp_c=on_sensor if fan_sensor else last.temp_c,
        current_ma=now.current_ma if live_core else last.current_ma,
        core_mv=now.core_mv if live_core else last.core_mv,
        hashrate_ghs=0.0 if new else last.hashrate_ghs,
        expected_ghs=0.0 if new else last.expected_ghs,
        error_pct=0.0 if new else last.error_pct,
        actual_mhz=now.actual_mhz,
        chip_ghs=now.chip_ghs if new else last.chip_ghs,
    )


def _quarter(value: float) -> float:
    return round(value * 8) / 8
