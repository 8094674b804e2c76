"""Who goes first at the arbiter: holders, ranks that interrupt, parks and rationed repairs."""

from __future__ import annotations

import asyncio

import pytest

from minertui.model.commands import (
    Identify,
    Rank,
    Restart,
    Tune,
)
from minertui.model.errors import JobError, Preempted
from minertui.model.fleet import Health
from tests.engine.bench import DRY, REFUSED, SWEEP, UNKNOWN, Bench

pytestmark = pytest.mark.looptime


async def test_an_equal_or_lower_rank_is_refused_with_the_holders_name(bench: Bench):
    bench.arbiter.claim("garage", Rank.CURTAILMENT, "curtail")
    for rank in (Rank.CURTAILMENT, Rank.SWEEP):
        with pytest.raises(JobError, match=r"held by curtailment \(curtail\)"):
            bench.arbiter.claim("garage", rank, "other")
        outcome = await bench.do(Tune(530), rank, "other")
        assert outcome.state is REFUSED
        assert "curtailment (curtail) holds the device" in outcome.reason
    assert bench.miner.writes == []


async def test_a_person_preempts_a_sweep_until_it_claims_again(bench: Bench):
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(530))).ok
    assert (await bench.person(Tune(500))).ok
    with pytest.raises(Preempted, match="a person took the device"):
        await bench.do(Tune(540))
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(510))).ok


async def test_a_greeting_or_a_refused_order_disturbs_no_sweep(bench: Bench):
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    await bench.line.refresh()
    assert (await bench.person(Identify())).ok
    assert (await bench.person(Tune(500), dry=True)).state is DRY
    assert (await bench.person(Tune(5000))).state is REFUSED
    assert (await bench.person(Restart())).state is REFUSED  # not confirmed
    assert (await bench.do(Tune(530))).ok


async def test_safety_interrupts_a_climb_in_the_middle(bench: Bench):
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    climb = asyncio.create_task(bench.do(Tune(700, 1300)))
    await asyncio.sleep(3)
    start = bench.clock.boot()
    outcome = await bench.do(Tune(400, 1000), Rank.SAFETY, "guard:garage")
    with pytest.raises(Preempted):
        await climb
    assert outcome.ok
    assert bench.at == (400, 1000)
    assert bench.clock.boot() - start < 12
    assert bench.miner.low == []


async def test_a_person_may_lower_what_safety_holds_and_nothing_else(bench: Bench):
    await bench.line.refresh()
    bench.arbiter.claim("garage", Rank.SAFETY, "guard:garage")
    assert "a safety stop (guard:garage) holds the device" in (await bench.person(Tune(530))).reason
    assert (await bench.person(Tune(450))).ok


async def test_only_a_person_clears_a_park(bench: Bench):
    await bench.line.refresh()
    bench.line.park("too hot")
    assert "parked (too hot): clear it first" in (await bench.do(Tune(530))).reason
    assert (await bench.do(Tune(500))).ok
    with pytest.raises(JobError, match="only a person"):
        bench.arbiter.clear("garage", Rank.SWEEP)
    bench.arbiter.clear("garage")
    assert (await bench.do(Tune(510))).ok


async def test_the_fourth_repair_in_a_day_parks(bench: Bench):
    for _ in range(3):
        assert (await bench.do(Restart(), Rank.SAFETY, "watchdog")).ok
        await asyncio.sleep(400)
    outcome = await bench.do(Restart(), Rank.SAFETY, "watchdog")
    assert outcome.state is REFUSED
    assert bench.line.snapshot().health is Health.PARKED
    assert len(bench.miner.writes) == 3


async def test_a_lost_answer_to_a_restart_is_unknown(bench: Bench):
    bench.miner.cut_after = True
    assert (await bench.person(Restart(), confirmed=True)).state is UNKNOWN
    assert len(bench.miner.writes) == 1
