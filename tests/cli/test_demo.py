"""``minertui demo`` without a terminal: it sweeps, leaves its result files and ends by itself."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from minertui.api.client import ApiClient
from minertui.cli.main import main
from minertui.engine.lock import StateLock
from minertui.model.errors import LinkError
from minertui.paths import state_dir


def test_in_a_pipe_it_sweeps_three_miners_and_ends_well(tmp_path: Path):
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "minertui", "demo", "--speed", "240"],
        cwd=tmp_path,
        env=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stderr == ""
    assert "\x1b" not in done.stdout, "plain when it is not a terminal"
    # a machine that is busy at the wrong moment shows a later sample first: a tenth of a second is half a minute here
    assert re.search(r"^\[sim-nerdqaxepp-9001\] \[ ?\d+\] \| F: ", done.stdout, re.MULTILINE)
    files = sorted(tmp_path.glob("bitaxe_benchmark_results_*.json"))
    assert len(files) == 3
    for file in files:
        result = json.loads(file.read_text())
        assert result["all_results"]
        assert len(result["top_performers"]) >= 1
        assert result["top_performers"][0]["rank"] == 1
    rig = done.stdout.partition("A Duino-Coin rig of three simulated boards mines a few shares:\n")[2].splitlines()
    good, bad = (rig[0].split().index(column) - len(rig[0].split()) for column in ("GOOD", "BAD"))
    for board, line in zip(("pro mini 20", "pro mini 21", "nano usb"), rig[1:4], strict=True):
        assert line.startswith(board)
        cells = line.replace(" ms", "").replace(" %", "").split()
        assert int(cells[good]) >= 3
        assert cells[bad] == "0"
    assert not list(tmp_path.glob("**/journal/*.json")), "no way back is left open"


def test_a_screen_that_lost_the_demos_engine_tells_to_start_the_demo_and_ends_well(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The screen's link outlives the engine, which is gone when the screen is left."""

    async def started(*_: Any, **__: Any) -> None:
        """It was there."""

    def screen(link: ApiClient, _: Any) -> int:
        with pytest.raises(LinkError, match=r"no engine is running at .*; start it with “minertui demo”$"):
            asyncio.run(link.health())
        return 7

    monkeypatch.setattr("minertui.cli.start.running_engine", started)
    monkeypatch.setattr("minertui.tui.app.run", screen)
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    assert main(["demo"]) == 7
    out, err = capsys.readouterr()
    assert out.endswith("The demo and its miners are gone. For real ones: minertui\n")
    assert err == ""


def test_one_demo_at_a_time_has_a_screen(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """A second one would show the first one's miners, and end them as it ends."""
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    with StateLock(state_dir() / "demo" / "screen"):
        assert main(["demo"]) == 1
    said = capsys.readouterr().err
    assert f"the screen of a demo (process {os.getpid()}) already works with" in said
    assert "leave it there (q) and start this one again" in said
