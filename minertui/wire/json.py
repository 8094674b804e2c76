"""JSON from strangers: capped in size and depth, and never more than a plain value or Garbled.

msgspec decodes what is valid (about 10 µs for a miner's answer). What it refuses as a whole — ``NaN``, ``1e999``, a
lone surrogate, a stray byte — is read once more with the standard library, so that one bad number costs one field and
not the reading: such numbers come out as None. Of a repeated key the last value wins, as in every browser.
"""

from __future__ import annotations

import json
import math
import re

import msgspec

from minertui.model.errors import Garbled

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
_MAX_DIGITS = 300

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_decode = msgspec.json.Decoder().decode


def load(data: bytes) -> object:
    """The value in ``data``: dict, list, str, int, float (finite), bool or None.

    Raises Garbled, and nothing else, for anything that is not one JSON document of at most 256 KiB and 32 levels.
    """
    if len(data) > MAX_BYTES:
        raise Garbled("", f"the answer is larger than {MAX_BYTES // 1024} KiB")
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and _depth(data) > MAX_DEPTH:
        raise Garbled("", f"the answer is nested deeper than {MAX_DEPTH} levels")
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _load_leniently(data)


def load_object(data: bytes) -> dict[str, object]:
    """The JSON object in ``data``; raises Garbled when it is anything else."""
    value = load(data)
    if not isinstance(value, dict):
        raise Garbled("", f"the answer is JSON, but {_kind(value)} instead of an object")
    return value


def _load_leniently(data: bytes) -> object:
    text = data.decode("utf-8", errors="replace").removeprefix("\ufeff")
    if not text.strip():
        raise Garbled("", "the answer is empty")
    try:
        return json.loads(text, parse_constant=lambda _: None, parse_float=_finite, parse_int=_integer)
    except ValueError as error:
        what = "a web page" if text.lstrip().startswith("<") else "not JSON"
        raise Garbled("", f"the answer is {what}, not the miner's data") from error


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _integer(text: str) -> int | None:
    return int(text) if len(text) <= _MAX_DIGITS else None


def _depth(data: bytes) -> int:
    """How deep the brackets outside of strings go; counts closing ones of any kind, for a bound and not for syntax."""
    depth = deepest = 0
    for bracket in _STRING.sub(b"", data).translate(None, _NOT_BRACKETS):
        if bracket in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _kind(value: object) -> str:
    return {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
