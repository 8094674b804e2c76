"""Boards on USB serial ports, and the USB adaptor that carries I2C: pyserial behind two blocking calls.

A port is found again after it was unplugged or renumbered: by its /dev/serial/by-id or by-path name, which the system
keeps, or, where there is none (COM5, /dev/cu.usbserial-1410, /dev/ttyUSB0), by the USB identity it had when it was
opened first. A file that lost its board is closed at once; a kept one would make the board come back under another
name. Opening a port resets an Arduino.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec

from minertui.model.errors import Garbled
from minertui.model.text import clean
from minertui.wire.duco import adaptor, sketch

try:
    import termios

    _LOST: tuple[type[Exception], ...] = (OSError, termios.error)
except ImportError:  # Windows
    _LOST = (OSError,)

FIRST_BYTE_S = 0.2
"""Real seconds that ``read`` waits while an answer is due, so that waiting for a board costs next to nothing."""
_WRITE_S = 2.0
_ANSWER_S = 1.0
_STABLE = ("/dev/serial/by-id/", "/dev/serial/by-path/")

T = TypeVar("T")
Ports = Callable[[], Iterable[Any]]


class FoundPort(msgspec.Struct, frozen=True):
    """A serial port that could have a board. ``path``: the name that stays, where there is one; ``device``: the one it
    has now."""

    path: str
    device: str
    what: str


class _Identity(msgspec.Struct, frozen=True):
    """What a USB port is known by."""

    vid: int
    pid: int
    serial: str | None
    location: str | None

    def same(self, other: _Identity) -> bool:
        """The same board: by its own number, or, as clones have none, by the socket it is plugged in."""
        if (self.vid, self.pid) != (other.vid, other.pid):
            return False
        if self.serial:
            return self.serial == other.serial
        return self.location is not None and self.location == other.location


def found_ports(ports: Ports | None = None, links: Path = Path("/dev/serial")) -> list[FoundPort]:
    """The USB serial ports of this computer."""
    return [
        FoundPort(stable_name(port.device, links), port.device, clean(port.description or "", 60))
        for port in (ports or _comports)()
        if port.vid is not None
    ]


def stable_name(device: str, links: Path = Path("/dev/serial")) -> str:
    """The by-id name of ``device``, its by-path name when the by-id one is not its own (clones without a number share
    it), else ``device``."""
    for kind in ("by-id", "by-path"):
        folder = links / kind
        if folder.is_dir():
            for link in sorted(folder.iterdir()):
                if os.path.realpath(link) == os.path.realpath(device):
                    return str(link)
    return device


def connect(path: str, ports: Ports | None = None) -> Callable[[], SerialPort]:
    """Opens the board's port, wherever it is now; call it again after every loss. It raises OSError, whose text is fit
    for the user, and FileNotFoundError when the port is not there."""
    return _Way(path, ports or _comports).open


def connect_adaptor(path: str, ports: Ports | None = None) -> Callable[[], AdaptorPort]:
    """As ``connect``, for a USB-I2C adaptor."""
    way = _Way(path, ports or _comports)

    def opened() -> AdaptorPort:
        port = AdaptorPort(way.open())
        _pause(adaptor.BOOT_S)
        return port

    return opened


class SerialPort:
    """The Transport of one board; addresses mean nothing here."""

    def __init__(self, port: Any, *, simulated: bool) -> None:
        self._port, self._simulated = port, simulated
        self._due = False  # an answer is awaited

    @property
    def simulated(self) -> bool:
        """True when this is a pty: a program at the other end, no board."""
        return self._simulated

    def write(self, address: int, data: bytes) -> None:
        """One write. Raises ConnectionError when the port is gone."""
        try:
            self._port.write(data)
        except _LOST as error:
            self._gone(error)
        self._due = True

    def read(self, address: int, count: int) -> bytes:
        """What is there, at most ``count``. Waits up to FIRST_BYTE_S while an answer is due. Raises ConnectionError."""
        try:
            data: bytes = self._port.read(1) if self._due or self._port.in_waiting else b""
            if data and count > 1:
                data += self._port.read(min(count - 1, self._port.in_waiting))
        except _LOST as error:
            self._gone(error)
        if b"\n" in data:
            self._due = False
        return data

    def close(self) -> None:
        """Let the port go."""
        try:
            self._port.close()
        except _LOST:
            return

    def _gone(self, error: Exception) -> NoReturn:
        self.close()
        raise ConnectionError("it was unplugged, or its USB connection broke") from error


class AdaptorPort:
    """The Transport of the boards behind an adaptor."""

    def __init__(self, port: SerialPort) -> None:
        self._port, self._answers = port, adaptor.Answers()

    @property
    def simulated(self) -> bool:
        """As the port's."""
        return self._port.simulated

    def write(self, address: int, data: bytes) -> None:
        """Byte by byte. Raises ConnectionError; OSError for what cannot travel."""
        for byte in data:
            try:
                command = adaptor.write_command(address, byte)
            except ValueError as error:
                raise OSError(errno.EINVAL, str(error)) from error
            self._port.write(0, command)
            _pause(adaptor.LETTER_S)

    def read(self, address: int, count: int) -> bytes:
        """Byte by byte. Raises ConnectionError; OSError when the adaptor's answer is late or damaged."""
        return b"".join(self._byte(address) for _ in range(count))

    def scan(self) -> tuple[int, ...]:
        """The addresses that answer. Raises OSError."""
        return self._asked(adaptor.SCAN, self._answers.scanned, adaptor.SCAN_S + _ANSWER_S)

    def close(self) -> None:
        """Let the port go."""
        self._port.close()

    def _byte(self, address: int) -> bytes:
        return self._asked(adaptor.read_command(address), lambda: self._answers.read_byte(address), _ANSWER_S)

    def _asked(self, command: bytes, answer: Callable[[], T | None], within_s: float) -> T:
        self._answers.clear()
        self._port.write(0, command)
        try:
            for _ in range(int(within_s / FIRST_BYTE_S) + 1):
                self._answers.feed(self._port.read(0, adaptor.MAX_ANSWER))
                if (found := answer()) is not None:
                    return found
        except Garbled as error:
            raise OSError(errno.EIO, error.message) from error
        raise OSError(errno.ETIMEDOUT, "the adaptor does not answer")


class _Way:
    """How to find one port again."""

    def __init__(self, path: str, ports: Ports) -> None:
        self._path, self._ports = path, ports
        self._identity: _Identity | None = None

    def open(self) -> SerialPort:
        """The port, opened where it is now."""
        device = self._device()
        import serial

        try:
            port = serial.Serial(
                device, sketch.BAUD, timeout=FIRST_BYTE_S, write_timeout=_WRITE_S, exclusive=_exclusive()
            )  # fmt: skip
        except _LOST as error:
            raise _explained(error, device) from error
        if self._identity is None:
            self._identity = self._identity_of(device)
        return SerialPort(port, simulated=_is_pty(device))

    def _device(self) -> str:
        """Where the board is now. Raises FileNotFoundError."""
        if self._identity is not None and not self._path.startswith(_STABLE):
            for port in self._ports():
                known = _identity(port)
                if known is not None and known.same(self._identity):
                    return str(port.device)
            raise _absent(self._path)
        if sys.platform != "win32" and not os.path.exists(self._path):  # noqa: PTH110 - a device, not a file
            raise _absent(self._path)
        return self._path

    def _identity_of(self, device: str) -> _Identity | None:
        real = os.path.realpath(device)
        for port in self._ports():
            if os.path.realpath(port.device) == real:
                return _identity(port)
        return None


def _identity(port: Any) -> _Identity | None:
    return None if port.vid is None else _Identity(port.vid, port.pid, port.serial_number, port.location)


def _comports() -> Iterable[Any]:
    from serial.tools import list_ports

    found: Iterable[Any] = list_ports.comports()
    return found


def _absent(path: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, f"it is not plugged in: there is no {path}")


def _explained(error: Exception, device: str) -> OSError:
    """``error`` in words that say what to do."""
    code, said = getattr(error, "errno", None), str(error)
    if code == errno.ENOENT or "FileNotFound" in said:
        return _absent(device)
    if code == errno.EACCES:
        hint = "add your user to the group dialout (uucp on Arch) and log in again" if sys.platform != "win32" else ""
        return PermissionError(code, f"{device} may not be opened: {hint or 'another program has it open'}")
    if code in (errno.EBUSY, errno.EAGAIN):
        return OSError(code, f"{device} is in use: end the other program (the Arduino IDE, another miner)")
    return OSError(code or errno.EIO, f"{device} cannot be opened: {clean(said, 120)}")


def _exclusive() -> bool | None:
    return None if sys.platform == "win32" else True


def _is_pty(device: str) -> bool:
    """No hardware behind it. Linux: /dev/pts/N; macOS: /dev/ttysNNN."""
    real = os.path.realpath(device)
    return real.startswith("/dev/pts/") or (sys.platform == "darwin" and real.startswith("/dev/ttys"))


def _pause(seconds: float) -> None:
    """The hardware's own time, in the bus's thread."""
    threading.Event().wait(seconds)
