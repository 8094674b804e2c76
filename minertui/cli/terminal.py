"""The terminal of a command that works on miners: lines that may find nobody, and the signals that ask for the end.

A terminal that is closed sends SIGHUP and takes no more lines. Neither may cost a miner its way back: a command with an
engine of its own ends as after Ctrl+C, and goes on without saying so.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import TextIO

_ENDS = (signal.SIGINT, signal.SIGTERM)


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a line, to stdout if not said otherwise. Once its reader is gone, nothing is said any more."""
    stream = stream or sys.stdout
    try:
        print(text, file=stream, flush=True)
    except OSError:  # EIO of a closed terminal, EPIPE of a closed pipe
        silence(stream)


def silence(stream: TextIO) -> None:
    """What is still to be written goes nowhere, at the end of the process too."""
    with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor has nothing to flush to
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


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
