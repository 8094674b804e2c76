"""``--config``, ``--state`` and ``--socket``, the same for every command, before or after its name.

A command takes them with ``subparsers.add_parser(..., parents=[places.options()])`` and asks
``places.config_file(args)``, ``places.state_dir(args)`` and ``places.socket_path(args)``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from minertui import paths


def options() -> argparse.ArgumentParser:
    """A parent parser with the three options. Nothing is set when an option is absent, so that what was said before
    the command's name is not overwritten."""
    parent = argparse.ArgumentParser(add_help=False)
    group = parent.add_argument_group("places")
    for name, what in (
        ("config", "config file (env MINERTUI_CONFIG, default: what “minertui config path” tells)"),
        ("state", "folder of history, journal and log (env MINERTUI_STATE, default: ~/.local/state/minertui)"),
        (
            "socket",
            "the engine's socket (env MINERTUI_SOCKET, default: this user's; one in the folder of a named state)",
        ),
    ):
        group.add_argument(f"--{name}", type=Path, metavar="PATH", default=argparse.SUPPRESS, help=what)
    return parent


def config_file(args: argparse.Namespace) -> Path:
    """The config file in force."""
    return paths.config_file(getattr(args, "config", None))


def state_dir(args: argparse.Namespace) -> Path:
    """The state folder in force."""
    return paths.state_dir(getattr(args, "state", None))


def socket_path(args: argparse.Namespace) -> Path:
    """The engine's socket in force."""
    return paths.socket_path(getattr(args, "socket", None), getattr(args, "state", None))
