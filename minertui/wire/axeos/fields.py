"""One field of a foreign object, leniently: the same number comes as 525, 525.0, "525" or 5.25e2, the same flag as
0/1, true/false or "1", and any of them can be missing, null or nonsense. Nonsense is None, never 0 and never an error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from minertui.model.text import clean

Fields = Mapping[str, object]

_MAX_INTEGER = 2**63 - 1  # what JSON writers and databases hold
_MAX_FLOAT = 10**30  # a difficulty is the largest number there is, 1e24 at most; more would only fill the screen
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_SUFFIXED = re.compile(r"(\d+(?:\.\d*)?)\s*([kKMGTPEZ]?)", re.ASCII)
_SUFFIXES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18, "Z": 1e21}
_MAC = re.compile(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}", re.ASCII)


def number_of(value: object) -> float | None:
    """``value`` as a finite number; a flag is not a number."""
    if type(value) is float:
        return value if abs(value) < _MAX_FLOAT else None  # NaN is not
    if type(value) is int:
        return float(value) if abs(value) < _MAX_FLOAT else None
    if isinstance(value, str) and len(value) <= 40 and _NUMBER.fullmatch(value.strip()):
        return number_of(float(value))
    return None


def number(fields: Fields, *names: str, low: float = -math.inf, high: float = math.inf) -> float | None:
    """The first of these fields that is there, as a finite number from ``low`` to ``high``. One that is there but is
    nonsense ends the search: another spelling would be another fact."""
    for name in names:
        if name in fields:
            value = fields[name]
            if type(value) is not float or not -_MAX_FLOAT < value < _MAX_FLOAT:
                value = number_of(value)
            return value if value is not None and low <= value <= high else None
    return None


def count(fields: Fields, *names: str) -> int | None:
    """The first of these fields that is there, as a whole number >= 0."""
    value = number(fields, *names, low=0)
    return int(value) if value is not None and value <= _MAX_INTEGER else None


def flag(fields: Fields, *names: str) -> bool | None:
    """The first of these fields that is there, as a flag: true, or any number but 0."""
    for name in names:
        if name in fields:
            value = fields[name]
            if isinstance(value, bool):
                return value
            known = number_of(value)
            return None if known is None else known != 0
    return None


def text(fields: Fields, *names: str, max_len: int = 256) -> str | None:
    """The first of these fields that is a text with something in it, cleaned."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value:
            return clean(value, max_len)
    return None


def difficulty(fields: Fields, name: str) -> float | None:
    """A difficulty: a number from AxeOS 2.11, before that a text with a suffix ("4.29G", from 2.10 "2.03 G")."""
    value = fields.get(name)
    if isinstance(value, str) and len(value) <= 40 and (match := _SUFFIXED.fullmatch(value.strip())):
        return number_of(round(float(match[1]) * _SUFFIXES[match[2]], 3))
    return number(fields, name, low=0)


def mac(fields: Fields, name: str) -> str | None:
    """A hardware address as ``02:00:00:00:00:01``; None when it is anything else or all zero."""
    value = fields.get(name)
    address = value.strip().upper().replace("-", ":") if isinstance(value, str) and len(value) < 32 else ""
    return address if _MAC.fullmatch(address) and address.strip("0:") else None


def inner(fields: Fields, name: str) -> Fields:
    """A nested object; empty when there is none."""
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def items(fields: Fields, name: str, most: int = 64) -> list[object]:
    """A nested list, at most ``most`` members; empty when there is none."""
    value = fields.get(name)
    return value[:most] if isinstance(value, list) else []


def objects(fields: Fields, name: str, most: int = 64) -> list[Fields]:
    """The objects in a nested list."""
    return [item for item in items(fields, name, most) if isinstance(item, dict)]
