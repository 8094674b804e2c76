"""Two changes of the config file at the same time: each is in it afterwards."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from minertui import config_file
from minertui.config import Config
from minertui.model.history import MinerEntry
from tests.engine.house import CONFIG, House, miner


async def test_a_miner_that_is_removed_takes_nothing_from_one_that_is_changed_at_the_same_time(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file, real = tmp_path / "config.toml", config_file.replace_text
    file.write_text(CONFIG + CONFIG.replace("m1", "m2").replace("8001", "8002"))

    def slowly(path: Path, text: str) -> Config:
        time.sleep(0.05)
        return real(path, text)

    engine = house.engine(miner(), miner("m2", "127.0.0.1:8002"), config_path=file)
    await engine.open()
    monkeypatch.setattr(config_file, "replace_text", slowly)
    locked = MinerEntry("m2", "127.0.0.1:8002", readonly=True)
    await asyncio.gather(engine.save_miner(locked, "m2"), engine.remove_miner("m1"))
    said = file.read_text()
    assert ("m1" in said, "readonly = true" in said, engine.line("m2").readonly) == (False, True, True)
    await engine.close()
