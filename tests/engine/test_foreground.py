"""``minertui engine`` as systemd runs it: a process of its own, a notify socket, signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from minertui.cli import engine as command
from minertui.config import load
from minertui.engine.config_watch import mark
from minertui.engine.engine import Engine
from tests.engine.house import CONFIG


def test_ready_is_said_when_the_door_is_open_and_two_terms_end_it_well(tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "n"))
        systemd.settimeout(60)
        command = [sys.executable, "-m", "minertui", "engine", "--state", str(tmp_path / "s"), "--config"]
        engine = subprocess.Popen(
            [*command, str(tmp_path / "none.toml")],
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "30000000"},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            words: list[str] = []
            while "READY=1" not in words:
                words += systemd.recv(4096).decode().splitlines()
            assert (tmp_path / "s" / "engine.sock").is_socket()
            engine.send_signal(signal.SIGTERM)
            engine.send_signal(signal.SIGTERM)
            while "STOPPING=1" not in words:
                words += systemd.recv(4096).decode().splitlines()
            assert engine.wait(60) == 0
        finally:
            engine.kill()
            _, errors = engine.communicate()
        assert "Traceback" not in errors
    assert not (tmp_path / "s" / "engine.sock").exists()


def test_a_speed_that_makes_no_sense_is_one_sentence():
    command = [sys.executable, "-m", "minertui", "engine", "--speed", "fast"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 2
    assert "--speed: “fast” is no number: write 0.1 to 1000" in found.stderr


async def test_a_config_that_is_saved_before_the_engine_looks_at_it_is_the_one_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its parts take a second to load on a small computer."""
    served: list[Engine] = []

    async def serve(engine: Engine, socket: Path) -> None:
        served.append(engine)

    file = tmp_path / "config.toml"
    file.write_text(CONFIG)
    seen, config = mark(file), load(file)
    file.write_text(f"{CONFIG}readonly = true\n")
    monkeypatch.setattr(command, "serve", serve)
    await command._serve(config, seen, file, tmp_path / "state", tmp_path / "e.sock", 1.0)
    assert [engine.config.miner[0].readonly for engine in served] == [True]
