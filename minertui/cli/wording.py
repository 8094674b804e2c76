"""Words for the terminal."""

from __future__ import annotations

import re


def told(docstring: str | None) -> str:
    """A module's docstring as ``--help`` shows it: “quotes” where the source has double backticks."""
    return re.sub(r"``([^`]+)``", r"“\1”", docstring or "")
