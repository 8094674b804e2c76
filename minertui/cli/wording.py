"""Words for the terminal."""

from __future__ import annotations

import argparse
import re
import textwrap
import unicodedata
from itertools import groupby

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Paragraphs(argparse.RawDescriptionHelpFormatter):
    """``--help`` in the width of the terminal: paragraphs are filled, indented lines (examples) stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts = groupby(text.strip().splitlines(), lambda line: not line or line[0].isspace())
        blocks = ("\n".join(lines) if kept else textwrap.fill(" ".join(lines), width) for kept, lines in parts)
        return textwrap.indent("\n".join(blocks), indent)


def wrapped(text: str, columns: int, indent: int) -> str:
    """``text`` with each of its lines in lines of at most ``columns`` cells, broken between words; all but the first
    begin ``indent`` cells further in. A word that is longer than a line stays whole, in one of its own: it can be an
    address to copy. Colours take no room."""
    return "\n".join(_wrapped(line, columns, indent) for line in text.split("\n"))


def _wrapped(text: str, columns: int, indent: int) -> str:
    first, *words = text.split(" ")
    lines, used = [first], _cells(first)
    for word in words:
        wide = _cells(word)
        if lines[-1].strip() and used + 1 + wide > columns:
            lines.append(" " * indent + word)
            used = indent + wide
        else:
            lines[-1] += f" {word}"
            used += 1 + wide
    return "\n".join(line.rstrip() for line in lines)


def _cells(text: str) -> int:
    """How many cells of a terminal ``text`` takes: two for each wide character, none for a colour."""
    text = _COLOUR.sub("", text)
    return len(text) if text.isascii() else sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def told(docstring: str | None) -> str:
    """A module's docstring as ``--help`` shows it: “quotes” where the source has double backticks."""
    return re.sub(r"``([^`]+)``", r"“\1”", docstring or "")
