"""The config file changes under a running engine: what is wrong is said once, and what has to wait is said too."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from minertui.config import ApiConfig, load
from minertui.engine.config_watch import doors_wait
from minertui.engine.engine import Engine
from tests.engine.house import CONFIG, House

pytestmark = pytest.mark.looptime


async def open_with(folder: Path, text: str) -> tuple[Engine, Path]:
    file = folder / "config.toml"
    file.write_text(text)
    engine = Engine(load(file), state=folder / "state", clock=(house := House(folder)).clock, connect=house.connect,
                    config_path=file)  # fmt: skip
    await engine.open()
    return engine, file


async def saved(file: Path, text: str, n: int) -> None:
    file.write_text(text)
    os.utime(file, ns=(n, n))  # a file system's clock may be coarse
    await asyncio.sleep(10)


async def said(engine: Engine) -> list[str]:
    return [line.text for line in await engine.log("engine") if "config" in line.text]


async def test_a_refused_change_is_one_line_and_so_is_its_end(tmp_path: Path):
    engine, file = await open_with(tmp_path, CONFIG)
    await saved(file, f"[engine]\npoll_s = 1\n{CONFIG}", 1)
    await saved(file, f"[engine]\npoll_s = 1\n{CONFIG}\n", 2)
    wrong = (
        f"the config is not taken over, the old one stays in force: {file}:2: engine.poll_s: must be 2 to 3600, not 1"
    )
    assert await said(engine) == [f"{wrong}; correct it and save, it is read again at once"]
    assert engine.hub.fleet.notice == wrong
    await saved(file, f"[engine]\npoll_s = 3\n{CONFIG}", 3)
    assert (await said(engine))[1:] == ["the config is right again and in force"]
    assert (engine.config.engine.poll_s, engine.hub.fleet.notice) == (3.0, "")
    await engine.close()


async def test_a_change_of_the_apis_door_waits_for_a_restart_and_says_so(tmp_path: Path):
    engine, file = await open_with(tmp_path, CONFIG)
    door = '[api]\ntcp = "127.0.0.1:8337"\ntoken_file = "tokens"\n'
    await saved(file, door + CONFIG, 1)
    await saved(file, door + CONFIG + 'tags = ["a"]\n', 2)
    [line] = await said(engine)
    assert line.startswith(
        "api.tcp and api.token_file changed in the config, and the open doors stay as they are until"
    )
    assert "minertui stop" in line
    assert engine.hub.fleet.notice == line
    await saved(file, CONFIG, 3)
    assert engine.hub.fleet.notice == "", "it is as it was when the doors were opened"
    await engine.close()


def test_doors_that_are_as_wanted_are_not_spoken_of():
    assert doors_wait(ApiConfig(tcp="a"), ApiConfig(tcp="a")) == ""
    assert doors_wait(ApiConfig(), ApiConfig(tcp="a")).startswith("api.tcp changed")
