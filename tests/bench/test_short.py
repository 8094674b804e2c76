"""The benchmarks work and what they prove holds, in their short mode: no figure is judged here, a test has no quiet
machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.bench_screen import beside_clock

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="measures in /proc")

PROVEN = {
    "engine": ("alone: CPU", "two are ill: the others' polls late by: worst"),
    "screen": ("first picture", "burst: to the terminal", "still: to the terminal beside the clock"),
    "duco": ("plain blocking relay", "sketch: lost of the bound", "until the next share", "got twice"),
    "guard": ("script", "all: frequency alone", "all: frontier"),
    "safety": ("hot answer → lower command", "points shown before a kill", "baseline proven at the board"),
}


@pytest.mark.parametrize("name", PROVEN)
def test_short(name: str):
    command = [sys.executable, "-m", f"tests.bench.bench_{name}", "--short"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert not [figure for figure in PROVEN[name] if figure not in ran.stdout], ran.stdout


def test_what_a_screen_writes_beside_its_clock_is_told_apart():
    clock = b"\x1b[1;1H\x1b[1mminertui \x1b[0m 30 of 30 ok  10:33:43\x1b[0m\x1b[1;1H"
    assert beside_clock(b"") == (0, 0)
    assert beside_clock(clock + clock) == (2, 0)
    assert beside_clock(clock + b"\x1b[12;1Hok" + clock) == (2, len(b"\x1b[12;1Hok"))
    assert beside_clock(b"\x07")[1] == 1
