"""Raises and heat at a simulated board, in wound-on time: what the board's judge saw, not what the readings said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from minertui.config import Config, MinerConfig
from minertui.engine.engine import Engine
from minertui.model.commands import Order, Outcome, SetFan, Tune
from minertui.model.plans import Limits
from minertui.model.status import MinerStatus
from minertui.safety import raising
from minertui.sim import axeos
from minertui.sim.axeos_board import Board
from tests.proofs.wound import WoundClock, WoundLoop, run

CAP_C = 70.0


class House:
    """One board and an engine that minds it."""

    def __init__(self, board: Board, engine: Engine) -> None:
        self.board, self.engine, self._orders = board, engine, 0

    async def person(self, command: Tune | SetFan, *, dry: bool = False) -> Outcome:
        self._orders += 1
        return (await self.engine.send(Order(f"o{self._orders}", "m1", command, dry_run=dry))).outcome

    async def said(self) -> str:
        return "\n".join(line.text for line in await self.engine.log("m1"))


def at_a_board(folder: Path, story: Callable[[House], Awaitable[None]], ambient_c: float = 25.0) -> None:
    async def whole(loop: WoundLoop) -> None:
        clock = WoundClock(loop)
        (board,) = axeos.fleet(1, seed=3, mix={("gamma", "v2.15.3"): 1}, ambient_c=ambient_c, warm_s=900)
        server = await axeos.serve([board], clock=clock)
        engine = Engine(Config(miner=(MinerConfig("m1", server.addresses[0]),)), state=folder, clock=clock)
        await engine.open()
        try:
            await asyncio.sleep(10)
            await story(House(board, engine))
        finally:
            await engine.close()
            await server.close()

    run(whole)


@pytest.mark.parametrize(("ambient_c", "tune"), [(20.0, Tune(800, 1350)), (25.0, Tune(900, 1250)), (30.0, Tune(900))])
def test_a_raise_of_many_steps_does_not_pass_the_cap_by_inertia(tmp_path: Path, ambient_c: float, tune: Tune):
    async def story(house: House) -> None:
        board = house.board
        outcome = await house.person(tune)
        assert max(board.judge.max_mhz, board.judge.max_mv) > 575, outcome
        await asyncio.sleep(600)
        assert board.judge.max_chip_c < CAP_C
        assert board.judge.overheats == 0

    at_a_board(tmp_path, story, ambient_c)


def test_what_was_raised_and_gets_hot_is_lowered_to_what_it_ran_and_no_further(tmp_path: Path):
    async def story(house: House) -> None:
        board, own = house.board, house.board.nvs["frequency"]
        assert (await house.person(Tune(own + 100))).ok
        board.ambient_c = 43.0  # the afternoon; the fan does what it can
        await asyncio.sleep(900)
        said = await house.said()
        assert board.nvs["frequency"] == own, (said, board.judge)
        assert "has reached 70 °C, and it was raised: lowered to" in said
        assert [r.order.by for r in await house.engine.commands() if r.order.by == "last resort"]
        assert any(alert.rule == "last-resort" for alert in house.engine.hub.fleet.alerts.values())

    at_a_board(tmp_path, story)


def test_what_was_never_raised_is_left_to_its_owner_and_its_firmware(tmp_path: Path):
    async def story(house: House) -> None:
        own = house.board.nvs["frequency"]
        house.board.ambient_c = 47.0
        await asyncio.sleep(600)
        assert house.board.judge.max_chip_c > CAP_C
        assert not [r for r in await house.engine.commands() if r.order.by == "last resort"]
        assert house.board.nvs["frequency"] == own

    at_a_board(tmp_path, story)


def test_a_dry_run_far_above_the_default_says_so(tmp_path: Path):
    async def story(house: House) -> None:
        reason = (await house.person(Tune(900), dry=True)).reason
        assert "900 MHz is 71 % above this model's default (525 MHz)" in reason
        assert (await house.person(Tune(550), dry=True)).reason == ""

    at_a_board(tmp_path, story)


@pytest.mark.parametrize(
    ("then", "now", "waits"),
    [
        ((58.0, 60.0), (58.2, 60.0), False),
        ((58.0, 60.0), (60.0, 60.0), True),  # 2 °C in 10 s leads to 78 °C
        ((68.0, 60.0), (67.5, 60.0), True),  # it cools, and is too near all the same
        ((58.0, 80.0), (58.0, 82.0), True),
        ((None, None), (None, None), False),
    ],
)
def test_room_for_one_more_step(then, now, waits):
    first, second = (MinerStatus(chip_temp_c=chip, vr_temp_c=vr) for chip, vr in (then, now))
    why = raising.no_room(first, second, 10.0, Limits(max_chip_temp_c=70.0, max_vr_temp_c=95.0))
    assert (why is not None) is waits
