"""What somebody else, or the firmware, lowered is not raised again by a program: not in the middle of a climb or of the
way back, and not after a job has lowered it further."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from minertui.model.commands import Rank, SetFan, Tune
from minertui.safety.calm import Calm
from tests.engine.bench import APPLIED, REFUSED, SWEEP, UNKNOWN, Bench

pytestmark = pytest.mark.looptime

GUARD = "guard:garage"


def trip(bench: Bench) -> tuple[float, float]:
    """The firmware's overheat handling, without the flag that some releases show."""
    mhz, mv = (bench.miner.status.frequency_mhz or 0) - 100, (bench.miner.status.core_mv or 0) - 100
    bench.miner.set(frequency_mhz=mhz, actual_mhz=mhz, core_mv=mv, core_actual_mv=mv)
    return mhz, mv


def after_its_proof(bench: Bench, step: Tune, happens: Callable[[], object]) -> None:
    """Let ``happens`` happen between the look that proves this step and the one before the next step."""
    reads = 0

    def spy(what: str) -> None:
        nonlocal reads
        reads = reads + 1 if what == "read" and bench.miner.writes[-1] == step else 0
        if reads == 2:
            happens()

    bench.miner.spy = spy


async def test_a_climb_that_waits_for_its_heat_ends_where_the_firmware_lowered_it(bench: Bench):
    climb = asyncio.create_task(bench.person(Tune(700, 1275)))
    await asyncio.sleep(30)
    assert not climb.done()
    left = trip(bench)
    outcome = await climb
    assert outcome.state is REFUSED
    assert "changed it to 425 MHz / 1100 mV on the way, from 525 MHz / 1200 mV" in outcome.reason
    assert bench.at == left


async def test_the_way_back_ends_where_the_firmware_lowered_it(bench: Bench):
    assert (await bench.do(Tune(400, 1000))).ok
    after_its_proof(bench, Tune(450), lambda: trip(bench))
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).state is REFUSED
    assert bench.at == (350, 1050)
    outcome = await bench.arbiter.conclude("garage", None, SWEEP)
    assert outcome.state is APPLIED
    assert "left as it is" in outcome.reason
    assert bench.at == (350, 1050)


@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_the_way_back_raises_nothing_that_the_firmware_lowers_while_it_begins(bench: Bench, nth: int):
    assert (await bench.do(Tune(475))).ok
    reads = 0

    def spy(what: str) -> None:
        nonlocal reads
        reads += what == "read"
        if (what, reads) == ("read", nth):
            trip(bench)

    bench.miner.spy = spy
    for _ in range(2):
        outcome = await bench.arbiter.conclude("garage", None, SWEEP)
    assert (outcome.ok, bench.at) == (True, (375, 1050))


async def test_a_way_down_goes_on_whoever_else_lowers_it(bench: Bench):
    assert (await bench.do(Tune(600, 1210))).ok
    after_its_proof(bench, Tune(450), lambda: bench.miner.set(core_mv=1100, core_actual_mv=1100))
    assert (await bench.do(Tune(450, 1000))).ok
    assert bench.at == (450, 1000)


async def test_what_a_guard_lowers_further_goes_back_to_what_the_firmware_left(bench: Bench):
    bench.arbiter.guard("garage", GUARD, Calm(63, 83))
    assert (await bench.do(Tune(475), Rank.SAFETY, GUARD)).ok
    left = trip(bench)
    bench.miner.set(fan_auto=False, fan_manual_pct=100.0)
    assert (await bench.do(Tune(325), Rank.SAFETY, GUARD)).ok
    (entry,) = bench.journal.entries()
    assert entry.calm == Calm(63, 83)
    bench.miner.set(chip_temp_c=50.0)
    outcome = await bench.arbiter.conclude("garage", None, GUARD)
    assert outcome.ok, outcome
    assert bench.at == left == (375, 1050)
    assert bench.miner.status.fan_auto is False, "the firmware's fan stays too"


async def test_what_a_sweep_lowers_further_goes_back_no_higher_and_still_waits_for_the_guard(bench: Bench):
    bench.arbiter.guard("garage", GUARD, Calm(50, 83))
    assert (await bench.do(Tune(475), Rank.SAFETY, GUARD)).ok
    left = trip(bench)
    assert (await bench.do(Tune(350))).ok
    outcome = await bench.arbiter.conclude("garage", None, SWEEP)
    assert outcome.waits
    assert f"{left[0]:g} MHz / {left[1]:g} mV wait" in outcome.reason


async def test_what_somebody_else_raised_is_no_baseline_for_the_guard_that_lowers_it(bench: Bench):
    bench.arbiter.guard("garage", GUARD, Calm(63, 83))
    assert (await bench.do(Tune(475), Rank.SAFETY, GUARD)).ok
    bench.miner.set(frequency_mhz=700.0, actual_mhz=700.0, core_mv=1275, core_actual_mv=1275)
    assert (await bench.do(Tune(650), Rank.SAFETY, GUARD)).ok
    assert (await bench.arbiter.conclude("garage", None, GUARD)).ok
    assert bench.at == (525, 1150)


async def test_a_fan_that_is_set_makes_nothing_ours_of_what_the_firmware_lowered(bench: Bench):
    bench.arbiter.guard("garage", GUARD, Calm(63, 83))
    assert (await bench.do(Tune(475), Rank.SAFETY, GUARD)).ok
    left = trip(bench)
    bench.miner.set(fan_auto=False, fan_manual_pct=100.0)
    assert (await bench.person(SetFan(auto=False, pct=80))).ok
    bench.miner.set(chip_temp_c=50.0)
    assert "left as it is" in (await bench.arbiter.conclude("garage", None, GUARD)).reason
    assert bench.at == left == (375, 1050)


async def test_of_a_setting_that_is_neither_only_what_is_above_goes_back(bench: Bench):
    """A sweep with less voltage than the owner's own, and then the firmware trips: its clock is still over theirs."""
    assert (await bench.do(Tune(700, 1100))).ok
    assert trip(bench) == (600, 1000)
    bench.miner.set(chip_temp_c=50.0)
    outcome = await bench.arbiter.conclude("garage", None, SWEEP)
    assert outcome.ok, outcome
    assert bench.at == (525, 1000), "the clock is the owner's again; the voltage is what the firmware left"


async def test_that_stays_so_when_its_way_back_was_cut_short(bench: Bench):
    assert (await bench.do(Tune(700, 1100))).ok
    trip(bench)
    bench.miner.set(chip_temp_c=50.0)
    bench.miner.spy = lambda what: setattr(bench.miner, "dead", what == "written" or bench.miner.dead)
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).state is UNKNOWN
    bench.miner.dead, bench.miner.spy = False, lambda _: None
    assert bench.miner.status.core_mv == 1000
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert bench.at == (525, 1000)


async def test_what_a_guard_lowers_of_such_a_setting_goes_back_no_higher_either(bench: Bench):
    bench.arbiter.guard("garage", GUARD, Calm(63, 83))
    assert (await bench.do(Tune(700, 1100))).ok
    trip(bench)
    assert (await bench.do(Tune(550), Rank.SAFETY, GUARD)).ok
    bench.miner.set(chip_temp_c=50.0)
    assert (await bench.arbiter.conclude("garage", None, GUARD)).ok
    assert bench.at == (525, 1000)


async def test_a_voltage_that_is_ours_is_given_back_whoever_changed_the_clock(bench: Bench):
    assert (await bench.do(Tune(600, 1100))).ok
    bench.miner.set(frequency_mhz=575.0, actual_mhz=575.0, chip_temp_c=50.0)
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert bench.at == (525, 1150)
