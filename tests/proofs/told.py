"""What an answer of a miner says, read without the program's own parser."""

from __future__ import annotations

import re

_MAC = re.compile(rb'"macAddr": ?"((?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})"')


def mac_of(body: bytes) -> str:
    """As told, the last one where it is told twice; empty where there is none, or what is no MAC."""
    macs = _MAC.findall(body)
    return macs[-1].decode().upper() if macs else ""


def value_of(key: str, body: bytes) -> float:
    """The value of a setting as told, the last one where it is told twice; 0.0 where there is none."""
    found = re.findall(rb'"%s": ?([0-9.]+)[,}]' % key.encode(), body)
    return float(found[-1]) if found else 0.0
