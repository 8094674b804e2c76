from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from minertui.cli.main import main
from minertui.sim.duco_faults import BOARD_FAULTS, POOL_FAULTS


def started(options: list[str]) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "minertui", "sim", "duco", *options]
    sim = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    assert sim.stdout is not None
    lines = []
    for line in sim.stdout:
        lines.append(line)
        if line.startswith("Ctrl+C"):
            break
    return sim, "".join(lines)


@pytest.mark.parametrize(
    ("dialect", "shows"),
    [("serial", r"^serial:\S+/usb-minertui_sim_[01]  sketch 4\.3, 335 H/s"), ("adaptor", r"^adaptor:\S+:(8|9)  "),
     ("A", r"^i2c:sim:\d+:2[01]  208 H/s")],
)  # fmt: skip
def test_it_prints_where_everything_is_and_ends_cleanly(dialect: str, shows: str, tmp_path: Path) -> None:
    folder = tmp_path / "ports"
    sim, text = started(["--boards", "2", "--dialect", dialect, "--folder", str(folder)])
    with sim:
        assert len(re.findall(shows, text, re.MULTILINE)) == 2
        pool = re.search(r"^pool +127\.0\.0\.1:(\d+)$", text, re.MULTILINE)
        assert pool
        links = list(folder.iterdir()) if folder.exists() else []
        with socket.create_connection(("127.0.0.1", int(pool[1]))) as miner:
            assert miner.recv(10) == b"3.0\n"
            miner.sendall(b"JOB,alice,AVR,None")
            assert miner.recv(200).endswith(b",10\n")
            bus = re.search(r"^i2c:sim:(\d+):", text, re.MULTILINE)
            if bus:
                other = socket.create_connection(("127.0.0.1", int(bus[1])))
                other.sendall(b"scan\n")
                assert other.recv(100) == b"ok 20 21\n"
            sim.send_signal(signal.SIGINT)
            assert sim.wait(60) == 0
            if bus:
                other.close()
        assert sim.stderr is not None
        assert sim.stderr.read() == ""
    assert len(links) == {"serial": 2, "adaptor": 1, "A": 0}[dialect]
    assert not any(link.is_symlink() for link in links)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--boards", "51"], "write 0 to 50"),
        (["--speed", "0"], "write 0.1 to 1000"),
        (["--rate", "0"], "write 1 to 100000"),
        (["--pool-wait", "-1"], "write 0 to 60000"),
        (["--fault", "gremlin"], "no fault named 'gremlin'"),
        (["--fault", "silent@3"], "no simulated board '3'"),
        (["--pool-fault", "gremlin"], "no fault named 'gremlin'"),
        (["--sketch", "1.0"], "no simulated sketch '1.0'"),
        (["--port", "70000"], "--port: “70000” is too high: write 0 to 65535"),
    ],
)
def test_wrong_options_are_one_sentence(options: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(["sim", "duco", *options])
    except SystemExit as ended:  # what argparse itself refuses
        code = int(ended.code or 0)
    assert code in (1, 2)
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error


def test_the_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", "duco", "--list-faults"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in [*BOARD_FAULTS, *POOL_FAULTS])
