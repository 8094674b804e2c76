"""A resolver that does not answer holds up no other miner's journal."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minertui.cli.own_engine import opened
from minertui.config import Config, EngineConfig, MinerConfig
from minertui.engine.stepping import off_loop


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Who asks for a name waits."""
    real, free, asked = socket.getaddrinfo, threading.Event(), threading.Event()

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        if not str(host).endswith(".invalid"):
            return real(host, *rest, **more)
        asked.set()
        free.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield asked
    free.set()


async def test_forty_miners_whose_names_nobody_answers_leave_the_journal_its_threads(
    tmp_path: Path, silent: threading.Event
):
    miners = tuple(MinerConfig(f"m{n}", f"m{n}.invalid") for n in range(40))
    async with opened(Config(engine=EngineConfig(poll_s=2), miner=miners), tmp_path / "state"):
        async with asyncio.timeout(20):
            while not silent.is_set():
                await asyncio.sleep(0.05)
        await asyncio.sleep(2.5)
        async with asyncio.timeout(3):
            await off_loop(lambda: None)
