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
MAX_PARTS = 16_384
"""Ten times what the longest answers have (statistics and lists of workers); more costs time before it is refused."""
_MAX_DIGITS = 300

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_ROUND = bytes.maketrans(b"[]{}", b"()()")
_decode = msgspec.json.Decoder().decode


def load(data: bytes) -> object:
    """The value in ``data``: dict, list, str, int, float (finite), bool or None.

    Raises Garbled, and nothing else, for anything that is not one JSON document of at most 256 KiB, 32 levels and
    16,384 lists and objects. The worst takes a slow computer some 50 ms, which is what all others wait then.
    """
    if len(data) > MAX_BYTES:
        raise Garbled("", f"the answer is larger than {MAX_BYTES // 1024} KiB")
    parts = data.count(b"[") + data.count(b"{")
    if parts > MAX_PARTS:
        raise Garbled("", f"the answer is nested without end (more than {MAX_PARTS} lists and objects)")
    if parts > MAX_DEPTH and _deeper(data, MAX_DEPTH) and _deeper(_STRING.sub(b"", data), MAX_DEPTH):
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


def _deeper(data: bytes, most: int) -> bool:
    """Do the brackets go deeper, those in strings included? Each round takes the innermost pairs away, whatever their
    kind: this is a bound and not the syntax. Of what is no JSON, with brackets left open, up to twice as deep is let
    through."""
    rest = data.translate(_ROUND, _NOT_BRACKETS)
    for _ in range(most):
        before, rest = len(rest), rest.replace(b"()", b"")
        if len(rest) == before:
            break
    return b"()" in rest or rest.count(b"(") > most


def _kind(value: object) -> str:
    return {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
