"""A person orders something while a sweep has the miner: what ends the sweep, and where the miner is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from minertui.config import Config
from minertui.engine.engine import Engine
from minertui.engine.journal import FOLDER
from minertui.model.commands import (
    Command,
    Identify,
    Order,
    Outcome,
    OutcomeState,
    Pause,
    Restart,
    Resume,
    SetFan,
    SetPools,
    Tune,
)
from minertui.model.plans import Limits, Strategy, SweepPlan
from minertui.model.status import Ability, MinerStatus, PoolSetting
from tests.engine.house import House, Miner, job, miner, until

pytestmark = pytest.mark.looptime

PLAN = SweepPlan("m1", strategy=Strategy.GRID, settle_s=30, measure_s=60, max_mhz=560)
POOL = PoolSetting("pool.example", 3333, "me")


class Able(Miner):
    """It can be paused too, and its fan and pools are what they are told to be."""

    paused, fan_auto, fan_pct, target_c, fan_min_pct = False, True, 50, 60, 20

    async def read(self) -> MinerStatus:
        status = await super().read()
        return msgspec.structs.replace(
            status,
            abilities=frozenset(Ability),
            paused=self.paused,
            hashrate_ghs=0.0 if self.paused else status.hashrate_ghs,
            fan_auto=self.fan_auto,
            fan_manual_pct=self.fan_pct,
            temp_target_c=self.target_c,
            fan_min_pct=self.fan_min_pct,
            pools=(POOL,),
        )

    async def apply(self, command: Command) -> None:
        await super().apply(command)
        self.paused = isinstance(command, Pause) or (self.paused and not isinstance(command, Resume))
        if isinstance(command, SetFan):
            self.fan_auto = self.fan_auto if command.auto is None else command.auto
            self.fan_pct = self.fan_pct if command.pct is None else command.pct
            self.target_c = self.target_c if command.target_c is None else command.target_c
            self.fan_min_pct = self.fan_min_pct if command.min_pct is None else command.min_pct


class Swept:
    """A sweep that is driving its miner somewhere above its own 500 MHz."""

    def __init__(self, house: House, engine: Engine, miner: Able) -> None:
        self.house, self.engine, self.miner, self._orders = house, engine, miner, 0

    async def person(self, command: Command, *, dry: bool = False) -> Outcome:
        self._orders += 1
        order = Order(f"o{self._orders}", "m1", command, dry_run=dry, confirmed=True)
        return (await self.engine.send(order)).outcome

    @property
    def over(self) -> bool:
        return job(self.engine, "sweep:m1").phase.over

    @property
    def journal(self) -> list[Path]:
        return list((self.house.folder / FOLDER).glob("*.json"))

    async def said(self, source: str) -> list[str]:
        return [line.text for line in await self.engine.log(source)]


@asynccontextmanager
async def sweeping(folder: Path, plan: SweepPlan = PLAN) -> AsyncIterator[Swept]:
    """Not a fixture: those wait in real time."""
    house = House(folder)
    it = house.miners["127.0.0.1:8001"] = Able("127.0.0.1:8001")
    engine = await house.running()
    await engine.start(plan)
    await until(lambda: it.mhz != 500.0, 2000)
    yield Swept(house, engine, it)
    await engine.close()


@pytest.mark.parametrize("command", [Pause(), SetFan(auto=False, pct=60), Restart()], ids=lambda c: type(c).__name__)
async def test_a_miner_taken_from_a_sweep_is_not_left_at_a_test_point(tmp_path: Path, command: Command):
    async with sweeping(tmp_path) as swept:
        assert (await swept.person(command)).ok
        note = "a person took the device; it goes back by itself to 500 MHz / 1150 mV"
        await until(lambda: swept.over and job(swept.engine, "sweep:m1").note == note, 60)
        assert note in await swept.said("sweep:m1")
        await until(lambda: not swept.journal, 60)
        assert (swept.miner.mhz, swept.miner.mv) == (500.0, 1150.0)
        assert swept.miner.paused is isinstance(command, Pause)
        assert swept.miner.fan_auto is not isinstance(command, SetFan)
        assert "its way back has ended: at 500 MHz / 1150 mV, proven by two readings" in await swept.said("m1")


async def test_where_a_limit_keeps_it_lower_that_is_what_is_said(tmp_path: Path):
    async with sweeping(tmp_path, msgspec.structs.replace(PLAN, start_mhz=450)) as swept:
        await swept.engine.reload(Config(miner=(miner(limits=Limits(max_mhz=480)),)))
        there = "480 MHz / 1150 mV; the limits in force keep it from the 500 MHz / 1150 mV that it ran before"
        assert (await swept.person(Pause(), dry=True)).reason == (
            f"this ends the sweep that runs on it; it goes back to {there}"
        )
        assert (await swept.person(Pause())).ok
        note = f"a person took the device; it goes back by itself to {there}"
        await until(lambda: swept.over and job(swept.engine, "sweep:m1").note == note, 4000)
        await until(lambda: not swept.journal, 4000)
        assert (swept.miner.mhz, swept.miner.mv) == (480.0, 1150.0)


async def test_resumed_after_a_pause_it_runs_its_own_settings(tmp_path: Path):
    """The sequence that once drove a miner into its own overheat protection."""
    async with sweeping(tmp_path) as swept:
        await swept.person(Pause())
        await swept.person(SetFan(auto=False, pct=60))
        await swept.person(Resume())
        await until(lambda: not swept.journal, 60)
        assert (swept.miner.mhz, swept.miner.mv, swept.miner.paused) == (500.0, 1150.0, False)


async def test_it_is_led_back_when_it_answers_again(tmp_path: Path):
    async with sweeping(tmp_path) as swept:
        await swept.person(Pause())
        swept.miner.dead = True
        await asyncio.sleep(300)
        assert swept.journal
        swept.miner.dead = False
        await until(lambda: not swept.journal, 120)
        assert (swept.miner.mhz, swept.miner.mv) == (500.0, 1150.0)


async def test_the_engine_that_ends_leads_it_back_first(tmp_path: Path):
    async with sweeping(tmp_path) as swept:
        await swept.person(Pause())
        await until(lambda: swept.over, 60)
        await swept.engine.close()
        assert (swept.miner.mhz, swept.miner.mv) == (500.0, 1150.0)
        assert not swept.journal


async def test_what_a_person_tuned_it_to_stays(tmp_path: Path):
    async with sweeping(tmp_path) as swept:
        assert (await swept.person(Tune(520, 1160))).ok
        await until(lambda: swept.over, 60)
        await asyncio.sleep(120)
        assert (swept.miner.mhz, swept.miner.mv) == (520, 1160)
        assert not swept.journal
        assert any("took the device" in line for line in await swept.said("sweep:m1"))


@pytest.mark.parametrize(("order", "left"), [(Tune(frequency_mhz=520), (520, 1150)), (Tune(core_mv=1160), (500, 1160))])
async def test_one_value_of_a_person_stands_beside_their_own_other_value_not_beside_the_sweeps(
    tmp_path: Path, order: Tune, left: tuple[float, float]
):
    async with sweeping(tmp_path) as swept:
        await swept.engine.stop("sweep:m1")
        await until(lambda: swept.over, 60)
        swept.miner.mhz, swept.miner.mv = 500.0, 1150.0
        await asyncio.sleep(10)
        plan = msgspec.structs.replace(PLAN, start_mhz=530, start_mv=1170)
        await swept.engine.start(plan)
        await until(lambda: (swept.miner.mhz, swept.miner.mv) == (530.0, 1170.0), 900)
        outcome = await swept.person(order)
        assert outcome.ok, outcome.reason
        assert outcome.reason == "this ended the sweep on it"
        await until(lambda: swept.over, 60)
        await asyncio.sleep(120)
        assert (swept.miner.mhz, swept.miner.mv) == left
        assert not swept.journal


async def test_a_person_who_only_cools_is_not_refused_for_the_voltage_they_did_not_name(tmp_path: Path):
    async with sweeping(tmp_path) as swept:
        swept.miner.mv = 1120.0  # lower than at home, as in a sweep's descent, and too hot to raise anything
        swept.miner.chip_c = 69.0
        assert (await swept.person(Tune(frequency_mhz=450))).ok
        assert (swept.miner.mhz, swept.miner.mv) == (450, 1120.0)


HARMLESS = (Identify(), SetPools((POOL,)), SetFan(auto=True, target_c=55, min_pct=30))


@pytest.mark.parametrize("command", HARMLESS, ids=str)
async def test_what_cools_or_changes_nothing_measured_lets_a_sweep_go_on(tmp_path: Path, command: Command):
    async with sweeping(tmp_path) as swept:
        assert (await swept.person(command, dry=True)).reason == ""
        assert (await swept.person(command)).state in (OutcomeState.APPLIED, OutcomeState.UNKNOWN)
        await asyncio.sleep(60)
        assert not swept.over
        assert swept.miner.mhz > 500.0


ENDING = (
    Tune(500),
    Pause(),
    Restart(),
    SetFan(auto=False, pct=100),
    SetFan(auto=True, target_c=65),
    SetFan(min_pct=10),
)


@pytest.mark.parametrize("command", ENDING, ids=str)
async def test_a_dry_run_says_that_the_order_would_end_the_sweep(tmp_path: Path, command: Command):
    async with sweeping(tmp_path) as swept:
        outcome = await swept.person(command, dry=True)
        assert outcome.state is OutcomeState.DRY_RUN
        assert outcome.reason.startswith("this ends the sweep that runs on it; ")
        own = "500 MHz / 1150 mV" if not isinstance(command, Tune) else "1150 mV"
        assert outcome.reason.endswith(f"goes back to your own {own}")
        await asyncio.sleep(10)
        assert not swept.over
