"""Time in which nobody looked is not calm: a host that slept, a lost network, a pause. A slow poll is no silence."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from minertui.jobs.guard import step
from minertui.jobs.guard.hold import Hold
from minertui.jobs.guard.state import GuardState, written
from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import GuardPlan
from minertui.model.status import Ability, MinerStatus
from tests.jobs.test_guard import PLAN, Bench
from tests.jobs.test_guard_hold import KNOWN


def lowered() -> Bench:
    """A guard that had to step down a moment ago."""
    bench = Bench()
    bench.poll(55)
    bench.poll(65)
    bench.poll(55)
    assert bench.mhz == 450
    return bench


def test_an_hour_without_a_reading_is_not_an_hour_of_calm():
    bench = lowered()
    woke_s = bench.now + PLAN.stable_s
    bench.now = woke_s
    bench.cool(PLAN.stable_s - 120)
    assert bench.mhz == 450, "it was not seen cool for as long as its plan asks"
    bench.cool(240)
    assert bench.mhz == 475


def test_a_lost_poll_is_no_break():
    bench = lowered()
    bench.cool(PLAN.stable_s / 2)
    bench.now += 30
    bench.cool(PLAN.stable_s / 2)
    assert bench.mhz == 475


def test_a_pause_begins_the_time_of_calm_anew():
    bench = lowered()
    bench.cool(PLAN.stable_s - 300)
    for _ in range(10):
        bench.poll(40, every=60, paused=True)
    bench.cool(600)
    assert bench.mhz == 450
    bench.cool(PLAN.stable_s)
    assert bench.mhz == 475


def test_time_without_work_begins_the_time_of_calm_anew():
    """Its pool was lost: it is cold, and tells nothing of how warm it gets at work."""
    bench = lowered()
    for _ in range(100):
        bench.poll(30, every=60, hashrate_ghs=0.0)
    assert bench.mhz == 450
    bench.cool(PLAN.stable_s - 300)
    assert bench.mhz == 450
    bench.cool(600)
    assert bench.mhz == 475


@pytest.mark.parametrize(("poll_s", "climbs"), [(300.0, True), (5.0, False)])
def test_along_a_frontier_too_what_counts_as_silence_is_measured_in_polls(poll_s: float, climbs: bool):
    """A miner that is asked every five minutes answers as often as it is asked."""
    state, plan = GuardState(hold=Hold(known=KNOWN)), GuardPlan(device="a", high_mhz=600)
    status = MinerStatus(
        chip="BM1370", firmware="v2.15.3", abilities=frozenset({Ability.TUNE, Ability.TUNE_LIVE}), hashrate_ghs=1000,
        frequency_mhz=500, core_mv=1100, chip_temp_c=50.0, fan_auto=False, fan_pct=100.0, error_pct=0.2,
    )  # fmt: skip
    raised = False
    for n in range(1, 9):
        at_s = 300.0 * n
        now = Snapshot("a", status=status, at_s=at_s, boot_s=at_s, health=Health.OK, poll_s=poll_s)
        state, tune = step(state, plan, now, at_s)
        if tune is not None:
            raised = True
            status = msgspec.structs.replace(
                status, frequency_mhz=tune.frequency_mhz or status.frequency_mhz, core_mv=tune.core_mv or status.core_mv
            )
            state = written(replace(state), tune, at_s)
    assert raised is climbs
