"""``minertui`` without a command: the screen of this host's engine, which is started when there is none.

Closing the screen, or losing the terminal, never stops the engine.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from minertui import __version__
from minertui.cli import places
from minertui.cli.numbers import FASTER, SPEED, add_number
from minertui.cli.wording import Paragraphs
from minertui.model.errors import MinertuiError

if TYPE_CHECKING:
    from minertui.config import ScreenConfig


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``minertui attach``, the same as ``minertui`` alone."""
    parser = subparsers.add_parser(
        "attach",
        help="the screen (what “minertui” alone does)",
        description="Show the screen of this host's engine; start the engine in the background when there is none.",
        epilog="examples:\n  minertui\n  minertui attach --readonly\n  minertui --ascii --theme light",
        formatter_class=Paragraphs,
        parents=[places.options(), options()],
    )
    parser.set_defaults(run=run)


def options(speed: str = "1") -> argparse.ArgumentParser:
    """A parent parser with the screen's options; absent ones set nothing. ``speed``: what is told to hold then."""
    parent = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = parent.add_argument_group("screen")
    group.add_argument(
        "--readonly",
        action="store_true",
        help="hide every key that acts on a miner (default: [screen] readonly of the config)",
    )
    group.add_argument(
        "--ascii", action="store_true", help="no braille and no box characters (default: [screen] ascii)"
    )
    group.add_argument(
        "--theme",
        metavar="NAME",
        help="dark, light, high-contrast, colour-blind, terminal, or your own (default: [screen] theme)",
    )
    group.add_argument(
        "--no-mouse", action="store_true", help="leave the mouse to the terminal (default: [screen] mouse)"
    )
    add_number(group, "--speed", number=SPEED, what=FASTER, absent=speed)
    return parent


def run(args: argparse.Namespace) -> int:
    """Until the user leaves; returns the screen's exit code."""
    from minertui import config
    from minertui.api.client import ApiClient
    from minertui.cli.start import running_engine
    from minertui.clock import SystemClock

    if not _at_a_terminal():
        raise MinertuiError("the screen needs a terminal; without one use “minertui status”")
    config_file, state, socket = places.config_file(args), places.state_dir(args), places.socket_path(args)
    settings = config.load(config_file).screen
    extra = [f"--speed={args.speed:g}"] if "speed" in args else []

    async def connected() -> None:
        async with ApiClient(socket) as client:
            health = await running_engine(client, config_file, state, socket, SystemClock(), extra)
        if health.version != __version__:
            print(
                f"minertui: the engine is version {health.version}, this is {__version__}; "
                "end the old one with “minertui stop”",
                file=sys.stderr,
            )

    asyncio.run(connected())
    return screen(args, socket, settings, config_file.parent / "themes")


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def screen(
    args: argparse.Namespace, socket: Path, settings: ScreenConfig, own_themes: Path, *, demo: bool = False
) -> int:
    """Show the engine at ``socket`` as options and ``settings`` say; themes in ``own_themes`` win over shipped ones.
    ``demo``: it is the demo's."""
    from minertui.api.client import ApiClient
    from minertui.tui import app, theme
    from minertui.tui.options import Options

    chosen = Options(
        theme=getattr(args, "theme", settings.theme),
        ascii="ascii" in args or settings.ascii,
        readonly="readonly" in args or settings.readonly,
        mouse=settings.mouse and "no_mouse" not in args,
        keys=settings.keys,
        themes=(theme.shipped(), own_themes),
    )
    return app.run(ApiClient(socket, demo=demo), chosen)
