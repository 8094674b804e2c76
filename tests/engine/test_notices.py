"""What everybody should see, and whom no screen reaches."""

from __future__ import annotations

from pathlib import Path

import pytest

from minertui.config import AlertsConfig
from minertui.engine.alarms import Alarms
from minertui.engine.alert_rules import Signal
from minertui.engine.hub import Hub
from minertui.engine.notices import Notices
from minertui.engine.outbox import Outbox
from minertui.model.alerts import Alert
from minertui.model.fleet import Fleet
from minertui.secret import Secret
from tests.engine.fakes import LoopClock

FULL = "records.db: database or disk is full; free some space or check the disk"


@pytest.fixture
def signals() -> list[Signal]:
    return []


@pytest.fixture
def notices(signals: list[Signal]) -> Notices:
    return Notices(lambda event: None, lambda *_: None, signals.append)


def test_a_disk_that_refuses_several_files_is_one_alert_until_it_takes_all(notices: Notices, signals: list[Signal]):
    notices.disk("records.db", FULL)
    notices.disk("history.db", FULL.replace("records", "history"))
    notices.disk("records.db", "")
    assert [signal.active for signal in signals] == [True, True, True]
    assert signals[-1].text.startswith("history.db: ")
    notices.disk("history.db", "")
    assert (signals[-1].active, signals[-1].text) == (False, "history.db can be written again")
    assert {(signal.rule, signal.device) for signal in signals} == {("disk", "engine")}


def test_what_it_costs_is_said_of_the_file_that_it_is_about(notices: Notices, signals: list[Signal]):
    notices.disk("the journal", "Permission denied", "no miner is raised meanwhile")
    notices.disk("records.db", FULL)
    notices.disk("the journal", "")
    assert [(signal.active, signal.text.rpartition("; ")[2]) for signal in signals] == [
        (True, "no miner is raised meanwhile"),
        (True, "no miner is raised meanwhile"),
        (True, "what happens meanwhile is not kept"),
    ]


def test_it_is_sent_once_and_so_is_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It is what reaches an operator who looks at no screen."""
    sent: list[Alert] = []
    monkeypatch.setattr(Outbox, "put", lambda _, alert: sent.append(alert))
    monkeypatch.setattr("minertui.engine.alarms.apprise_senders", lambda urls: (lambda title, body: True,))
    clock = LoopClock()
    hub = Hub(Fleet(), clock)
    alarms = Alarms(AlertsConfig(urls=(Secret("json://127.0.0.1:9"),)), tmp_path, clock, hub, lambda alert: None)
    notices = Notices(hub.publish, lambda *_: None, alarms.book.take)
    for text in (FULL, FULL.replace("full", "read-only"), ""):
        notices.disk("records.db", text)
    assert [(alert.id, alert.active) for alert in sent] == [("disk:engine", True), ("disk:engine", False)]
