"""How the screen was asked to look and behave, and what the terminal can show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

TERMINALS_OWN = "terminal"  # the theme that uses the terminal's own 16 colours


class Options(msgspec.Struct, frozen=True):
    """``keys``: id of an action → key (several divided by commas). ``themes``: folders of theme files; a later one
    wins. ``readonly`` hides everything that writes. ``demo`` says so in the header."""

    theme: str = "dark"
    ascii: bool = False
    readonly: bool = False
    mouse: bool = True
    keys: Mapping[str, str] = {}
    no_color: bool = False
    themes: tuple[Path, ...] = ()
    demo: bool = False


def for_terminal(options: Options, environ: Mapping[str, str]) -> Options:
    """``options`` as far as this terminal can follow them: NO_COLOR (no-color.org), a terminal of 16 colours and one
    without UTF-8. Ask before the app is built: Textual cannot change its colour system later."""
    no_color = options.no_color or bool(environ.get("NO_COLOR"))
    term, depth = environ.get("TERM", ""), environ.get("COLORTERM", "").lower()
    few = depth not in ("truecolor", "24bit") and "256" not in term and _sixteen(term)
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    foreign = locale.upper() in ("C", "POSIX") or ("." in locale and "UTF" not in locale.upper())
    return msgspec.structs.replace(
        options,
        theme=TERMINALS_OWN if no_color or few else options.theme,
        no_color=no_color,
        ascii=options.ascii or foreign or term == "linux",
    )


def _sixteen(term: str) -> bool:
    return term in ("linux", "ansi", "cygwin", "xterm", "xterm-color", "screen", "tmux", "vt100", "vt220", "dumb") or (
        term.endswith("-16color")
    )
