"""A simulated Arduino with the official sketch: bytes of its serial line in, bytes out, at the times a board takes."""

from __future__ import annotations

import random

from minertui.model.errors import ConfigError
from minertui.sim.duco_search import NEVER_S, Hasher, chip_id

VERSIONS = ("2.4", "2.5", "2.6.4", "2.6.5", "3.0", "3.3", "3.4", "3.9", "4.0", "4.3")
BOOT_S = 2.0
_PATIENCE_S = 10.0
_UART = 64
_FLOOD = 4096


class SketchBoard(Hasher):
    """``version`` from VERSIONS; ``rate_hs`` None takes that version's on an ATmega328P of 16 MHz."""

    def __init__(self, version: str = "4.3", rate_hs: float | None = None, *, seed: int = 0) -> None:
        if version not in VERSIONS:
            raise ConfigError(f"no simulated sketch {version!r}; there are {', '.join(VERSIONS)}")
        number = tuple(int(part) for part in version.split("."))
        super().__init__(rate_hs or (208.0 if number < (3, 4) else 262.0 if number < (4,) else 335.0), chip_id(seed))
        self.version, self._binary = version, number >= (2, 6, 5)
        self._got = b""
        self._last_byte_s = 0.0
        self._awake_s = 0.0
        self._reply: bytes | None = None
        self._due_s = 0.0
        self._dice = random.Random(f"sketch-{seed}")

    def reset(self, now_s: float) -> None:
        """Opening the port pulses DTR: everything is forgotten, and for 2 s nothing is heard."""
        self._got, self._reply, self._awake_s = b"", None, now_s + BOOT_S

    def feed(self, data: bytes, now_s: float) -> None:
        """Bytes from the host. A torn job stands in the way for 10 s."""
        if now_s < self._awake_s or "silent" in self.faults:
            return
        self._expire(now_s)
        self._last_byte_s = now_s
        if "torn-job" in self.faults and not self._got:
            data = data[7:]
        self._got += data
        if self._reply is not None:
            self._got = self._got[:_UART]  # searching: what comes waits in the chip, most is lost
            return
        self._take(now_s)

    def output(self, now_s: float) -> bytes:
        """Bytes to the host that are due by now."""
        if "flood" in self.faults:
            return b"x" * _FLOOD
        if "silent" in self.faults:
            return b""
        self._expire(now_s)
        if self._reply is None or now_s < self._due_s:
            return b""
        reply, self._reply = self._reply, None
        self._take(now_s)
        if "torn-reply" in self.faults:
            return reply[: len(reply) // 2]
        if "garbage" in self.faults:
            return bytes(self._dice.randrange(256) for _ in range(20)) + b"\n"
        return reply

    def _expire(self, now_s: float) -> None:
        if self._got and self._reply is None and now_s - self._last_byte_s >= _PATIENCE_S:
            self._got = b""

    def _take(self, now_s: float) -> None:
        fields = self._got.split(b",")
        if len(fields) < 4:
            return
        self._got = b""  # what follows the third comma is dropped
        last_hash, expected, difficulty = (field.decode("latin-1") for field in fields[:3])
        if len(last_hash) != 40 or len(expected) != 40 or not difficulty.isdecimal() or len(difficulty) > 9:
            return
        found = self.search(last_hash, expected, int(difficulty))
        self._due_s = now_s + found.takes_s
        elapsed_us = 0 if found.takes_s == NEVER_S else round(1e6 * found.takes_s)
        nonce, elapsed = (f"{number:b}" if self._binary else f"{number}" for number in (found.nonce, elapsed_us))
        self._reply = f"{nonce},{elapsed},{self.chip_id}\n".encode()
