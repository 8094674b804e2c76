from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from minertui.engine.hub import Hub
from minertui.model.alerts import Alert, Severity
from minertui.model.events import (
    AlertRaised,
    DeviceRemoved,
    JobChanged,
    JobForgotten,
    LogLine,
    Message,
    NoticeChanged,
    Numbered,
    SnapshotTaken,
    Whole,
)
from minertui.model.fleet import Fleet, Snapshot
from minertui.model.plans import GuardPlan, GuardView, JobState, Phase
from tests.engine.fakes import LoopClock


def line(n: int) -> LogLine:
    return LogLine("engine", f"line {n}", 0.0)


async def take(stream: AsyncIterator[Message], count: int) -> list[Message]:
    async with asyncio.timeout(20):
        return [await anext(stream) for _ in range(count)]


async def test_first_the_whole_then_numbered_changes():
    hub = Hub(Fleet(version=7), LoopClock())
    stream = hub.watch()
    [whole] = await take(stream, 1)
    hub.publish(SnapshotTaken(Snapshot("a")))
    hub.publish(NoticeChanged("disk full"))
    first, second = await take(stream, 2)
    assert isinstance(whole, Whole)
    assert whole.fleet.version == 7
    assert [m.version for m in (first, second) if isinstance(m, Numbered)] == [8, 9]
    assert (hub.fleet.snapshots["a"].device, hub.fleet.notice, hub.fleet.version) == ("a", "disk full", 9)


async def test_a_watcher_waits_without_polling_until_something_happens():
    hub = Hub(Fleet(), LoopClock())
    stream = hub.watch()
    await take(stream, 1)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    assert not waiting.done()
    hub.publish(line(1))
    assert isinstance(await asyncio.wait_for(waiting, 20), Numbered)


async def test_who_comes_back_gets_what_was_missed_and_no_whole():
    hub = Hub(Fleet(), LoopClock())
    for n in range(5):
        hub.publish(line(n))
    missed = await take(hub.watch(after=3), 2)
    assert [m.version for m in missed if isinstance(m, Numbered)] == [4, 5]


async def test_a_version_of_another_engine_run_or_too_far_back_gets_a_new_whole():
    hub = Hub(Fleet(version=1 << 32), LoopClock(), ring=3)
    for n in range(5):
        hub.publish(line(n))
    for after in (5, 2, (1 << 32) + 1, (2 << 32) + 99):
        [message] = await take(hub.watch(after=after), 1)
        assert isinstance(message, Whole), after
    [message] = await take(hub.watch(after=(1 << 32) + 2), 1)
    assert isinstance(message, Numbered)


async def test_a_slow_watcher_costs_nothing_and_gets_a_whole_after_the_gap():
    hub = Hub(Fleet(), LoopClock(), ring=10)
    stream = hub.watch()
    await take(stream, 1)
    for n in range(500):
        hub.publish(line(n))
    [message] = await take(stream, 1)
    assert isinstance(message, Whole)
    assert message.fleet.version == 500
    hub.publish(line(500))
    [message] = await take(stream, 1)
    assert isinstance(message, Numbered)
    assert message.version == 501


async def test_closing_ends_every_watch_after_the_last_message():
    hub = Hub(Fleet(), LoopClock())
    stream = hub.watch()
    await take(stream, 1)
    hub.publish(line(1))
    hub.close()
    rest = [message async for message in stream]
    assert [m.version for m in rest if isinstance(m, Numbered)] == [1]


async def test_every_event_changes_the_fleet_as_it_says():
    hub = Hub(Fleet(), LoopClock())
    job = JobState("guard:a", "a", Phase.RUNNING, GuardView(GuardPlan()))
    hub.publish(SnapshotTaken(Snapshot("a")))
    hub.publish(SnapshotTaken(Snapshot("b")))
    hub.publish(JobChanged(job))
    hub.publish(AlertRaised(Alert("lost:a", "lost", "a", Severity.WARNING, "gone", 0.0)))
    assert (set(hub.fleet.snapshots), set(hub.fleet.jobs), set(hub.fleet.alerts)) == (
        {"a", "b"}, {"guard:a"}, {"lost:a"},
    )  # fmt: skip
    hub.publish(JobForgotten("guard:a"))
    assert hub.fleet.jobs == {}
    hub.publish(JobChanged(job))
    hub.publish(DeviceRemoved("a"))
    assert (set(hub.fleet.snapshots), hub.fleet.jobs) == ({"b"}, {})


async def test_a_listener_hears_an_event_when_it_is_in_the_fleet_and_may_publish_itself():
    hub = Hub(Fleet(), LoopClock())
    heard: list[int] = []

    def listener(event: object) -> None:
        heard.append(hub.fleet.version)
        if isinstance(event, SnapshotTaken):
            hub.publish(NoticeChanged("seen"))

    hub.listen(listener)
    hub.publish(SnapshotTaken(Snapshot("a")))
    assert heard == [1, 2]
    assert hub.fleet.notice == "seen"


async def test_who_stalls_in_the_middle_keeps_no_old_changes_and_gets_the_whole():
    hub = Hub(Fleet(), LoopClock(), ring=3)
    stream = hub.watch(0)
    for n in range(3):
        hub.publish(line(n))
    [first] = await take(stream, 1)
    assert isinstance(first, Numbered)
    for n in range(3, 9):
        hub.publish(line(n))
    [whole] = await take(stream, 1)
    assert isinstance(whole, Whole)
    assert whole.fleet.version == 9
