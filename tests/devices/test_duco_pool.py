"""Servers: one segment a message, loopback for simulated boards, nothing of the key in a text."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from minertui.clock import SystemClock
from minertui.devices.duco_pool import Servers
from minertui.model.errors import Unreachable, Unsupported
from minertui.sim.duco_pool import DucoPool
from tests.ports import held_port


async def test_a_line_there_and_back() -> None:
    async with DucoPool(clock=SystemClock(100)) as pool:
        servers = Servers()
        line = await servers.dial(*pool.address, loopback=True)
        assert await line.read() == b"3.0\n"
        await line.write(b"JOB,alice,AVR,None")
        assert (await line.read()).count(b",") == 2
        assert not line.over
        pool.kick()
        with pytest.raises(Unreachable, match="closed the connection"):
            await line.read()
        assert line.over
        await line.close()


@pytest.mark.parametrize("address", ["198.51.100.20", "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", "0.0.0.0"])
async def test_simulated_boards_get_no_other_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check is on what the name resolves to, at every connect."""
    asked: list[str] = []

    async def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(0, 0, 0, "", ("127.0.0.1", port)), (0, 0, 0, "", (address, port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    servers = Servers()
    for _ in range(2):
        with pytest.raises(Unsupported, match=r"this computer \(127.0.0.1\) only"):
            await servers.dial("pool.example.org", 6043, loopback=True)
        with pytest.raises(Unsupported):
            await servers.ask("https://server.example.org/getPool", loopback=True)
    assert len(asked) == 4


async def test_nobody_there_is_one_sentence() -> None:
    with held_port() as port, pytest.raises(Unreachable, match="cannot be connected to"):
        await Servers().dial("127.0.0.1", port, loopback=False)


async def test_a_question_and_its_answer(caplog: pytest.LogCaptureFixture) -> None:
    async with DucoPool(clock=SystemClock()) as pool:
        servers = Servers()
        with caplog.at_level(logging.DEBUG):
            status, body = await servers.ask(f"{pool.rest}/mining_key?u=alice&k=canary-5", loopback=True)
        assert status == 200
        assert b"has_key" in body
        assert "canary-5" not in caplog.text
        await servers.close()
    with pytest.raises(Unreachable) as told:
        await servers.ask(f"{pool.rest}/mining_key?u=alice&k=canary-5", loopback=False)
    assert "canary-5" not in str(told.value)
    await servers.close()
