"""The terminal of a command: what may reach it, lines that may find nobody, and the signals that ask for the end.

Foreign text is cleaned where it enters the program. ``printable_only`` and ``log_to_stderr`` are the gate where it
leaves: a file name, an exception or a library's log line was cleaned by nobody. The screen has a gate of its own.

A terminal that is closed sends SIGHUP and takes no more lines. Neither may cost a miner its way back: a command with an
engine of its own ends as after Ctrl+C, and goes on without saying so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, TextIO, cast

from minertui.cli.wording import wrapped

_ENDS = (signal.SIGINT, signal.SIGTERM)
_OURS = re.compile(r"(\x1b\[[0-9;]{0,20}m|[\n\t])")  # colours, and the ends of lines


def shown(text: str) -> str:
    """``text`` with all that a terminal could act upon as U+FFFD; lines, tabs and colours stay."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    parts = _OURS.split(text)
    parts[::2] = ["".join(c if c.isprintable() else "\ufffd" for c in part) for part in parts[::2]]
    return "".join(parts)


def open_streams() -> None:
    """Whoever started this closed some of stdin, stdout and stderr (``>&-``; cron and supervisors do): what is said
    goes nowhere then, and no database is opened in their place."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(handle, True)
    os.close(handle)
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - a descriptor, for good


class _Gate:
    """A text stream behind ``shown``; in all else the stream itself."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(shown(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def printable_only() -> Iterator[None]:
    """While this is entered stdout and stderr show printable text alone."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", _Gate(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _Shown(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return shown(super().format(record))


def log_to_stderr(level: str) -> None:
    """Log to stderr: our own parts from ``level`` (a level's name) on, libraries their warnings alone, because further
    down they tell addresses and headers, with the secrets in them."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Shown("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("minertui").setLevel(level.upper())
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # its warnings tell addresses too


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a line, to stdout if not said otherwise. Once its reader is gone, nothing is said any more."""
    stream = stream or sys.stdout
    try:
        print(text, file=stream, flush=True)
    except OSError:  # EIO of a closed terminal, EPIPE of a closed pipe
        silence(stream)


def fitted(text: str, indent: int, stream: TextIO | None = None) -> str:
    """``text`` for the terminal at ``stream`` (stdout if not said otherwise), whose lines are broken between words and
    go on ``indent`` cells further in. In a pipe or a file a line stays one line."""
    wide = columns(stream)
    return wrapped(text, wide, min(indent, wide // 4)) if wide else text


def columns(stream: TextIO | None = None) -> int | None:
    """How many cells a line of it (stdout if not said otherwise) has now; None where there is no terminal, or it does
    not tell."""
    stream = stream or sys.stdout
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def silence(stream: TextIO) -> None:
    """What is still to be written goes nowhere, at the end of the process too."""
    with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor has nothing to flush to
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


@contextlib.contextmanager
def at_a_question() -> Iterator[None]:
    """While this is entered Ctrl+C ends what waits for a person: asyncio would only take note of it, and go on waiting
    for the answer."""
    if threading.current_thread() is not threading.main_thread():  # no signal ever comes here
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def ended_by(told: Callable[[], None]) -> Iterator[None]:
    """While this is entered SIGINT and SIGTERM call ``told``, each time one comes."""
    loop = asyncio.get_running_loop()
    for number in _ENDS:
        loop.add_signal_handler(number, told)
    try:
        yield
    finally:
        for number in _ENDS:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def never_dropped() -> Iterator[None]:
    """While this is entered SIGTERM is Ctrl+C, and so is the loss of the terminal, for a process that must not simply
    die of them; ``ended_by`` inside hears both. One that was told to outlive its terminal (nohup) does."""
    loop = asyncio.get_running_loop()
    instead = {signal.SIGTERM: signal.SIGINT, signal.SIGHUP: signal.SIGTERM}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        del instead[signal.SIGHUP]
    for number, other in instead.items():
        loop.add_signal_handler(number, signal.raise_signal, other)
    try:
        yield
    finally:
        for number in instead:
            loop.remove_signal_handler(number)
