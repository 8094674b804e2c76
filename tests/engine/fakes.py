"""A clock on the event loop's time, a device that does what it is told, and a listener that remembers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from minertui.engine.line import Identity, Line, LineOptions
from minertui.model.alerts import Severity
from minertui.model.commands import Command
from minertui.model.errors import DeviceError, Unreachable
from minertui.model.fleet import Snapshot
from minertui.model.status import MinerStatus

START_S = 1_800_000_000.0  # wall time at the loop's zero: the beginning of a minute and of a quarter-hour
MAC = "AA:BB:CC:DD:EE:01"


class LoopClock:
    """All three clocks are the loop's own, which looptime winds on; ``skew_s`` moves the wall, ``slept_s`` the boot."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed, self.skew_s, self.slept_s = speed, 0.0, 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    def mono(self) -> float:
        with contextlib.suppress(RuntimeError):  # a thread asks: the loop that was met last
            self._loop = asyncio.get_running_loop()
        return self._loop.time() if self._loop else 0.0

    def boot(self) -> float:
        return self.mono() + self.slept_s

    def wall(self) -> float:
        return START_S + self.mono() + self.skew_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


def status(**changes: object) -> MinerStatus:
    values: dict[str, object] = {
        "mac": MAC, "model": "Gamma", "chip": "BM1370", "board": "601", "hashrate_ghs": 1000.0, "power_w": 17.0,
        "chip_temp_c": 55.0, "vr_temp_c": 60.0, "frequency_mhz": 525.0, "core_mv": 1150.0, "uptime_s": 100.0,
    }  # fmt: skip
    return MinerStatus(**{**values, **changes})  # type: ignore[arg-type]


class FakeDevice:
    """``answer`` is a status, an error to raise, or a function that gives either."""

    def __init__(self, answer: MinerStatus | DeviceError | Callable[[], MinerStatus] | None = None) -> None:
        self.answer = answer if answer is not None else status()
        self.address = "127.0.0.1:1"
        self.takes_s = 0.0
        self.reads: list[float] = []
        self.applied: list[Command] = []
        self.closed = False
        self.in_flight = self.most_in_flight = 0

    async def read(self) -> MinerStatus:
        self.reads.append(asyncio.get_running_loop().time())
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.in_flight -= 1
        found = self.answer() if callable(self.answer) else self.answer
        if isinstance(found, DeviceError):
            raise found
        return found

    async def apply(self, command: Command) -> None:
        self.applied.append(command)

    async def close(self) -> None:
        self.closed = True


class Heard:
    """What a line said."""

    def __init__(self) -> None:
        self.snapshots: list[tuple[Snapshot, bool]] = []
        self.sentences: list[str] = []
        self.identities: list[Identity] = []

    def took(self, snapshot: Snapshot, *, fresh: bool) -> None:
        self.snapshots.append((snapshot, fresh))

    def said(self, source: str, text: str, severity: Severity) -> None:
        self.sentences.append(f"{source}: {text}")

    def learned(self, device: str, identity: Identity) -> None:
        self.identities.append(identity)


def line_to(device: FakeDevice, heard: Heard, clock: LoopClock, **options: object) -> Line:
    return Line(LineOptions("m1", "127.0.0.1:1", **options), device, clock, heard)  # type: ignore[arg-type]


def dead() -> Unreachable:
    return Unreachable("m1", "no answer")
