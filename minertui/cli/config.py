"""``minertui config``: is the config right, where is it, change it."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from minertui import config_places
from minertui.cli import places
from minertui.cli.wording import Paragraphs
from minertui.config import Config, ScreenConfig, decode, exposure, load
from minertui.model.errors import ConfigError, MinertuiError
from minertui.toml_place import line_of

START = """\
# minertui's config. Every key is explained in config.example.toml and in docs/configuration.md.
# A miner needs a name and an address; take the "#" away and change them:

# [[miner]]
# name = "garage"
# address = "192.168.1.50"
"""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``minertui config check|path|edit``."""
    parser = subparsers.add_parser(
        "config",
        help="check, find or edit the config file",
        description="Check, find or edit the config file.",
        epilog="examples:\n  minertui config check\n  minertui config edit\n  cp mine.toml $(minertui config path)",
        formatter_class=Paragraphs,
    )
    inner = parser.add_subparsers(title="what to do", metavar="WHAT", required=True)
    for name, run, what in (
        ("check", check, "read the file and say what is wrong; exit code 0 when all is well"),
        ("path", path, "print where the file is"),
        ("edit", edit, "open a copy in $VISUAL or $EDITOR; it replaces the file only when it is right"),
    ):
        one = inner.add_parser(name, help=what, description=f"{what.capitalize()}.", parents=[places.options()])
        one.set_defaults(run=run)


def check(args: argparse.Namespace) -> int:
    """Say that the config is right; ConfigError says what is not."""
    file = places.config_file(args)
    config = load(file)
    if not file.exists():
        print(f"{file}: not there yet, which is an empty config; write one with “minertui config edit”")
        return 0
    _looks(config, file, file.read_text())
    boards = sum(len(rig.board) for rig in config.rig)
    rigs = f", {_counted(len(config.rig), 'rig')} of {_counted(boards, 'board')}" if config.rig else ""
    print(f"{file}: all is well, {_counted(len(config.miner), 'miner')}{rigs}")
    return 1 if exposure(file) else 0


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def path(args: argparse.Namespace) -> int:
    """Print the path."""
    print(places.config_file(args))
    return 0


def edit(args: argparse.Namespace) -> int:
    """Edit a copy until it is right or the person gives up; then the copy is kept and named."""
    file = places.config_file(args)
    there = _bytes(file) if file.exists() else b""
    before = _text(file, there) if file.exists() else START
    copy = _copy(before)
    while True:
        _open(copy)
        try:
            text = _text(copy, _bytes(copy))
            _looks(decode(text.encode(), file), file, text)
        except ConfigError as error:
            print(f"minertui: {error}", file=sys.stderr)
            if _again():
                continue
            raise MinertuiError(f"the config is as it was; your text is in {copy}") from error
        break
    if text != before and (_bytes(file) if file.exists() else b"") != there:
        raise MinertuiError(
            f"{file} was changed meanwhile, on the screen perhaps, and stays as it is now; your text is in {copy}: "
            "edit again, and take over from there what you want"
        )
    copy.unlink()
    if text == before and file.exists():
        print(f"{file}: nothing was changed")
        return 0
    from minertui.config_file import replace_text

    count = len(replace_text(file, text).miner)
    print(f"{file}: saved, {count} miner{'' if count == 1 else 's'}")
    return 0


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=file) from error


def _text(file: Path, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text; save it as UTF-8", file=file) from error


def _looks(config: Config, file: Path, text: str) -> None:
    """Raises ConfigError for a miner that stands there twice, for addresses that no alert can be sent to, and for keys
    and a theme that the screen could not use. Who wrote none needs nobody to be asked. An engine starts all the same:
    miners are watched whatever is wrong."""
    config_places.check(config, file, text)
    if config.alerts.urls:
        _can_be_told(config, file, text)
    if config.screen.keys:
        from minertui.tui.keys import checked

        for id_, wrong in checked(config.screen.keys)[1][:1]:
            where = ("screen", "keys", id_)
            raise ConfigError(wrong, file=file, key=".".join(where), line=line_of(text, where))
    if config.screen.theme != ScreenConfig().theme:
        _theme_is_there(config.screen.theme, file, text)


def _can_be_told(config: Config, file: Path, text: str) -> None:
    from minertui.engine.alarms import targets

    try:
        targets(config.alerts)
    except ConfigError as error:
        line = line_of(text, ("alerts", "urls"))
        raise ConfigError(error.message, file=file, key=error.key, line=line) from error


def _theme_is_there(wanted: str, file: Path, text: str) -> None:
    from minertui.tui import theme

    known = {path.stem: path for path in theme.files((theme.shipped(), file.parent / "themes"))}  # own ones win
    if wanted not in known:
        where = ("screen", "theme")
        raise ConfigError(
            f"there is no theme “{wanted}”; there are {', '.join(sorted(known))}; one of your own is a file "
            f"{file.parent / 'themes' / 'NAME.toml'}",
            file=file,
            key=".".join(where),
            line=line_of(text, where),
        )
    theme.read(known[wanted])


def _copy(text: str) -> Path:
    handle, name = tempfile.mkstemp(prefix="minertui-config-", suffix=".toml")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    return Path(name)


def _open(copy: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        code = subprocess.run([*shlex.split(editor), str(copy)], check=False).returncode  # noqa: S603  the user's editor
    except (OSError, ValueError) as error:
        copy.unlink()
        raise MinertuiError(f"cannot start the editor “{editor}”; set VISUAL or EDITOR to one that is there") from error
    if code:
        raise MinertuiError(f"the editor ended with code {code}; the config is as it was, your text is in {copy}")


def _again() -> bool:
    if not sys.stdin.isatty():
        return False
    print("Edit again? [Y/n] ", end="", flush=True)
    return sys.stdin.readline().strip().casefold() not in ("n", "no")
