"""A name is another board's from one day to the next: a person accepts it, or gives the same one another name. What was
begun on the one before says nothing of it, and the one before is not forgotten."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from minertui.config import Config
from minertui.engine.engine import Engine
from minertui.engine.journal import FOLDER
from minertui.model.commands import Order, OutcomeState, Rank, Tune
from minertui.model.errors import Preempted
from minertui.model.fleet import Health
from minertui.model.history import MinerEntry
from minertui.model.plans import GuardPlan, Phase, Strategy, SweepPlan
from tests.engine.bench import SWEEP, Bench
from tests.engine.hardware import GAMMA
from tests.engine.house import House, Miner, job, miner, until

pytestmark = pytest.mark.looptime
PLAN = SweepPlan(
    "m1", strategy=Strategy.GRID, settle_s=30, measure_s=60, start_mhz=545, start_mv=1180, max_mhz=560
)  # the first point is where the board is left
SAID = "a person took the device; it goes back by itself to 500 MHz / 1150 mV"
TEST_POINT, HOME = (545.0, 1180.0), (500.0, 1150.0)


def swap(engine: Engine, name: str, other: Miner) -> None:
    """From now on this one answers at the address of the name."""
    engine.line(name).device = other


async def swept(house: House) -> tuple[Engine, Miner, Miner]:
    """An engine that sweeps a board, the board on its test point, and one that took its address."""
    engine = await house.running()
    it = house.miners["127.0.0.1:8001"]
    await engine.start(PLAN)
    await until(lambda: (it.mhz, it.mv) == TEST_POINT)
    other = Miner("127.0.0.1:8002")
    other.mhz = 450.0
    swap(engine, "m1", other)
    await until(lambda: engine.line("m1").snapshot().health is Health.STRANGER)
    return engine, it, other


async def back(engine: Engine, it: Miner) -> None:
    """The first board is there again, under a name of its own."""
    await engine.reload(Config(miner=(miner(), miner("attic", "127.0.0.1:8003"))))
    swap(engine, "attic", it)
    await until(lambda: (it.mhz, it.mv) == HOME, 300)


async def test_the_sentence_names_the_mac_that_answers(house: House):
    engine, it, other = await swept(house)
    record = await engine.send(Order("o1", "m1", Tune(400.0)))
    assert record.outcome.state is OutcomeState.REFUSED
    assert f"another device answers here, {other.mac} instead of {it.mac}" in record.outcome.reason
    await engine.close()


async def test_a_way_back_that_waits_when_another_board_is_accepted_is_walked_when_its_own_is_back(house: House):
    engine, it, other = await swept(house)
    await until(lambda: "tried again in" in job(engine, "sweep:m1").note, 1500)
    await engine.clear("m1")
    await until(lambda: job(engine, "sweep:m1").note == SAID, 120)
    assert job(engine, "sweep:m1").phase is Phase.FAILED
    assert len(list((house.folder / FOLDER).glob("*.json"))) == 1
    await back(engine, it)
    assert other.tunes == []
    await engine.close()


async def test_a_sweep_that_runs_ends_when_another_board_is_accepted_and_writes_nothing_to_it(house: House):
    engine, it, other = await swept(house)
    await engine.clear("m1")
    await until(lambda: job(engine, "sweep:m1").note == SAID, 120)
    assert job(engine, "sweep:m1").phase.over
    await asyncio.sleep(300)
    assert other.tunes == []
    await engine.start(replace(PLAN, start_mhz=455, start_mv=1150, max_mhz=460))  # nothing of before is in its way
    await back(engine, it)
    await until(lambda: other.mhz == 455.0)
    await engine.close()


async def test_a_sweep_of_the_new_board_is_not_refused_for_what_a_guard_did_to_the_old_one(house: House):
    engine = await house.running()
    it, other = house.miners["127.0.0.1:8001"], Miner("127.0.0.1:8002")
    await engine.start(GuardPlan("m1", max_chip_temp_c=60))
    it.chip_c = 66.0
    await until(lambda: it.mhz < 500.0)
    swap(engine, "m1", other)
    await until(lambda: engine.line("m1").snapshot().health is Health.STRANGER)
    await engine.clear("m1")
    await asyncio.sleep(10)
    await engine.start(PLAN)
    await until(lambda: (other.mhz, other.mv) == TEST_POINT)
    await engine.close()


async def test_a_guard_raises_the_new_board_to_nothing_that_the_old_one_ran(house: House):
    engine = await house.running()
    it, other = house.miners["127.0.0.1:8001"], Miner("127.0.0.1:8002")
    await engine.start(GuardPlan("m1", max_chip_temp_c=60, stable_s=60))
    it.chip_c = 61.0
    await until(lambda: it.mhz == 450.0)
    other.mhz = 450.0
    swap(engine, "m1", other)
    await until(lambda: engine.line("m1").snapshot().health is Health.STRANGER)
    await engine.clear("m1")
    await asyncio.sleep(1000)
    assert other.tunes == []
    await engine.close()


async def test_the_last_resort_leaves_a_board_alone_that_was_never_raised(house: House):
    engine = await house.running()
    it = house.miners["127.0.0.1:8001"]
    it.mhz = 400.0
    await asyncio.sleep(6)
    assert (await engine.send(Order("o1", "m1", Tune(450.0)))).outcome.ok
    other = Miner("127.0.0.1:8002")
    other.mhz, other.mv = 600.0, 1200.0
    swap(engine, "m1", other)
    await until(lambda: engine.line("m1").snapshot().health is Health.STRANGER)
    await engine.clear("m1")
    await until(lambda: engine.line("m1").snapshot().health is Health.OK)
    other.chip_c = 71.0
    await asyncio.sleep(200)
    assert other.tunes == []
    await engine.close()


@pytest.mark.parametrize("by_hand", [True, False])
async def test_the_last_resort_knows_a_raised_board_by_another_name(house: House, tmp_path: Path, by_hand: bool):
    engine = await house.from_file(tmp_path)
    it = house.miners["127.0.0.1:8001"]
    assert (await engine.send(Order("o1", "m1", Tune(575.0)))).outcome.ok
    if by_hand:
        await engine.reload(Config(miner=(miner("attic"),)))
    else:
        await engine.save_miner(MinerEntry("attic", "127.0.0.1:8001"), "m1")
    await asyncio.sleep(10)
    it.chip_c = 71.0
    await until(lambda: it.mhz == 500.0, 120)
    await engine.close()


async def test_a_raise_that_was_cut_short_is_remembered_all_the_same(bench: Bench):
    """A step that reads back has raised it, whether or not anybody waits for its answer."""
    await bench.line.refresh()
    person = asyncio.create_task(bench.person(Tune(600)))
    await asyncio.sleep(0.3)
    assert (await bench.do(Tune(550), Rank.SAFETY, "guard:garage")).ok
    with pytest.raises(Preempted):
        await person
    origin = bench.arbiter.origin("garage")
    assert origin is not None
    assert (bench.at[0], origin.frequency_mhz) == (550, 525)


async def test_a_sweep_writes_nothing_more_to_a_board_that_tells_another_key_than_it_began_on(bench: Bench):
    """Firmware that tells no MAC, and one that does, at the same address: it may be an update, or another board."""
    bench.miner.set(mac=None)
    bench.line._identity = replace(bench.line._identity, mac=None)
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(550))).ok
    bench.miner.status = replace(GAMMA, firmware="v2.16.0")
    written = len(bench.miner.writes)
    outcome = await bench.do(Tune(575))
    assert outcome.state is OutcomeState.REFUSED
    concluded = await bench.arbiter.conclude("garage", None, SWEEP)
    assert "the one that told no MAC" in concluded.reason
    assert (len(bench.miner.writes), len(bench.journal.entries())) == (written, 1)
    assert bench.arbiter.strays() == list(bench.journal.entries())
    assert bench.arbiter.strays() == []


async def accepted(bench: Bench) -> None:
    """Another board answers, with the same settings, and a person accepts it at once."""
    bench.miner.set(mac="02:00:00:00:00:77")
    await bench.line.refresh()
    bench.arbiter.clear("garage")
    await bench.line.refresh()
    assert bench.line.snapshot().health is Health.OK


async def test_a_climb_that_began_on_the_one_before_ends(bench: Bench):
    climb = asyncio.create_task(bench.person(Tune(600, 1250)))
    await until(lambda: bench.at[1] == 1200)
    await asyncio.sleep(8)  # it waits for the heat of that step
    await accepted(bench)
    written = len(bench.miner.writes)
    outcome = await climb
    assert (outcome.state, len(bench.miner.writes)) == (OutcomeState.REFUSED, written)
    assert "another board was accepted as garage" in outcome.reason


@pytest.mark.parametrize("at", [475, 500])
async def test_a_way_back_that_is_walked_just_then_ends_and_is_kept(bench: Bench, at: float):
    assert (await bench.do(Tune(425))).ok
    back = asyncio.create_task(bench.arbiter.conclude("garage", None, SWEEP))
    await until(lambda: bench.at[0] == at)
    await accepted(bench)
    written = len(bench.miner.writes)
    assert not (await back).ok
    assert len(bench.miner.writes) == written
    assert len(bench.journal.entries()) == 1


async def test_and_is_not_proven_by_the_readings_of_the_other_one(bench: Bench):
    assert (await bench.do(Tune(475))).ok
    back = asyncio.create_task(bench.arbiter.conclude("garage", None, SWEEP))
    await until(lambda: bench.at[0] == 525)
    await asyncio.sleep(3)
    await accepted(bench)
    assert not (await back).ok
    (entry,) = bench.journal.entries()
    assert entry.baseline.frequency_mhz == 525
