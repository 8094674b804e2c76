"""What a person orders while a guard runs is the guard's new normal, also where nothing of it shows: it does not climb
over it, and holding a temperature does not move it. A limit does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from minertui.engine.desk import Desk
from minertui.engine.engine import Engine
from minertui.engine.journal import FOLDER
from minertui.model.commands import Order, Outcome, OutcomeState, Rank, Tune
from minertui.model.errors import Preempted
from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import GuardPlan, GuardView
from minertui.model.status import MinerStatus
from minertui.safety.calm import Calm
from tests.engine.bench import Bench
from tests.engine.house import House, Miner, job, until
from tests.engine.test_guard_frontier import swept

pytestmark = pytest.mark.looptime

PLAN = GuardPlan("m1", max_chip_temp_c=60, max_vr_temp_c=80, stable_s=60, hold_dwell_s=60)
GUARD = "guard:garage"


class Guarded:
    """A miner of 500 MHz that its guard lowered to 450."""

    def __init__(self, house: House, engine: Engine, it: Miner) -> None:
        self.house, self.engine, self.it, self._orders = house, engine, it, 0

    async def person(self, tune: Tune) -> Outcome:
        self._orders += 1
        return (await self.engine.send(Order(f"o{self._orders}", "m1", tune))).outcome

    @property
    def view(self) -> GuardView:
        found = job(self.engine, "guard:m1").view
        assert isinstance(found, GuardView)
        return found

    @property
    def kept(self) -> bool:
        return bool(list((self.house.folder / FOLDER).glob("*.json")))

    async def said(self) -> list[str]:
        return [line.text for line in await self.engine.log("guard:m1")]


@asynccontextmanager
async def guarded(folder: Path, *, frontier: bool = False) -> AsyncIterator[Guarded]:
    house = House(folder)
    it = house.miners["127.0.0.1:8001"] = Miner("127.0.0.1:8001")
    engine = await house.running()
    if frontier:
        await swept(engine)
    await engine.start(PLAN)
    await asyncio.sleep(12)
    it.chip_c = 61.0
    await until(lambda: it.mhz == 450.0, 4000)
    it.chip_c = 50.0
    yield Guarded(house, engine, it)
    await engine.close()


async def test_without_a_word_it_climbs_back(tmp_path: Path):
    async with guarded(tmp_path) as found:
        await until(lambda: found.it.mhz == 500.0, 4000)


@pytest.mark.parametrize("frontier", [False, True], ids=["alone", "along a frontier"])
async def test_an_order_for_what_it_runs_already_is_a_word_too(tmp_path: Path, frontier: bool):
    async with guarded(tmp_path, frontier=frontier) as found:
        mv = found.it.mv
        outcome = await found.person(Tune(450.0))
        assert (outcome.state, outcome.reason) == (OutcomeState.APPLIED, "it is so already")
        assert not found.kept, "nothing is to be given back any more"
        await asyncio.sleep(200)
        why = f"at 450 MHz / {mv:g} mV, as you ordered; only a limit lowers it"
        await until(lambda: found.view.why == why, 4000)
        assert (found.it.mhz, found.it.mv) == (450.0, mv)
        assert f"you ordered 450 MHz / {mv:g} mV: it climbs no higher from now on" in await found.said()


async def test_a_limit_lowers_what_was_ordered_and_the_climb_ends_there_again(tmp_path: Path):
    async with guarded(tmp_path) as found:
        await found.person(Tune(475.0))
        await asyncio.sleep(12)
        found.it.chip_c = 61.0
        await until(lambda: found.it.mhz == 425.0, 4000)
        found.it.chip_c = 50.0
        await until(lambda: found.it.mhz == 475.0, 4000)
        await asyncio.sleep(100)
        assert found.it.mhz == 475.0


async def test_there_and_back_between_two_readings_is_a_word(tmp_path: Path):
    async with guarded(tmp_path) as found:
        await asyncio.gather(found.person(Tune(440.0)), found.person(Tune(450.0)))
        await asyncio.sleep(200)
        assert found.it.mhz == 450.0


async def test_what_a_guard_decided_before_a_persons_order_is_not_carried_out_after_it(tmp_path: Path):
    bench = Bench(tmp_path / "journal")
    bench.arbiter.guard("garage", GUARD, Calm(40, 40))
    bench.arbiter.hear("garage", GUARD)
    persons = asyncio.create_task(bench.person(Tune(500.0)))
    await asyncio.sleep(0)
    up = asyncio.create_task(bench.do(Tune(550.0), Rank.SAFETY, GUARD))
    assert (await persons).ok
    assert (await up).reason == "a person ordered something else in the meantime"
    assert bench.at == (500.0, 1150)
    assert (await bench.do(Tune(450.0), Rank.SAFETY, GUARD)).ok, "a lower frequency is never withheld"
    assert bench.arbiter.hear("garage", GUARD).mhz == 500.0
    assert (await bench.do(Tune(475.0), Rank.SAFETY, GUARD)).ok, "it knows now"


async def test_a_raise_of_a_guard_does_not_cut_a_persons_climb_short(tmp_path: Path):
    bench = Bench(tmp_path / "journal")
    bench.arbiter.guard("garage", GUARD, Calm(40, 40))
    bench.arbiter.hear("garage", GUARD)
    persons = asyncio.create_task(bench.person(Tune(575.0, 1200)))
    await asyncio.sleep(5)
    assert bench.arbiter.hear("garage", GUARD).pending
    up = asyncio.create_task(bench.do(Tune(550.0), Rank.SAFETY, GUARD))
    assert (await persons).ok
    assert not (await up).ok
    assert bench.at == (575.0, 1200)


@pytest.mark.parametrize("warm", [False, True])
async def test_a_step_to_its_ceiling_cuts_no_lower_order_short_and_one_for_heat_does(tmp_path: Path, warm: bool):
    """A person lowers frequency and voltage in the moment in which a limit of frequency is lowered under the miner."""
    bench, wrote = Bench(tmp_path / "journal"), asyncio.Event()
    bench.arbiter.guard("garage", GUARD, Calm(63, 83))
    bench.arbiter.hear("garage", GUARD)
    bench.miner.set(chip_temp_c=66.0 if warm else 58.0)
    bench.miner.spy = lambda what: wrote.set() if what == "written" else None
    persons = asyncio.create_task(bench.person(Tune(400.0, 1100)))
    await wrote.wait()
    step = asyncio.create_task(bench.do(Tune(350.0), Rank.SAFETY, GUARD))
    if warm:
        with pytest.raises(Preempted):
            await persons
        assert (await step).ok
        assert bench.at == (350.0, 1150)
        return
    assert (await persons).ok
    assert (await step).reason == "a person ordered something else in the meantime"
    assert bench.at == (400.0, 1100)


@pytest.mark.parametrize(
    ("health", "chip_c", "presses"),
    [(Health.OK, 58.0, False), (Health.OK, 66.0, True), (Health.OK, None, True), (Health.STALE, 58.0, True)],
    ids=["cool", "warm", "blind", "repeats itself"],
)
def test_only_a_temperature_that_is_believed_makes_a_step_down_wait(
    health: Health, chip_c: float | None, presses: bool
):
    desk, step = Desk("garage"), Order("s", "garage", Tune(350.0), GUARD, Rank.SAFETY)
    desk.guard(GUARD, Calm(63, 83))
    desk.hear(GUARD)
    runs = MinerStatus(frequency_mhz=500.0, core_mv=1150, chip_temp_c=chip_c)
    assert desk.presses(step, Snapshot("garage", status=runs, health=health)) is presses
