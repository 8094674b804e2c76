"""An address that never answers, what is on disk meanwhile, and what a foreign text may do at the other end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from minertui.engine import outbox as module
from minertui.engine.outbox import Outbox, apprise_senders
from minertui.model.alerts import Alert
from tests.engine.test_alerts import Clocked, Sink, alert, run_until
from tests.engine.test_outbox_targets import Patient


class Hangs(Sink):
    """Takes a message and does not come back before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.free, self.inside, self.most_inside = threading.Event(), 0, 0

    def __call__(self, title: str, body: str) -> bool:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.free.wait(20)
        self.inside -= 1
        return super().__call__(title, body)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hangs]:
    monkeypatch.setattr(module, "_DEADLINE_S", 0.01)
    sink = Hangs()
    yield sink
    sink.free.set()


async def test_who_never_answers_takes_nobody_a_thread_and_is_asked_again_when_it_has(tmp_path: Path, hanging: Hangs):
    well, clock = Sink(), Clocked()
    outbox = Outbox(tmp_path / "o.json", clock, hanging, well, per_hour=1000)
    outbox.put(alert(1))
    await run_until(outbox, lambda: len(clock.slept) >= 20)
    assert hanging.most_inside == 1, "each try would hold a thread"
    assert [title for title, _ in well.got] == ["! m1: does not answer"]
    hanging.free.set()
    await run_until(outbox, lambda: not outbox._unsent)
    assert {title for title, _ in hanging.got} == {"! m1: does not answer"}


async def test_a_system_that_gives_no_thread_now_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(thread: threading.Thread) -> None:
        if thread.name == "alerts":
            raise RuntimeError("can't start new thread")
        real(thread)

    real, sink, clock = threading.Thread.start, Sink(), Clocked()
    outbox = Outbox(tmp_path / "o.json", clock, sink)
    outbox.put(alert(1))
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", refused)
        await run_until(outbox, lambda: len(clock.slept) >= 4)
    await run_until(outbox, lambda: bool(sink.got))


def test_an_engine_that_ends_does_not_wait_for_it(tmp_path: Path, hanging: Hangs):
    async def life() -> None:
        outbox, clock = Outbox(tmp_path / "o.json", clocked := Clocked(), hanging), clocked
        outbox.put(alert(1))
        await run_until(outbox, lambda: len(clock.slept) >= 3)

    ended = threading.Thread(target=lambda: asyncio.run(life()), daemon=True)
    ended.start()
    ended.join(10)
    assert not ended.is_alive(), "asyncio waits for the threads that it shares out"


@pytest.mark.parametrize("works", [True, False], ids=["the hour is used up", "nobody takes it"])
async def test_what_waits_for_a_pause_or_for_the_next_hour_is_on_disk(tmp_path: Path, works: bool):
    file, clock, sink = tmp_path / "o.json", Patient(), Sink(works)
    outbox = Outbox(file, clock, sink, per_hour=1)
    working = asyncio.create_task(outbox.run())
    outbox.put(alert(1))
    async with asyncio.timeout(20):
        while not any(slept >= 60 for slept in clock.slept):
            await asyncio.sleep(0.002)
            if works and len(sink.got) == 1 and outbox._unsent == []:
                outbox.put(alert(2))
        outbox.put(alert(3))
        while "m3" not in (kept := devices(file)):
            await asyncio.sleep(0.002)
    working.cancel()
    assert kept == (["m2", "m3"] if works else ["m1", "m3"])


def devices(file: Path) -> list[str]:
    return [one.device for one in msgspec.json.decode(file.read_bytes(), type=list[Alert])] if file.exists() else []


def test_what_a_miner_says_is_sent_as_text(monkeypatch: pytest.MonkeyPatch):
    """Some chats are sent HTML: a miner's “<” would be a link there, or refused, with all that waits, for ever."""
    apprise = pytest.importorskip("apprise")
    sent: list[tuple[str, str]] = []

    def keeps(self: object, body: str, title: str = "", **_: object) -> bool:
        sent.append((title, body))
        return True

    chat = "tgram://123456789:abcdefg_hijklmnop/12315544/"
    monkeypatch.setattr(type(apprise.Apprise.instantiate(chat)), "send", keeps)
    (send,) = apprise_senders([chat])
    assert send("! m1: hot", '! m1: <a href="http://evil.example">reset</a>')
    [(title, body)] = sent
    assert "<a href" not in f"{title}{body}"
    assert "&lt;a" in f"{title}{body}"
