"""Files that survive a power cut: who reads them finds the old content or the new, never half of either."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def replace(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Make ``data`` the content of ``path``: temporary file → fsync → rename → fsync of the folder.

    The temporary file stands beside it, begins with a dot and has a name of its own, so that many may write at once.
    Raises OSError, and then ``path`` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)  # whatever the umask
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def remove(path: Path) -> None:
    """Make ``path`` gone for good; one that is not there is fine. Raises OSError."""
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync(path.parent)


def sync(folder: Path) -> None:
    """Make the names in ``folder`` safe from a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
