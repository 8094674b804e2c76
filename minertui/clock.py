"""The only place that reads a clock. ``--speed N`` makes the program's time run N times faster; the safety rules allow
that on simulated hardware alone (specs: safety 6.1)."""

from __future__ import annotations

import asyncio
import sys
import time

_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC) if sys.platform != "win32" else None


class SystemClock:
    """The host's clocks, ``speed`` times faster from the moment of creation."""

    def __init__(self, speed: float = 1.0) -> None:
        """``speed`` > 0; anything but 1 needs simulated or loopback devices, which the engine checks."""
        self._speed = speed
        self._mono0, self._boot0, self._wall0 = time.monotonic(), _boot(), time.time()

    @property
    def speed(self) -> float:
        """How many program seconds pass in a real one."""
        return self._speed

    def mono(self) -> float:
        """Monotonic seconds."""
        return self._mono0 + (time.monotonic() - self._mono0) * self._speed

    def boot(self) -> float:
        """Seconds since boot, suspend included (CLOCK_BOOTTIME; monotonic where there is none)."""
        return self._boot0 + (_boot() - self._boot0) * self._speed

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._wall0 + (time.time() - self._wall0) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` of program time."""
        await asyncio.sleep(max(0.0, seconds) / self._speed)


def _boot() -> float:
    return time.clock_gettime(_BOOT) if _BOOT is not None else time.monotonic()
