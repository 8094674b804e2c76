"""A reader of the stream ends with the fleet that the engine has."""

from __future__ import annotations

import msgspec
import pytest

from minertui.model.alerts import Alert, Severity
from minertui.model.commands import CommandRecord, Order, Outcome, OutcomeState, Restart
from minertui.model.events import (
    AlertRaised,
    CommandDone,
    DeviceRemoved,
    Event,
    JobChanged,
    JobForgotten,
    LogLine,
    NoticeChanged,
    Numbered,
    SnapshotTaken,
    Whole,
    advance,
)
from minertui.model.fleet import Fleet, Snapshot
from minertui.model.plans import JobState, Phase, SweepPlan, SweepView

JOB = JobState("sweep:a", "a", Phase.RUNNING, SweepView(SweepPlan(device="a")))
OLD = Fleet(version=5, at_s=100.0).with_(Snapshot("a")).with_job(JOB)
ALERT = Alert("lost:a", "lost", "a", Severity.CRITICAL, "gone", 120.0)
RECORD = CommandRecord(Order("o", "a", Restart()), 140.0, Outcome(OutcomeState.APPLIED))


def test_the_whole_replaces_everything():
    new = Fleet(version=1, at_s=1.0)
    assert advance(OLD, Whole(new)) is new


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (SnapshotTaken(Snapshot("b", at_s=130.0)), OLD.with_(Snapshot("b", at_s=130.0))),
        (DeviceRemoved("a"), OLD.without("a")),
        (JobChanged(msgspec.structs.replace(JOB, done=3)), OLD.with_job(msgspec.structs.replace(JOB, done=3))),
        (JobForgotten("sweep:a"), msgspec.structs.replace(OLD, jobs={})),
        (AlertRaised(ALERT), OLD.with_alert(ALERT)),
        (NoticeChanged("disk full"), msgspec.structs.replace(OLD, notice="disk full")),
        (LogLine("a", "text", 90.0), OLD),
        (CommandDone(RECORD), OLD),
    ],
)
def test_each_event_leads_to_its_fleet(event: Event, expected: Fleet):
    got = advance(OLD, Numbered(6, event))
    assert got.version == 6
    assert msgspec.structs.replace(got, version=5, at_s=100.0) == expected


def test_time_goes_on_with_the_events_and_never_back():
    assert advance(OLD, Numbered(6, SnapshotTaken(Snapshot("b", at_s=130.0)))).at_s == 130.0
    assert advance(OLD, Numbered(6, CommandDone(RECORD))).at_s == 140.0
    assert advance(OLD, Numbered(6, LogLine("a", "text", 90.0))).at_s == 100.0
