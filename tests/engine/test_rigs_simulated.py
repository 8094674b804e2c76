"""Boards that another program simulates, reached by the config alone: they mine on this computer, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from minertui.clock import SystemClock
from minertui.config import Config
from minertui.config_rigs import RigConfig
from minertui.engine.engine import Engine
from minertui.model.relay import BoardPlan, RelayPlan, RelayView
from minertui.sim.duco_boards import board
from minertui.sim.duco_bus import FakeBus
from minertui.sim.duco_pool import DucoPool
from minertui.sim.duco_remote import BusServer
from minertui.sim.duco_rules import Rules, Tier

SPEED = 10.0


@asynccontextmanager
async def rig(
    tmp_path: Path, rest: str = "", told: tuple[str, int] | None = None, **more: Any
) -> AsyncIterator[tuple[Engine, DucoPool, Callable[[], Any]]]:
    clock = SystemClock(SPEED)
    bus = BusServer(FakeBus({20: board("A")}, clock.mono))
    async with DucoPool(clock=clock, rules=Rules(tiers={"AVR": Tier(2, 0, 1e6)})) as pool:
        await bus.open()
        pool.rest_server.told_pool = told
        boards = (BoardPlan("one", bus.at(20)),)
        config = Config(rig=(RigConfig("attic", "alice", rest=rest or pool.rest, board=boards, **more),))
        engine = Engine(config, state=tmp_path / "state", clock=clock)
        await engine.open()

        def view() -> Any:
            view = engine.hub.fleet.jobs["relay:attic"].view
            assert isinstance(view, RelayView)
            return view

        try:
            await engine.start(RelayPlan("attic"))
            yield engine, pool, view
        finally:
            await engine.close()
            await bus.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.02)


async def test_a_board_of_another_program_mines_is_kept_in_history_and_its_balance_in_a_log(tmp_path: Path) -> None:
    log = tmp_path / "duco"
    async with rig(tmp_path, balance_log=str(log), log_shares=True) as (engine, pool, view):
        await until(lambda: view().boards[0].stats.good > 2 and log.exists())
        assert view().boards[0].simulated
        now_s = engine._clock.wall()
        for device in ("attic/one", "attic"):
            series = await engine.history(device, ["shares_min", "board_hs"], now_s - 600, now_s, 1)
            assert (series.mean["shares_min"][0] or 0) > 0
            assert series.mean["board_hs"][0] == pytest.approx(208, rel=0.1)
        lines = [line.text for line in await engine.log("relay:attic")]
    assert pool.miners[0].rejected == 0
    assert "worker 1 of 50: paid like 1.0 full ones" in lines
    shares = [line for line in lines if line.startswith("one (20)")]
    assert len(shares) > 2
    assert all(word in shares[0] for word in ("ela ", "res ", "ReqJob ", "hashes sent ", "SndRes ", "GOOD"))
    assert next(log.iterdir()).name.startswith("duco-alice-")


@pytest.mark.parametrize("told", [True, False])
async def test_no_simulated_board_mines_elsewhere(tmp_path: Path, told: bool) -> None:
    """``told``: by getPool; else the config names the server."""
    elsewhere: dict[str, Any] = {"told": ("198.51.100.20", 6043)} if told else {"rest": "http://198.51.100.20"}
    async with rig(tmp_path, **elsewhere) as (_, pool, view):
        if told:
            await until(lambda: "this computer (127.0.0.1) only" in view().boards[0].why)
        else:
            await until(lambda: any("this computer (127.0.0.1) only" in text for text in view().words))
        assert pool.miners == []
