"""Where a key stands in a TOML text, for errors that name the line (tomllib keeps no positions), and a table with what
belongs to it, for who takes it out (tomlkit counts a comment to the table above it, people to the one below)."""

from __future__ import annotations

import re
from collections.abc import Iterator

Where = tuple[str | int, ...]
"""The way to a value: names, and 0-based places in lists."""

_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]")
_NAME = re.compile(r"\"[^\"]*\"|'[^']*'|[^.\s]+")
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
            names = _names(header[2])
            here = found = _entered(names, header[1] == "[[", count)
        elif key := _KEY.match(line):
            found = (*here, *_names(key[1]))
        else:
            continue
        if found == where[: len(found)] and (best is None or len(found) > best[0]):
            best = (len(found), number)
    return best[1] if best else None


def _names(dotted_key: str) -> list[str]:
    """``rigs."a.b"`` → rigs, a.b"""
    return [name.strip("\"'") for name in _NAME.findall(dotted_key)]


def without(text: str, where: Where) -> str:
    """``text`` without the table ``where`` (unchanged where there is none), its sub-tables and its own comments: those
    inside, right behind its last key, and right above its header where a blank line sets them off. What may be somebody
    else's comment stays. Good for TOML as people write it: look whether the result says what it should."""
    lines = text.splitlines(keepends=True)
    headers = list(_headers(lines))
    start = next((n for n, found in headers if found == where), None)
    if start is None:
        return text
    end = next((n for n, found in headers if n > start and found[: len(where)] != where), len(lines))
    return "".join(_joined(lines[: _own_from(lines, start)], lines[_own_until(lines, start, end) :]))


def _headers(lines: list[str]) -> Iterator[tuple[int, Where]]:
    count: dict[Where, int] = {}
    for n, line in enumerate(lines):
        if header := _HEADER.match(line):
            names = _names(header[2])
            yield n, _entered(names, header[1] == "[[", count)


def _own_from(lines: list[str], start: int) -> int:
    """The first line of the comment right above, unless it may be of the file or of the table above it."""
    first = start
    while first and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return first if first and not lines[first - 1].strip() else start


def _own_until(lines: list[str], start: int, end: int) -> int:
    """After the last key, and after the comment right behind that unless it stands right above the next header."""
    last = next(n for n in reversed(range(start, end)) if lines[n].strip() and not lines[n].lstrip().startswith("#"))
    behind = next((n for n in range(last + 1, end) if not lines[n].strip()), end)
    return last + 1 if behind == end < len(lines) else behind


def _joined(above: list[str], below: list[str]) -> list[str]:
    """With the blank lines of one side alone."""
    while above and below and not above[-1].strip() and not below[0].strip():
        above = above[:-1]
    return [*above, *below]


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
