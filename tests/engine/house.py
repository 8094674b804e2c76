"""A state folder, the miners around it, and engines that come and go: what tests of the whole engine begin with."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from minertui.config import Config, MinerConfig
from minertui.engine.engine import Engine
from minertui.model.commands import Command, Tune
from minertui.model.errors import Unreachable
from minertui.model.plans import JobState, Strategy, SweepPlan
from minertui.model.status import Ability, MinerStatus
from tests.engine.fakes import LoopClock

CONFIG = '[[miner]]\nname = "m1"\naddress = "127.0.0.1:8001"\n'
PLAN = SweepPlan("m1", strategy=Strategy.GRID, settle_s=30, measure_s=60, max_mhz=560)


class Miner:
    """Does what it is told at once; what it holds outlives the connection, like a miner's flash."""

    def __init__(self, address: str) -> None:
        self.address, self.mac = address, f"AA:BB:CC:00:00:{int(address[-2:]):02X}"
        self.mhz, self.mv, self.chip_c, self.dead = 500.0, 1150.0, 50.0, False
        self.tunes: list[Tune] = []
        self.closed = 0

    async def read(self) -> MinerStatus:
        await asyncio.sleep(0.02)
        if self.dead:
            raise Unreachable(self.address, "no answer")
        now_s = asyncio.get_running_loop().time()
        rate, wobble = self.mhz * 2.04, 1 + 0.001 * (now_s % 7)
        return MinerStatus(
            mac=self.mac, model="Gamma", board="601", chip="BM1370", chip_count=1, small_cores=2040, firmware="v2.12.0",
            abilities=frozenset({Ability.TUNE, Ability.TUNE_LIVE, Ability.FAN, Ability.RESTART}),
            hashrate_ghs=rate * wobble, expected_ghs=rate, error_pct=0.1, power_w=17 * wobble, max_power_w=40,
            input_mv=5100, nominal_input_v=5, core_mv=self.mv, core_actual_mv=self.mv, frequency_mhz=self.mhz,
            actual_mhz=self.mhz, chip_temp_c=self.chip_c * wobble, vr_temp_c=55.0, fan_pct=50,
            fan_rpm=4000 + now_s % 50,
            fan_auto=True, uptime_s=1000 + now_s, shares_accepted=int(now_s), total_hashes=now_s * 1e9, paused=False,
            overheat=False,
        )  # fmt: skip

    async def apply(self, command: Command) -> None:
        await asyncio.sleep(0.02)
        if self.dead:
            raise Unreachable(self.address, "no answer")
        if isinstance(command, Tune):
            self.tunes.append(command)
            self.mhz = self.mhz if command.frequency_mhz is None else command.frequency_mhz
            self.mv = self.mv if command.core_mv is None else float(command.core_mv)

    async def close(self) -> None:
        self.closed += 1


def as_left(folder: Path, to: Path) -> None:
    """What a kill leaves of an engine's folder. Files on their way to their names come and go, and are left out."""
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns(".*"))


class House:
    """A state folder and the miners around it; engines come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, LoopClock()
        self.miners: dict[str, Miner] = {}
        self.connections: list[str] = []

    def connect(self, kind: str, address: str, headers: Mapping[str, str]) -> Miner:
        self.connections.append(address)
        return self.miners.setdefault(address, Miner(address))

    async def running(self) -> Engine:
        """An engine with one miner that was read."""
        engine = self.engine()
        await engine.open()
        await asyncio.sleep(6)
        return engine

    async def from_file(self, folder: Path) -> Engine:
        """The same, with a config file in this folder."""
        file = folder / "config.toml"
        file.write_text(CONFIG)
        engine = self.engine(config_path=file)
        await engine.open()
        await asyncio.sleep(6)
        return engine

    def engine(self, *miners: MinerConfig, **options: object) -> Engine:
        config = Config(miner=miners or (miner(),))
        return Engine(config, state=self.folder, clock=self.clock, connect=self.connect, **options)  # type: ignore[arg-type]


def miner(name: str = "m1", address: str = "127.0.0.1:8001", **options: object) -> MinerConfig:
    return MinerConfig(name, address, **options)  # type: ignore[arg-type]


async def until(true: Callable[[], bool], within_s: float = 600) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.5)


def job(engine: Engine, job_id: str) -> JobState:
    return engine.hub.fleet.jobs[job_id]
