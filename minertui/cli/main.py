"""Which command was meant. One error handler for all: a MinertuiError is one sentence on stderr and exit code 1."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from minertui import __version__
from minertui.model.errors import MinertuiError

# In the order of --help. Each is minertui/cli/<name>.py with add(subparsers).
COMMANDS: tuple[str, ...] = (
    "restore",
    "sim",
)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(prog="minertui", description="Every miner you own on one terminal screen.")
    top.add_argument("--version", action="version", version=f"minertui {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"minertui.cli.{name}").add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in ``argv`` (default: sys.argv) and return its exit code."""
    args = parser().parse_args(argv)
    try:
        return int(args.run(args))
    except MinertuiError as error:
        print(f"minertui: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
