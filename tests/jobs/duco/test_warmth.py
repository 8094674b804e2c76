"""Boards that tell how warm they are: asked between jobs, resting above their limit, told to the pool."""

from __future__ import annotations

import asyncio

import pytest

from minertui.jobs.duco_relay.warmth import EVERY_S, SELDOM_S, Warmth
from minertui.model.relay import BoardPlan, BoardState
from minertui.sim.duco_boards import TextBoard, board
from minertui.sim.duco_bus import FakeBus
from tests.jobs.duco.world import LoopClock, World

pytestmark = pytest.mark.looptime


def bus(dialect: str = "C", temp_c: float | None = 30.0, chip: str = "atmega328p") -> tuple[FakeBus, TextBoard]:
    one = TextBoard(dialect, seed=8, chip=chip)
    one.temperature_c = temp_c
    return FakeBus({8: one}, LoopClock().mono), one


def limited(max_temp_c: float | None) -> tuple[BoardPlan, ...]:
    return (BoardPlan("b8", "i2c:1:8", max_temp_c=max_temp_c),)


async def test_what_a_board_tells_is_shown_and_goes_to_the_pool() -> None:
    wires, one = bus()
    world = World({"i2c:1": wires})
    async with world.mining() as relay:
        await asyncio.sleep(35)
        assert world.board(relay, "b8").temp_c == 30
        assert [row.iot for row in relay.view().miners] == ["temp:30.0"]
        one.temperature_c = 41.0
        await asyncio.sleep(EVERY_S + 20)
        assert world.board(relay, "b8").temp_c == 41
        assert [row.iot for row in relay.view().miners] == ["temp:41.0"]
    assert all(miner.rejected == 0 for miner in world.pool.miners)


async def test_a_board_above_its_limit_rests_until_it_is_cooler() -> None:
    wires, one = bus("D")
    world = World({"i2c:1": wires})
    async with world.mining(board=limited(60)) as relay:
        await asyncio.sleep(20)
        good = world.board(relay, "b8").stats.good
        assert good > 0
        one.temperature_c = 61.0
        await asyncio.sleep(EVERY_S + 10)
        hot = world.board(relay, "b8")
        assert (hot.state, hot.worker) == (BoardState.HOT, None)
        assert hot.why == "it has 61 °C, its limit is 60 °C: it mines again at 55 °C"
        assert "b8 does not mine; see why there" in relay.view().words
        one.temperature_c = 56.0
        await asyncio.sleep(60)
        assert world.board(relay, "b8").stats.good == hot.stats.good
        one.temperature_c = 55.0
        await asyncio.sleep(30)
        cool = world.board(relay, "b8")
        assert (cool.state.mining, cool.why) == (True, "")
        assert cool.stats.good > hot.stats.good
        assert (cool.stats.lost, cool.stats.connects) == (0, 2)


async def test_a_pico_writes_decimals_and_a_sensor_that_is_off_says_nothing() -> None:
    wires, one = bus(temp_c=33.5, chip="rp2040")
    world = World({"i2c:1": wires})
    async with world.mining(board=limited(60)) as relay:
        await asyncio.sleep(20)
        assert (world.board(relay, "b8").temp_c, world.board(relay, "b8").what) == (33.5, "rp2040")
        one.temperature_c = None
        await asyncio.sleep(EVERY_S + 20)
        assert world.board(relay, "b8").temp_c is None
        assert world.board(relay, "b8").state.mining


async def test_boards_that_cannot_be_asked_are_not() -> None:
    world = World({"i2c:1": FakeBus({8: board("A")}, LoopClock().mono)})
    async with world.mining(board=limited(20)) as relay:
        await asyncio.sleep(30)
        assert world.board(relay, "b8").stats.good > 3
        assert world.board(relay, "b8").temp_c is None


def test_a_sensor_that_falls_silent_does_not_make_a_hot_board_cool() -> None:
    warmth = Warmth(50.0)
    assert not warmth.due(0.0)
    warmth.tells = True
    assert warmth.due(0.0)
    warmth.read(49.9, 0.0)
    assert (warmth.hot, warmth.why, warmth.due(EVERY_S - 1), warmth.due(EVERY_S)) == (False, "", False, True)
    warmth.read(50.0, 60.0)
    assert (warmth.hot, warmth.due(60.0)) == (True, True)
    warmth.read(None, 70.0)
    assert warmth.why == "its sensor is silent, its limit is 50 °C: it mines again at 45 °C"
    warmth.read(45.1, 80.0)
    assert warmth.hot
    warmth.read(45.0, 90.0)
    assert not warmth.hot
    warmth.read(None, 100.0)
    assert (warmth.due(100 + SELDOM_S - 1), warmth.due(100 + SELDOM_S)) == (False, True)
