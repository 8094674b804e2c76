"""A pool that says more than it was asked, in one segment: another connection, never a fault, never a share twice."""

from __future__ import annotations

import asyncio

import pytest

from minertui.model.relay import BoardState
from minertui.sim.duco_boards import board
from minertui.sim.duco_bus import FakeBus
from tests.jobs.duco.world import LoopClock, MemoryLine, World

pytestmark = pytest.mark.looptime


def is_job(data: bytes) -> bool:
    return data.count(b",") == 2


TALKATIVE = {
    "greeting": lambda data: data == b"3.0\n",
    "job": is_job,
    "verdict": lambda data: data == b"GOOD\n",
}


@pytest.mark.parametrize("at", TALKATIVE)
async def test_a_talkative_pool_gets_another_connection(at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({"i2c:1": FakeBus({20: board("A")}, LoopClock().mono)})
    plain = MemoryLine.write_back

    def write_back(line: MemoryLine, data: bytes) -> None:
        odd = TALKATIVE[at](data) and line in world.servers.lines[:2]
        plain(line, data + b"by the way\n" if odd else data)

    monkeypatch.setattr(MemoryLine, "write_back", write_back)
    async with world.mining() as relay:
        await asyncio.sleep(60)
        one = world.board(relay, "b20")
        assert one.state not in (BoardState.STOPPED, BoardState.AWAY)
    assert len(world.servers.lines) == 3
    assert any("said 'by the way' unasked" in line for line in world.site.lines)
    assert one.stats.good > 5
    assert one.stats.bad == 0
    assert one.stats.jobs - one.stats.shares - one.stats.lost in (0, 1)
    assert world.pool.duplicates == 0
    assert world.pool.results - one.stats.shares in (0, 1)
    if at == "verdict":
        assert one.stats.lost == 0, "the verdict counts"
