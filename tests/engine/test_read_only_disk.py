"""A disk that became read-only, as a card does when it begins to fail: what only asks is answered."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from minertui.engine.line import Identity
from minertui.engine.records import Records
from minertui.engine.store import StoreError
from minertui.model.plans import GuardPlan
from tests.engine.fakes import LoopClock
from tests.engine.test_unreadable import opened as opened_in

pytestmark = pytest.mark.looptime


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """As SQLite has it there: a file that is opened for writing cannot be, and what is opened to be read can."""
    real = sqlite3.connect

    def connect(place: Any, *args: Any, **options: Any) -> sqlite3.Connection:
        if not options.get("uri"):
            raise sqlite3.OperationalError("unable to open database file")
        opened: sqlite3.Connection = real(place, *args, **options)
        return opened

    monkeypatch.setattr(sqlite3, "connect", connect)


async def written(folder: Path) -> None:
    records, _ = await opened_in(folder)
    await records.learn("m1", Identity(mac="AA", parked="hot"))
    await records.want_guard(GuardPlan("m1"))
    await records.close()


async def test_it_still_tells_who_is_parked_and_who_is_guarded(tmp_path: Path, request: pytest.FixtureRequest):
    await written(tmp_path)
    request.getfixturevalue("read_only")
    said: list[str] = []
    records = Records(tmp_path / "records.db", LoopClock(), trouble=said.append, damaged=said.append)
    with pytest.raises(StoreError, match="unable to open"):
        await records.start()
    assert await records.identities() == {"m1": Identity(mac="AA", parked="hot")}
    assert [plan.device for plan in await records.guards()] == ["m1"]
    with pytest.raises(StoreError):
        await records.learn("m1", None)
    assert list(await records.identities()) == ["m1"], "nothing was written, and nothing is waited for"
    assert len(said) == 1
    await records.close()


async def test_where_no_file_is_nothing_is_told(tmp_path: Path, read_only: None):
    records = Records(tmp_path / "records.db", LoopClock(), trouble=lambda _: None, damaged=lambda _: None)
    with pytest.raises(StoreError):
        await records.identities()
    assert list(tmp_path.iterdir()) == []
    await records.close()
