"""A miner that tells no MAC (AxeOS before 2.3) is known by its name alone: its way back goes with that."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from minertui.config import Config
from minertui.engine.journal import Entry, Journal
from minertui.model.commands import Order, Rank, Restart
from minertui.model.history import MinerEntry
from minertui.safety.settings import Settings
from tests.engine.house import PLAN, House, Miner, miner, until

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize("by_hand", [True, False])
async def test_one_that_was_away_while_it_was_renamed_in_a_sweep_is_led_back(
    house: House, tmp_path: Path, by_hand: bool
):
    it = house.miners.setdefault("127.0.0.1:8001", Miner("127.0.0.1:8001"))
    it.mac = None  # type: ignore[assignment]
    engine = await house.from_file(tmp_path)
    await engine.start(PLAN)
    await until(lambda: it.mhz > 500)
    it.dead = True
    if by_hand:
        await engine.reload(Config(miner=(miner("attic"),)))
    else:
        await engine.save_miner(MinerEntry("attic", "127.0.0.1:8001"), "m1")
    (entry,) = Journal(house.folder / "journal", house.clock.wall).entries()
    assert (entry.device, entry.baseline.frequency_mhz) == ("attic", 500)
    it.dead = False
    await until(lambda: (it.mhz, it.mv) == (500, 1150), 300)
    await until(lambda: not Journal(house.folder / "journal", house.clock.wall).entries(), 120)
    await engine.close()


async def test_what_was_done_to_it_goes_with_it(house: House, tmp_path: Path):
    it = house.miners.setdefault("127.0.0.1:8001", Miner("127.0.0.1:8001"))
    it.mac = None  # type: ignore[assignment]
    engine = await house.from_file(tmp_path)
    restart = Order("o1", "m1", Restart(), by="script", rank=Rank.CURTAILMENT)
    await until(lambda: engine.hub.fleet.snapshots["m1"].status is not None)
    assert (await engine.send(restart)).outcome.ok
    await engine.save_miner(MinerEntry("attic", "127.0.0.1:8001"), "m1")
    await until(lambda: engine.hub.fleet.snapshots["attic"].status is not None)
    again = await engine.send(replace(restart, id="o2", device="attic"))
    assert "it was restarted" in again.outcome.reason
    await engine.close()


def test_nothing_else_takes_another_name(tmp_path: Path):
    journal = Journal(tmp_path, lambda: 1.0)
    for key, name, mac in (
        ("aabbccddee01", "a", "AA:BB:CC:DD:EE:01"),
        ("name-b-62", "b", None),
        ("name-c-63", "c", None),
    ):
        journal.open_entry(Entry(key, name, "127.0.0.1:1", Settings(500, 1150), mac=mac))
    before = journal.entries()
    assert journal.rename("a", "d") is None, "its MAC tells who it is"
    assert journal.rename("b", "c") is None, "that name has a way back of its own"
    assert journal.rename("x", "y") is None
    assert journal.entries() == before
    moved = journal.rename("b", "d")
    assert moved is not None
    assert journal.signed(moved)
    assert [entry.device for entry in journal.entries()] == ["a", "c", "d"]
