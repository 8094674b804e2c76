"""The arbiter's way back: baselines proven and forgotten, kept and found again, a person's orders in between."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from minertui.engine.arbiter import Arbiter
from minertui.engine.desk import Desk
from minertui.engine.line import Line
from minertui.engine.walk import Walker
from minertui.engine.way_back import WayBack
from minertui.model.commands import (
    Rank,
    SetFan,
    Tune,
)
from minertui.model.status import MinerStatus
from tests.engine.bench import APPLIED, REFUSED, SWEEP, UNKNOWN, Bench
from tests.engine.hardware import FakeMiner, line

pytestmark = pytest.mark.looptime


async def test_conclude_restores_the_baseline_and_forgets_it(bench: Bench):
    await bench.do(Tune(600, 1210))
    outcome = await bench.arbiter.conclude("garage", None, SWEEP)
    assert outcome.state is APPLIED, outcome
    assert "proven by two readings" in outcome.reason
    assert bench.at == (525, 1150)
    assert bench.journal.entries() == ()
    assert bench.miner.low == []


async def test_conclude_applies_the_best_point_and_forgets_the_baseline(bench: Bench):
    await bench.do(Tune(600, 1210))
    assert (await bench.arbiter.conclude("garage", Tune(575, 1200), SWEEP)).ok
    assert bench.at == (575, 1200)
    assert bench.journal.entries() == ()


async def test_conclude_without_changes_has_nothing_to_do(bench: Bench):
    assert "nothing of ours" in (await bench.arbiter.conclude("garage", None, SWEEP)).reason


async def test_conclude_keeps_the_entry_of_a_silent_miner_and_works_later(bench: Bench):
    await bench.do(Tune(600, 1210))
    bench.miner.dead = True
    outcome = await bench.arbiter.conclude("garage", None, SWEEP)
    assert outcome.state is UNKNOWN
    assert "kept in the journal" in outcome.reason
    assert len(bench.journal.entries()) == 1
    bench.miner.dead = False
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert bench.at == (525, 1150)


async def test_a_miner_that_repeats_itself_is_never_raised_but_led_back_and_proven(bench: Bench):
    assert (await bench.do(Tune(575, 1200))).ok

    async def still() -> MinerStatus:
        return bench.miner.status

    bench.miner.read = still  # type: ignore[method-assign]
    for _ in range(11):
        await bench.line.refresh()
        await bench.clock.sleep(5)
    assert bench.line.snapshot().stuck
    refused = await bench.do(Tune(600, 1200))
    assert (refused.state, bench.at) == (REFUSED, (575, 1200))
    assert "have not moved" in refused.reason
    outcome = await bench.arbiter.conclude("garage", None, SWEEP)
    assert (outcome.state, bench.at) == (APPLIED, (525, 1150)), outcome
    assert bench.journal.entries() == ()


async def test_conclude_of_a_stranger_writes_nothing(bench: Bench):
    await bench.do(Tune(600, 1210))
    count = len(bench.miner.writes)
    bench.miner.set(mac="02:00:00:00:00:99")
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).state is REFUSED
    assert len(bench.miner.writes) == count
    assert len(bench.journal.entries()) == 1


async def test_what_the_firmware_lowered_is_left_alone(bench: Bench):
    await bench.do(Tune(600, 1210))
    bench.miner.set(frequency_mhz=500.0, actual_mhz=500.0, core_mv=1110, core_actual_mv=1110)
    count = len(bench.miner.writes)
    outcome = await bench.arbiter.conclude("garage", Tune(575, 1200), SWEEP)
    assert "left as it is" in outcome.reason
    assert len(bench.miner.writes) == count
    assert bench.journal.entries() == ()


async def test_what_somebody_else_raised_goes_back_to_the_baseline(bench: Bench):
    await bench.do(Tune(550, 1170))
    bench.miner.set(frequency_mhz=700.0, actual_mhz=700.0, core_mv=1300, core_actual_mv=1300)
    assert (await bench.arbiter.conclude("garage", Tune(575, 1200), SWEEP)).ok
    assert bench.at == (525, 1150)


async def test_a_hot_miner_is_lowered_but_not_raised_to_its_baseline(bench: Bench):
    await bench.do(Tune(600, 1210))
    await bench.do(Tune(600, 1140))
    bench.miner.set(chip_temp_c=71.0)
    outcome = await bench.arbiter.conclude("garage", None, SWEEP)
    assert outcome.state is REFUSED
    assert "kept in the journal" in outcome.reason
    assert bench.at == (525, 1140)
    bench.miner.set(chip_temp_c=60.0)
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert bench.at == (525, 1150)


async def test_a_person_makes_a_new_baseline_which_the_sweep_leaves(bench: Bench):
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    await bench.do(Tune(600, 1210))
    assert (await bench.person(Tune(550, 1180))).ok
    assert "nothing of ours" in (await bench.arbiter.conclude("garage", Tune(600, 1210), SWEEP)).reason
    assert bench.at == (550, 1180)


async def test_a_persons_refused_order_leaves_the_sweeps_baseline(bench: Bench):
    await bench.do(Tune(600, 1210))
    bench.miner.ignore = True
    assert (await bench.person(Tune(550))).state is REFUSED
    assert len(bench.journal.entries()) == 1


async def test_a_persons_tune_leaves_no_entry(bench: Bench):
    assert (await bench.person(Tune(550, 1180))).ok
    assert bench.journal.entries() == ()


async def test_a_persons_order_in_doubt_is_settled_at_the_next_start(bench: Bench):
    bench.miner.spy = lambda what: setattr(bench.miner, "dead", True) if what == "written" else None
    assert (await bench.person(Tune(550))).state is UNKNOWN
    bench.miner.spy = lambda _: None
    bench.miner.dead = False
    ((_, outcome),) = await bench.arbiter.restore_all()
    assert "as a person wanted" in outcome.reason
    assert bench.at == (550, 1150)
    assert bench.journal.entries() == ()


@pytest.mark.parametrize(
    ("order", "stays_at"),
    [(Tune(575, 1200), (525, 1150)), (Tune(500, 1140), (500, 1150))],
    ids=["going up: back to the baseline", "going down: stays"],
)
async def test_a_persons_order_cut_off_half_way_is_not_taken_for_done(bench: Bench, order: Tune, stays_at):
    bench.miner.spy = lambda what: setattr(bench.miner, "dead", True) if what == "written" else None
    assert (await bench.person(order)).state is UNKNOWN
    bench.miner.spy = lambda _: None
    bench.miner.dead = False
    ((_, outcome),) = await bench.arbiter.restore_all()
    assert outcome.ok, outcome
    assert "as a person wanted" not in outcome.reason
    assert bench.at == stays_at
    assert bench.journal.entries() == ()


async def test_a_second_job_inherits_the_first_baseline(bench: Bench):
    await bench.do(Tune(600, 1210))
    await bench.do(Tune(610, 1215), by="sweep:second")
    await bench.arbiter.conclude("garage", None, "sweep:second")
    assert bench.at == (525, 1150)


async def test_the_fan_a_job_set_goes_back_to_automatic(bench: Bench):
    assert (await bench.do(SetFan(auto=False, pct=100))).ok
    assert bench.miner.status.fan_auto is False
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert bench.miner.status.fan_auto is True


async def test_restore_finds_a_renamed_device_by_its_mac(bench: Bench):
    await bench.do(Tune(600, 1210))
    other = FakeMiner()
    other.set(mac="02:00:00:00:00:77")
    lines = {
        "cellar": line(bench.miner, bench.clock, name="cellar"),
        "garage": line(other, bench.clock, mac="02:00:00:00:00:77"),
    }
    arbiter = Arbiter(bench.clock, bench.journal, lines.__getitem__)
    ((entry, outcome),) = await arbiter.restore_all(["garage", "cellar"])
    assert (entry.device, outcome.state) == ("garage", APPLIED)
    assert bench.at == (525, 1150)
    assert other.writes == []
    assert other.reads == 0  # it is known to be another one


@pytest.mark.parametrize("told", [True, False])
async def test_an_absent_device_is_not_looked_for_at_all_whose_mac_is_unknown(bench: Bench, told: bool):
    """Each of them that hangs would cost its deadline, at the start of the engine too; their first poll tells."""
    await bench.do(Tune(600, 1210))
    (entry,) = bench.journal.entries()
    other = FakeMiner()
    other.set(mac="02:00:00:00:00:77")
    lines = {"cellar": line(other, bench.clock, name="cellar", mac=None)}
    arbiter = Arbiter(bench.clock, bench.journal, lines.__getitem__)
    outcome = await arbiter.restore(entry if told else replace(entry, mac=None), ["cellar"])
    assert (outcome.state, other.reads) == (UNKNOWN, 0)


async def test_restore_of_an_absent_device_keeps_the_entry(bench: Bench):
    await bench.do(Tune(600, 1210))
    nobody: dict[str, Line] = {}
    arbiter = Arbiter(bench.clock, bench.journal, nobody.__getitem__)
    ((_, outcome),) = await arbiter.restore_all()
    assert outcome.state is UNKNOWN
    assert "switch it on" in outcome.reason
    assert len(bench.journal.entries()) == 1


async def test_a_way_back_from_before_it_told_its_mac_says_what_to_do(bench: Bench):
    await bench.do(Tune(600, 1210))
    (entry,) = bench.journal.entries()
    unnamed = replace(entry, key="name-garage-6761", mac=None)
    bench.journal.open_entry(unnamed)
    outcome = await bench.arbiter.restore(unnamed)
    assert outcome.state is UNKNOWN
    assert "set 525 MHz / 1150 mV by hand, and then remove name-garage-6761.json" in outcome.reason
    assert bench.at == (600, 1210)


async def test_the_proof_is_two_readings_and_both_must_hold(bench: Bench):
    await bench.do(Tune(550))
    (entry,) = bench.journal.entries()
    way = WayBack(bench.clock, Walker(bench.clock, bench.journal, bench.line, Desk("garage")))
    before = bench.miner.reads
    bench.miner.spy = lambda what: bench.miner.set(frequency_mhz=560.0) if bench.miner.reads == before + 1 else None
    outcome = await way._prove(entry, Tune(550, 1150))
    assert outcome.state is REFUSED
    assert "went to 560 MHz / 1150 mV by itself" in outcome.reason
    assert len(bench.journal.entries()) == 1
    assert (await way._prove(entry, Tune(560, 1150))).ok
    assert bench.miner.reads == before + 4
    assert bench.journal.entries() == ()


async def test_a_silent_miner_proves_nothing(bench: Bench):
    await bench.do(Tune(550))
    (entry,) = bench.journal.entries()
    way = WayBack(bench.clock, Walker(bench.clock, bench.journal, bench.line, Desk("garage")))
    bench.miner.dead = True
    assert "could not be proven" in (await way._prove(entry, Tune(550, 1150))).reason
    assert len(bench.journal.entries()) == 1
