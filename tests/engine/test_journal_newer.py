"""The program was put back to an older version: what the newer one left in the journal."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from minertui.engine.journal import Entry, Journal, JournalError
from minertui.model.commands import OutcomeState, Rank, Tune
from minertui.safety.settings import Settings
from tests.engine.bench import Bench
from tests.engine.hardware import MAC
from tests.engine.house import House

KEY = MAC.replace(":", "").lower()
ENTRY = Entry(KEY, "garage", "192.0.2.1", Settings(500.0, 1150), mac=MAC, ours=(Settings(525.0, 1150),))


def written(folder: Path, **fields: object) -> Path:
    """The entry as a newer version may have written it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{KEY}.json"
    plain = msgspec.to_builtins(ENTRY)
    path.write_bytes(msgspec.json.encode({**plain, **fields}))
    return path


@pytest.mark.looptime
async def test_fields_that_are_not_known_yet_cost_no_way_back(tmp_path: Path):
    bench = Bench(tmp_path)
    written(tmp_path, wind="north", baseline={"frequency_mhz": 500, "core_mv": 1150, "fan_curve": [1, 2]})
    assert bench.journal.entries() == (ENTRY,)
    assert bench.journal.problems == ()
    ((_, outcome),) = await bench.arbiter.restore_all()
    assert outcome.ok, outcome
    assert bench.at == (500, 1150)
    assert bench.journal.entries() == ()


NEWER = ({"schema": 2}, {"schema": 7, "baseline": "elsewhere"}, {"schema": 2, "key": "other"})


@pytest.mark.parametrize("fields", NEWER, ids=str)
def test_a_form_that_is_not_known_is_left_where_it_is_and_said_once(tmp_path: Path, fields: dict[str, object]):
    journal = Journal(tmp_path, lambda: 1.0)
    path = written(tmp_path, **fields)
    before = path.read_bytes()
    for _ in range(3):
        assert journal.entries() == ()
    [said] = journal.problems
    assert f"{KEY}.json" in said
    assert "a newer version of this program" in said
    for work in (
        lambda: journal.read(KEY),
        lambda: journal.open_entry(ENTRY),
        lambda: journal.note_write(KEY, Settings(1)),
        lambda: journal.rebase(KEY, Settings(1)),
    ):
        with pytest.raises(JournalError, match="a newer version of this program"):
            work()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.looptime
async def test_until_somebody_looked_its_miner_is_lowered_and_never_raised(tmp_path: Path):
    bench = Bench(tmp_path)
    path = written(tmp_path, schema=2)
    for by in ((Rank.SWEEP, "sweep:garage"), (Rank.PERSON, "person")):
        outcome = await bench.do(Tune(550), *by)
        assert outcome.state is OutcomeState.REFUSED
        assert "a newer version of this program" in outcome.reason
    assert (await bench.do(Tune(450), Rank.SAFETY, "guard:garage")).ok
    assert bench.at == (450, 1150)
    assert path.exists()


def test_one_file_that_cannot_be_read_does_not_keep_the_others_from_their_way_back(tmp_path: Path):
    journal = Journal(tmp_path, lambda: 1.0)
    written(tmp_path)
    (tmp_path / "020000000011.json").mkdir()
    assert journal.entries() == (ENTRY,)
    assert journal.entries() == (ENTRY,)
    [said] = journal.unread
    assert "020000000011.json cannot be read" in said


@pytest.mark.looptime
async def test_the_engine_starts_and_says_so_everywhere(tmp_path: Path):
    house = House(tmp_path / "state")
    path = written(house.folder / "journal", schema=2)
    engine = await house.running()
    assert "a newer version of this program" in engine.hub.fleet.notice
    assert len(engine.hub.fleet.alerts) == 1
    await engine.close()
    assert path.exists()
