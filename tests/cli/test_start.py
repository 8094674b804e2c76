"""The engine in the background: started when there is none, explained when it does not come up."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from minertui.api.client import ApiClient
from minertui.api.server import ApiServer
from minertui.cli import start
from minertui.clock import SystemClock
from minertui.model.errors import LinkError, MinertuiError

ENGINE = """
import asyncio, os, sys
from pathlib import Path
from minertui.api.server import serve
from tests.api.fake_link import FakeLink

async def main():
    print("engine says hello", *sys.argv[1:], os.getsid(0) == os.getpid(), flush=True)
    ended = asyncio.Event()
    link = FakeLink()
    link.on_shutdown = ended.set
    server = await serve(link, socket_path=Path(os.environ["MINERTUI_SOCKET"]))
    await ended.wait()
    await server.close()

asyncio.run(main())
"""


@pytest.fixture
async def client(places: Path) -> AsyncIterator[ApiClient]:
    there = ApiClient(places / "e.sock")
    yield there
    await there.close()


def stand_in(monkeypatch: pytest.MonkeyPatch, program: str) -> list[subprocess.Popen[bytes]]:
    """``minertui engine`` is this program."""
    started: list[subprocess.Popen[bytes]] = []

    def popen(argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        assert list(argv[:4]) == [sys.executable, "-m", "minertui", "engine"]
        root = str(Path(__file__).resolve().parents[2])
        options["env"]["PYTHONPATH"] = root
        started.append(real([sys.executable, "-c", program, *argv[4:]], **options))
        return started[-1]

    real = subprocess.Popen
    monkeypatch.setattr("minertui.cli.start.subprocess.Popen", popen)
    return started


async def up(client: ApiClient, places: Path, *extra: str) -> int:
    config, state, socket = places / "config.toml", places / "state", places / "e.sock"
    health = await start.running_engine(client, config, state, socket, SystemClock(), extra)
    return health.pid


async def test_starts_one_that_outlives_the_terminal(
    client: ApiClient, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = stand_in(monkeypatch, ENGINE)
    pid = await up(client, places, "--speed=5")
    assert pid == started[0].pid
    log = places / "state" / "engine.log"
    assert log.read_text() == "engine says hello --speed=5 True\n"
    assert log.stat().st_mode & 0o777 == 0o600
    assert await up(client, places) == pid, "the second time it is there"
    assert len(started) == 1
    with pytest.raises(MinertuiError, match=r"--speed=5 is for starting an engine"):
        await up(client, places, "--speed=5")
    await client.shutdown()
    assert await asyncio.to_thread(started[0].wait, 60) == 0


async def test_one_that_runs_is_used(server: ApiServer, client: ApiClient, places: Path) -> None:
    assert await up(client, places) == os.getpid()
    assert not (places / "state").exists()


async def test_one_that_does_not_come_up_is_quoted(
    client: ApiClient, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, "import sys; print('first', flush=True); sys.exit('the disk is full')")
    with pytest.raises(LinkError) as error:
        await up(client, places)
    said = str(error.value)
    assert "the engine ended with code 1" in said
    assert f"its log is {places / 'state' / 'engine.log'}" in said
    assert said.endswith("  first\n  the disk is full")


async def test_the_demos_that_does_not_come_up_is_not_looked_for_among_real_ones(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "start", lambda *_: subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]))
    with pytest.raises(LinkError, match=r"ended with code 3; try “minertui demo” again; its log is "):
        async with ApiClient(places / "e.sock", demo=True) as client:
            await start.running_engine(
                client, places / "c.toml", places, places / "e.sock", SystemClock(), command=("demo", "--serve=1")
            )


async def test_one_that_hangs_is_not_waited_for_for_ever(
    client: ApiClient, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = stand_in(monkeypatch, "import time; time.sleep(30)")
    monkeypatch.setattr(start, "PATIENCE_S", 0.3)
    with pytest.raises(LinkError, match=r"does not answer after 0\.3 s"):
        await up(client, places)
    started[0].kill()
    started[0].wait()


def test_the_log_does_not_grow_for_ever(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = stand_in(monkeypatch, "print('new')")
    state = places / "state"
    state.mkdir()
    (state / "engine.log").write_bytes(b"x" * (start._LOG_BYTES + 1))
    start.start(places / "config.toml", state, places / "e.sock", ("engine",))
    started[0].wait()
    assert (state / "engine.log").read_text() == "new\n"
    assert (state / "engine.log.1").stat().st_size > start._LOG_BYTES


async def test_a_disk_that_takes_no_log_keeps_no_engine_from_its_miners(
    client: ApiClient, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Any, flags: int, *mode: int) -> int:
        if Path(path).name == "engine.log":
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *mode)

    real = os.open
    stand_in(monkeypatch, ENGINE)
    monkeypatch.setattr(os, "open", refused)
    assert await up(client, places) > 0
    assert start.last_lines(places / "state" / "engine.log", 5) == []
    await client.shutdown()


async def test_a_state_folder_that_cannot_be_is_one_sentence(client: ApiClient, places: Path) -> None:
    (places / "state").write_text("")
    with pytest.raises(LinkError, match=r"the state folder .* cannot be used: .*; mend it or choose another"):
        await up(client, places)
    assert start.last_lines(places / "state" / "engine.log", 5) == []
