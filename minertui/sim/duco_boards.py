"""Simulated Arduinos on I2C: dialect A (and its ATtiny85), B, C and D, byte for byte as the recorded ones answer.

A board is asked with the time; it has no clock and no task of its own, so a test moves time as it likes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from minertui.model.errors import ConfigError
from minertui.sim.duco_faults import Faults
from minertui.sim.duco_search import NEVER_S, Hasher, chip_id
from minertui.wire.duco import crc

RATES_HS = {"A": 208.0, "A85": 160.0, "B": 208.0, "C": 334.3, "D": 334.6, "pico": 2350.0}
FIRST_ADDRESS = {"A": 20, "A85": 50, "B": 1, "C": 8, "D": 1, "pico": 8}
_LOOP_S = 0.0005
_POLL_COST_S = 0.0001
_NOTHING = b"\xff"


class I2cBoard(Protocol):
    """A board at an address. ``read`` gives exactly ``count`` bytes."""

    faults: Faults

    def write(self, data: bytes, now_s: float) -> None: ...  # noqa: D102 - said above
    def read(self, count: int, now_s: float) -> bytes: ...  # noqa: D102 - said above


class BoardA(Hasher):
    """hauchel's board: command letters with one pending slot; S, R and E are answered at any time."""

    def __init__(self, rate_hs: float | None = None, *, seed: int = 0, tiny: bool = False) -> None:
        super().__init__(rate_hs or RATES_HS["A85" if tiny else "A"], chip_id(seed))
        self._tiny = tiny
        self._hashes: dict[str, str] = {}
        self._run, self._letter = "I", "c"
        self._slot: bytes | None = None
        self._due_s = 0.0
        self._searching = False
        self._limit = 10
        self._address: int | None = None  # the one it was told to keep in its EEPROM
        self._nonce, self._elapsed_ms = 0, 0
        self._out = b""
        self._last = b" "

    def write(self, data: bytes, now_s: float) -> None:
        """One command."""
        self._advance(now_s)
        letter = data[:1]
        if letter == b"S":
            self._out = self._status()
            self._due_s += _POLL_COST_S if self._searching else 0.0
        elif letter == b"R":
            self._out = b"%5d" % self._nonce
        elif letter == b"E":
            self._out = b"%5d" % (self._elapsed_ms % 65_536)
        elif data:
            self._slot = data
            if not self._searching:
                self._run, self._due_s = "B", now_s + _LOOP_S

    def read(self, count: int, now_s: float) -> bytes:
        """What the last command prepared, and 0xFF beyond."""
        self._advance(now_s)
        return self._out[:count].ljust(count, _NOTHING)

    def moved(self, now_s: float) -> int | None:
        """The address that it was told to take, once it has it."""
        self._advance(now_s)
        return self._address

    def _status(self) -> bytes:
        pending = self._slot[:1] if self._slot else (self._last if self._searching else b" ")
        return f"{self._run}{self._letter}".encode() + pending

    def _advance(self, now_s: float) -> None:
        while now_s >= self._due_s and (self._searching or self._slot):
            if self._searching:
                self._searching, self._run = False, "C"
                if self._slot:
                    self._run, self._due_s = "B", self._due_s + _LOOP_S
            else:
                command, self._slot = self._slot or b"", None
                self._obey(command)

    def _obey(self, command: bytes) -> None:
        letter, text = command[:1].decode("latin-1"), command[1:].decode("latin-1")
        self._run, self._letter = "I", "c" if letter == "A" else "?"
        if letter == "I":
            self._out = b"" if self._tiny else self.chip_id.encode()
        elif letter == "D" and text.isdecimal():
            self._limit = int(text)
        elif letter == "H":
            self._start()
        elif letter == "V" and text.isdecimal():
            self._address = int(text)
        elif letter in ("LMNOPQ" if self._tiny else "LMNO"):
            self._hashes[letter] = text
            if letter == ("Q" if self._tiny else "O"):
                self._last = letter.encode()
                self._start()

    def _start(self) -> None:
        letters = "LMNOPQ" if self._tiny else "LMNO"
        text = "".join(self._hashes.get(letter, "") for letter in letters)
        found = self.search(text[:40], text[40:], self._limit)
        self._nonce, self._searching, self._run = found.nonce, True, "B"
        self._elapsed_ms = 0 if found.takes_s == NEVER_S else round(1000 * found.takes_s)
        self._due_s += found.takes_s


class TextBoard(Hasher):
    """Dialects B, C and D: lines of text, a byte a transaction, newline for "nothing to say"."""

    def __init__(
        self,
        dialect: str,
        rate_hs: float | None = None,
        *,
        seed: int = 0,
        checked: bool = True,
        chip: str = "atmega328p",
    ) -> None:
        """``checked``: C's and D's CRC is compiled in."""
        super().__init__(rate_hs or RATES_HS[dialect], chip_id(seed, lower=True))
        self.dialect, self.chip = dialect, chip
        self.temperature_c: float | None = 30.0
        self._crc = _CRCS[dialect] if checked else None
        self._got = bytearray()
        self._answer = b""
        self._ready_s = 0.0
        self._most = 88 if dialect == "B" else 90

    def write(self, data: bytes, now_s: float) -> None:
        """Take a byte (B: all), unless searching or an answer stands unread."""
        if self._answer:
            return
        for byte in data if self.dialect == "B" else data[:1]:
            if byte == 0x0A:
                self._job(bytes(self._got), now_s)
                self._got.clear()
            elif byte == 0x24 and self.dialect != "B":
                self._question(bytes(self._got), now_s)
                self._got.clear()
            elif len(self._got) < self._most:
                self._got.append(byte)

    def read(self, count: int, now_s: float) -> bytes:
        """The next byte of the answer, or a newline."""
        if not self._answer or now_s < self._ready_s:
            return b"\n".ljust(count, _NOTHING)
        byte, self._answer = self._answer[:1], self._answer[1:]
        return byte.ljust(count, _NOTHING)

    def _job(self, line: bytes, now_s: float) -> None:
        if line.startswith(b"#" if self.dialect == "B" else b"&"):
            return
        job = _JOB.fullmatch(line)
        if job and self._crc:
            head, _, told = line.rpartition(b",")
            job = _JOB.fullmatch(head + b",") if told == b"%d" % self._crc(head + b",") else None
        if job is None:
            self._say(0, 0.0, now_s)
            return
        found = self.search(job[1].decode(), job[2].decode(), int(job[3]))
        self._say(found.nonce, found.takes_s, now_s)

    def _say(self, nonce: int, takes_s: float, now_s: float) -> None:
        self._ready_s = now_s + takes_s
        elapsed_ms = 0 if takes_s == NEVER_S or not nonce else round(1000 * takes_s)
        if self.dialect != "B" and 0 < nonce < 5:
            elapsed_ms = 4 * nonce
        self._answer = _ANSWERS[self.dialect](nonce, elapsed_ms, self.chip_id)
        if self._crc:
            self._answer += b",%d" % self._crc(self._answer + b",")

    def _question(self, text: bytes, now_s: float) -> None:
        if b"&" in text or (self.dialect == "D" and text.startswith(b"set,")):
            return
        if not text.startswith(b"get,"):
            self._job(text, now_s)
            return
        reply = {
            b"get,name": self.chip,
            b"get,crc8": "1" if self._crc else "0",
            b"get,freq": "100000",
            b"get,temp": self._temperature(),
            b"get,id": self.chip_id if self.dialect == "D" else "unkn",
        }.get(text, "unkn")
        self._answer = reply.encode()
        self._ready_s = NEVER_S if "silent" in self.faults else now_s

    def _temperature(self) -> str:
        if self.temperature_c is None:
            return "0"
        if self.chip == "rp2040":
            return f"{self.temperature_c:.2f}"
        return f"{round(self.temperature_c) & 0xFFFFFFFF:o}"


_JOB = re.compile(rb"([^,]+),([^,]+),(\d{1,9}),?(?:\d{1,3})?")


def _with_id(zero: str) -> Callable[[int, int, str], bytes]:
    def spell(nonce: int, elapsed_ms: int, chip: str) -> bytes:
        return f"{nonce or zero},{elapsed_ms}000,{chip}".encode()

    return spell


_ANSWERS: dict[str, Callable[[int, int, str], bytes]] = {
    "B": _with_id("0"),
    "C": _with_id("#"),
    "D": lambda nonce, elapsed_ms, _: f"{nonce or '#'},{elapsed_ms}".encode(),
}
_CRCS: dict[str, Callable[[bytes], int] | None] = {"B": None, "C": crc.maxim, "D": crc.plain}


def board(dialect: str, *, seed: int = 0, rate_hs: float | None = None) -> BoardA | TextBoard:
    """A board of ``dialect``: A, A85, B, C, D, or pico: one core of a Raspberry Pico, which speaks C. ``rate_hs``: None
    takes the usual one. Raises ConfigError."""
    if dialect in ("A", "A85"):
        return BoardA(rate_hs, seed=seed, tiny=dialect == "A85")
    if dialect == "pico":
        return TextBoard("C", rate_hs or RATES_HS[dialect], seed=seed, chip="rp2040")
    if dialect in _CRCS:
        return TextBoard(dialect, rate_hs, seed=seed)
    raise ConfigError(f"no simulated board of dialect {dialect!r}; there are {', '.join(RATES_HS)}")
