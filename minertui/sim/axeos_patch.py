"""What each firmware does with PATCH ``/api/system`` and with the pool slots.

Up to v2.10 keys are applied one after another, a value of a wrong kind is passed over, an out-of-range one is stored as
16 bits. From v2.11 a table is checked first: one bad key refuses the whole. Unknown keys are ignored by all. NerdQAxe
takes integers only and cuts what is above its maximum, both without a word. Success is 200 with an empty body.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from minertui.sim.axeos_board import Board
from minertui.sim.axeos_models import Version, version_of
from minertui.sim.axeos_nvs import POOL_DEFAULTS

MAX_BODY = 10_240


class Reply(msgspec.Struct, frozen=True):
    """An answer: status, content type and body."""

    status: int = 200
    kind: str = "text/plain"
    body: bytes = b""


EMPTY = Reply()
WRONG_INPUT = Reply(400, "text/plain", b"Wrong API input")
INVALID_JSON = Reply(400, "text/plain", b"Invalid JSON")


class Key(msgspec.Struct, frozen=True):
    """A settable key: its life, where it is stored, its kind (int, num, bool, str, zero, enum) and its range."""

    name: str
    stored: str
    first: Version
    last: Version | None
    kind: str
    low: float = 0
    high: float = 65_535
    among: tuple[int, ...] = ()


def _key(name: str, life: str, kind: str, low: float = 0, high: float = 65_535, stored: str | None = None,
         among: tuple[int, ...] = ()) -> Key:  # fmt: skip
    first, _, last = life.partition("..")
    return Key(name, stored or name, version_of(first), version_of(last) if last else None, kind, low, high, among)


KEYS: tuple[Key, ...] = (
    _key("coreVoltage", "2.0.0", "int", 1),
    _key("frequency", "2.0.0", "num", 1),
    _key("invertscreen", "2.0.0", "bool"),
    _key("ssid", "2.0.0", "str", 1, 32),
    _key("wifiPass", "2.0.0", "str", 0, 63),
    _key("flipscreen", "2.0.0..2.8.1", "bool"),
    _key("autofanspeed", "2.0.2", "bool"),
    _key("fanspeed", "2.0.2..2.10.1", "int", 0, 100, stored="manualFanSpeed"),
    _key("invertfanpolarity", "2.0.2..2.6.5", "bool"),
    _key("hostname", "2.1.5", "str", 1, 32),
    _key("overheat", "2.1.9..2.1.9", "zero", stored="overheat_mode"),
    _key("overheat_mode", "2.1.10", "zero"),
    _key("overclockEnabled", "2.6.0", "bool"),
    _key("displayTimeout", "2.7.0", "int", -1),
    _key("temptarget", "2.7.0", "int", 35, 66),
    _key("display", "2.8.0", "str", 1, 64),
    _key("rotation", "2.9.0", "enum", among=(0, 90, 180, 270)),
    _key("statsFrequency", "2.9.0", "int"),
    _key("minFanSpeed", "2.10.0", "int", 0, 99),
    _key("displayOffset", "2.11.0", "int", 0, 255),
    _key("manualFanSpeed", "2.11.0", "int", 0, 100),
    _key("useFallbackStratum", "2.11.0", "bool"),
    _key("primaryPoolIndex", "2.15.0", "int", 0, 7),
    _key("secondaryPoolIndex", "2.15.0", "int", 0, 7),
    _key("useCustomWWW", "2.15.0", "bool"),
)

_POOL_MEMBERS_SINCE = {
    "URL": (2, 0, 0), "Port": (2, 0, 0), "User": (2, 0, 0), "Password": (2, 0, 7),
    "SuggestedDifficulty": (2, 9, 0), "ExtranonceSubscribe": (2, 9, 0),
    "TLS": (2, 13, 0), "Cert": (2, 13, 0), "DecodeCoinbase": (2, 13, 0),
    "Protocol": (2, 14, 0), "V2AuthorityPubkey": (2, 14, 0), "V2ChannelType": (2, 14, 0),
}  # fmt: skip
_NERD_INTEGERS = ("frequency", "coreVoltage", "manualFanSpeed", "overheat_temp", "temptarget", "autofanspeed")
_NERD_BOOLEANS = ("flipscreen", "invertscreen", "invertfanpolarity", "autoscreenoff")


def patch(board: Board, body: bytes) -> Reply:
    """Obey (or not) one PATCH ``/api/system``."""
    if len(body) >= MAX_BODY:
        return Reply(500, "text/plain", b"content too long")
    try:
        wanted = json.loads(body)
    except (ValueError, RecursionError):
        return INVALID_JSON
    if not isinstance(wanted, dict):
        return EMPTY if not board.family.nerd and board.version < (2, 11, 0) else INVALID_JSON
    if "ignore-patch" in board.faults:
        return EMPTY
    wanted = _twisted(board, wanted)
    if board.family.nerd:
        return _patch_nerd(board, wanted)
    if board.version < (2, 11, 0):
        return _patch_old(board, wanted)
    return _patch_checked(board, wanted)


def _twisted(board: Board, wanted: dict[str, Any]) -> dict[str, Any]:
    """What the faults of the firmware make of a write."""
    wanted = {**wanted}
    if {"frequency", "coreVoltage"} <= wanted.keys():
        if "only-frequency" in board.faults:
            del wanted["coreVoltage"]
        elif "only-voltage" in board.faults:
            del wanted["frequency"]
    if "clamp" in board.faults:
        for key, cap in (("frequency", board.family.stock_mhz), ("coreVoltage", board.family.stock_mv)):
            if _is_number(wanted.get(key)):
                wanted[key] = min(wanted[key], cap)
    return wanted


def _known(version: Version) -> list[Key]:
    return [key for key in KEYS if key.first <= version and (key.last is None or version <= key.last)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# up to v2.10


def _patch_old(board: Board, wanted: dict[str, Any]) -> Reply:
    folded = {name.lower(): value for name, value in reversed(wanted.items())}
    for key in _known(board.version):
        value = _taken_old(key, folded.get(key.name.lower()), board.version)
        if value is not None:
            board.store(key.stored, value)
    _store_flat_pools(board, folded)
    return EMPTY


def _taken_old(key: Key, value: Any, version: Version) -> Any:
    if key.kind == "str":
        return value if isinstance(value, str) else None
    if isinstance(value, bool):
        return int(value)
    if not _is_number(value) or abs(value) > 2**31:
        return None
    if key.name in ("frequency", "coreVoltage") and value <= 0:
        return None
    if key.name == "frequency":
        return float(value) if version >= (2, 10, 0) else float(int(value) & 0xFFFF)
    return int(value) if key.low < 0 else int(value) & 0xFFFF


def _store_flat_pools(board: Board, folded: dict[str, Any]) -> None:
    for prefix, slot in (("stratum", 0), ("fallbackstratum", 1)):
        pool = dict(board.nvs["pools"][slot])
        for member, since in _POOL_MEMBERS_SINCE.items():
            value = folded.get(prefix + member.lower())
            name = f"stratum{member}"
            if value is not None and board.version >= since and _same_kind(value, POOL_DEFAULTS[name]):
                pool[name] = value
        board.store("pools", {**board.nvs["pools"], slot: pool})


def _same_kind(value: Any, example: Any) -> bool:
    return isinstance(value, str) == isinstance(example, str) and not isinstance(value, list | dict)


# v2.11 and later: the whole table is checked before anything is stored


def _patch_checked(board: Board, wanted: dict[str, Any]) -> Reply:
    folded = {name.lower(): value for name, value in reversed(wanted.items())}
    taken: dict[str, Any] = {}
    for key in _known(board.version):
        if key.name.lower() in folded:
            value = _checked(key, folded[key.name.lower()])
            if value is None:
                return WRONG_INPUT
            taken[key.stored] = value
    pools = _checked_pools(board, folded) if board.version >= (2, 15, 0) else {}
    if pools is None:
        return WRONG_INPUT
    renamed = taken.get("hostname", board.nvs["hostname"]) != board.nvs["hostname"]
    for stored, value in taken.items():
        board.store(stored, value)
    if pools:
        board.store("pools", {**board.nvs["pools"], **pools})
    if board.version < (2, 15, 0):
        _store_flat_pools(board, folded)
    return _renamed(board) if renamed and board.version >= (2, 15, 0) else EMPTY


def _renamed(board: Board) -> Reply:
    url = f"http://{board.nvs['hostname']}.local"
    redirect = {"url": url, "delay": 2000, "message": "Redirecting to the new hostname"}
    return Reply(200, "application/json", msgspec.json.encode({"status": "ok", "redirect": redirect}))


def _checked(key: Key, value: Any) -> Any:
    """The value to store, or None when the firmware refuses it."""
    if key.kind == "str":
        return value if isinstance(value, str) and key.low <= len(value.encode()) <= key.high else None
    if isinstance(value, bool):
        value = int(value) if key.kind in ("bool", "zero") else None
    if not _is_number(value) or value != value or abs(value) > 2**31:
        return None
    return _in_range(key, value)


def _in_range(key: Key, value: float) -> Any:
    allowed = {"bool": (0, 1), "zero": (0,), "enum": key.among}.get(key.kind)
    if allowed is not None:
        return int(value) if value in allowed else None
    if not key.low <= value <= key.high:
        return None
    return float(value) if key.kind == "num" else int(value)


def _checked_pools(board: Board, folded: dict[str, Any]) -> dict[int, dict[str, Any]] | None:
    records = folded.get("pools", [])
    if not isinstance(records, list):
        return None
    pools: dict[int, dict[str, Any]] = {}
    for record in records:
        slot = record.get("id") if isinstance(record, dict) else None
        if not isinstance(slot, int) or not 0 <= slot <= 7:
            return None
        pool = checked_pool(record, board.nvs["pools"].get(slot))
        if pool is None:
            return None
        pools[slot] = pool
    return pools


_POOL_RULES: dict[str, tuple[float, float]] = {  # length of texts, range of numbers
    "stratumURL": (1, 255), "stratumUser": (1, 255), "stratumPassword": (0, 255), "stratumCert": (0, 3000),
    "stratumV2AuthorityPubkey": (0, 128), "stratumPort": (1, 65_535), "stratumSuggestedDifficulty": (0, 1e18),
    "stratumTLS": (0, 2),
}  # fmt: skip
_POOL_WORDS = {"stratumProtocol": ("SV1", "SV2"), "stratumV2ChannelType": ("extended", "standard")}


def checked_pool(record: dict[str, Any], stored: dict[str, Any] | None) -> dict[str, Any] | None:
    """A slot record with the defaults for what is left out; None when it is refused. ``*****`` keeps the stored
    password."""
    pool: dict[str, Any] = {}
    for name, default in POOL_DEFAULTS.items():
        required = name in ("stratumURL", "stratumPort", "stratumUser")
        value = record.get(name, None if required else default)
        if not _pool_member_ok(name, value, default):
            return None
        pool[name] = bool(value) if isinstance(default, bool) else value
    if pool["stratumPassword"] == "*****" and stored:
        pool["stratumPassword"] = stored["stratumPassword"]
    return pool


def _pool_member_ok(name: str, value: Any, default: Any) -> bool:
    if name in _POOL_WORDS:
        return value in _POOL_WORDS[name]
    if isinstance(default, bool):
        return isinstance(value, bool | int | float)
    low, high = _POOL_RULES[name]
    if isinstance(default, str):
        return isinstance(value, str) and low <= len(value) <= high
    return _is_number(value) and low <= value <= high


# NerdQAxe


def _patch_nerd(board: Board, wanted: dict[str, Any]) -> Reply:
    caps = {"frequency": board.family.cap_mhz, "coreVoltage": board.family.cap_mv}
    for name in _NERD_INTEGERS:
        value = wanted.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and (value > 0 or name not in caps):
            cut = min(value, caps.get(name, value))
            board.store(name, float(cut) if name == "frequency" else cut)
    for name in _NERD_BOOLEANS:
        if isinstance(wanted.get(name), bool):
            board.store(name, int(wanted[name]))
    if isinstance(wanted.get("hostname"), str):
        board.store("hostname", wanted["hostname"])
    folded = {name.lower(): value for name, value in wanted.items()}
    _store_flat_pools(board, folded)
    return EMPTY
