from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from minertui.engine.notify import notify, watchdog_s
from minertui.engine.supervisor import Supervisor
from tests.engine.fakes import LoopClock

pytestmark = pytest.mark.looptime


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A notify socket that never waits."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listening:
        listening.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "30000000")
        yield listening


def heard(listening: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(listening.recv(4096).decode())
        except BlockingIOError:
            return found


def test_words_go_to_the_socket_of_systemd(systemd: socket.socket):
    assert notify("READY=1", "STATUS=2 miners")
    assert heard(systemd) == ["READY=1\nSTATUS=2 miners"]


def test_an_abstract_socket_is_understood(monkeypatch: pytest.MonkeyPatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0minertui-test-notify")
        monkeypatch.setenv("NOTIFY_SOCKET", "@minertui-test-notify")
        assert notify("WATCHDOG=1")
        assert listening.recv(100) == b"WATCHDOG=1"


def test_without_systemd_nothing_is_said_and_a_dead_one_is_no_reason_to_stop(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    assert not notify("READY=1")


def test_the_watchdog_of_another_process_is_not_ours(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    assert watchdog_s() == 30.0
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert watchdog_s() is None


async def test_a_dead_task_is_said_counted_and_started_again():
    said: list[str] = []
    supervisor = Supervisor(LoopClock(), said.append)
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        await asyncio.sleep(1)
        if runs < 3:
            raise ValueError("boom")
        await asyncio.sleep(1000)

    supervisor.keep("poller", work)
    await asyncio.sleep(10)
    assert (runs, supervisor.deaths) == (3, 2)
    assert "poller" in said[0]
    assert "ValueError: boom" in said[0]
    await supervisor.close()


async def test_the_watchdog_is_fed_while_all_is_well(systemd: socket.socket):
    supervisor = Supervisor(LoopClock(), lambda _: None)

    async def answers() -> None:
        await asyncio.sleep(0.1)

    supervisor.watch("records", answers)
    supervisor.start()
    for _ in range(15):  # the kernel queues ten words only
        await asyncio.sleep(4)
        assert set(heard(systemd)) == {"WATCHDOG=1"}
    await supervisor.close()


async def test_a_writer_that_does_not_answer_starves_the_watchdog(systemd: socket.socket):
    supervisor = Supervisor(LoopClock(), lambda _: None)
    hung = asyncio.Event()

    async def hangs() -> None:
        if asyncio.get_running_loop().time() > 20:
            await hung.wait()

    supervisor.watch("records", hangs)
    supervisor.start()
    await asyncio.sleep(60)
    heard(systemd)
    await asyncio.sleep(60)
    assert heard(systemd) == []
    assert supervisor.late() == ["records"]
    hung.set()
    await asyncio.sleep(10)
    assert heard(systemd)
    await supervisor.close()


async def test_a_suspended_host_is_noticed():
    late: list[float] = []
    clock = LoopClock()
    supervisor = Supervisor(clock, lambda _: None, late.append)
    supervisor.start()
    await asyncio.sleep(10)
    clock.slept_s = 3600
    await asyncio.sleep(1)
    await supervisor.close()
    assert late == pytest.approx([3600])


async def test_a_dropped_task_ends():
    supervisor = Supervisor(LoopClock(), lambda _: None)
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.set()

    supervisor.keep("x", work)
    await asyncio.sleep(1)
    await supervisor.drop("x")
    assert ended.is_set()


async def test_of_two_tasks_of_one_name_the_first_ends():
    supervisor = Supervisor(LoopClock(), lambda _: None)
    runs: list[str] = []

    async def work(name: str) -> None:
        while True:
            await asyncio.sleep(1)
            runs.append(name)

    supervisor.keep("x", lambda: work("first"))
    await asyncio.sleep(1.5)
    supervisor.keep("x", lambda: work("second"))
    await asyncio.sleep(2.5)
    await supervisor.drop("x")
    await asyncio.sleep(2)
    assert runs == ["first", "second", "second"]
