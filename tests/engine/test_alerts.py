"""What is worth a person's attention, and how often they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from minertui.engine.alert_rules import RULES, Signal, judge, judge_job
from minertui.engine.alerts import Alerts
from minertui.engine.outbox import Outbox, apprise_senders, message
from minertui.model.alerts import Alert, Severity
from minertui.model.errors import ConfigError, MinertuiError
from minertui.model.events import AlertRaised, Event, JobChanged, SnapshotTaken
from minertui.model.fleet import Fleet, Health, Snapshot
from minertui.model.plans import (
    GuardPlan,
    GuardView,
    JobState,
    Limits,
    Phase,
    PointVerdict,
    SweepPlan,
    SweepPoint,
    SweepView,
)
from minertui.model.status import MinerStatus

LIMITS = Limits(max_chip_temp_c=65, max_vr_temp_c=85, max_power_w=28)


def snap(health: Health = Health.OK, recent: tuple[float, ...] = (1000,) * 10, **status: Any) -> Snapshot:
    reading = MinerStatus(**{"chip_temp_c": 55.0, "expected_ghs": 1000.0, "uptime_s": 9000.0, **status})
    incidents = status.pop("incidents", 0) if "incidents" in status else 0
    return Snapshot("a", status=reading, health=health, limits=LIMITS, recent_ghs=recent, incidents=incidents)


def active(before: Snapshot | None, after: Snapshot, fleet: Fleet | None = None) -> dict[str, str]:
    return {s.rule: s.text for s in judge(fleet or Fleet(), before, after) if s.active is not False}


def test_a_healthy_miner_says_nothing():
    assert active(snap(), snap()) == {}


def test_one_lost_poll_is_no_news_but_three_are():
    assert active(snap(), msgspec.structs.replace(snap(Health.STALE), misses=1)) == {}
    assert list(active(snap(), snap(Health.LOST))) == ["lost"]


def test_a_miner_that_was_never_there_is_news_after_three_polls():
    """Off already when the engine starts: nobody would hear of it otherwise."""
    silent = Snapshot("a", why="no answer", misses=2)
    assert active(None, silent) == {}
    silent = msgspec.structs.replace(silent, misses=3)
    assert active(None, silent) == {"lost": "has never answered: no answer"}
    [over] = [s for s in judge(Fleet(), silent, snap()) if s.rule == "lost"]
    assert over.active is False


def test_a_miner_that_repeats_itself_is_news_until_its_values_move():
    still = msgspec.structs.replace(snap(Health.STALE), why="its uptime has not moved for 10 polls")
    assert active(snap(), still) == {"stuck": "its readings are not believed: its uptime has not moved for 10 polls"}
    [over] = [s for s in judge(Fleet(), still, snap()) if s.rule == "stuck"]
    assert (over.active, over.text) == (False, "its values move again")
    assert [s for s in judge(Fleet(), still, snap(Health.LOST)) if s.rule == "stuck"] == [], "lost is not over"


@pytest.mark.parametrize(
    ("status", "rule"),
    [
        ({"chip_temp_c": 65.0}, "chip_temp_c"),
        ({"chip_temp2_c": 70.0}, "chip_temp2_c"),
        ({"vr_temp_c": 85.0}, "vr_temp_c"),
        ({"power_w": 28.5}, "power_w"),
        ({"input_mv": 4700.0, "nominal_input_v": 5.0}, "input_mv"),
        ({"hardware_fault": "fan"}, "fault"),
    ],
)
def test_a_crossed_limit_is_named(status: dict[str, Any], rule: str):
    assert list(active(snap(), snap(**status))) == [rule]


def test_a_limit_whose_value_is_not_known_any_more_is_not_at_its_limit():
    (over,) = (s for s in judge(Fleet(), snap(), snap(chip_temp_c=None)) if s.rule == "chip_temp_c")
    assert over.active is False


def test_between_limit_and_its_hysteresis_nothing_is_said():
    assert [s.rule for s in judge(Fleet(), snap(), snap(chip_temp_c=64.5)) if s.rule == "chip_temp_c"] == []
    over = [s.active for s in judge(Fleet(), snap(), snap(chip_temp_c=60.0)) if s.rule == "chip_temp_c"]
    assert over == [False]


def test_a_hashrate_drop_needs_five_bad_minutes_and_no_reason_for_them():
    low = (1000,) * 5 + (700,) * 5
    assert list(active(snap(), snap(recent=low))) == ["hashrate-drop"]
    assert active(snap(), snap(recent=(1000,) * 7 + (700,) * 3)) == {}, "the mean is not bad enough yet"
    assert active(snap(), snap(recent=low, paused=True)) == {}
    assert active(snap(), snap(recent=low, uptime_s=60.0)) == {}, "warming up"
    sweep = JobState("sweep:a", "a", Phase.RUNNING, SweepView(SweepPlan("a")))
    assert active(snap(), snap(recent=low), Fleet().with_job(sweep)) == {}, "a sweep changes it on purpose"


def test_no_hashrate_at_all_is_a_drop_even_when_nothing_is_expected_any_more():
    stopped = snap(recent=(1000,) * 5 + (0,) * 5, expected_ghs=0.0)
    assert list(active(snap(), stopped)) == ["hashrate-drop"]


def test_a_new_best_difficulty_and_an_incident_are_news_once():
    assert active(snap(best_diff=4.0e9), snap(best_diff=4.29e9)) == {"best-diff": "new best difficulty 4.29G"}
    assert active(snap(best_diff=4.29e9), snap(best_diff=4.29e9)) == {}
    tripped = msgspec.structs.replace(snap(), incidents=1)
    assert list(active(snap(), tripped)) == ["incident"]


def test_a_job_that_ended_says_what_it_found():
    best = SweepPoint(1, 550, 1150, PointVerdict.PASSED, hashrate_ghs=1120)
    done = JobState("sweep:a", "a", Phase.DONE, SweepView(SweepPlan("a"), best=best))
    (signal,) = judge_job(done)
    assert (signal.rule, signal.text) == ("sweep-done", "sweep done: best 550 MHz at 1150 mV, 1120 GH/s")
    own = SweepPoint(2, 500, 1100, PointVerdict.PASSED, hashrate_ghs=1010)
    view = SweepView(SweepPlan("a"), best=best, points=(own, best), baseline_mhz=500, baseline_mv=1100)
    (signal,) = judge_job(msgspec.structs.replace(done, view=view))
    assert signal.text.endswith("550 MHz at 1150 mV, 1120 GH/s (before: 500 MHz at 1100 mV, 1010 GH/s)")
    (failed,) = judge_job(msgspec.structs.replace(done, phase=Phase.PARKED, note="too hot"))
    assert (failed.rule, failed.text) == ("job-failed", "the sweep parked: too hot")
    assert list(judge_job(msgspec.structs.replace(done, phase=Phase.RUNNING))) == []


@dataclass
class Clocked:
    """A clock that only moves by hand or by sleeping."""

    t: float = 1_000_000.0
    speed: float = 1.0
    slept: list[float] = field(default_factory=list)

    def mono(self) -> float:
        return self.t

    boot = wall = mono

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.t += seconds


@dataclass
class Book:
    clock: Clocked = field(default_factory=Clocked)
    fleet: Fleet = field(default_factory=Fleet)
    said: list[Event] = field(default_factory=list)
    told: list[Alert] = field(default_factory=list)
    mute: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.alerts = Alerts(self.clock, lambda: self.fleet, self.said.append, self.told.append)
        self.alerts.change(self.mute, 20.0)

    def see(self, snapshot: Snapshot, later: float = 5) -> None:
        self.clock.t += later
        self.alerts.on(SnapshotTaken(snapshot))


def test_the_same_trouble_is_told_once_and_its_end_once():
    book = Book()
    for _ in range(20):
        book.see(snap(Health.LOST))
    book.see(snap())
    assert [(a.rule, a.active) for a in book.told] == [("lost", True), ("lost", False)]
    assert len([e for e in book.said if isinstance(e, AlertRaised)]) == 2


def test_what_flaps_is_counted_and_not_told_again():
    book = Book()
    for _ in range(5):
        book.see(snap(Health.LOST))
        book.see(snap())
    assert [(a.rule, a.active) for a in book.told] == [("lost", True), ("lost", False)]
    last = book.said[-1]
    assert isinstance(last, AlertRaised)
    assert last.alert.count == 5


def test_after_a_quiet_time_it_is_a_new_incident():
    book = Book()
    book.see(snap(Health.LOST))
    book.see(snap())
    book.see(snap(Health.LOST), later=3600)
    assert [a.active for a in book.told] == [True, False, True]


def test_muted_rules_stay_in_the_book_but_are_not_told():
    book = Book(mute=("lost",))
    book.see(snap(Health.LOST))
    assert book.told == []
    assert len(book.said) == 1


def test_acknowledging_marks_it_and_an_unknown_one_is_refused():
    book = Book()
    book.see(snap(Health.LOST))
    assert book.alerts.acknowledge("lost:a").acknowledged
    with pytest.raises(MinertuiError, match="no alert 'nope'"):
        book.alerts.acknowledge("nope")


def test_what_is_muted_and_what_is_a_drop_follow_the_config():
    book = Book(mute=("lost",))
    low = (1000,) * 5 + (850,) * 5
    book.see(snap(recent=low))
    book.alerts.change((), 10.0)
    book.see(snap(recent=low))
    book.see(snap(Health.LOST))
    assert [a.rule for a in book.told] == ["hashrate-drop", "lost"]


def test_what_was_active_before_a_restart_is_neither_told_again_nor_forgotten():
    before = Book()
    before.see(snap(Health.LOST))
    seen = before.alerts.acknowledge("lost:a")
    book = Book()
    book.alerts.restore([seen], {"a"})
    book.see(snap(Health.LOST))
    assert book.told == []
    assert book.said == [AlertRaised(seen)]
    book.see(snap())
    assert [(a.active, a.acknowledged) for a in book.told] == [(False, True)]


def ended(text: str, at_s: float) -> Signal:
    return Signal("sudden-end", "a", Severity.WARNING, text, active=True, since_s=at_s)


def test_what_happened_lasts_until_it_is_seen_and_its_end_is_not_told():
    book = Book()
    book.alerts.take(ended("killed", book.clock.t - 60))
    seen = book.alerts.acknowledge("sudden-end:a")
    assert (seen.active, seen.acknowledged) == (False, True)
    assert [(a.text, a.active) for a in book.told] == [("killed", True)]
    book.clock.t += 3600
    assert book.alerts.acknowledge("sudden-end:a") == seen, "seen again, it is over since then"


def test_more_of_the_same_happening_is_told_anew_and_another_one_is_counted():
    book = Book()
    died_s = book.clock.t - 60
    for text in ("not led back yet", "not led back yet", "led back"):
        book.clock.t += 30
        book.alerts.take(ended(text, died_s))
    assert [(a.text, a.count) for a in book.told] == [("not led back yet", 1), ("led back", 1)]
    book.clock.t += 7200
    book.alerts.take(ended("killed again", book.clock.t - 60))
    assert [(a.text, a.count, a.since_s) for a in book.told[2:]] == [("killed again", 2, book.clock.t)]
    book.clock.t += 60  # one that dies at every start does not send a message each time
    book.alerts.take(ended("and again", book.clock.t - 30))
    last = book.said[-1]
    assert isinstance(last, AlertRaised)
    assert (last.alert.text, last.alert.count, len(book.told)) == ("and again", 3, 3)


def test_a_jobs_phase_is_news_only_when_it_changes():
    book = Book()
    job = JobState("sweep:a", "a", Phase.DONE, SweepView(SweepPlan("a")))
    for _ in range(3):
        book.alerts.on(JobChanged(job))
    assert [a.rule for a in book.told] == ["sweep-done"]


def test_what_is_started_again_and_fails_in_the_same_way_is_told_once():
    book, guard = Book(), JobState("guard:a", "a", Phase.FAILED, GuardView(GuardPlan("a")), note="a bug")
    for note in ("a bug", "a bug", "another bug"):
        book.alerts.on(JobChanged(msgspec.structs.replace(guard, phase=Phase.WAITING)))
        book.alerts.on(JobChanged(msgspec.structs.replace(guard, note=note)))
        book.clock.t += 60
    assert [a.text for a in book.told] == ["the guard failed: a bug", "the guard failed: another bug"]
    last = book.said[-1]
    assert isinstance(last, AlertRaised)
    assert last.alert.count == 3


def test_every_rule_is_described():
    assert {"lost", "chip_temp_c", "vr_temp_c", "hashrate-drop", "best-diff", "sweep-done"} <= set(RULES)


@dataclass
class Sink:
    """A target that keeps what it got."""

    works: bool = True
    got: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, title: str, body: str) -> bool:
        if self.works:
            self.got.append((title, body))
        return self.works


def alert(n: int = 0, severity: Severity = Severity.WARNING) -> Alert:
    return Alert(f"lost:m{n}", "lost", f"m{n}", severity, "does not answer", float(n))


async def run_until(outbox: Outbox, done: Callable[[], bool]) -> None:
    """Let the outbox work until ``done()``; it writes in a thread, so real time passes."""
    task = asyncio.create_task(outbox.run())
    async with asyncio.timeout(20):
        while not done():
            await asyncio.sleep(0.002)
    task.cancel()


async def test_a_storm_goes_out_as_one_message_worst_first(tmp_path: Path):
    sink = Sink()
    outbox = Outbox(tmp_path / "outbox.json", Clocked(), sink)
    for n in range(160):
        outbox.put(alert(n, Severity.CRITICAL if n == 100 else Severity.WARNING))
    kept = tmp_path / "outbox.json"
    await run_until(outbox, lambda: bool(sink.got) and msgspec.json.decode(kept.read_bytes()) == [])
    ((title, body),) = sink.got
    assert title == "minertui: 160 alerts"
    assert body.splitlines()[0] == "!! m100: does not answer"
    assert body.splitlines()[-1] == "… and 150 more"


async def test_a_dead_target_is_tried_again_and_nothing_is_lost_over_a_restart(tmp_path: Path):
    file, clock = tmp_path / "outbox.json", Clocked()
    outbox = Outbox(file, clock, Sink(works=False))
    outbox.put(alert(1))
    await run_until(outbox, lambda: len(clock.slept) >= 4)
    assert clock.slept[:4] == [10.0, 10.0, 10.0, 60.0], "group, pause, group, longer pause"
    sink = Sink()
    again = Outbox(file, Clocked(), sink)
    await run_until(again, lambda: bool(sink.got))
    assert [title for title, _ in sink.got] == ["! m1: does not answer"]


async def test_with_nobody_to_tell_it_waits_until_somebody_is_named(tmp_path: Path):
    sink = Sink()
    outbox = Outbox(tmp_path / "outbox.json", Clocked())
    outbox.put(alert(1))
    working = asyncio.create_task(outbox.run())
    await asyncio.sleep(0.05)
    working.cancel()
    outbox.aim(sink, per_hour=20)
    await run_until(outbox, lambda: bool(sink.got))
    assert [title for title, _ in sink.got] == ["! m1: does not answer"]


async def test_not_more_than_the_hourly_budget_leaves(tmp_path: Path):
    clock, sent = Clocked(), []

    def send(title: str, body: str) -> bool:
        sent.append(clock.t)
        return True

    outbox = Outbox(tmp_path / "o.json", clock, send, per_hour=2)
    for n in range(4):
        outbox.put(alert(n))
        await run_until(outbox, lambda n=n: len(sent) > n)  # type: ignore[misc]
    assert sent[2] - sent[0] >= 3600


@pytest.mark.parametrize("per_hour", [4, 5, 20, 100])
async def test_what_is_critical_does_not_wait_for_the_whole_hour_behind_chatter(tmp_path: Path, per_hour: int):
    clock, sent = Clocked(), list[float]()
    outbox = Outbox(tmp_path / "o.json", clock, per_hour=per_hour)
    while len(sent) < 6 * per_hour:
        await clock.sleep(10.0)  # something happens all the time
        await outbox._wait_for_budget()
        outbox._sent_at.append(clock.t)
        sent.append(clock.t)
    assert max(later - first for first, later in pairwise(sent)) <= max(3 * 3600 / per_hour, 10)
    assert max(sum(begin <= at_s < begin + 3600 for at_s in sent) for begin in sent) <= per_hour


async def test_a_torn_outbox_is_put_aside(tmp_path: Path):
    (tmp_path / "o.json").write_bytes(b'[{"id": "lost')
    Outbox(tmp_path / "o.json", Clocked(), Sink())
    assert (tmp_path / "o.corrupt").exists()


def test_a_single_alert_is_its_own_title():
    assert message([alert(1, Severity.CRITICAL)])[0] == "!! m1: does not answer"


def test_an_address_that_apprise_does_not_know_is_refused():
    with pytest.raises(ConfigError, match="address 1 is not one that Apprise knows"):
        apprise_senders(["nonsense"])
