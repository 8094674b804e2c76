"""Where a key stands in a TOML text, for errors that name the line (tomllib keeps no positions)."""

from __future__ import annotations

import re

Where = tuple[str | int, ...]
"""The way to a value: names, and 0-based places in lists."""

_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\"'-]+)\s*=")


def dotted(where: Where) -> str:
    """``miner[2].address``; lists are counted from 1."""
    text = ""
    for part in where:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def line_of(text: str, where: Where) -> int | None:
    """The line of the key ``where``, or of the nearest table above it. Good for TOML as people write it; a key that
    is not found has no line."""
    best: tuple[int, int] | None = None
    here: Where = ()
    count: dict[Where, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            names = [name.strip().strip("\"'") for name in header[2].split(".")]
            here = found = _entered(names, header[1] == "[[", count)
        elif key := _KEY.match(line):
            found = (*here, *(name.strip().strip("\"'") for name in key[1].split(".")))
        else:
            continue
        if found == where[: len(found)] and (best is None or len(found) > best[0]):
            best = (len(found), number)
    return best[1] if best else None


def _entered(names: list[str], listed: bool, count: dict[Where, int]) -> Where:
    """The way into a table whose header says ``names``; each ``[[…]]`` begins the next place of its list."""
    here: Where = ()
    for n, name in enumerate(names, 1):
        here = (*here, name)
        if listed and n == len(names):
            count[here] = count.get(here, -1) + 1
        if here in count:
            here = (*here, count[here])
    return here
