"""How AxeOS (Bitaxe) and its NerdQAxe fork spell things, as pure functions from bytes to values and back.

info, asic  → parse_info        the newest reading
statistics  → parse_statistics  the miner's own history
command     → encode            the one request that says it to this firmware
any answer  → redact            the same bytes without what identifies a person
several     → Memory            what one answer that fails must not undo
"""

from minertui.wire.axeos.commands import Request, encode
from minertui.wire.axeos.info import parse_info
from minertui.wire.axeos.known import unknown_fields
from minertui.wire.axeos.memory import Memory
from minertui.wire.axeos.redact import redact
from minertui.wire.axeos.statistics import parse_statistics

__all__ = ["Memory", "Request", "encode", "parse_info", "parse_statistics", "redact", "unknown_fields"]
