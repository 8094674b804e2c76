"""A simulated USB-I2C adaptor: commands in, answers out, a simulated bus behind it. It goes on a pty like a board."""

from __future__ import annotations

import re

from minertui.sim.duco_bus import FakeBus
from minertui.sim.duco_faults import BOARD_FAULTS, Faults

BOOT_S = 2.0
_LONGEST = 8
_DROPPED = 40
_WRITE = re.compile(rb"(\d{1,3}):w:(.)", re.DOTALL)
_READ = re.compile(rb"(\d{1,3}):r")
_FLUSH = re.compile(rb"fl:\w?:(\d{1,3})")


class Adaptor:
    """One adaptor with the boards of ``bus``. An absent board reads as a newline, as an idle one does."""

    def __init__(self, bus: FakeBus) -> None:
        self.bus = bus
        self.faults = Faults(BOARD_FAULTS)
        self._got = b""
        self._out = b""
        self._awake_s = 0.0

    def reset(self, now_s: float) -> None:
        """Opening the port starts it anew."""
        self._got, self._out, self._awake_s = b"", b"", now_s + BOOT_S

    def feed(self, data: bytes, now_s: float) -> None:
        """Bytes from the host; a command ends with ``$``."""
        if now_s < self._awake_s or "silent" in self.faults:
            return
        *commands, self._got = (self._got + data).split(b"$")
        self._got = self._got[: _LONGEST + 1]
        for command in commands:
            if len(command) <= _LONGEST:
                self._obey(command)

    def output(self, now_s: float) -> bytes:
        """Bytes to the host."""
        out, self._out = self._out, b""
        return out

    def _obey(self, command: bytes) -> None:
        if command == b"scn":
            found = self.bus.scan()
            self._out += b"".join(b"%02X " % address for address in found) + b"\n" if found else b"no I2CS detected\n"
        elif match := _WRITE.fullmatch(command):
            self._write(int(match[1]), match[2])
        elif match := _READ.fullmatch(command):
            address = int(match[1])
            self._out += b"%02X:%b$" % (address, self._read(address))
        elif match := _FLUSH.fullmatch(command):
            for _ in range(_DROPPED):
                self._read(int(match[1]))

    def _write(self, address: int, data: bytes) -> None:
        try:
            self.bus.write(address, data)
        except OSError:
            return

    def _read(self, address: int) -> bytes:
        try:
            return self.bus.read(address, 1)
        except OSError:
            return b"\n"
