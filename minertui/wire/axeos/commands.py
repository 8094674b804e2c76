"""A command → the one request that says it to this miner's firmware.

AxeOS answers 200 to keys it does not know and NerdQAxe to values of the wrong type, so the spelling has to be right the
first time; a read-back has to prove it all the same. Facts from the sources of both firmwares:

    fan speed     ``manualFanSpeed`` from AxeOS 2.11, ``fanspeed`` before; the other one is ignored
    pools         slots in ``pools`` from 2.15 (a write replaces the slot), flat ``stratum*`` keys before
    NerdQAxe      whole numbers must be JSON integers; the automatic fan is mode 2; no pause but a shutdown
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from minertui.model.commands import (
    ClearOverheat,
    Command,
    Identify,
    Pause,
    Restart,
    Resume,
    SetFan,
    SetPools,
    Tune,
)
from minertui.model.errors import Unsupported
from minertui.model.status import Ability, MinerStatus
from minertui.wire.axeos.setpools import pools_body

MAX_BODY = 10_239  # bytes; AxeOS answers 500 "content too long" from 10240
_MAX_SETTING = 65_535


class Request(msgspec.Struct, frozen=True):
    """One HTTP request: ``body`` is JSON, or None for an empty one."""

    method: str
    path: str
    body: bytes | None = None


def encode(command: Command, status: MinerStatus) -> Request:
    """The request for ``command`` to the miner last seen as ``status``.

    Raises Unsupported, with one sentence, when this firmware has no such setting or no such value. Limits that protect
    the hardware are the business of ``safety``, not of this function.
    """
    match command:
        case Tune():
            return _patch(_tune(command, status))
        case SetFan():
            return _patch(_fan(command, status))
        case SetPools():
            _need(status, Ability.POOLS, "tell or take pools")
            return _patch(pools_body(command.pools, status))
        case ClearOverheat():
            return _patch(_clear_overheat(status))
        case _:
            return _post(command, status)


def _post(command: Restart | Pause | Resume | Identify, status: MinerStatus) -> Request:
    match command:
        case Restart():
            action = "restart"
        case Identify():
            _need(status, Ability.IDENTIFY, "greet on its display (AxeOS can from 2.12)")
            action = "identify"
        case Pause() | Resume():
            _need(status, Ability.PAUSE, "pause (AxeOS can from 2.14)")
            pause = isinstance(command, Pause)
            if status.family == "nerdqaxe":
                action = "shutdown" if pause else "restart"
            else:
                action = "pause" if pause else "resume"
    return Request("POST", f"/api/system/{action}")


def _patch(body: dict[str, Any]) -> Request:
    if not body:
        raise Unsupported("", "there is nothing to set")
    encoded = msgspec.json.encode(body)
    if len(encoded) > MAX_BODY:
        raise Unsupported("", f"the settings take {len(encoded)} bytes, the miner accepts {MAX_BODY}")
    return Request("PATCH", "/api/system", encoded)


def _tune(command: Tune, status: MinerStatus) -> dict[str, Any]:
    _need(status, Ability.TUNE, "tell or take frequency and core voltage")
    body: dict[str, Any] = {}
    if command.frequency_mhz is not None:
        fraction = Ability.TUNE_FRACTION in status.abilities
        body["frequency"] = _setting(command.frequency_mhz, "frequency", "MHz", fraction=fraction)
    if command.core_mv is not None:
        body["coreVoltage"] = _setting(command.core_mv, "core voltage", "mV", fraction=False)
    return body


def _setting(value: float, what: str, unit: str, *, fraction: bool) -> int | float:
    if not math.isfinite(value) or not 1 <= value <= _MAX_SETTING:
        raise Unsupported("", f"a {what} of {value} {unit} cannot be stored; it takes 1 to {_MAX_SETTING}")
    if value == int(value):
        return int(value)
    if not fraction:
        raise Unsupported("", f"this miner stores a {what} in whole {unit} only, not {value}")
    return value


def _fan(command: SetFan, status: MinerStatus) -> dict[str, Any]:
    _need(status, Ability.FAN, "set its fan")
    nerd = status.family == "nerdqaxe"
    body: dict[str, Any] = {}
    if command.auto is not None:
        body["autofanspeed"] = _automatic(command.auto, status)
    if command.pct is not None:
        key = "manualFanSpeed" if Ability.FAN_SETPOINT in status.abilities else "fanspeed"
        body[key] = _between(command.pct, 0, 100, "fan speed", "%")
    if command.target_c is not None:
        _need(status, Ability.FAN_TARGET, "steer its fan towards a temperature (AxeOS can from 2.7)")
        body["pidTargetTemp" if nerd else "temptarget"] = _between(command.target_c, 35, 66, "fan target", "°C")
    if command.min_pct is not None:
        _need(status, Ability.FAN_MIN, "keep a lowest fan speed (AxeOS can from 2.10)")
        body["minFanSpeed"] = _between(command.min_pct, 0, 99, "lowest fan speed", "%")
    return body


def _automatic(auto: bool, status: MinerStatus) -> bool | int:
    """NerdQAxe takes a mode number (2 = towards a target) where it has one, and in older builds a flag only. AxeOS
    checks for a flag from 2.11; before, its own web page sent 0 and 1."""
    if status.family == "nerdqaxe":
        return (2 if auto else 0) if Ability.FAN_TARGET in status.abilities else auto
    return auto if Ability.FAN_SETPOINT in status.abilities else int(auto)


def _between(value: int, low: int, high: int, what: str, unit: str) -> int:
    if value != int(value) or not low <= value <= high:
        raise Unsupported("", f"a {what} of {value} {unit} is not possible; it takes {low} to {high}")
    return int(value)


def _clear_overheat(status: MinerStatus) -> dict[str, Any]:
    if status.overheat is None:
        raise Unsupported("", "this firmware stores no overheat flag; restart the miner once it has cooled")
    body = {"overheat_mode": 0}
    if Ability.TUNE_LIVE not in status.abilities:
        body["overheat"] = 0  # its name in AxeOS 2.1.9; later releases ignore it
    return body


def _need(status: MinerStatus, ability: Ability, what: str) -> None:
    if ability not in status.abilities:
        firmware = f" ({status.firmware})" if status.firmware else ""
        raise Unsupported("", f"this miner's firmware{firmware} cannot {what}")
