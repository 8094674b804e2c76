"""Which command was meant. One error handler for all: a MinertuiError is one sentence on stderr and exit code 1."""

from __future__ import annotations

import argparse
import difflib
import importlib
import io
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from minertui import __version__
from minertui.cli import attach, places
from minertui.cli.terminal import fitted, open_streams, printable_only, say, silence
from minertui.model.errors import MinertuiError

# In the order of --help. Each is minertui/cli/<name>.py with add(subparsers).
COMMANDS: tuple[str, ...] = (
    "attach",
    "demo",
    "engine",
    "discover",
    "probe",
    "status",
    "logs",
    "device_commands",
    "config",
    "stop",
    "completion",
    "sweep",
    "guard",
    "restore",
    "duco",
    "sim",
)


class Command(argparse.ArgumentParser):
    """A command says itself what it does not know: its own usage helps then, the whole program's does not."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Knows all, or ends with the usage of this command and exit code 2."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, []

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """A word that is none of those allowed is answered with the one that was probably meant, else with all."""
        if action.choices is not None and value not in action.choices:
            near = difflib.get_close_matches(str(value), map(str, action.choices), 1)
            rest = f"did you mean {near[0]}?" if near else f"there are {', '.join(map(str, action.choices))}"
            raise argparse.ArgumentError(action, f"there is no “{value}”; {rest}")

    def error(self, message: str) -> NoReturn:
        """Ends with the usage and one sentence, and exit code 2."""
        for action in self._actions:
            if action.choices and message.endswith(f" are required: {action.metavar or action.dest}"):
                message = f"say which: {', '.join(map(str, action.choices))}"
        self.print_usage(sys.stderr)
        self.exit(2, f"{fitted(f'{self.prog}: error: {message}', 4, sys.stderr)}\n")


def parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The whole command line, or that of a few commands."""
    top = Command(
        prog="minertui",
        description="Every miner you own on one terminal screen. Without a command: open the screen, and start the "
        "engine in the background when there is none.",
        epilog="“minertui COMMAND --help” explains a command and shows examples.",
        parents=[places.options(), attach.options()],
    )
    top.set_defaults(run=attach.run)
    top.add_argument("--version", action="version", version=f"minertui {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", parser_class=Command)
    for name in names:
        importlib.import_module(f"minertui.cli.{name}").add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in ``argv`` (default: sys.argv) and return its exit code."""
    open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode gets ? instead of a crash
    with printable_only():
        return _ran(sys.argv[1:] if argv is None else argv)


def _ran(argv: Sequence[str]) -> int:
    args = parser(_meant(argv)).parse_args(argv)
    try:
        code = int(args.run(args))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader (head, less) has had enough
        silence(sys.stdout)
        return 141
    except MinertuiError as error:
        say(fitted(f"minertui: {error}", 4, sys.stderr), sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _meant(argv: Sequence[str]) -> Sequence[str]:
    """The commands that may be meant: the screen alone where no other can be, so that its first picture does not wait
    for their modules."""
    options = all(word.startswith("--") and not word.startswith("--h") for word in argv)
    screen = options or argv[0] == "attach"
    return ("attach",) if screen else COMMANDS
