"""What the payload faults make of ``/api/system/info``."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from minertui.sim.axeos_board import Board
from minertui.sim.axeos_faults import PAYLOAD

_TEMPERATURES = ("temp", "temp2", "vrTemp")
_AVERAGES = ("hashRate_1m", "hashRate_10m", "hashRate_1h", "hashRate_1d")
_TELEMETRY = frozenset({
    "power", "voltage", "current", "currentA", "temp", "temp2", "vrTemp", "vrTempInt", "hashRate", *_AVERAGES,
    "errorPercentage", "sharesAccepted", "sharesRejected", "sharesRejectedReasons", "bestDiff", "bestSessionDiff",
    "coreVoltageActual", "fanspeed", "fanrpm", "fanSpeed", "fanSpeedRpm", "fanrpm2", "fanspeed2", "fans", "stratum",
    "totalHashes", "totalLog2Work", "workReceived", "hashrateMonitor", "freeHeap", "responseTime",
})  # fmt: skip
_OFTEN_MISSING = frozenset({
    "temp", "temp2", "vrTemp", "vrTempInt", "power", "voltage", "current", "currentA", "hashRate", *_AVERAGES,
    "expectedHashrate", "errorPercentage", "smallCoreCount", "uptimeSeconds", "macAddr", "coreVoltageActual",
    "actualFrequency", "sharesAccepted", "sharesRejected", "hashrateMonitor", "fanrpm",
})  # fmt: skip
_NO_NUMBERS = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"null", b'"NaN"', b'"NaNundefined"')
_TWICE = (
    b',"temp":20,"vrTemp":20,"hashRate":99999,"power":1,"frequency":400,"coreVoltage":1000,'
    b'"macAddr":"02:00:00:FF:FF:FF"}'
)
HOSTILE: tuple[str, ...] = (
    "\x1b]52;c;aG9zdGlsZQ==\x07",  # writes the clipboard
    "\x1b]52;c;aG9zdGlsZQ==\x1b\\",
    "\x1b]0;owned\x07",  # sets the window title
    "\x1b[2J\x1b[31mred",
    "\x9b31mred",
    "\x1bPq#0;2;0;0;0\x1b\\",
    "[/nope] rig",
    "pool [::1]:3333 said [/]",
    "[@click=app.quit]x[/]",
    "[link=http://evil.example]x[/link]",
    "\u202egnp.exe",
    "line\nbreak\rreturn\x00nul\u2028sep",
    "=HYPERLINK(1)",
    "Z" + "\u0301" * 64,
    "long" * 2000,
)


class Payload:
    """Writes the info object of one board, twisted by the faults that are on."""

    def __init__(self) -> None:
        self._turn = 0
        self._frozen: dict[str, Any] | None = None

    def bytes_of(self, board: Board, info: dict[str, Any]) -> bytes:
        """The body to send. Each call moves on to the next kind of nonsense where there are several."""
        self._turn += 1
        if "freeze" not in board.faults:
            self._frozen = None
        if board.faults.first_of(PAYLOAD) is None:
            return msgspec.json.encode(info)
        twisted = self._twist(board, info)
        if "nan" in board.faults:
            return self._no_numbers(twisted)
        body = json.dumps(twisted).encode()
        return body[:-1] + _TWICE if "duplicate-keys" in board.faults else body

    def _twist(self, board: Board, info: dict[str, Any]) -> dict[str, Any]:
        faults, out = board.faults, dict(info)
        if "freeze" in faults:
            self._frozen = self._frozen or {key: value for key, value in out.items() if key in _TELEMETRY}
            out |= self._frozen
        for fault, value in (("temp-minus-one", -1), ("temp-zero", 0), ("temp-127", 127)):
            if fault in faults:
                out |= {key: value for key in _TEMPERATURES if key in out}
        if "wrong-averages" in faults:
            out |= {key: 1.5 * out[key] for key in _AVERAGES if key in out}
        if "mac-swap" in faults:
            out |= {"macAddr": "02:00:00:FE:DC:BA", "hostname": "another-miner"} if "macAddr" in out else {}
        if "missing-fields" in faults:
            out = {key: value for key, value in out.items() if key not in _OFTEN_MISSING}
        return {key: self._hostile(value) for key, value in out.items()} if "hostile-strings" in faults else out

    def _hostile(self, value: Any) -> Any:
        if isinstance(value, str):
            self._turn += 1
            return HOSTILE[self._turn % len(HOSTILE)]
        if isinstance(value, dict):
            return {key: self._hostile(inner) for key, inner in value.items()}
        return [self._hostile(inner) for inner in value] if isinstance(value, list) else value

    def _no_numbers(self, info: dict[str, Any]) -> bytes:
        parts = []
        for index, (key, value) in enumerate(info.items()):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            text = _NO_NUMBERS[(index + self._turn) % len(_NO_NUMBERS)] if number else json.dumps(value).encode()
            parts.append(json.dumps(key).encode() + b":" + text)
        return b"{" + b",".join(parts) + b"}"
