"""Words for the terminal."""

from __future__ import annotations

import argparse
import re
import textwrap
from itertools import groupby


class Paragraphs(argparse.RawDescriptionHelpFormatter):
    """``--help`` in the width of the terminal: paragraphs are filled, indented lines (examples) stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts = groupby(text.strip().splitlines(), lambda line: not line or line[0].isspace())
        blocks = ("\n".join(lines) if kept else textwrap.fill(" ".join(lines), width) for kept, lines in parts)
        return textwrap.indent("\n".join(blocks), indent)


def told(docstring: str | None) -> str:
    """A module's docstring as ``--help`` shows it: “quotes” where the source has double backticks."""
    return re.sub(r"``([^`]+)``", r"“\1”", docstring or "")
