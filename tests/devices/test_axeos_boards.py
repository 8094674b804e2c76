"""The device against simulated boards of every family and firmware: what is written comes back in the next reading,
and no fault of a board costs more than a DeviceError."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest

from minertui.clock import SystemClock
from minertui.devices.axeos import DEADLINE_S, AxeosDevice, connect
from minertui.model.commands import Identify, Pause, Restart, Resume, SetFan, SetPools, Tune
from minertui.model.errors import DeviceError, Garbled, Refused, Unreachable, Unsupported
from minertui.model.status import Ability, MinerStatus
from minertui.sim.axeos import SimServer, fleet, serve
from minertui.sim.axeos_faults import FAULTS
from minertui.sim.axeos_models import FAMILIES, FIRMWARES, NERD_FIRMWARE
from tests.proofs.wound import WoundClock, WoundLoop, run

ALL = [("gamma", firmware) for firmware in FIRMWARES]
ALL += [(name, NERD_FIRMWARE if family.nerd else FIRMWARES[-1]) for name, family in FAMILIES.items() if name != "gamma"]
ALL += [("hex", "v2.0.7"), ("ultra", "v2.1.3"), ("suprahex", "v2.9.0")]

Plug = Callable[..., Awaitable[tuple[AxeosDevice, SimServer]]]


@pytest.fixture
async def plug() -> AsyncIterator[Plug]:
    opened: list[tuple[AxeosDevice, SimServer]] = []

    async def plug(family: str, firmware: str, *faults: str):
        boards = fleet(1, mix={(family, firmware): 1}, warm_s=120)
        for fault in faults:
            boards[0].faults.add(fault)
        server = await serve(boards, clock=SystemClock(20))
        opened.append((connect(server.addresses[0]), server))
        return opened[-1]

    yield plug
    for device, server in opened:
        await device.close()
        await server.close()


@pytest.mark.parametrize(("family", "firmware"), ALL)
async def test_a_board_is_known_whatever_it_runs(plug, family, firmware):
    device, _ = await plug(family, firmware)
    status = await device.read()
    board = FAMILIES[family]
    assert (status.model, status.chip_count) == (board.model, board.chips)
    assert (status.small_cores, status.nominal_input_v) == (board.chip.cores, board.supply_v)
    assert status.expected_ghs == pytest.approx(
        (status.frequency_mhz or 0) * board.chip.cores * board.chips / 1000, rel=0.01
    )
    assert status.max_power_w == board.max_power_w
    assert status.fan_rpm
    assert (Ability.TUNE_LIVE in status.abilities) == (firmware not in ("v2.0.7", "v2.1.3", "v2.1.9", "v2.2.0"))


@pytest.mark.parametrize(("family", "firmware"), ALL)
async def test_what_is_written_is_read_back(plug, family, firmware):
    device, _ = await plug(family, firmware)
    before: MinerStatus = await device.read()
    await device.apply(Tune((before.frequency_mhz or 0) - 25, int(before.core_mv or 0) - 20))
    await device.apply(SetFan(auto=False, pct=77))
    after = await device.read()
    assert after.frequency_mhz == (before.frequency_mhz or 0) - 25
    assert after.core_mv == (before.core_mv or 0) - 20
    assert after.fan_auto is False
    if Ability.FAN_SETPOINT in after.abilities or firmware in ("v2.0.7", "v2.1.3"):
        assert after.fan_manual_pct == 77
    else:  # v2.1.9 to v2.10 show the speed reached, and a fan takes a moment
        async with asyncio.timeout(30):
            while (await device.read()).fan_manual_pct != 77:
                await asyncio.sleep(0.02)
    if Ability.FAN_TARGET in after.abilities and after.family == "bitaxe":
        await device.apply(SetFan(auto=True, target_c=57))
        after = await device.read()
        assert (after.fan_auto, after.temp_target_c) == (True, 57)
    if Ability.FAN_MIN in after.abilities:
        await device.apply(SetFan(min_pct=33))
        assert (await device.read()).fan_min_pct == 33
    if Ability.TUNE_FRACTION in after.abilities:
        await device.apply(Tune(frequency_mhz=506.25))
        assert (await device.read()).frequency_mhz == 506.25


@pytest.mark.parametrize(("family", "firmware"), [board for board in ALL if "nerd" not in board[0]])
async def test_pools_are_read_back_and_the_other_one_stays(plug, family, firmware):
    device, _ = await plug(family, firmware)
    before: MinerStatus = await device.read()
    new = msgspec.structs.replace(before.pools[0], url="new.example.org", port=4444, user="me.worker")
    await device.apply(SetPools((new,)))
    assert (await device.read()).pools == (new, *before.pools[1:])


@pytest.mark.parametrize(("family", "firmware"), ALL)
async def test_actions_work_or_are_said_to_be_missing(plug, family, firmware):
    device, _ = await plug(family, firmware)
    abilities = (await device.read()).abilities
    if Ability.IDENTIFY in abilities:
        await device.apply(Identify())
    else:
        with pytest.raises(Unsupported):
            await device.apply(Identify())
    if Ability.PAUSE in abilities:
        await device.apply(Pause())
        assert (await device.read()).paused is True
        await device.apply(Resume())
    else:
        with pytest.raises(Unsupported):
            await device.apply(Pause())
    if "nerd" not in family:
        await device.apply(Restart())


ERRORS: dict[str, type[DeviceError] | tuple[type[DeviceError], ...]] = {
    "hang": Unreachable,
    "reset": Unreachable,
    "drip": Unreachable,
    "wifi-lost": Unreachable,
    "auth": Refused,
    "busy": (Garbled, Refused),
    "empty": Garbled,
    "empty-json": Garbled,
    "null": Garbled,
    "html": Garbled,
    "endless": Garbled,
    "gzip-bomb": Garbled,
    "huge-header": Unreachable,
    "deep-json": Garbled,
}
NO_END = {"hang", "drip", "wifi-lost"}
"""Until the deadline nothing is known about these."""


@pytest.mark.parametrize("fault", sorted(set(ERRORS) - NO_END))
async def test_a_board_that_misbehaves_on_the_line_is_one_error(plug, fault):
    device, server = await plug("gamma", "v2.15.3", fault)
    await misbehaves(device, server, fault)


@pytest.mark.parametrize("fault", sorted(NO_END))
def test_a_board_that_never_ends_its_answer_is_one_error_at_the_deadline(fault):
    async def whole(loop: WoundLoop) -> None:
        (board,) = fleet(1, mix={("gamma", "v2.15.3"): 1}, warm_s=120)
        board.faults.add(fault)
        server = await serve([board], clock=WoundClock(loop))
        device = connect(server.addresses[0])
        await misbehaves(device, server, fault)
        assert DEADLINE_S <= loop.time() < DEADLINE_S + 1
        await device.close()
        await server.close()

    run(whole)


async def misbehaves(device: AxeosDevice, server: SimServer, fault: str) -> None:
    async with asyncio.timeout(30):
        with pytest.raises(ERRORS[fault]) as caught:
            await device.read()
        assert str(caught.value).startswith(device.address)
        server.boards[0].faults.discard(fault)
        assert (await device.read()).frequency_mhz == 525


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - set(ERRORS)))
async def test_any_other_fault_still_gives_a_reading(plug, fault):
    device, _ = await plug("gamma", "v2.15.3", fault)
    status = await device.read()
    assert msgspec.json.decode(msgspec.json.encode(status), type=MinerStatus) == status
    assert "\x1b" not in repr(status)


async def test_bad_numbers_and_dead_sensors_are_unknown_and_never_zero(plug):
    for fault in ("temp-minus-one", "temp-zero", "missing-fields"):
        device, _ = await plug("gamma", "v2.15.3", fault)
        assert (await device.read()).chip_temp_c is None, fault
    device, _ = await plug("gamma", "v2.15.3", "missing-fields")
    status = await device.read()
    assert (status.hashrate_ghs, status.power_w, status.mac) == (None, None, None)


async def test_a_lost_answer_is_an_unknown_outcome(plug):
    device, server = await plug("gamma", "v2.15.3")
    await device.read()
    server.boards[0].faults.add("cut-answer")
    with pytest.raises(Unreachable):
        await device.apply(Tune(frequency_mhz=500))
    server.boards[0].faults.discard("cut-answer")
    assert (await device.read()).frequency_mhz == 500


async def test_the_log_is_streamed(plug):
    device, _ = await plug("gamma", "v2.15.3")
    lines = device.log_lines()
    async with asyncio.timeout(30):
        assert (await anext(lines)).strip()
    await lines.aclose()


async def test_the_history_is_read(plug):
    device, server = await plug("gamma", "v2.15.3")
    server.boards[0].store("statsFrequency", 5)
    async with asyncio.timeout(30):
        while len(rows := await device.statistics()) < 2:
            await asyncio.sleep(0.05)
    assert [age for age, _ in rows] == sorted((age for age, _ in rows), reverse=True)
    assert all({"hashrate_ghs", "power_w", "chip_temp_c"} <= set(values) for _, values in rows)
