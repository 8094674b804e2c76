"""Alerts of earlier runs, met by those of this one: what is on now wins, the others are added."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from minertui.config import AlertsConfig, Config
from minertui.engine.alarms import Alarms
from minertui.engine.alert_rules import Signal
from minertui.engine.hub import Hub
from minertui.engine.outbox import Outbox
from minertui.engine.records import Records
from minertui.model.alerts import Alert, Severity
from minertui.model.fleet import Fleet
from minertui.secret import Secret
from tests.engine.fakes import START_S, LoopClock
from tests.engine.house import miner

CONFIG = Config(miner=(miner("a"),))
DISK = Alert("disk:engine", "disk", "engine", Severity.CRITICAL, "full", START_S - 900)
LOST = Alert("lost:a", "lost", "a", Severity.CRITICAL, "no answer", START_S - 900)
DIED = Alert("sudden-end:a", "sudden-end", "a", Severity.WARNING, "killed", START_S - 900)


class Run:
    """An engine's alerts; ``sent`` and ``kept`` are what left the book."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent, self.kept = list[Alert](), list[Alert]()
        monkeypatch.setattr(Outbox, "put", lambda _, alert: self.sent.append(alert))
        monkeypatch.setattr("minertui.engine.alarms.apprise_senders", lambda urls: (lambda title, body: True,))
        clock = LoopClock()
        self._hub = Hub(Fleet(), clock)
        config = AlertsConfig(urls=(Secret("json://127.0.0.1:9"),))
        self.alarms = Alarms(config, tmp_path, clock, self._hub, self.kept.append)

    @property
    def fleet(self) -> Mapping[str, Alert]:
        return self._hub.fleet.alerts

    def disk(self, text: str, *, refuses: bool = True) -> None:
        self.alarms.book.take(Signal("disk", "engine", Severity.CRITICAL, text, active=refuses))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(tmp_path, monkeypatch)


def test_what_is_on_now_stays_is_kept_from_now_on_and_the_others_are_added(run: Run):
    """A disk that refuses at the very start is known of before any alert was read."""
    run.disk("read-only")
    now = run.fleet[DISK.id]
    assert run.kept == [], "nobody knows yet what it would be written over"
    run.alarms.restore([LOST, replace(DISK, until_s=START_S - 600)], CONFIG)
    assert run.fleet == {DISK.id: now, LOST.id: LOST}
    assert run.kept == [now]
    run.disk("taken", refuses=False)
    assert [(alert.text, alert.active) for alert in run.sent] == [("read-only", True), ("taken", False)]
    assert run.kept == run.sent


def test_what_has_ended_since_is_not_on_again(run: Run):
    run.disk("read-only")
    run.disk("taken", refuses=False)
    run.alarms.restore([DISK], CONFIG)
    assert (run.fleet[DISK.id].active, run.kept) == (False, [run.fleet[DISK.id]])


def test_the_same_trouble_goes_on_in_the_newest_words_and_stays_acknowledged(run: Run):
    run.disk("read-only")
    run.alarms.restore([replace(DISK, acknowledged=True, count=3)], CONFIG)
    assert run.fleet[DISK.id] == replace(DISK, text="read-only", acknowledged=True, count=3)
    assert run.kept == [run.fleet[DISK.id]]


def test_a_kill_is_told_as_its_own_whose_earlier_one_nobody_has_seen(run: Run):
    killed = Signal("sudden-end", "a", Severity.WARNING, "killed again", active=True, since_s=START_S - 60)
    run.alarms.book.take(killed)
    now = run.fleet[DIED.id]
    run.alarms.restore([DIED], CONFIG)
    run.alarms.book.take(killed)
    assert run.fleet[DIED.id] == now
    assert run.sent == [now]


@pytest.mark.looptime
async def test_what_lasts_is_kept_however_much_has_happened_since(tmp_path: Path):
    """Or a miner that is away since last month would be told of again at each start, and nobody would have seen it."""
    records = Records(tmp_path / "records.db", LoopClock(), trouble=lambda _: None, damaged=lambda _: None)
    await records.start()
    lasting = replace(LOST, text='says "until_s": 1', acknowledged=True)
    await records.keep_alert(lasting)
    for n in range(30):
        await records.keep_alert(replace(LOST, id=f"lost:{n}", device=f"{n}", since_s=START_S + n, until_s=START_S + n))
    kept = await records.alerts(limit=10)
    assert [alert.device for alert in kept] == [*map(str, range(29, 19, -1)), "a"]
    assert kept[-1] == lasting
    await records.close()
