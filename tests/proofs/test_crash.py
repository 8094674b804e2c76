"""The engine killed at a sample of its system calls; the whole is ``make crash``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.proofs import tracer
from tests.proofs.bugs import BUGS
from tests.proofs.disk import Disk
from tests.proofs.tracer import Call

pytestmark = pytest.mark.skipif(bool(tracer.possible()), reason=tracer.possible())


SOONER = {  # where it is found soonest; ``make crash`` looks everywhere
    "journal deleted before the way back": ("--at", "fsync"),
    "journal after the first change": ("--at", "fsync"),
    "wrong order": ("--at", "fsync"),
    "told before it is kept": ("--at", "cut"),
    "journal not synced": ("--at", "cut"),
}


def prove(*args: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "tests.proofs.crash", "--json", *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, json.loads(done.stdout)


def test_killed_anywhere_the_promises_hold():
    code, score = prove("--sample", "7", "--seed", "7")
    assert score["violations"] == []
    assert code == 0
    assert (score["points"], score["cuts"]) == (49, 21)
    assert score["calls"]["sweep"] > 3000
    assert "pwrite64" in score["by_call"]
    assert len(score["by_call"]) >= 6, "a sample over many kinds of calls"


@pytest.mark.parametrize("bug", BUGS)
def test_the_checker_finds(bug: str):
    code, score = prove("--bug", bug, "--only", "small sweep", *SOONER.get(bug, ()))
    assert score["violations"], f"{score['points']} kills and {score['cuts']} power cuts did not find it"
    assert code == 0


def test_a_power_cut_takes_what_was_not_synced(tmp_path: Path):
    (tmp_path / "old").write_text("old")
    disk = Disk(tmp_path)
    (tmp_path / "old").write_text("changed")
    (tmp_path / "new").write_text("new")
    (tmp_path / "renamed").write_text("first")
    (tmp_path / "folder").mkdir()
    synced(disk, tmp_path / "renamed")
    (tmp_path / "renamed").rename(tmp_path / "elsewhere")
    disk.cut()
    left = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert left == {"old": "old", "renamed": "first"}


def synced(disk: Disk, path: Path) -> None:
    import os

    fd = os.open(path, os.O_RDONLY)
    assert disk.saw(os.getpid(), Call(1, "fsync", fd))
    os.close(fd)


def test_the_tracer_kills_before_the_call(tmp_path: Path):
    def work() -> None:
        for n in range(3):
            (tmp_path / str(n)).mkdir()

    calls: list[Call] = []
    tracer.traced(work, None, lambda _, call: calls.append(call))
    made = [call.n for call in calls if call.name in ("mkdir", "mkdirat")]
    for path in tmp_path.iterdir():
        path.rmdir()
    ended = tracer.traced(work, made[1])
    assert ended.killed_at is not None
    assert (ended.killed_at.n, ended.killed_at.name) == (
        made[1],
        calls[made[1] - 1].name,
    )  # a path is elsewhere each time
    assert [path.name for path in tmp_path.iterdir()] == ["0"]
