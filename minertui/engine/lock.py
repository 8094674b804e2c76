"""One engine a state folder. The lock is the kernel's (flock), so a killed engine frees it at once."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from minertui.model.errors import LinkError

_NAME = "engine.lock"
_MOST_BYTES = 1000


class Holder(NamedTuple):
    """Who holds a lock: the process, and what it does where that is no lasting engine."""

    process: str
    work: str = ""


class StateLock:
    """Held as long as the ``with`` block lasts: ``with StateLock(folder): …``. ``owner`` and ``advice``: for the error.

    ``engine.lock`` in the folder holds the owner's process id, and below it what it does (see ``tell``), for people,
    where the disk takes it. Raises LinkError, naming that, when another one holds the lock, and when the folder cannot
    be used.
    """

    def __init__(self, folder: Path, owner: str = "an engine", advice: str = "stop it or use another --state") -> None:
        self._path, self._owner, self._advice = folder / _NAME, owner, advice
        self._fd: int | None = None

    def __enter__(self) -> StateLock:
        """Take the lock or raise LinkError; never waits."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fd = _opened(self._path)
        except OSError as error:
            text = f"the state folder {self._path.parent} cannot be used: {error.strerror}; mend it or choose another"
            raise LinkError(text) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            process, work = _read(fd)
            os.close(fd)
            who = f"{work or self._owner} (process {process or 'unknown'})"
            raise LinkError(f"{who} already works with {self._path.parent}; {self._advice}") from error
        with contextlib.suppress(OSError):  # a full or read-only disk keeps no engine from its miners
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back. The file stays: removing it would let two processes lock two different files."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _opened(path: Path) -> int:
    """The lock's file. On a disk that became read-only (cards do, when they begin to fail) the one that is there is
    enough: a lock needs no byte."""
    how = os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | how, 0o600)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return os.open(path, os.O_RDONLY | how)


def tell(folder: Path, work: str) -> None:
    """Say what the holder does, such as ``minertui sweep of garage``. Only while this process is the holder; a disk
    that refuses costs that word alone."""
    with contextlib.suppress(OSError), (folder / _NAME).open("a") as file:
        file.write(f"{work}\n")


def holder(folder: Path) -> Holder | None:
    """Who works with the folder; None: nobody, or somebody who cannot be told from here. A lock that is held is not
    disturbed by the question, and a free one is asked for only where a process has the number of its last holder."""
    try:
        fd = os.open(folder / _NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        found = _read(fd)
        os.kill(int(found.process), 0)
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return found
    except (OSError, ValueError, OverflowError):  # no such process, or another user's
        return None
    finally:
        os.close(fd)
    return None


def _read(fd: int) -> Holder:
    process, _, work = os.pread(fd, _MOST_BYTES, 0).decode("utf-8", "replace").partition("\n")
    return Holder(process.strip(), work.strip())
