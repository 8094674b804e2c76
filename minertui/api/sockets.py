"""The doors: our own bound sockets, because the web server's Unix socket option opens it to every user."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import stat
from pathlib import Path

from minertui.model.errors import ConfigError, LinkError

_LONGEST = 107  # bytes of a Unix socket's path (sun_path is 108 with its end)
_ANSWER_S = 1.0
_PORT = re.compile(r"[0-9]{1,5}")


class UnixDoor:
    """A listening Unix socket of mode 0600, and the lock beside it that keeps a second engine out."""

    def __init__(self, path: Path) -> None:
        """Bind ``path``; a socket left by a dead engine is replaced. Raises LinkError when an engine answers there and
        ConfigError when the path cannot be used."""
        self.path = path
        if len(os.fsencode(path)) > _LONGEST:
            raise ConfigError(f"the socket's path is longer than {_LONGEST} bytes: {path}; choose one with --socket")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = self._locked()
            try:
                self._clear()
                self.socket = self._bound()
            except BaseException:
                os.close(self._lock)
                raise
        except OSError as error:
            raise ConfigError(f"cannot open the socket {path}: {error.strerror}; choose one with --socket") from error
        self._inode = path.stat().st_ino

    def close(self) -> None:
        """Stop listening and take the file away, if it is still ours. A second call does nothing."""
        if self._lock < 0:
            return
        self.socket.close()
        try:
            if self.path.stat().st_ino == self._inode:
                self.path.unlink()
        except FileNotFoundError:
            pass
        os.close(self._lock)
        self._lock = -1

    def _locked(self) -> int:
        handle = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise _taken(self.path) from error
        return handle

    def _clear(self) -> None:
        try:
            mode = self.path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(mode):
            raise ConfigError(f"{self.path} is not a socket; it is left alone, choose another with --socket")
        if answers(self.path):
            raise _taken(self.path)
        self.path.unlink()

    def _bound(self) -> socket.socket:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listening.bind(str(self.path))
        except OSError:
            listening.close()
            raise
        finally:
            os.umask(before)
        listening.setblocking(False)
        return listening


def answers(path: Path) -> bool:
    """True when something accepts connections at the Unix socket ``path``."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_ANSWER_S)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # there is somebody, and busy
        return True


def tcp_door(where: str) -> socket.socket:
    """A listening socket on ``host:port`` of the loopback (port 0: any). Raises ConfigError."""
    host, colon, port = where.rpartition(":")
    if not colon or not _PORT.fullmatch(port) or int(port) > 65535 or host not in ("127.0.0.1", "localhost", "[::1]"):
        raise ConfigError(
            f"must be 127.0.0.1:PORT or [::1]:PORT, not {where}; from elsewhere use ssh -L", key="api.tcp"
        )
    family = socket.AF_INET6 if host == "[::1]" else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("::1" if host == "[::1]" else "127.0.0.1", int(port)))
    except OSError as error:
        listening.close()
        raise ConfigError(f"cannot listen on {where}: {error.strerror}", key="api.tcp") from error
    listening.setblocking(False)
    return listening


def _taken(path: Path) -> LinkError:
    return LinkError(
        f"an engine is running already at {path}; attach to it with “minertui”, end it with “minertui stop”"
    )
