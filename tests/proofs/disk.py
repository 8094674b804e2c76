"""What a power cut leaves of a folder: files as their last fsync saw them, names as their folders' last fsync did.

A name that was there before the program started counts as safe. A new file's own fsync makes its first name safe too,
as on ext4, XFS and btrfs; a rename and a removal need the fsync of the folder. Not covered: torn or reordered sectors,
and disks that lie about having written.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.proofs.tracer import Call

Inode = int
_SYNCS = ("fsync", "fdatasync")


class Disk:
    """The safe content of ``folder``, kept while a traced child works in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._content: dict[Inode, bytes] = {}
        self._names: dict[Path, Inode] = {}
        self._folders: set[Path] = {folder}
        self._kept: dict[Inode, int] = {}
        for path in sorted(folder.rglob("*")):
            if path.is_dir():
                self._folders.add(path)
            else:
                self._names[path] = path.stat().st_ino
                self._content[path.stat().st_ino] = path.read_bytes()

    def saw(self, pid: int, call: Call) -> bool:
        """The child has just left ``call``; True when that made anything safe."""
        if call.name not in _SYNCS:
            return False
        path = Path(f"/proc/{pid}/fd/{call.fd}").readlink()
        if not path.is_relative_to(self._folder):
            return False
        if path.is_dir():
            self._sync_folder(path)
        else:
            self._sync_file(path)
        return True

    def follow(self, pid: int, call: Call) -> None:
        """As ``saw``, for whoever does not ask."""
        self.saw(pid, call)

    def cut(self) -> None:
        """Make the folder what the power cut leaves of it."""
        for path in list(self._folder.iterdir()):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for folder in sorted(self._folders):
            if self._reachable(folder):
                folder.mkdir(exist_ok=True, mode=0o700)
        for path, inode in self._names.items():
            if self._reachable(path.parent):
                path.write_bytes(self._content.get(inode, b""))

    def _reachable(self, folder: Path) -> bool:
        """A folder whose own name is not safe is gone, with all that is in it."""
        while folder != self._folder:
            if folder not in self._folders:
                return False
            folder = folder.parent
        return True

    def _sync_file(self, path: Path) -> None:
        inode = path.stat().st_ino
        self._content[inode] = path.read_bytes()
        if inode not in self._names.values():
            self._names[path] = inode
        self._hold(path, inode)

    def _sync_folder(self, folder: Path) -> None:
        there = {path: path.stat().st_ino for path in folder.iterdir() if not path.is_dir()}
        self._names = {path: inode for path, inode in self._names.items() if path.parent != folder} | there
        for path, inode in there.items():
            self._hold(path, inode)
        self._folders |= {path for path in folder.iterdir() if path.is_dir()}

    def _hold(self, path: Path, inode: Inode) -> None:
        """Keep the file open, so that its inode's number is not given to another file."""
        if inode not in self._kept:
            self._kept[inode] = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        for fd in self._kept.values():
            os.close(fd)
