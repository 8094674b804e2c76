"""Which rigs mine, where the disk does not tell, the engine becomes read-only, or a person has just stopped one."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from minertui.config import Config, EngineConfig
from minertui.engine.records import Records
from minertui.engine.store import StoreError
from minertui.model.plans import Phase
from minertui.model.relay import RelayPlan
from tests.engine.test_rigs import House, house


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minertui.engine.rigs._AGAIN_S", 0.2, raising=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (file := tmp_path / "config.toml").write_text("")
    return file


def refuse(monkeypatch: pytest.MonkeyPatch, *methods: str) -> None:
    async def refused(*_: object) -> None:
        raise StoreError("database or disk is full")

    for method in methods:
        monkeypatch.setattr(Records, method, refused)


async def said(here: House) -> str:
    return "\n".join(line.text for line in await here.engine.log())


async def test_one_that_the_disk_does_not_tell_of_at_the_start_mines_as_soon_as_it_does(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, config_path=path) as here:
        await here.engine.start(RelayPlan("rig"))
    with monkeypatch.context() as broken:
        refuse(broken, "rigs")
        async with house(tmp_path, config_path=path) as here:
            assert "the rigs that were started by hand cannot be read" in await said(here)
            broken.undo()
            await here.until(lambda: here.job.phase is Phase.RUNNING)


async def test_what_the_disk_does_not_take_is_kept_when_it_is_well_again(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        refuse(broken, "want_rig")
        async with house(tmp_path, config_path=path) as here:
            await here.engine.start(RelayPlan("rig"))
            assert "would not go on after an end of the engine now" in await said(here)
            broken.undo()
            await here.until(lambda: not here.engine._rigs._wishes._owed)
    async with house(tmp_path, config_path=path) as here:
        assert here.job.phase is Phase.RUNNING


async def test_a_read_only_engine_mines_nothing_until_it_is_that_no_more(tmp_path: Path) -> None:
    only = EngineConfig(readonly=True)
    async with house(tmp_path) as here:
        await here.engine.start(RelayPlan("rig"))
        for _ in range(2):
            await here.engine.reload(replace(here.config, engine=only))
            assert here.job.phase is Phase.STOPPED
        assert "read-only" in await said(here)
        await here.engine.reload(here.config)
        await here.until(lambda: here.job.phase is Phase.RUNNING)
    async with house(tmp_path, only, start=True) as here:
        await here.engine.reload(replace(here.config, engine=EngineConfig()))
        await here.until(lambda: here.job.phase is Phase.RUNNING)


async def test_one_that_a_person_stops_is_not_begun_again_by_a_config_that_changes_meanwhile(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.engine.start(RelayPlan("rig"))
        await here.until(lambda: here.good("one") > 0)
        await here.engine.stop("relay:rig")
        (rig,) = here.config.rig
        await here.engine.reload(Config(rig=(replace(rig, software="other"),)))
        assert here.job.phase is Phase.STOPPED
