"""Colour themes are TOML files: one file, one theme, named like the file. Changing a file changes the screen.

    title = "Dark"            dark = true            ansi = false
    [colors]                  primary secondary accent warning error success foreground background surface panel
    [variables]               any of Textual's theme variables; optional

``ansi = true`` uses the terminal's own colours, written ``ansi_blue``, ``ansi_bright_red``, ``ansi_default`` …
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from textual.color import Color, ColorParseError
from textual.theme import Theme

from minertui.model.errors import ConfigError

_MAX_BYTES = 64 * 1024


class _Colors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    primary: str
    secondary: str | None = None
    accent: str | None = None
    warning: str | None = None
    error: str | None = None
    success: str | None = None
    foreground: str | None = None
    background: str | None = None
    surface: str | None = None
    panel: str | None = None
    boost: str | None = None


class _ThemeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    colors: _Colors
    title: str = ""
    dark: bool = True
    ansi: bool = False
    variables: dict[str, str] = {}


def shipped() -> Path:
    """The folder of the themes that come with the program: in the package, or beside it in a source tree."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent / "themes"


def files(folders: Sequence[Path]) -> dict[Path, int]:
    """Each theme file in these folders with its time of change, so that a change is seen by comparing."""
    found: dict[Path, int] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            try:
                found[path] = path.stat().st_mtime_ns
            except OSError:  # it went away just now
                continue
    return found


def read(path: Path) -> Theme:
    """The theme in ``path``. Raises ConfigError that names the file and what is wrong."""
    try:
        data = path.read_bytes()
        if len(data) > _MAX_BYTES:
            raise ConfigError(f"is larger than {_MAX_BYTES // 1024} KiB; a theme is a few lines", file=path)
        raw = msgspec.convert(tomllib.loads(data.decode()), _ThemeFile)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise ConfigError(str(error), file=path) from error
    colors = {name: value for name in _Colors.__struct_fields__ if (value := getattr(raw.colors, name)) is not None}
    for name, value in colors.items():
        _check_color(path, name, value)
    return Theme(name=path.stem, dark=raw.dark, ansi=raw.ansi, variables=raw.variables, **colors)


def read_all(paths: Iterable[Path]) -> tuple[dict[str, Theme], list[str]]:
    """The themes by name (a later file of the same name wins), and one sentence for each file that cannot be used."""
    themes: dict[str, Theme] = {}
    problems: list[str] = []
    for path in paths:
        try:
            theme = read(path)
        except ConfigError as error:
            problems.append(str(error))
        else:
            themes[theme.name] = theme
    return themes, problems


def _check_color(path: Path, name: str, value: str) -> None:
    try:
        Color.parse(value)
    except ColorParseError as error:
        raise ConfigError(
            f"{value!r} is no colour; write #rrggbb or ansi_…", file=path, key=f"colors.{name}"
        ) from error
