"""What answers is the miner that is meant, or doubted: another MAC, that of another name, one where there was none."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from minertui.config import Config, MinerConfig
from minertui.engine.engine import Engine
from minertui.engine.who import Who
from minertui.model.commands import Order, OutcomeState, Tune
from minertui.model.fleet import Health
from minertui.model.status import MinerStatus
from tests.engine.hardware import GAMMA, MAC, FakeMiner, LoopClock, line
from tests.engine.house import House, Miner, miner, until

SILENT = replace(GAMMA, mac=None, firmware="v2.2.0")
FIRST, SECOND = miner(), miner("m2", "localhost:8001")


def after(*readings: MinerStatus) -> Who:
    who = Who()
    for reading in readings:
        who.believed(reading)
    return who


@pytest.mark.parametrize(
    ("before", "now", "doubted"),
    [
        ((), GAMMA, False),
        ((SILENT,) * 9, replace(GAMMA, firmware="v2.2.0"), True),
        ((SILENT,) * 9, replace(SILENT, mac=MAC, model="Ultra", firmware="v2.15.0"), True),
        ((SILENT,) * 9, GAMMA, False),  # an update
        ((SILENT,), replace(GAMMA, firmware="v2.2.0"), False),  # one answer may lack it by a fault
        ((GAMMA, SILENT, SILENT, GAMMA, SILENT), replace(GAMMA, firmware="v2.2.0"), False),
    ],
)
def test_a_mac_where_there_was_none_is_doubted_unless_the_firmware_is_newer(
    before: tuple[MinerStatus, ...], now: MinerStatus, doubted: bool
):
    assert bool(after(*before).wrong(now, None)) is doubted


def test_whom_a_person_accepts_is_not_doubted():
    who = after(*(SILENT,) * 9)
    who.accept()
    assert who.wrong(replace(SILENT, mac=MAC), None) == ""


async def test_a_doubted_one_that_falls_silent_stays_doubted_until_a_person_accepts_it():
    board, clock = FakeMiner(SILENT), LoopClock()
    asked = line(board, clock, mac=None)
    for _ in range(5):
        await asked.refresh()
    board.set(mac=MAC)
    assert (await asked.refresh()).health is Health.STRANGER
    board.dead = True
    assert (await asked.refresh()).health is Health.STRANGER
    asked.unpark()
    board.dead = False
    assert (await asked.refresh()).health is Health.OK
    assert asked.expected_mac == MAC


async def both(house: House) -> tuple[Engine, Miner]:
    """An engine that knows one miner by two names."""
    it = house.miners["127.0.0.1:8001"] = house.miners["localhost:8001"] = Miner("127.0.0.1:8001")
    engine = house.engine(FIRST, SECOND)
    await engine.open()
    return engine, it


def healths(engine: Engine) -> tuple[Health, Health]:
    return engine.line("m1").snapshot().health, engine.line("m2").snapshot().health


@pytest.mark.looptime
async def test_a_second_name_of_a_miner_is_said_and_never_written(house: House):
    engine, it = await both(house)
    await until(lambda: set(healths(engine)) == {Health.OK, Health.STRANGER}, 20)
    name, other = ("m1", "m2") if healths(engine)[1] is Health.STRANGER else ("m2", "m1")
    outcome = (await engine.send(Order("o1", other, Tune(450.0)))).outcome
    said = f"the same miner as “{name}” ({it.mac}); remove one of the two from the config"
    assert (outcome.state, outcome.reason) == (OutcomeState.REFUSED, said)
    assert any(said in alert.text for alert in engine.hub.fleet.alerts.values())
    assert it.tunes == []
    await engine.clear(other)  # a person cannot make it two miners
    await asyncio.sleep(10)
    assert engine.line(other).snapshot().health is Health.STRANGER
    await engine.reload(Config(miner=(FIRST if other == "m1" else SECOND,)))
    await until(lambda: engine.line(other).snapshot().health is Health.OK, 20)
    assert (await engine.send(Order("o2", other, Tune(450.0)))).outcome.ok
    await engine.close()


@pytest.mark.looptime
@pytest.mark.parametrize("known", [(SECOND, FIRST), (SECOND,)])
async def test_of_two_names_the_one_that_was_known_counts_and_of_two_such_the_first(
    house: House, known: tuple[MinerConfig, ...]
):
    house.miners["127.0.0.1:8001"] = house.miners["localhost:8001"] = Miner("127.0.0.1:8001")
    for config in known:
        engine = house.engine(config)
        await engine.open()
        await asyncio.sleep(6)
        await engine.close()
    engine, _ = await both(house)
    await engine.line("m1" if known == (SECOND,) else "m2").refresh()  # whichever is asked first
    await asyncio.sleep(20)
    assert healths(engine) == ((Health.STRANGER, Health.OK) if known == (SECOND,) else (Health.OK, Health.STRANGER))
    await engine.close()


@pytest.mark.looptime
async def test_a_miner_that_moved_is_its_new_names_once_the_old_one_was_silent_for_long(house: House):
    it, nobody = Miner("127.0.0.1:8001"), Miner("127.0.0.1:8009")
    house.miners["127.0.0.1:8001"], house.miners["localhost:8001"] = it, nobody
    nobody.dead = True
    engine = house.engine(FIRST, SECOND)
    await engine.open()
    await asyncio.sleep(10)
    engine.line("m1").device, engine.line("m2").device = nobody, it
    await asyncio.sleep(300)
    assert healths(engine) == (Health.LOST, Health.STRANGER)
    await until(lambda: healths(engine) == (Health.LOST, Health.OK), 900)
    engine.line("m1").device = it
    await until(lambda: healths(engine) == (Health.STRANGER, Health.OK), 120)
    await engine.close()
