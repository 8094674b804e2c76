"""A guard that runs takes another config over at its next reading: lower numbers, higher ones, other limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from minertui.config import Config, MinerConfig
from minertui.engine.engine import Engine
from minertui.engine.guard_plans import difference, under
from minertui.engine.guards import Guards
from minertui.engine.journal import FOLDER, Journal
from minertui.engine.store import StoreError
from minertui.model.alerts import Severity
from minertui.model.plans import GuardPlan, GuardView, JobState, Limits, Phase, Strategy, SweepPlan
from minertui.model.status import MinerStatus
from minertui.safety.calm import Calm
from tests.engine.fakes import LoopClock
from tests.engine.house import House, Miner, job, miner, until

pytestmark = pytest.mark.looptime

PLAN = GuardPlan(max_chip_temp_c=65, stable_s=60)
MINER = miner(guarded=True, guard=PLAN)
OTHER = miner("m2", "127.0.0.1:8002", guarded=True, guard=PLAN)
SAID = "takes over from the config and the limits in force: "


class Running:
    """An engine that guards m1 and m2, at 58 °C and 500 MHz."""

    def __init__(self, house: House, engine: Engine) -> None:
        self.engine, self.it, self.other = engine, house.miners["127.0.0.1:8001"], house.miners["127.0.0.1:8002"]
        for board in (self.it, self.other):
            board.chip_c = 58.0

    async def takes(self, changed: MinerConfig, seconds: float = 12) -> None:
        await self.engine.reload(Config(miner=(changed, OTHER)))
        await asyncio.sleep(seconds)

    def plan(self, name: str = "m1") -> GuardPlan:
        view = job(self.engine, f"guard:{name}").view
        assert isinstance(view, GuardView)
        return view.plan

    async def said(self, name: str = "m1") -> list[str]:
        return [line.text for line in await self.engine.log(f"guard:{name}") if line.text.startswith(SAID)]


@asynccontextmanager
async def running(folder: Path, *first: MinerConfig, **options: Any) -> AsyncIterator[Running]:
    house = House(folder / "state")
    for address in ("127.0.0.1:8001", "127.0.0.1:8002"):
        house.miners[address] = Miner(address)
    engine = house.engine(*(first or (MINER, OTHER)), **options)
    await engine.open()
    await asyncio.sleep(6)
    yield Running(house, engine)
    await engine.close()


async def test_lower_numbers_count_at_the_next_reading_and_other_guards_are_left_alone(tmp_path: Path):
    async with running(tmp_path) as found:
        before = job(found.engine, "guard:m2")
        await found.takes(replace(MINER, guard=replace(PLAN, max_chip_temp_c=55)))
        assert found.it.mhz == 450.0, "58 °C are too warm now"
        assert await found.said() == [f"{SAID}max_chip_temp_c 65 → 55"]
        assert job(found.engine, "guard:m1").phase is Phase.RUNNING, "the same guard goes on"
        assert found.other.mhz == 500.0
        assert await found.said("m2") == []
        assert (found.plan("m2"), job(found.engine, "guard:m2").since_s) == (replace(PLAN, device="m2"), before.since_s)


async def test_a_board_that_stops_telling_its_model_is_guarded_by_the_limits_as_before(tmp_path: Path):
    async with running(tmp_path, replace(MINER, guard=replace(PLAN, max_chip_temp_c=80)), OTHER) as found:
        assert found.plan().max_chip_temp_c == 70
        read = found.it.read

        async def untold() -> MinerStatus:
            return replace(await read(), chip=None)

        found.it.read, found.it.chip_c = untold, 72.0  # type: ignore[method-assign]
        await until(lambda: found.it.mhz < 500.0, 30)
        assert found.plan().max_chip_temp_c == 70


async def test_higher_numbers_count_too(tmp_path: Path):
    cold = replace(MINER, guard=replace(PLAN, max_chip_temp_c=55))
    async with running(tmp_path, cold, OTHER) as found:
        await until(lambda: found.it.mhz == 450.0)
        await found.takes(MINER, 110)
        assert found.it.mhz == 475.0, "58 °C are cool enough for a limit of 65 °C"


async def test_the_calm_that_giving_back_waits_for_is_the_new_one(tmp_path: Path):
    cold = replace(MINER, guard=replace(PLAN, max_chip_temp_c=55))
    async with running(tmp_path, cold, OTHER) as found:
        await until(lambda: found.it.mhz < 500.0)
        await found.takes(MINER)
        assert found.it.mhz < 500.0
        await found.takes(replace(MINER, guarded=False, guard=PLAN))
        assert found.it.mhz == 500.0, "63 °C are asked for now, not 53 °C"


async def test_tighter_numbers_are_in_the_journal_when_they_count_not_only_with_the_next_write(tmp_path: Path):
    """A crash after them: the start that follows leads back by the journal before any guard runs."""
    async with running(tmp_path) as found:
        found.it.chip_c = 66.0
        await until(lambda: found.it.mhz == 450.0)
        found.it.chip_c = 58.0
        journal = Journal(tmp_path / "state" / FOLDER, lambda: 0.0)
        [before] = journal.entries()
        assert before.calm == Calm(63, 83)
        await found.takes(replace(MINER, guard=replace(PLAN, max_chip_temp_c=59)))
        await until(lambda: journal.entries()[0].calm == Calm(57, 83), 4000)
        assert found.it.mhz == 450.0, "nothing was written"
        [entry] = journal.entries()
        assert replace(entry, calm=before.calm) == before


async def test_what_a_sweep_keeps_in_the_journal_a_guard_that_changed_nothing_lets_alone(tmp_path: Path):
    async with running(tmp_path) as found:
        journal = Journal(tmp_path / "state" / FOLDER, lambda: 0.0)
        await found.engine.start(SweepPlan("m1", strategy=Strategy.GRID, settle_s=30, measure_s=60, max_mhz=560))
        await until(lambda: bool(journal.entries()), 2000)
        await found.takes(replace(MINER, guard=replace(PLAN, max_chip_temp_c=64)))
        assert [entry.calm for entry in journal.entries()] == [None]


async def test_limits_lower_every_guard_and_give_back_what_it_asked_for_when_they_are_gone(tmp_path: Path):
    two = (miner(guard=PLAN), OTHER)
    async with running(tmp_path, *two, config_path=tmp_path / "config.toml") as found:
        await found.engine.start(GuardPlan("m1", max_chip_temp_c=65))  # a person's, with a plan of its own
        await asyncio.sleep(6)
        await found.takes(miner(guard=replace(PLAN, max_chip_temp_c=50)))
        assert (found.plan().max_chip_temp_c, await found.said()) == (65, []), "that is not this guard's plan"
        await found.takes(miner(limits=Limits(max_chip_temp_c=55)))
        assert (found.plan().max_chip_temp_c, found.it.mhz) == (55, 450.0)
        await found.takes(miner(limits=Limits(max_chip_temp_c=90)))
        assert found.plan().max_chip_temp_c == 65, "what was asked for, and not a degree more"
        assert found.other.mhz == 500.0


async def test_the_limits_of_its_model_hold_as_soon_as_it_is_known(tmp_path: Path):
    careless = replace(MINER, guard=replace(PLAN, max_chip_temp_c=100))
    async with running(tmp_path, careless, OTHER) as found:
        assert found.plan().max_chip_temp_c == 70
        assert "max_chip_temp_c 100 → 70" in (await found.said())[0]


async def test_what_changes_nothing_of_a_guard_is_not_talked_about(tmp_path: Path):
    async with running(tmp_path) as found:
        await found.takes(replace(MINER, tags=("cellar",), limits=Limits(max_power_w=30)))
        assert await found.said() == []


async def test_a_higher_ceiling_is_climbed_to_and_a_lower_one_is_not_climbed_over(tmp_path: Path):
    asks = replace(MINER, guard=replace(PLAN, high_mhz=550.0, step_up_mhz=50))
    async with running(tmp_path) as found:
        await found.takes(asks, 110)
        assert found.it.mhz == 550.0
        await found.takes(replace(asks, guard=replace(asks.guard, max_mhz=480.0)))
        assert found.it.mhz == 480.0, "never above this"
        await found.takes(replace(asks, guard=replace(asks.guard, high_mhz=500.0)), 110)
        assert found.it.mhz == 500.0


def test_a_plan_is_lowered_to_the_limits_in_force_and_never_raised_to_them():
    caps = Limits(max_chip_temp_c=60, max_vr_temp_c=99, max_mhz=1200)
    assert under(PLAN, caps, Limits()) == replace(PLAN, max_chip_temp_c=60)
    assert under(PLAN, caps, Limits(max_mhz=500)) == replace(PLAN, max_chip_temp_c=60, max_mhz=500)
    low = replace(PLAN, max_mhz=450)
    assert under(low, Limits(), Limits(max_mhz=500)) == low


def test_a_difference_is_named_key_by_key():
    after = replace(PLAN, hold=False, hold_temp_c=60.5)
    assert difference(PLAN, after) == "hold true → false, hold_temp_c none → 60.5"
    assert difference(PLAN, PLAN) == ""


async def test_when_the_disk_does_not_tell_who_was_guarded_by_hand_it_is_said_and_asked_again():
    class Broken:
        asked = 0

        async def guards(self) -> list[GuardPlan]:
            self.asked += 1
            if self.asked < 4:
                raise StoreError("records.db: disk I/O error")
            return [GuardPlan("byhand"), GuardPlan("gone")]

    class Starts:
        def __init__(self) -> None:
            self.plans: list[tuple[str, str]] = []

        def alive(self, device: str) -> list[str]:
            return []

        def fallen(self) -> list[JobState]:
            return []

        async def start(self, plan: GuardPlan, by: str) -> None:
            self.plans.append((plan.device, by))

    said: list[tuple[str, str, Severity]] = []
    records, runner = Broken(), Starts()
    guards = Guards(cast(Any, runner), cast(Any, records), LoopClock(), lambda *words: said.append(words), lasting=True)
    await guards.begin(Config(miner=(miner("byhand"), miner("config", guarded=True))))
    assert runner.plans == [("config", "config")]
    running = asyncio.create_task(guards.run())
    await asyncio.sleep(30)
    running.cancel()
    assert runner.plans == [("config", "config"), ("byhand", "person")]
    assert records.asked == 4
    [(source, text, severity)] = said
    assert (source, severity) == ("engine", Severity.WARNING)
    assert text == (
        "the guards that were started by hand cannot be read: records.db: disk I/O error; "
        "they start as soon as they can be"
    )


async def giving_back(house: House) -> tuple[Engine, Miner]:
    """An engine whose guard had to lower its miner, and is not wanted any more: it begins to give back."""
    engine = house.engine(MINER)
    await engine.open()
    await asyncio.sleep(10)
    it = house.miners["127.0.0.1:8001"]
    it.chip_c = 66.0
    await until(lambda: it.mhz <= 400.0)
    it.chip_c = 50.0
    await asyncio.sleep(12)
    await engine.reload(Config(miner=(miner(),)))
    return engine, it


async def test_who_is_guarded_again_while_the_guard_before_still_gives_back_is_guarded_after_it(house: House):
    engine, it = await giving_back(house)
    await asyncio.sleep(1)
    assert not job(engine, "guard:m1").phase.over, "what goes up takes its time"
    await engine.reload(Config(miner=(MINER,)))
    await until(lambda: it.mhz == 500.0)
    await asyncio.sleep(30)
    assert job(engine, "guard:m1").phase is Phase.RUNNING
    it.chip_c = 66.0
    await until(lambda: it.mhz < 500.0, 30)
    await engine.close()


async def test_one_that_is_stopped_by_a_person_meanwhile_is_not(house: House):
    engine, _ = await giving_back(house)
    await engine.reload(Config(miner=(MINER,)))
    await engine.stop("guard:m1")
    await until(lambda: job(engine, "guard:m1").phase.over)
    await asyncio.sleep(30)
    assert job(engine, "guard:m1").phase is Phase.STOPPED
    await engine.close()


async def test_a_miner_that_shall_be_asked_more_often_is_so_soon(house: House):
    engine = house.engine(miner(poll_s=3600))
    await engine.open()
    await asyncio.sleep(3700)
    often = replace(MINER, poll_s=5, guard=GuardPlan(max_chip_temp_c=60))
    house.miners["127.0.0.1:8001"].chip_c = 66.0
    await engine.reload(Config(miner=(often,)))
    await until(lambda: house.miners["127.0.0.1:8001"].mhz < 500.0, 40)
    await engine.close()


@pytest.mark.parametrize("unread", [False, True])
async def test_the_guard_of_a_person_does_not_end_with_that_of_the_config(
    house: House, tmp_path: Path, unread: bool, monkeypatch: pytest.MonkeyPatch
):
    """Without a config file nothing is kept of it, and a disk that refuses does not tell of it either."""
    engine = await (house.from_file(tmp_path) if unread else house.running())
    await engine.start(GuardPlan("m1"))
    await engine.reload(Config(miner=(MINER,)))

    async def refuses() -> list[GuardPlan]:
        raise StoreError("the disk does not answer")

    monkeypatch.setattr(engine.records, "guards", refuses)
    await engine.reload(Config(miner=(miner(),)))
    await asyncio.sleep(30)
    assert job(engine, "guard:m1").phase is Phase.RUNNING
    await engine.close()
