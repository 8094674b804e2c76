"""A guard whose board was swept: on a hot day it moves voltage with frequency, in the order that the chip survives."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from minertui.engine.engine import Engine
from minertui.model.commands import SetFan, Tune
from minertui.model.plans import GuardPlan, GuardView, Phase, PointVerdict, SweepPlan, SweepPoint, SweepRecord
from minertui.model.status import MinerStatus
from tests.engine.test_heat import House, at_a_board

POINTS = tuple(
    SweepPoint(n, mhz, mv, PointVerdict.PASSED, hashrate_ghs=2 * mhz, power_w=watts, error_pct=0.1)
    for n, (mhz, mv, watts) in enumerate(((400.0, 1040, 11.0), (525.0, 1150, 17.0)), 1)
)


async def swept(engine: Engine, points: tuple[SweepPoint, ...] = POINTS, since_s: float = 1.0, **then: str) -> None:
    """A sweep of this board is on disk, under the name that it had then."""
    status = engine.hub.fleet.snapshots["m1"].status
    assert isinstance(status, MinerStatus)
    record = SweepRecord(
        f"old@{since_s}", "old", status.mac, status.model, SweepPlan("old"), Phase.DONE, since_s, points=points,
        chip=status.chip, firmware=status.firmware,
    )  # fmt: skip
    await engine.records.keep_sweep(msgspec.structs.replace(record, **then))


def view(engine: Engine) -> GuardView:
    found = engine.hub.fleet.jobs["guard:m1"].view
    assert isinstance(found, GuardView)
    return found


async def tunes(engine: Engine) -> list[Tune]:
    """What the guard ordered, oldest first."""
    records = reversed(await engine.commands())
    return [r.order.command for r in records if isinstance(r.order.command, Tune) and r.order.by == "guard:m1"]


def test_on_a_hot_day_voltage_and_frequency_go_down_and_up_together(tmp_path: Path):
    async def story(house: House) -> None:
        board, engine = house.board, house.engine
        await swept(engine)
        await swept(engine, (msgspec.structs.replace(POINTS[1], verdict=PointVerdict.UNSTABLE),), since_s=2.0)
        known = (await engine.plans("m1")).known
        assert known is not None, "who is about to start a guard is shown it too"
        assert ([s.mhz for s in known.frontier.settings], known.at_s) == ([400, 525], 1.0)
        await engine.start(GuardPlan("m1", max_chip_temp_c=64, hold_dwell_s=120))
        board.ambient_c = 41.0
        await asyncio.sleep(1500)
        down = await tunes(engine)
        assert [tune.frequency_mhz is not None for tune in down[:2]] == [True, False], "the clock first"
        mhz, mv = float(board.nvs["frequency"]), float(board.nvs["coreVoltage"])
        assert mhz < 525
        assert mv == -(-(1040 + (mhz - 400) * 110 / 125) // 1), "the line between what passed, rounded up"
        assert view(engine).holds_c == 62
        assert "holds 62 °C along its frontier" in view(engine).why
        board.ambient_c = 25.0
        await asyncio.sleep(2400)
        up = (await tunes(engine))[len(down) :]
        assert (board.nvs["frequency"], board.nvs["coreVoltage"]) == (525.0, 1150)
        assert [tune.core_mv is not None for tune in up[:2]] == [True, False], "the voltage first"
        assert all((tune.core_mv is None) != (tune.frequency_mhz is None) for tune in [*down, *up])
        assert (board.judge.order_faults, board.judge.reboots, board.judge.overheats) == (0, 0, 0)

    at_a_board(tmp_path, story)


def test_a_sweep_of_other_firmware_is_not_believed_and_it_says_so(tmp_path: Path):
    async def story(house: House) -> None:
        await swept(house.engine, firmware="v2.1.0")
        await house.engine.start(GuardPlan("m1", max_chip_temp_c=64))
        house.board.ambient_c = 41.0
        await asyncio.sleep(600)
        done = await tunes(house.engine)
        assert done
        assert all(tune.core_mv is None for tune in done)
        house.board.ambient_c = 25.0
        await asyncio.sleep(600)
        assert "its firmware is v2.15.3 now and was v2.1.0 at the sweep" in view(house.engine).why

    at_a_board(tmp_path, story)


def test_what_a_guard_learned_of_its_room_the_next_one_begins_with(tmp_path: Path):
    async def story(house: House) -> None:
        engine, plan = house.engine, GuardPlan("m1", max_chip_temp_c=70, hold_temp_c=58, hold_dwell_s=120)
        await house.person(SetFan(auto=False, pct=100))  # a fan that could do more would hide what a change does
        await swept(engine)
        status = engine.hub.fleet.snapshots["m1"].status
        assert isinstance(status, MinerStatus)
        assert status.mac is not None
        house.board.ambient_c = 41.0
        await engine.start(plan)
        await asyncio.sleep(700)
        learned = await engine.records.room(status.mac)
        assert learned is not None
        assert 28 < learned[0] < 41, "on the way from 25 °C to the room's own temperature"
        await engine.stop("guard:m1")
        await asyncio.sleep(30)
        await engine.start(plan)
        await asyncio.sleep(30)
        said = [line.text for line in await engine.log("guard:m1")]
        assert f"takes its room as {learned[0]:.1f} °C, as was learned before" in said

    at_a_board(tmp_path, story)
