"""The master server's REST answers (https://server.duinocoin.com), from bytes to values.

Every error answer, 404 and 429 is a strike, and ten strikes ban the address for an hour: so callers ask ``/users``
(which is no error when nobody mines), never more than one call in 15 s, and stop after the first "no". Errors are told
with HTTP 200 and ``success: false``; 403 and 429 are web pages.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec

from minertui.model.errors import Garbled, Refused
from minertui.model.text import clean
from minertui.wire import json

SERVER = "https://server.duinocoin.com"
MIN_PERIOD_S = 15.0
"""A balance moves no faster: pools report every 15 s, answers are cached for 10 s."""
_MAX_MINERS = 1024
_MAX_TEXT = 80
_MOST = 1e15
"""No number of an account is larger; one that is would only fill a person's screen with digits."""
_HOST = re.compile(r"[A-Za-z0-9.:-]{1,253}")

T = TypeVar("T", bound=msgspec.Struct)


class PoolAddress(msgspec.Struct, frozen=True):
    """Where to mine. ``ip`` is an address or a host name as told; pools change, so it is never stored."""

    ip: str
    port: int
    name: str = ""


class MinerRow(msgspec.Struct, frozen=True):
    """A miner as the server sees it: after two accepted shares and a report of its pool. ``hashrate`` in H/s,
    ``sharetime`` in s, ``pg`` (ping) in ms, ``ki``: how many places over the first four workers, for the pay."""

    threadid: str = ""
    identifier: str = ""
    software: str = ""
    algorithm: str = ""
    pool: str = ""
    hashrate: float | None = None
    sharetime: float | None = None
    accepted: int | None = None
    rejected: int | None = None
    diff: int | None = None
    ki: int | None = None
    it: str | None = None
    pg: float | None = None


class Balance(msgspec.Struct, frozen=True):
    """``balance`` in DUCO."""

    username: str
    balance: float
    verified: str | None = None
    stake_amount: float | None = None


class Account(msgspec.Struct, frozen=True):
    """The answer of ``/users``: the balance and who mines for it."""

    balance: Balance
    miners: tuple[MinerRow, ...] = ()


class KeyState(StrEnum):
    """What the server says about a mining key."""

    NOT_NEEDED = "not needed"
    RIGHT = "right"
    WRONG = "wrong"


def users_path(user: str) -> str:
    """Balance and miners in one call, with the fewest transactions."""
    return f"/users/{quote(user, safe='')}?limit=1"


def mining_key_path(user: str, key: str | None) -> str:
    """The check of a mining key. Holds the key: never to be logged."""
    return "/mining_key?" + urlencode({"u": user, "k": key or "None"}, quote_via=quote)


def parse_get_pool(data: bytes, status: int = 200) -> PoolAddress:
    """The answer of ``/getPool``. Raises Refused for a "no", Garbled for anything else."""
    pool = _converted(_told(data, status), PoolAddress)
    if pool is None or not 1 <= pool.port <= 65_535 or not _HOST.fullmatch(pool.ip):
        raise Garbled("", "the server's answer names no pool")
    return pool


def parse_users(data: bytes, status: int = 200) -> Account:
    """The answer of ``/users``. A row that makes no sense is left out. Raises Refused for a "no" (a misspelt user is
    one: do not ask again), Garbled for anything else."""
    result = _told(data, status).get("result")
    if not isinstance(result, dict):
        raise Garbled("", "the server's answer has no result")
    balance = _converted(result.get("balance"), Balance)
    if balance is None:
        raise Garbled("", "the server's answer has no balance")
    return Account(balance, _rows(result.get("miners")))


def parse_miners(data: bytes, status: int = 200) -> tuple[MinerRow, ...]:
    """The answer of ``/miners``. It is Refused, and a strike, while nobody mines: better ask ``/users``."""
    return _rows(_told(data, status).get("result"))


def parse_mining_key(data: bytes, status: int = 200) -> KeyState:
    """The answer of ``/mining_key``, where "no" is an answer. Raises Refused or Garbled."""
    told = _object(data, status)
    success, has_key = told.get("success"), told.get("has_key")
    if not isinstance(success, bool) or not isinstance(has_key, bool):
        if success is False:
            raise Refused("", _reason(told))
        raise Garbled("", "the server's answer says nothing about a mining key")
    if success:
        return KeyState.RIGHT if has_key else KeyState.NOT_NEEDED
    return KeyState.WRONG


def _told(data: bytes, status: int) -> dict[str, object]:
    told = _object(data, status)
    if told.get("success") is not True:
        raise Refused("", _reason(told))
    return told


def _object(data: bytes, status: int) -> dict[str, object]:
    if status == 429:
        raise Refused("", "the server says that this address asked too often; wait before the next try")
    if status == 403:
        raise Refused("", "the server refuses this address (a ban lasts an hour)", auth=True)
    if status != 200:
        raise Refused("", f"the server answers with HTTP {status}")
    return json.load_object(data)


def _reason(told: dict[str, object]) -> str:
    message = told.get("message")
    said = clean(message, _MAX_TEXT) if isinstance(message, str) else ""
    return f"the server says: {said}" if said else "the server says no, without a reason"


def _rows(value: object) -> tuple[MinerRow, ...]:
    rows = value[:_MAX_MINERS] if isinstance(value, list) else []
    return tuple(row for item in rows if (row := _converted(item, MinerRow)) is not None)


def _converted(value: object, kind: type[T]) -> T | None:
    """``value`` as ``kind`` with its texts cleaned; members without sense are left out when they may be missing."""
    if not isinstance(value, dict):
        return None
    known = {}
    for field in msgspec.structs.fields(kind):
        told = value.get(field.name)
        if told is not None:
            told = clean(told, _MAX_TEXT) if isinstance(told, str) else told  # before msgspec: it needs whole UTF-8
            try:
                part = msgspec.convert(told, field.type, strict=False)
            except msgspec.ValidationError:
                continue
            if not isinstance(part, int | float) or -_MOST <= part <= _MOST:  # which NaN is not
                known[field.name] = part
    try:
        return msgspec.convert(known, kind)
    except msgspec.ValidationError:
        return None
