"""Foreign text made harmless. Every string that a device, pool, file or client sent passes ``clean`` at the adapter."""

from __future__ import annotations

import unicodedata

_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Cn"})
_REPLACEMENT = "\ufffd"
_MAX_MARKS = 3


def clean(text: str, max_len: int = 256) -> str:
    """``text`` in NFC without control, format, surrogate, private or line-breaking characters (each becomes U+FFFD),
    with at most 3 combining marks per base and at most ``max_len`` characters (specs: safety 9.3)."""
    text = text[: 4 * max_len]
    if text.isascii() and text.isprintable():
        return text[:max_len]
    out: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text):
        category = unicodedata.category(char)
        marks = marks + 1 if category.startswith("M") else 0
        if marks > _MAX_MARKS:
            continue
        out.append(_REPLACEMENT if category in _DROPPED else char)
    return "".join(out)[:max_len]


def masked(user: str) -> str:
    """A pool user (a wallet) with its middle hidden, for exports and shared screens: ``bc1qex…rker``."""
    return user if len(user) <= 12 else f"{user[:6]}…{user[-4:]}"
