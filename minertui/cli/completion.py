"""``minertui completion``: what a shell needs to complete the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from minertui.cli.wording import Paragraphs

_SHELLS = ("bash", "zsh", "fish", "tcsh")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``minertui completion``."""
    parser = subparsers.add_parser(
        "completion",
        help="completion for bash, zsh, fish or tcsh",
        description="Print the completion script of your shell.",
        epilog=(
            "examples:\n"
            "  minertui completion bash > ~/.local/share/bash-completion/completions/minertui\n"
            "  minertui completion zsh > ~/.zfunc/_minertui      # with ~/.zfunc in fpath\n"
            "  minertui completion fish > ~/.config/fish/completions/minertui.fish"
        ),
        formatter_class=Paragraphs,
    )
    parser.add_argument("shell", choices=_SHELLS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    from minertui.cli.main import parser

    top = parser()
    _complete_files(top, shtab.FILE)
    print(shtab.complete(top, args.shell))
    return 0


def _complete_files(parser: argparse.ArgumentParser, files: object) -> None:
    """Options that take a path complete files, in every command."""
    for action in parser._actions:
        if action.type is Path:
            action.complete = files  # type: ignore[attr-defined]
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _complete_files(inner, files)
