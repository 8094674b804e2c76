"""One engine a state folder. The lock is the kernel's (flock), so a killed engine frees it at once."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from types import TracebackType

from minertui.model.errors import LinkError


class StateLock:
    """Held as long as the ``with`` block lasts: ``with StateLock(folder): …``. ``owner`` and ``advice``: for the error.

    ``engine.lock`` in the folder holds the owner's process id, for people, where the disk takes it. Raises LinkError,
    naming that process, when another one holds the lock, and when the folder cannot be used.
    """

    def __init__(self, folder: Path, owner: str = "an engine", advice: str = "stop it or use another --state") -> None:
        self._path, self._owner, self._advice = folder / "engine.lock", owner, advice
        self._fd: int | None = None

    def __enter__(self) -> StateLock:
        """Take the lock or raise LinkError; never waits."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            text = f"the state folder {self._path.parent} cannot be used: {error.strerror}; mend it or choose another"
            raise LinkError(text) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            process = os.pread(fd, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            text = f"{self._owner} (process {process}) already works with {self._path.parent}; {self._advice}"
            raise LinkError(text) from error
        with contextlib.suppress(OSError):  # a full disk keeps no engine from its miners; the lock needs no byte
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
