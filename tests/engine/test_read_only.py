"""Read-only is obeyed from the moment it is in force, and it comes in force when nothing of ours is left to bring back:
a miner that is locked in the middle of something would be left there for good."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from minertui.config import Config, EngineConfig
from minertui.model.commands import Order, OutcomeState, Tune
from minertui.model.errors import JobError
from minertui.model.plans import GuardPlan, Phase, Strategy, SweepPlan
from tests.engine.bench import REFUSED, Bench
from tests.engine.house import House, job, miner, until

pytestmark = pytest.mark.looptime

OWN = (500.0, 1150.0)
PLAN = SweepPlan("m1", strategy=Strategy.GRID, settle_s=30, measure_s=60, start_mhz=545, start_mv=1180, max_mhz=560)


async def test_a_climb_reads_it_anew_at_each_step(bench: Bench):
    climb = asyncio.create_task(bench.person(Tune(650)))
    await asyncio.sleep(20)
    written = len(bench.miner.writes)
    assert written
    bench.line.change(replace(bench.line.options, readonly=True))
    outcome = await climb
    assert (outcome.state, len(bench.miner.writes)) == (REFUSED, written)
    assert outcome.reason.startswith("stopped on the way: it is configured read-only")


async def test_nothing_that_waited_for_its_turn_is_written_either(bench: Bench):
    await bench.line.refresh()
    write = bench.line.write

    async def locked(*args: object) -> None:
        bench.line.change(replace(bench.line.options, readonly=True))
        await write(*args)  # type: ignore[arg-type]

    bench.line.write = locked  # type: ignore[method-assign,assignment]
    assert (await bench.person(Tune(400))).state is REFUSED
    assert bench.miner.writes == []


@pytest.mark.parametrize("whole", [False, True], ids=["one miner", "the engine"])
async def test_a_sweep_ends_and_its_miner_is_led_back_before_it_is_locked(house: House, *, whole: bool):
    engine = await house.running()
    it = house.miners["127.0.0.1:8001"]
    await engine.start(PLAN)
    await until(lambda: (it.mhz, it.mv) == (545, 1180))
    config = Config(engine=EngineConfig(readonly=whole), miner=(miner(readonly=not whole),))
    await engine.reload(config)
    assert ((it.mhz, it.mv), job(engine, "sweep:m1").phase) == (OWN, Phase.STOPPED)
    assert engine.line("m1").readonly
    assert not list((house.folder / "journal").glob("*.json"))
    written = len(it.tunes)
    await asyncio.sleep(120)
    refused = (await engine.send(Order("o1", "m1", Tune(450.0)))).outcome
    assert (refused.state, len(it.tunes)) == (OutcomeState.REFUSED, written)
    assert not [a for a in engine.hub.fleet.alerts.values() if a.rule == "read-only"]
    with pytest.raises(JobError, match="read-only"):
        await engine.start(GuardPlan("m1"))
    await engine.close()


async def test_a_persons_climb_ends_and_its_miner_is_led_back_before_it_is_locked(house: House):
    engine = await house.running()
    it = house.miners["127.0.0.1:8001"]
    climb = asyncio.create_task(engine.send(Order("o1", "m1", Tune(700.0, 1250))))
    await asyncio.sleep(20)
    assert it.mv > 1150
    await engine.reload(Config(miner=(miner(readonly=True),)))
    outcome = (await climb).outcome
    assert (outcome.state, "it becomes read-only" in outcome.reason) == (OutcomeState.REFUSED, True)
    assert (it.mhz, it.mv) == OWN
    await engine.close()


async def test_the_alert_comes_too_where_it_got_another_name_before(house: House):
    engine = await house.running()
    it = house.miners["127.0.0.1:8001"]
    await engine.start(PLAN)
    await until(lambda: (it.mhz, it.mv) == (545, 1180))
    it.dead = True
    await engine.reload(Config(miner=(miner("attic"),)))
    await asyncio.sleep(30)
    await engine.reload(Config(miner=(miner("attic", readonly=True),)))
    (alert,) = [a for a in engine.hub.fleet.alerts.values() if a.rule == "read-only"]
    assert "it is read-only from now on" in alert.text
    await engine.close()


async def test_one_that_cannot_be_led_back_is_locked_and_an_alert_says_where_it_is(house: House):
    engine = await house.running()
    it = house.miners["127.0.0.1:8001"]
    await engine.start(PLAN)
    await until(lambda: (it.mhz, it.mv) == (545, 1180))
    await asyncio.sleep(10)
    it.dead = True
    await engine.reload(Config(miner=(miner(readonly=True),)))
    (alert,) = [a for a in engine.hub.fleet.alerts.values() if a.rule == "read-only"]
    assert "it is read-only from now on, last seen at 545 MHz / 1180 mV" in alert.text
    assert "allow writing until it is back, or set it by hand" in alert.text
    it.dead, written = False, len(it.tunes)
    await asyncio.sleep(120)
    assert (len(it.tunes), (it.mhz, it.mv)) == (written, (545, 1180))
    await engine.reload(Config(miner=(miner(),)))
    await until(lambda: (it.mhz, it.mv) == OWN)
    await engine.close()


async def test_what_may_be_written_again_may_be_raised_again(house: House):
    engine = await house.running()
    await engine.reload(Config(miner=(miner(readonly=True),)))
    await engine.reload(Config(miner=(miner(),)))
    assert (await engine.send(Order("o1", "m1", Tune(510.0)))).outcome.ok
    await engine.close()
