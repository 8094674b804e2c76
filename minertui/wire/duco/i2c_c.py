"""Dialect C, DuinoCoinI2C_RPI of JK-Rolling: text with a Dallas/Maxim CRC-8, microseconds, DUCOID, and questions.

The CRC can be compiled out of the board's sketch (``get,crc8$`` tells): then jobs and answers have none.
"""

from __future__ import annotations

import re

from minertui.wire.duco import crc, i2c_text
from minertui.wire.duco.exchange import Scripted
from minertui.wire.duco.hash import Job

SPELLING = i2c_text.Spelling(crc=crc.maxim, has_id=True, us_per_tick=1, twice=True)
WITHOUT_CRC = i2c_text.Spelling(crc=None, has_id=True, us_per_tick=1, twice=True)

NAME, CRC8, TEMPERATURE = b"get,name$", b"get,crc8$", b"get,temp$"
_OCTAL = re.compile(r"[0-7]{1,11}")
_DECIMAL = re.compile(r"-?\d{1,3}(\.\d{1,6})?")
_COLDEST_C, _HOTTEST_C = -50.0, 150.0


def solve(job: Job, *, rate_hs: float | None = None, known: bool = True, checked: bool = True) -> Scripted:
    """Have the board solve ``job``; ``checked``: its sketch has the CRC. The rest as ``i2c_text.solve``."""
    return i2c_text.solve(job, SPELLING if checked else WITHOUT_CRC, rate_hs=rate_hs, known=known)


def ask(question: bytes, *, known: bool = True) -> Scripted:
    """Ask ``NAME``, ``CRC8``, ``TEMPERATURE`` … Never ``set,…$``: these sketches take it for a job."""
    return i2c_text.ask(question, known=known)


def reset() -> Scripted:
    """Drop what the board has got so far of a job or a question."""
    return i2c_text.reset(b"&\n")


def temperature_c(reply: str, chip: str) -> float | None:
    """°C in an answer to ``get,temp$`` of a board whose ``get,name$`` is ``chip``. AVR and ATtiny sketches print it in
    octal, a Pico in decimal. None for a sensor that is off (0), not calibrated (far below zero) or nonsense."""
    if chip == "rp2040":
        value = float(reply) if _DECIMAL.fullmatch(reply) else 0.0
    else:
        value = float(_signed_octal(reply) or 0)
    return value if value and _COLDEST_C <= value <= _HOTTEST_C else None


def _signed_octal(reply: str) -> int | None:
    """Octal text, negative ones as 32-bit two's complement: ``37777777257`` is -337."""
    if not _OCTAL.fullmatch(reply):
        return None
    value = int(reply, 8)
    if value >= 1 << 32:
        return None
    return value - (1 << 32) if value >= 1 << 31 else value
