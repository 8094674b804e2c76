from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from minertui.cli.main import main
from minertui.sim.axeos_faults import FAULTS


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_sim_prints_addresses_and_the_curl_line_and_ends_cleanly(stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "minertui", "sim", "axeos", "--count", "2", "--cold", "--fault", "drip@1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as sim:
        assert sim.stdout is not None
        assert sim.stderr is not None
        lines = []
        for line in sim.stdout:
            lines.append(line)
            if line.startswith("Ctrl+C"):
                break
        sim.send_signal(stop)
        assert sim.wait(60) == 0
        assert sim.stderr.read() == ""
    text = "".join(lines)
    assert len(re.findall(r"^127\.0\.0\.1:\d+  ", text, re.MULTILINE)) == 2
    assert re.search(r"curl -s http://127\.0\.0\.1:\d+/faults -d '\{.*drip.*\}'", text)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--host", "0.0.0.0"], "loopback only"),
        (["--count", "0"], "write 1 to 1000"),
        (["--speed", "0"], "write 0.1 to 1000"),
        (["--ambient", "99"], "write -20 to 60"),
        (["--fault", "gremlin"], "no fault named 'gremlin'"),
        (["--fault", "drip@7", "--count", "2"], "no simulated board '7'"),
        (["--family", "toaster"], "no simulated board named 'toaster'"),
        (["--firmware", "newest"], "no firmware version"),
    ],
)
def test_wrong_options_are_one_sentence(options: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(["sim", "axeos", *options])
    except SystemExit as ended:  # what argparse itself refuses
        code = int(ended.code or 0)
    assert code in (1, 2)
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error


def test_the_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", "axeos", "--list-faults"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in FAULTS)
