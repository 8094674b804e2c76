"""Boards on an I2C bus of this computer: smbus2 behind two blocking calls. Linux only.

Single bytes go as SMBus byte transfers, which the text dialects need; more bytes as one plain I2C message. A hung board
can hold the whole bus, and a transfer then lasts until the kernel's timeout or for ever: whoever calls has a thread for
that.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

FIRST, LAST = 0x01, 0x77
"""Addresses that a scan asks: dialect D's begin at 1, below what i2cdetect shows."""
_SYSTEM = Path("/sys/class/i2c-dev")


def connect(number: str) -> Callable[[], I2cBus]:
    """Opens bus ``number``; call it again after every loss. It raises OSError, whose text is fit for the user."""

    def opened() -> I2cBus:
        try:
            import smbus2
        except ImportError as error:
            raise OSError(errno.ENOSYS, "I2C needs Linux and the package smbus2") from error
        try:
            bus = smbus2.SMBus(int(number))
        except OSError as error:
            raise _explained(error, number) from error
        return I2cBus(bus, simulated=_is_stub(number), message=smbus2.i2c_msg)

    return opened


def buses() -> list[str]:
    """The numbers of this computer's buses."""
    found = (path.name.removeprefix("i2c-") for path in Path("/dev").glob("i2c-*"))
    return sorted((name for name in found if name.isdigit()), key=int)


class I2cBus:
    """The Transport of one bus."""

    def __init__(self, bus: Any, *, simulated: bool, message: Any) -> None:
        self._bus, self._simulated, self._message = bus, simulated, message

    @property
    def simulated(self) -> bool:
        """True for the kernel's i2c-stub."""
        return self._simulated

    def write(self, address: int, data: bytes) -> None:
        """One transaction. Raises OSError (121: nobody is there)."""
        if len(data) == 1:
            self._bus.write_byte(address, data[0])
        else:
            self._bus.i2c_rdwr(self._message.write(address, data))

    def read(self, address: int, count: int) -> bytes:
        """One transaction. Raises OSError."""
        if count == 1:
            return bytes((self._bus.read_byte(address),))
        message = self._message.read(address, count)
        self._bus.i2c_rdwr(message)
        return bytes(message)

    def scan(self) -> tuple[int, ...]:
        """The addresses that answer a read of one byte, which is harmless to every board here."""
        found = []
        for address in range(FIRST, LAST + 1):
            try:
                self.read(address, 1)
            except OSError:
                continue
            found.append(address)
        return tuple(found)

    def close(self) -> None:
        """Let the bus go."""
        self._bus.close()


def _is_stub(number: str) -> bool:
    try:
        return "stub" in (_SYSTEM / f"i2c-{number}" / "name").read_text().lower()
    except OSError:
        return False


def _explained(error: OSError, number: str) -> OSError:
    if error.errno == errno.ENOENT:
        return FileNotFoundError(
            errno.ENOENT, f"there is no I2C bus {number}: turn I2C on (raspi-config) and load i2c-dev"
        )
    if error.errno == errno.EACCES:
        return PermissionError(errno.EACCES, f"I2C bus {number} may not be opened: add your user to the group i2c")
    return error
