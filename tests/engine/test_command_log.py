"""The command log holds every write of the way back, with what reads back; and an end that nobody wrote down."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from minertui.cli.restore import restore
from minertui.config import Config
from minertui.engine.command_log import CommandLog
from minertui.engine.journal import FOLDER, Journal
from minertui.engine.records import Records
from minertui.model.commands import Change, CommandRecord, OutcomeState, Tune
from minertui.model.events import CommandDone, Event
from tests.engine.house import PLAN, House, miner, until
from tests.engine.test_guarded_way_back import warm

pytestmark = pytest.mark.looptime

HOME = Change("frequency", "540 MHz", "500 MHz")


def back(records: list[CommandRecord]) -> list[CommandRecord]:
    return [record for record in records if record.outcome.reason.startswith("way back of sweep:m1")]


async def driven(house: House) -> None:
    """A miner of 500 MHz that an engine left at 540 MHz, with its way back in the journal."""
    engine = await house.running()
    await engine.start(PLAN)
    it = house.miners["127.0.0.1:8001"]
    await until(lambda: it.mhz != 500.0, 2000)
    it.dead = True
    await engine.close()
    it.dead, it.mhz, it.mv = False, 540.0, 1150.0


async def test_what_leads_a_miner_back_at_the_next_start_is_in_the_command_log(tmp_path: Path):
    house = House(tmp_path)
    await driven(house)
    engine, heard = house.engine(), list[Event]()
    engine.hub.listen(heard.append)
    await engine.open()
    [record] = back(list(await engine.commands()))
    assert (record.order.by, record.order.device, record.order.command) == ("engine", "m1", Tune(500.0, 1150))
    assert (record.outcome.state, record.outcome.changes) == (OutcomeState.APPLIED, (HOME,))
    assert record in [event.record for event in heard if isinstance(event, CommandDone)]
    await engine.close()


async def test_a_sweep_that_ends_has_its_way_back_in_the_command_log(tmp_path: Path):
    house = House(tmp_path)
    engine = await house.running()
    await engine.start(PLAN)
    it = house.miners["127.0.0.1:8001"]
    await until(lambda: it.mhz > 500.0, 2000)
    before = it.mhz
    await engine.stop("sweep:m1")
    await until(lambda: it.mhz == 500.0)
    await asyncio.sleep(10)
    [record] = back(list(await engine.commands()))
    assert record.outcome.changes[0] == Change("frequency", f"{before:g} MHz", "500 MHz")
    await engine.close()


async def test_a_way_back_that_waits_is_not_logged_and_one_on_its_way_is_of_unknown_outcome(tmp_path: Path):
    async with warm(tmp_path) as found:
        await found.engine.stop("guard:m1")
        await asyncio.sleep(300)
        assert "engine" not in {record.order.by for record in await found.engine.commands()}, "it was often tried"
        found.it.chip_c = 50.0
        await until(lambda: found.it.mhz != 450.0, 200)
        [last, *_] = await found.engine.commands()
        assert (last.order.by, last.order.command) == ("engine", Tune(500.0, 1150))
        assert last.outcome.state is OutcomeState.UNKNOWN
        await until(lambda: not found.kept, 60)
        [last, *_] = await found.engine.commands()
        assert last.outcome.reason == "way back of guard:m1"
        assert last.outcome.changes == (Change("frequency", "450 MHz", "500 MHz"),)


async def test_restore_without_an_engine_is_in_the_command_log_too(tmp_path: Path):
    house = House(tmp_path)
    await driven(house)
    records = Records(house.folder / "records.db", house.clock, trouble=print, damaged=print)
    await records.start()
    journal = Journal(house.folder / FOLDER, house.clock.wall)
    log = CommandLog(records, house.clock, lambda event: None, by="restore")
    assert (
        await restore(journal, Config(miner=(miner(),)), house.clock, dry_run=False, log=log, connect=house.connect)
        == 0
    )
    [record] = back(await records.commands(10))
    assert (record.order.by, record.outcome.changes) == ("restore", (HOME,))
    await records.close()
