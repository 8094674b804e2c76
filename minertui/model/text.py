"""Foreign text made harmless. Every string that a device, pool, file or client sent passes ``clean`` at the adapter;
what a config says must be ``is_plain``, and every error of ours is. Names of our own are ``spoken`` to a person."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import PurePath

_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Cn"})
_REPLACEMENT = "\ufffd"
_MAX_MARKS = 3
_USER_IN_URL = re.compile(r"(?:.*://)?.*@")


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


def spoken(name: str) -> str:
    """A name of the program's own as a person reads it: ``clear-overheat`` is clear overheat."""
    return name.replace("-", " ")


def is_plain(text: str) -> bool:
    """False for text with a character that ``clean`` would replace: a terminal could act upon it, or hide it."""
    return text.isprintable() or not any(unicodedata.category(char) in _DROPPED for char in text)


def plain(text: str) -> str:
    """``text`` with such characters as U+FFFD, in full length."""
    if is_plain(text):
        return text
    return "".join(_REPLACEMENT if unicodedata.category(char) in _DROPPED else char for char in text)


def as_name(text: str) -> str:
    """``text`` as a name that a config takes, with room for a number behind it; empty when nothing is left of it."""
    return clean(text, 56).replace("/", "-").replace("\\", "-").strip()


def without_user(url: str) -> str:
    """An address without what stands before an ``@`` in it, which may be a password: ``•••@pool.example.org``."""
    return _USER_IN_URL.sub("•••@", url) if "@" in url else url


def path_text(path: PurePath) -> str:
    """The whole ``path`` as people write it, with ``~`` for their home."""
    home = PurePath(os.path.expanduser("~"))  # noqa: PTH111 - that of Path raises where nobody knows one
    return str(PurePath("~") / path.relative_to(home)) if path.is_relative_to(home) else str(path)


def masked(user: str) -> str:
    """A pool user (a wallet) with its middle hidden, for exports and shared screens: ``bc1qex…rker``."""
    return user if len(user) <= 12 else f"{user[:6]}…{user[-4:]}"
