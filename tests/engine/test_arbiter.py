"""The arbiter against a miner that minds its physics."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from minertui.engine.arbiter import Arbiter
from minertui.engine.desk import Desk
from minertui.engine.journal import Journal
from minertui.engine.line import Line
from minertui.engine.walk import Walker
from minertui.engine.way_back import WayBack
from minertui.model.commands import (
    Change,
    Command,
    Identify,
    Order,
    OutcomeState,
    Pause,
    Rank,
    Restart,
    SetFan,
    Tune,
)
from minertui.model.errors import DeviceError, JobError, Preempted
from minertui.model.fleet import Health
from minertui.model.plans import Limits
from minertui.model.status import Ability, MinerStatus
from tests.engine.hardware import FakeMiner, LoopClock, line

pytestmark = pytest.mark.looptime

APPLIED, REFUSED, UNKNOWN, DRY = (
    OutcomeState.APPLIED,
    OutcomeState.REFUSED,
    OutcomeState.UNKNOWN,
    OutcomeState.DRY_RUN,
)
SWEEP = "sweep:garage"


class Bench:
    """A miner, its line, a journal and an arbiter."""

    def __init__(self, folder: Path, *, limits: Limits | None = None, readonly: bool = False) -> None:
        self.clock, self.miner = LoopClock(), FakeMiner()
        self.journal = Journal(folder, self.clock.wall)
        self.line: Line = line(self.miner, self.clock, limits=limits, readonly=readonly)
        self.arbiter = Arbiter(self.clock, self.journal, {"garage": self.line}.__getitem__)
        self._n = 0

    async def do(
        self, command: Command, rank: Rank = Rank.SWEEP, by: str = SWEEP, *, dry: bool = False, confirmed: bool = False
    ):
        self._n += 1
        order = Order(f"o{self._n}", "garage", command, by, rank, dry, confirmed)
        return (await self.arbiter.execute(order)).outcome

    async def person(self, command: Command, *, dry: bool = False, confirmed: bool = False):
        return await self.do(command, Rank.PERSON, "person", dry=dry, confirmed=confirmed)

    @property
    def at(self) -> tuple[float | None, float | None]:
        return self.miner.status.frequency_mhz, self.miner.status.core_mv


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "journal")


async def test_a_raise_goes_up_in_steps_voltage_first_and_is_proven(bench: Bench):
    outcome = await bench.do(Tune(600, 1210))
    assert outcome.state is APPLIED, outcome
    assert outcome.changes == (
        Change("frequency", "525 MHz", "600 MHz"),
        Change("core voltage", "1150 mV", "1210 mV"),
    )
    assert bench.miner.writes == [
        Tune(core_mv=1175),
        Tune(core_mv=1200),
        Tune(core_mv=1210),
        Tune(frequency_mhz=550),
        Tune(frequency_mhz=575),
        Tune(frequency_mhz=600),
    ]
    assert bench.miner.low == []


async def test_lowering_goes_at_once_frequency_first(bench: Bench):
    assert (await bench.do(Tune(425, 1050))).ok
    assert bench.miner.writes == [Tune(frequency_mhz=425), Tune(core_mv=1050)]
    assert bench.miner.low == []


async def test_the_baseline_is_on_disk_before_the_first_write(bench: Bench):
    seen: list[object] = []
    bench.miner.spy = lambda what: seen.append(bench.journal.entries()) if what == "write" else None
    await bench.do(Tune(530, 1150))
    entries = seen[0]
    assert isinstance(entries, tuple)
    assert entries[0].baseline.frequency_mhz == 525
    assert entries[0].ours[-1].frequency_mhz == 530
    assert entries[0].ours[0].frequency_mhz == 525


async def test_the_same_id_is_done_once_even_while_it_runs(bench: Bench):
    order = Order("once", "garage", Tune(530), SWEEP, Rank.SWEEP)
    first, second = await asyncio.gather(bench.arbiter.execute(order), bench.arbiter.execute(order))
    assert first is second
    assert await bench.arbiter.execute(order) is first
    assert bench.miner.writes == [Tune(frequency_mhz=530)]


async def test_a_cancelled_caller_does_not_cut_the_order_short(bench: Bench):
    caller = asyncio.create_task(bench.do(Tune(600, 1210)))
    await asyncio.sleep(1.0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await bench.arbiter.drain()
    assert bench.at == (600, 1210)


async def test_a_dry_run_tells_and_writes_nothing(bench: Bench):
    outcome = await bench.do(Tune(600, 1210), dry=True)
    assert outcome.state is DRY
    assert outcome.changes[0] == Change("frequency", "525 MHz", "600 MHz")
    assert bench.miner.writes == []
    assert bench.journal.entries() == ()


async def test_what_is_so_already_is_not_written(bench: Bench):
    outcome = await bench.do(Tune(525, 1150))
    assert (outcome.state, outcome.reason) == (APPLIED, "it is so already")
    assert bench.miner.writes == []


async def test_above_the_users_cap_is_refused(tmp_path: Path):
    bench = Bench(tmp_path, limits=Limits(max_mv=1200))
    outcome = await bench.do(Tune(core_mv=1210))
    assert outcome.state is REFUSED
    assert "1210 mV is above the limit in force, 1200 mV" in outcome.reason
    assert bench.miner.writes == []


async def test_another_mac_is_never_written(bench: Bench):
    bench.miner.set(mac="02:00:00:00:00:99")
    for command in (Tune(400, 1000), Pause(), Restart()):
        outcome = await bench.do(command)
        assert outcome.state is REFUSED
        assert "another device answers" in outcome.reason
    assert bench.miner.writes == []
    assert bench.line.snapshot().health is Health.STRANGER


async def test_a_device_swapped_in_the_middle_of_a_climb_gets_no_further_write(bench: Bench):
    def swap(what: str) -> None:
        if what == "written" and len(bench.miner.writes) == 2:
            bench.miner.set(mac="02:00:00:00:00:99")

    bench.miner.spy = swap
    outcome = await bench.do(Tune(600, 1210))
    assert not outcome.ok
    assert len(bench.miner.writes) == 2


async def test_a_lost_answer_is_read_back_and_not_sent_again(bench: Bench):
    bench.miner.cut_after = True
    outcome = await bench.do(Tune(530))
    assert outcome.state is APPLIED
    assert bench.miner.writes == [Tune(frequency_mhz=530)]


async def test_a_lost_question_is_refused_by_the_read_back(bench: Bench):
    bench.miner.cut_before = True
    outcome = await bench.do(Tune(530))
    assert outcome.state is REFUSED
    assert "reads back 525 MHz" in outcome.reason
    assert bench.miner.writes == []


async def test_no_answer_after_a_write_is_unknown(bench: Bench):
    bench.miner.spy = lambda what: setattr(bench.miner, "dead", True) if what == "written" else None
    outcome = await bench.do(Tune(530))
    assert outcome.state is UNKNOWN
    assert bench.miner.writes == [Tune(frequency_mhz=530)]


async def test_an_ignored_write_is_refused_with_what_reads_back(bench: Bench):
    bench.miner.ignore = True
    outcome = await bench.do(Tune(core_mv=1160))
    assert outcome.state is REFUSED
    assert "it reads back 525 MHz / 1150 mV" in outcome.reason


async def test_a_clamped_write_is_refused_with_what_reads_back(bench: Bench):
    bench.miner.clamp_mhz = 540
    outcome = await bench.do(Tune(550))
    assert outcome.state is REFUSED
    assert "540 MHz" in outcome.reason
    assert outcome.changes == (Change("frequency", "525 MHz", "540 MHz"),)


async def test_a_regulator_that_does_not_follow_stops_the_climb_before_the_frequency(bench: Bench):
    bench.miner.lag = True
    outcome = await bench.do(Tune(560, 1180))
    assert outcome.state is REFUSED
    assert "the hardware is at 525 MHz / 1150 mV" in outcome.reason
    assert bench.at == (525, 1175)


async def test_a_device_that_says_no_is_refused_in_its_words(bench: Bench):
    bench.miner.refuse = "Wrong API input"
    outcome = await bench.do(Tune(530))
    assert (outcome.state, outcome.reason) == (REFUSED, "Wrong API input")


async def test_getting_hot_on_the_way_stops_the_climb(bench: Bench):
    bench.miner.spy = lambda what: bench.miner.set(chip_temp_c=71.0) if what == "written" else None
    outcome = await bench.do(Tune(575))
    assert outcome.state is REFUSED
    assert "stopped on the way" in outcome.reason
    assert "70 °C" in outcome.reason
    assert bench.miner.writes == [Tune(frequency_mhz=550)]


async def test_a_dead_miner_is_not_raised_but_lowered_blindly(bench: Bench):
    await bench.line.refresh()
    bench.miner.dead = True
    assert "not fresh" in (await bench.do(Tune(530))).reason
    assert "does not answer now" in (await bench.do(Tune(400))).reason
    assert (await bench.do(Tune(400), Rank.SAFETY, "guard")).state is UNKNOWN


async def test_a_third_partys_change_stops_raises_and_allows_lowering(bench: Bench):
    assert (await bench.do(Tune(550))).ok
    bench.miner.set(frequency_mhz=450.0, actual_mhz=450.0, core_mv=1050, core_actual_mv=1050)
    outcome = await bench.do(Tune(575))
    assert outcome.state is REFUSED
    assert "somebody else or its firmware changed it to 450 MHz / 1050 mV; we left it at 550 MHz" in outcome.reason
    assert (await bench.do(Tune(425))).ok


async def test_readonly_is_never_written(tmp_path: Path):
    bench = Bench(tmp_path, readonly=True)
    assert "read-only" in (await bench.do(Tune(400))).reason
    assert bench.miner.writes == []


async def test_no_journal_no_raise_but_lowering(bench: Bench, tmp_path: Path):
    (tmp_path / "journal").write_text("a file where the folder should be")
    assert "cannot be read: Not a directory; mend the state folder" in (await bench.do(Tune(530))).reason
    assert (await bench.do(Tune(500))).ok


async def test_after_suspend_the_old_reading_is_not_believed(bench: Bench):
    await bench.line.refresh()
    real = bench.line.refresh
    calls = 0

    async def suspended():
        nonlocal calls
        calls += 1
        snapshot = await real()
        if calls == 1:
            bench.clock.skipped_s += 3600
        return snapshot

    bench.line.refresh = suspended  # type: ignore[method-assign]
    outcome = await bench.do(Tune(530))
    assert outcome.state is REFUSED
    assert "not fresh" in outcome.reason or "grew old" in outcome.reason
    assert bench.miner.writes == []


async def test_an_unknown_miner_is_one_sentence(bench: Bench):
    with pytest.raises(DeviceError, match="no miner of this name"):
        await bench.arbiter.execute(Order("x", "attic", Pause()))


# ranks ----------------------------------------------------------------------------------------------------------------


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


# the way back ---------------------------------------------------------------------------------------------------------


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


async def test_orders_are_forgotten_after_a_thousand(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("minertui.engine.arbiter._REMEMBERED", 3)
    for _ in range(6):
        await bench.do(Tune(525, 1150))
    assert len(bench.arbiter._orders) <= 4


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


async def test_firmware_without_live_changes_stores_and_says_so(bench: Bench):
    bench.miner.set(abilities=frozenset({Ability.TUNE}))
    bench.miner.lag = True
    outcome = await bench.do(Tune(550, 1160))
    assert outcome.state is APPLIED
    assert "at the next restart" in outcome.reason
    assert bench.at == (550, 1160)


async def test_an_ignored_fan_or_pause_says_what_reads_back(bench: Bench):
    bench.miner.ignore = True
    assert (await bench.person(SetFan(auto=False, pct=100))).reason.endswith("its fan reads back automatic, 60 %")
    outcome = await bench.person(Pause())
    assert (outcome.state, outcome.reason) == (REFUSED, "it did not take it")


async def test_a_refused_login_is_told_in_the_devices_words(bench: Bench):
    await bench.line.refresh()
    bench.miner.refuse = "it asks for a one-time password"
    outcome = await bench.person(SetFan(auto=True, target_c=55))
    assert (outcome.state, outcome.reason) == (REFUSED, "it asks for a one-time password")


async def test_a_reading_that_grew_old_while_the_disk_was_slow_raises_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    real = bench.journal.note_write

    def slow(*args: Any) -> Any:
        bench.clock.skipped_s += 60
        return real(*args)

    monkeypatch.setattr(bench.journal, "note_write", slow)
    outcome = await bench.do(Tune(550))
    assert outcome.state is REFUSED
    assert "grew old" in outcome.reason
    assert bench.miner.writes == []
    assert (await bench.do(Tune(500))).ok  # going down needs no fresh reading once the order was granted
