"""The guard's decisions, one table of readings each; and its run against a site that remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from minertui.jobs import guard
from minertui.jobs.guard import step
from minertui.jobs.guard.state import GuardState, replanned, written
from minertui.model.commands import Command, Outcome, OutcomeState, Tune, Word
from minertui.model.errors import Preempted, Stopped
from minertui.model.fleet import Health, Snapshot
from minertui.model.frontier import Known
from minertui.model.plans import GuardEnd, GuardPlan, GuardView, JobView, Phase
from minertui.model.status import MinerStatus

PLAN = GuardPlan(device="a", high_mhz=500, low_mhz=410, max_mhz=575)


def snap(at: float, chip: float | None = 55.0, mhz: float = 500, **more: Any) -> Snapshot:
    health = more.pop("health", Health.OK)
    incidents = more.pop("incidents", 0)
    status = MinerStatus(chip_temp_c=chip, frequency_mhz=mhz, **{"hashrate_ghs": 1000, **more})
    return Snapshot("a", status=status, at_s=at, boot_s=at, health=health, incidents=incidents)


@dataclass
class Bench:
    """Feeds the brain as a miner would: what is written is what the next reading shows."""

    plan: GuardPlan = PLAN
    state: GuardState = field(default_factory=GuardState)
    now: float = 0.0
    mhz: float = 500.0
    sent: list[tuple[float, float]] = field(default_factory=list)

    def poll(self, chip: float | None = 55.0, *, every: float = 5, yielding: bool = False, **more: Any) -> str:
        self.now += every
        self.state, tune = step(self.state, self.plan, snap(self.now, chip, self.mhz, **more), self.now, yielding)
        if tune is not None and tune.frequency_mhz is not None:
            self.mhz = tune.frequency_mhz
            self.sent.append((self.now, self.mhz))
            self.state = written(self.state, tune, self.now)
        return self.state.why

    def cool(self, seconds: float, chip: float = 55.0, every: float = 60) -> None:
        for _ in range(int(seconds / every)):
            self.poll(chip, every=every)


def test_the_first_hot_reading_lowers_at_once():
    bench = Bench()
    bench.poll(55)
    bench.poll(65)
    assert bench.sent == [(10, 450)]
    assert "65.0 °C ≥ 65 °C" in bench.state.why


def test_the_regulator_counts_too():
    bench = Bench()
    bench.poll(55, vr_temp_c=85)
    assert bench.sent == [(5, 450)]
    assert bench.state.why.startswith("VR")


def test_a_parked_miner_is_lowered_and_not_raised_until_somebody_cleared_it():
    bench = Bench(mhz=450)
    bench.poll(66, health=Health.PARKED)
    assert bench.sent == [(5, 410)]
    bench.cool(PLAN.stable_s + 60)
    assert bench.mhz == 435
    for _ in range(200):
        bench.poll(55, every=60, health=Health.PARKED)
    assert (bench.mhz, bench.state.why) == (435, "parked: only lowered until a person clears it")


def test_a_miner_that_repeats_itself_is_as_blind_as_one_without_a_sensor():
    bench = Bench()
    bench.poll(55)
    for _ in range(2):
        bench.poll(55, health=Health.STALE)
    assert bench.sent == []
    bench.poll(55, health=Health.STALE)
    assert bench.sent == [(20, 450)]
    bench.poll(55)
    assert bench.state.blind == 0, "it moves again"


@pytest.mark.parametrize("vr_c", [-1.0, 0.0])
def test_a_regulator_that_says_what_cannot_be_true_three_times_is_hot(vr_c: float):
    bench = Bench(mhz=450)
    for _ in range(2):
        bench.poll(55, vr_temp_c=vr_c)
    assert bench.sent == []
    bench.poll(55, vr_temp_c=vr_c)
    assert bench.sent == [(15, 410)]
    assert bench.state.why.startswith("no regulator temperature for 3 polls")


@pytest.mark.parametrize("vr_c", [125.0, 127.0])
def test_a_regulator_that_glows_is_hot_at_once(vr_c: float):
    bench = Bench()
    bench.poll(55, vr_temp_c=vr_c)
    assert bench.sent == [(5, 450)]


def test_a_hot_second_chip_counts_where_the_first_ones_sensor_failed():
    bench = Bench()
    bench.poll(None, chip_temp2_c=66.0)
    assert bench.sent == [(5, 450)]


def test_nothing_is_given_back_while_a_regulator_is_not_believed():
    bench = Bench(plan=msgspec.structs.replace(PLAN, stable_s=60), mhz=500)
    bench.poll(66, vr_temp_c=60.0)
    for n in range(60):  # never three in a row
        at = bench.mhz
        bench.poll(50, vr_temp_c=-1.0 if n % 2 else 60.0)
        assert bench.mhz == at or (bench.mhz > at and n % 2 == 0)
    assert bench.mhz == 500


def test_the_floor_is_really_reached_and_nothing_is_sent_twice_there():
    bench = Bench()
    for _ in range(100):
        bench.poll(66)
    assert [mhz for _, mhz in bench.sent] == [450, 410]
    assert "floor" in bench.state.why


def test_a_second_step_waits_for_the_first_ones_effect_unless_it_is_urgent():
    calm, urgent = Bench(), Bench()
    for _ in range(3):
        calm.poll(66)
        urgent.poll(70)
    assert calm.sent == [(5, 450)]
    assert urgent.sent == [(5, 450), (10, 410)]


def test_it_climbs_back_slowly_and_never_over_what_the_user_ran():
    bench = Bench()
    bench.poll(66)
    bench.cool(3 * 3600 + 600)
    assert [mhz for _, mhz in bench.sent] == [450, 475, 500]
    times = [at for at, _ in bench.sent]
    assert all(later - earlier >= 3600 for earlier, later in pairwise(times))


@pytest.mark.parametrize(("chip", "more"), [(63.5, {}), (55.0, {"vr_temp_c": 84.0})])
def test_no_step_up_inside_the_hysteresis(chip: float, more: dict[str, Any]):
    bench = Bench()
    bench.poll(66)
    for _ in range(200):
        bench.poll(chip, every=60, **more)
    assert [mhz for _, mhz in bench.sent] == [450]


def test_a_hot_hour_on_average_blocks_the_step_up_even_when_this_moment_is_cool():
    bench = Bench(plan=msgspec.structs.replace(PLAN, stable_s=600))
    bench.poll(66)
    for _ in range(10):
        bench.poll(64.5, every=60)
    bench.poll(50, every=60)
    assert len(bench.sent) == 1


def test_steps_up_are_bounded_per_day_but_steps_down_are_not():
    bench = Bench(plan=msgspec.structs.replace(PLAN, stable_s=60, max_writes_per_day=2))
    for _ in range(5):
        bench.poll(66, every=120)
        bench.cool(300)
    ups = [b for (_, a), (_, b) in pairwise(bench.sent) if b > a]
    assert len(ups) == 2
    assert bench.mhz == 410
    assert "until tomorrow" in bench.state.why


def test_three_readings_without_a_temperature_count_as_hot():
    bench = Bench()
    bench.poll(None)
    bench.poll(None)
    assert bench.sent == []
    bench.poll(None)
    assert bench.sent == [(15, 450)]


def test_a_stale_or_repeated_reading_decides_nothing():
    bench = Bench()
    bench.poll(80, health=Health.STALE)
    assert bench.sent == []
    same = snap(100.0, 80, 500)
    state, first = step(GuardState(), PLAN, same, 100)
    assert first == Tune(frequency_mhz=450)
    assert step(state, PLAN, same, 101)[1] is None


def test_a_person_who_lowers_or_raises_is_never_fought():
    bench = Bench()
    bench.poll(55)
    bench.mhz = 425
    bench.cool(4 * 3600)
    assert bench.sent == [], "a person's lower setting is the new ceiling"
    bench.mhz = 550
    bench.cool(4 * 3600)
    assert bench.sent == [], "a person's higher setting is adopted"
    bench.poll(66)
    assert bench.mhz == 500


def test_over_the_guards_own_maximum_it_goes_there_once():
    bench = Bench(mhz=600)
    bench.poll(50)
    bench.poll(50)
    assert [mhz for _, mhz in bench.sent] == [575]


def test_after_the_firmware_tripped_it_does_not_climb_back():
    bench = Bench()
    bench.poll(55)
    bench.mhz = 400
    bench.poll(55, incidents=1)
    for _ in range(240):
        bench.poll(50, every=60, incidents=1)
    assert bench.sent == []


def test_while_a_sweep_runs_it_only_steps_down():
    bench = Bench()
    bench.poll(55)
    bench.mhz = 540
    bench.poll(55, yielding=True)
    assert bench.sent == []
    bench.poll(66, yielding=True)
    assert bench.sent == [(15, 490)]
    for _ in range(200):
        bench.poll(50, every=60, yielding=True)
    assert len(bench.sent) == 1
    assert bench.state.high_mhz == 500
    bench.mhz = 560
    bench.poll(50)
    assert bench.state.high_mhz == 560, "what the sweep left is what its owner wants now"


def test_paused_and_overheated_miners_are_left_alone():
    bench = Bench()
    for _ in range(5):
        bench.poll(None, paused=True)
        bench.poll(None, overheat=True)
    assert bench.sent == []


def test_without_a_floor_it_is_seventy_per_cent():
    bench = Bench(plan=GuardPlan(device="a"))
    for _ in range(200):
        bench.poll(75)
    assert bench.mhz == 350


@pytest.mark.parametrize(
    ("runs", "was", "now", "becomes"),
    [
        (500, None, 550, 550),  # raised
        (500, None, 450, 450),  # lowered
        (500, 500, 600, 600),
        (400, 500, 450, 400),  # its firmware lowered it further, and this is no raise
        (400, 500, 500, 400),
        (400, 500, None, 400),
        (None, None, 550, None),  # nothing seen yet: the first reading takes it over
    ],
)
def test_another_plans_ceiling_is_taken_over(
    runs: float | None, was: float | None, now: float | None, becomes: float | None
):
    before, after = GuardPlan("a", high_mhz=was), GuardPlan("a", high_mhz=now, hold=False)
    state = GuardState(high_mhz=runs, asked=True)
    changed = replanned(state, before, after)
    assert (changed.high_mhz, changed.asked) == (becomes, False), (
        "a frontier is asked for anew when it shall hold again"
    )
    assert replanned(state, before, before) == state


class FakeSite:
    """A site whose miner obeys, until told to stop."""

    def __init__(self, temps: list[float], end: Exception, outcome: OutcomeState = OutcomeState.APPLIED) -> None:
        self.temps, self.end, self.outcome = temps, end, outcome
        self.mhz, self.t = 500.0, 0.0
        self.sent: list[Command] = []
        self.concluded: list[Tune | None] = []
        self.reports: list[tuple[Phase, GuardView, str]] = []
        self.lines: list[str] = []
        self.left: Known | None = None
        self.learned: tuple[float, float] | None = None

    def snapshot(self) -> Snapshot:
        return snap(self.t, 50, self.mhz)

    async def next_snapshot(self, within_s: float | None = None) -> Snapshot:
        if not self.temps:
            raise self.end
        self.t += 5
        return snap(self.t, self.temps.pop(0), self.mhz)

    async def send(self, command: Command) -> Outcome:
        self.sent.append(command)
        if self.outcome is OutcomeState.APPLIED and isinstance(command, Tune) and command.frequency_mhz:
            self.mhz = command.frequency_mhz
        return Outcome(self.outcome, "because")

    async def conclude(self, settings: Tune | None) -> Outcome:
        self.concluded.append(settings)
        return Outcome(self.outcome, "because")

    async def sleep(self, seconds: float) -> None:
        self.t += seconds

    def now(self) -> float:
        return self.t

    def yielding(self) -> bool:
        return False

    def word(self) -> Word:
        return Word()

    async def renewed(self, plan: GuardPlan) -> GuardPlan:
        return plan

    async def known(self) -> Known | None:
        return self.left

    async def room(self) -> tuple[float, float] | None:
        return self.learned

    async def keep_room(self, room_c: float) -> None:
        self.learned = (room_c, 0.0)

    def log(self, text: str) -> None:
        self.lines.append(text)

    def report(self, phase: Phase, view: JobView, note: str = "", **progress: float | None) -> None:
        assert isinstance(view, GuardView)
        self.reports.append((phase, view, note))


async def test_stopped_it_gives_the_baseline_back():
    site = FakeSite([55, 66, 55], Stopped(final=True))
    await guard.run(site, PLAN)
    assert site.sent == [Tune(frequency_mhz=450, at_most=True)]
    assert site.concluded == [None]
    assert site.reports[-1][0] is Phase.STOPPED
    assert site.reports[-1][1].writes_today == 1
    assert site.reports[-1][1].end is GuardEnd.GIVEN_BACK


async def test_a_refused_write_is_said_and_tried_again():
    site = FakeSite([66, 66, 66], Stopped(final=True), OutcomeState.REFUSED)
    await guard.run(site, PLAN)
    assert len(site.sent) == 3
    assert any("refused: because" in line for line in site.lines)
    assert "left at 500 MHz: because" in site.reports[-1][2]
    assert site.reports[-1][1].end is GuardEnd.OWED


async def test_a_guard_that_never_had_a_reading_says_so():
    site = FakeSite([], Stopped(final=True))
    await guard.run(site, PLAN)
    assert site.concluded == []
    assert site.reports[-1][1].end is GuardEnd.NEVER_GUARDED


async def test_preempted_it_ends_and_says_so():
    site = FakeSite([55], Preempted("a person tunes a"))
    await guard.run(site, PLAN)
    assert site.concluded == []
    assert site.reports[-1][2] == "a person tunes a"
