"""E: the USB adaptor DuinoCoinUSBI2C_Adaptor (115200 baud), which carries dialect C from any computer.

    8:w:x$    write byte x to address 8; no answer
    8:r$      read a byte: ``08:c$``, the address as two upper case hex digits
    scn$      who is there: ``08 0A \\n`` or ``no I2CS detected``
    fl:w:8$   read and drop 40 bytes from address 8; no answer

``:`` and ``$`` cannot travel as data, so boards behind an adaptor cannot be asked anything, and whether they check
their texts is a setting. An absent board reads as a newline, as an idle one does: only the scan tells them apart. One
command and its answer at a time.
"""

from __future__ import annotations

import re

from minertui.model.errors import Garbled

BAUD = 115_200
BOOT_S = 2.0
SCAN_S = 1.0
LETTER_S = 0.02
FLUSH_S = 0.1
MAX_ANSWER = 400  # a scan with every address taken
SCAN = b"scn$"

_READ = re.compile(rb"([0-9A-F]{2}):(.)\$", re.DOTALL)
_SCANNED = re.compile(rb"(?:[0-9A-F]{2} )+")
_NOBODY = b"no I2CS detected"
_FIRST, _LAST = 1, 126


def write_command(address: int, byte: int) -> bytes:
    """The command that writes one byte; give the adaptor LETTER_S then. Raises ValueError for an address outside 1 to
    126 and for a byte that cannot travel."""
    if byte in b":$":
        raise ValueError(f"{chr(byte)!r} cannot be sent through the adaptor")
    return b"%d:w:%c$" % (_checked(address), byte)


def read_command(address: int) -> bytes:
    """The command that reads one byte."""
    return b"%d:r$" % _checked(address)


def flush_command(address: int) -> bytes:
    """The command that reads away what a board has to say; give it FLUSH_S."""
    return b"fl:w:%d$" % _checked(address)


def parse_read(answer: bytes, address: int) -> bytes:
    """The byte in an answer to a read. Raises Garbled for anything else, another board's byte included."""
    match = _READ.fullmatch(answer)
    if not match or int(match[1], 16) != address:
        raise Garbled("", f"the adaptor's answer is not a byte of address {address}")
    return match[2]


def parse_scan(line: bytes) -> tuple[int, ...]:
    """The addresses in an answer to SCAN, up to its newline. Raises Garbled."""
    line = line.strip(b"\r\n")
    if line.strip() == _NOBODY:
        return ()
    if len(line) > MAX_ANSWER or not _SCANNED.fullmatch(line.rstrip() + b" "):
        raise Garbled("", "the adaptor's answer is not a list of addresses")
    found = tuple(int(text, 16) for text in line.split())
    if any(not _FIRST <= address <= _LAST for address in found):
        raise Garbled("", "the adaptor's answer holds an address that no bus has")
    return found


class Answers:
    """Cuts the adaptor's answers out of the stream: a read's ends with ``$`` as its fifth byte, a scan's with a
    newline. Tell it which is awaited."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> None:
        """Bytes came. Raises Garbled when they are more than any answer."""
        self._held += data
        if len(self._held) > MAX_ANSWER:
            self._held = b""
            raise Garbled("", "the adaptor sends without end")

    def read_byte(self, address: int) -> bytes | None:
        """The byte read from ``address``, None while the answer is not whole. Raises Garbled."""
        if len(self._held) < 5:
            return None
        answer, self._held = self._held[:5], self._held[5:]
        return parse_read(answer, address)

    def scanned(self) -> tuple[int, ...] | None:
        """The addresses found, None while the answer is not whole. Raises Garbled."""
        line, newline, rest = self._held.partition(b"\n")
        if not newline:
            return None
        self._held = rest
        return parse_scan(line)

    def clear(self) -> None:
        """Forget what is there: after a deadline, before the next command."""
        self._held = b""


def _checked(address: int) -> int:
    if not _FIRST <= address <= _LAST:
        raise ValueError(f"no board has address {address}: use {_FIRST} to {_LAST}")
    return address
