"""A program in a pseudo terminal: what it writes is counted and looked at, as a terminal would take it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?>=$]*[A-Za-z~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|.)")

_ASLEEP = 5
"""Looks in a row that find a program asleep, until it counts as idle."""


class Terminal:
    """``written``: bytes so far; ``started_s``: monotonic time right before the fork."""

    def __init__(self, pid: int, master: int, started_s: float) -> None:
        self.pid, self.written, self.started_s = pid, 0, started_s
        self._master, self._said = master, bytearray()

    def take(self, seconds: float) -> int:
        """Take what is written for so long; how many bytes that was."""
        before, until_s = self.written, time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            self._read(left_s)
        return self.written - before

    def until(self, *texts: str, within_s: float = 30.0) -> float:
        """Take until all ``texts`` were painted; seconds since the fork. Raises TimeoutError."""
        deadline_s = time.monotonic() + within_s
        wanted = [text.encode() for text in texts]
        while not all(text in (shown := _ESCAPES.sub(b"", self._said)) for text in wanted):
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{texts} not painted within {within_s:g} s; it wrote: {shown[-2000:]!r}")
            self._read(deadline_s - time.monotonic())
        return time.monotonic() - self.started_s

    def settle(self, within_s: float = 3.0) -> None:
        """Take until the program waits for something and not for the processor, that is: has done what it was told."""
        deadline_s, asleep = time.monotonic() + within_s, 0
        while asleep < _ASLEEP and time.monotonic() < deadline_s:
            self.take(0.03)
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
            asleep = asleep + 1 if state == "S" else 0

    @property
    def said(self) -> bytes:
        """All that was written so far, as it came."""
        return bytes(self._said)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def _read(self, within_s: float) -> None:
        ready, _, _ = select.select([self._master], [], [], max(0.0, within_s))
        if not ready:
            return
        try:
            data = os.read(self._master, 65536)
        except OSError as error:
            raise RuntimeError(f"the program ended: {_ESCAPES.sub(b'', self._said)[-2000:]!r}") from error
        self.written += len(data)
        self._said += data


@contextlib.contextmanager
def terminal(
    command: Sequence[str], env: Mapping[str, str], columns: int = 160, lines: int = 50, cwd: Path | None = None
) -> Iterator[Terminal]:
    """Run ``command`` in a terminal of that size, in the folder ``cwd``; it is killed when the block ends."""
    sized = {name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")}
    sized |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    started_s = time.monotonic()
    pid, master = pty.fork()
    if pid == 0:
        # the size is set before the program starts, as by a terminal that is already open
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        if cwd is not None:
            os.chdir(cwd)
        os.execve(command[0], list(command), sized)
    try:
        yield Terminal(pid, master, started_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(master)
