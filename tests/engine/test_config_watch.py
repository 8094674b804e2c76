"""The config file changes under a running engine: what is wrong is said once, and what has to wait is said too."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from minertui.config import ApiConfig, Config, load
from minertui.engine.config_watch import doors_wait, mark
from minertui.engine.engine import Engine
from minertui.model.history import MinerEntry
from minertui.model.plans import GuardPlan
from tests.engine.house import CONFIG, House, until

pytestmark = pytest.mark.looptime


async def open_with(folder: Path, text: str) -> tuple[Engine, Path]:
    file = folder / "config.toml"
    file.write_text(text)
    engine = Engine(load(file), state=folder / "state", clock=(house := House(folder)).clock, connect=house.connect,
                    config_path=file)  # fmt: skip
    await engine.open()
    return engine, file


async def saved(engine: Engine, file: Path, text: str, n: int) -> None:
    file.write_text(text)
    os.utime(file, ns=(n, n))  # a file system's clock may be coarse
    await looked_at(engine, file)


async def looked_at(engine: Engine, file: Path) -> None:
    """Returns when what the file says now is taken over, or refused."""
    watch = engine._watch
    assert watch is not None
    await until(lambda: watch._seen == mark(file))


async def said(engine: Engine) -> list[str]:
    return [line.text for line in await engine.log("engine") if "config" in line.text]


async def test_a_refused_change_is_one_line_and_so_is_its_end(tmp_path: Path):
    engine, file = await open_with(tmp_path, CONFIG)
    await saved(engine, file, f"[engine]\npoll_s = 1\n{CONFIG}", 1)
    await saved(engine, file, f"[engine]\npoll_s = 1\n{CONFIG}\n", 2)
    wrong = (
        f"the config is not taken over, the old one stays in force: {file}:2: engine.poll_s: must be 2 to 3600, not 1"
    )
    assert await said(engine) == [f"{wrong}; correct it and save, it is read again at once"]
    assert engine.hub.fleet.notice == wrong
    await saved(engine, file, f"[engine]\npoll_s = 3\n{CONFIG}", 3)
    assert (await said(engine))[1:] == ["the config is right again and in force"]
    assert (engine.config.engine.poll_s, engine.hub.fleet.notice) == (3.0, "")
    await engine.close()


async def test_a_change_of_the_apis_door_waits_for_a_restart_and_says_so(tmp_path: Path):
    engine, file = await open_with(tmp_path, CONFIG)
    door = '[api]\ntcp = "127.0.0.1:8337"\ntoken_file = "tokens"\n'
    await saved(engine, file, door + CONFIG, 1)
    await saved(engine, file, door + CONFIG + 'tags = ["a"]\n', 2)
    [line] = await said(engine)
    assert line.startswith(
        "api.tcp and api.token_file changed in the config, and the open doors stay as they are until"
    )
    assert "minertui stop" in line
    assert engine.hub.fleet.notice == line
    await saved(engine, file, CONFIG, 3)
    assert engine.hub.fleet.notice == "", "it is as it was when the doors were opened"
    await engine.close()


def test_doors_that_are_as_wanted_are_not_spoken_of():
    assert doors_wait(ApiConfig(tcp="a"), ApiConfig(tcp="a")) == ""
    assert doors_wait(ApiConfig(), ApiConfig(tcp="a")).startswith("api.tcp changed")


async def test_an_engine_whose_config_has_a_miner_twice_runs_and_says_so_until_it_has_not(tmp_path: Path):
    engine, file = await open_with(tmp_path, CONFIG)
    assert engine.hub.fleet.notice == ""
    known = engine.config.miner[0].address
    await saved(engine, file, f'{CONFIG}\n[[miner]]\nname = "again"\naddress = "{known}"\n', 1)
    assert "again" in engine.hub.fleet.snapshots
    [line] = await said(engine)
    assert "“again” have one address" in line
    assert engine.hub.fleet.notice == line
    await engine.close()
    second, file = await open_with(tmp_path, file.read_text())
    assert second.hub.fleet.notice == line
    await saved(second, file, CONFIG, 2)
    assert second.hub.fleet.notice == ""
    await second.close()


@pytest.mark.parametrize("left", ["", None, CONFIG], ids=["empty", "gone", "half"])
async def test_a_file_that_an_editor_is_about_to_write_takes_no_miner_and_no_guard_away(
    tmp_path: Path, left: str | None
):
    both = f'{CONFIG}\n[[miner]]\nname = "m2"\naddress = "127.0.0.1:8002"\n'
    engine, file = await open_with(tmp_path, both)
    await engine.start(GuardPlan("m2"))
    await asyncio.sleep(6.5)
    if left is None:
        file.unlink()
    else:
        file.write_text(left)
    await asyncio.sleep(1.9)  # one look at most
    file.write_text(f"{both}pinned = true\n")
    await looked_at(engine, file)
    assert set(engine.hub.fleet.jobs) == {"guard:m2"}
    assert engine.config.miner[1].pinned, "what is whole is taken over"
    assert engine.hub.fleet.notice == ""
    await engine.close()


async def test_a_file_that_stays_away_or_empty_is_wrong_and_not_the_end_of_all_miners(tmp_path: Path):
    engine, file = await open_with(tmp_path, CONFIG)
    await saved(engine, file, "", 1)
    assert set(engine.hub.fleet.snapshots) == {"m1"}
    file.unlink()
    await looked_at(engine, file)
    assert set(engine.hub.fleet.snapshots) == {"m1"}
    [line] = await said(engine)
    assert line.startswith(f"the config is not taken over, the old one stays in force: {file}: is empty, or not there")
    assert engine.hub.fleet.notice in line
    await saved(engine, file, CONFIG, 2)
    assert engine.hub.fleet.notice == ""
    await engine.close()


async def test_the_last_miner_that_is_removed_leaves_a_file_that_is_right(tmp_path: Path):
    engine, file = await open_with(tmp_path, CONFIG)
    await engine.remove_miner("m1")
    await looked_at(engine, file)
    assert (engine.hub.fleet.notice, load(file).miner) == ("", ())
    await engine.save_miner(MinerEntry("m1", "127.0.0.1:8001"))
    assert [miner.name for miner in load(file).miner] == ["m1"]
    await engine.close()


async def test_a_change_that_met_a_fault_is_taken_over_at_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    engine, file = await open_with(tmp_path, CONFIG)
    watch, real = engine._watch, engine._watch._changed  # type: ignore[union-attr]
    faults = [ValueError("nobody foresaw that")]

    async def changed(config: Config) -> None:
        if faults:
            raise faults.pop()
        await real(config)

    monkeypatch.setattr(watch, "_changed", changed)
    await saved(engine, file, f"{CONFIG}readonly = true\n", 1)
    assert engine.line("m1").readonly
    await engine.close()
