"""A miner that minds its physics: it records every instant at which the voltage was too low for the frequency, and it
can lose answers, ignore, clamp, be swapped or be changed by somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from minertui.engine.line import Identity, Line, LineOptions
from minertui.model.alerts import Severity
from minertui.model.commands import Command, SetFan, Tune
from minertui.model.errors import DeviceError, Unreachable
from minertui.model.fleet import Snapshot
from minertui.model.plans import Limits
from minertui.model.status import Ability, MinerStatus

MAC = "02:00:00:00:00:10"

GAMMA = MinerStatus(
    mac=MAC,
    model="Gamma",
    board="601",
    chip="BM1370",
    chip_count=1,
    firmware="v2.15.0",
    abilities=frozenset(Ability),
    hashrate_ghs=1071.0,
    expected_ghs=1071.0,
    power_w=18.0,
    max_power_w=40.0,
    input_mv=5100.0,
    nominal_input_v=5.0,
    core_mv=1150,
    core_actual_mv=1150,
    frequency_mhz=525.0,
    actual_mhz=525.0,
    chip_temp_c=58.0,
    vr_temp_c=62.0,
    fan_pct=55.0,
    fan_rpm=4200.0,
    fan_auto=True,
    fan_manual_pct=60.0,
    temp_target_c=60.0,
    uptime_s=1000.0,
    paused=False,
    overheat=False,
)


class LoopClock:
    """The event loop's time on all three clocks; with looptime nobody waits. ``skipped_s`` is suspend."""

    speed = 1.0

    def __init__(self) -> None:
        self.skipped_s = 0.0

    def mono(self) -> float:
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:  # a fixture, before the loop runs
            return 0.0

    def boot(self) -> float:
        return self.mono() + self.skipped_s

    def wall(self) -> float:
        return 1_700_000_000 + self.boot()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


def need_mv(mhz: float) -> float:
    """The least core voltage at which this chip can run ``mhz``."""
    return 900 + (mhz - 400) * 1.2


class FakeMiner:
    """``writes`` holds what arrived, ``low`` every instant with too little voltage. One fault at a time:

    ``cut_after``/``cut_before``: the next write loses its answer after, or before, it took effect. ``ignore``: writes
    do nothing. ``clamp_mhz``: higher frequencies become this. ``lag``: the physical values do not follow. ``dead``: no
    answer at all. ``spy`` is called at every read and write, and may raise.
    """

    address = "192.0.2.1"

    def __init__(self, status: MinerStatus = GAMMA) -> None:
        self.status = status
        self.writes: list[Command] = []
        self.low: list[str] = []
        self.reads = 0
        self.cut_after = self.cut_before = self.ignore = self.lag = self.dead = self.closed = False
        self.clamp_mhz: float | None = None
        self.refuse: str = ""
        self.spy: Callable[[str], None] = lambda _: None

    async def read(self) -> MinerStatus:
        await asyncio.sleep(0.01)
        self.spy("read")
        if self.dead:
            raise Unreachable("fake", "does not answer")
        self.reads += 1
        self.set(
            uptime_s=(self.status.uptime_s or 0) + 1,
            chip_temp_c=None if self.status.chip_temp_c is None else self.status.chip_temp_c + (-1) ** self.reads * 0.1,
        )
        return self.status

    async def apply(self, command: Command) -> None:
        await asyncio.sleep(0.01)
        self.spy("write")
        if self.dead or self.cut_before:
            self.cut_before = False
            raise Unreachable("fake", "does not answer")
        if self.refuse:
            raise DeviceError("fake", self.refuse)
        self.writes.append(command)
        if not self.ignore:
            self._take(command)
        self.spy("written")
        if self.cut_after:
            self.cut_after = False
            raise Unreachable("fake", "the answer was lost")

    async def close(self) -> None:
        self.closed = True

    def set(self, **fields: object) -> None:
        """Change what it is, as somebody else or its firmware would."""
        self.status = msgspec.structs.replace(self.status, **fields)

    def _take(self, command: Command) -> None:
        """Voltage first, then frequency, as the firmware does."""
        if isinstance(command, Tune):
            if command.core_mv is not None:
                self.set(core_mv=command.core_mv)
                if not self.lag:
                    self.set(core_actual_mv=command.core_mv)
                self._check()
            if command.frequency_mhz is not None:
                mhz = min(command.frequency_mhz, self.clamp_mhz or command.frequency_mhz)
                self.set(frequency_mhz=mhz)
                if not self.lag:
                    self.set(actual_mhz=mhz)
                self._check()
        if isinstance(command, SetFan):
            self.set(
                fan_auto=self.status.fan_auto if command.auto is None else command.auto,
                fan_manual_pct=self.status.fan_manual_pct if command.pct is None else command.pct,
            )

    def _check(self) -> None:
        mhz, mv = self.status.frequency_mhz, self.status.core_mv
        assert mhz is not None
        assert mv is not None
        if mv < need_mv(mhz):
            self.low.append(f"{mv:g} mV at {mhz:g} MHz")


class Ear:
    """A listener that keeps what it heard."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def took(self, snapshot: Snapshot, *, fresh: bool) -> None:
        """Not looked at."""

    def said(self, source: str, text: str, severity: Severity) -> None:
        self.lines.append(text)

    def learned(self, device: str, identity: Identity) -> None:
        """Not kept."""


def line(
    miner: FakeMiner,
    clock: LoopClock,
    *,
    name: str = "garage",
    limits: Limits | None = None,
    readonly: bool = False,
    mac: str | None = MAC,
) -> Line:
    options = LineOptions(name, miner.address, limits=limits or Limits(), readonly=readonly)
    return Line(options, miner, clock, Ear(), Identity(mac=mac))
