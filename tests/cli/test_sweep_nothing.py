"""A sweep of a miner that does not answer, and one that measured nothing: no numbers are made up, no file is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import Phase, PointVerdict, SweepPoint
from tests.cli.test_sweep import Scripted, follower, point, state


async def test_the_preview_of_a_dead_address_says_that_and_no_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("minertui.cli.watching._FIRST_READING_S", 0.05)
    link: Any = Scripted()
    dead = Snapshot("b", address="10.0.0.2", health=Health.UNKNOWN, why="10.0.0.2: no answer within 5 s")
    link.fleet = link.fleet.with_(dead)
    show, said = follower(link, tmp_path)
    silent = await show.preview()
    assert [sweep.plan.device for sweep in silent] == ["b"]
    assert [line for line in said if line.startswith("[b]")] == [
        "[b] ! 10.0.0.2: no answer within 5 s; where its sweep would begin, and how long it would take, is not known"
    ]
    assert any("points" in line for line in said if line.startswith("[a]"))


@pytest.mark.parametrize(
    "points",
    [(), (SweepPoint(1, 500, 1150, PointVerdict.NOT_APPLIED, "it did not take it"),)],
    ids=["no point", "a point without any hashrate"],
)
async def test_without_a_measured_point_no_file_is_written_and_that_is_said(
    tmp_path: Path, points: tuple[SweepPoint, ...]
):
    link = Scripted()
    show, said = follower(link, tmp_path)
    link.push(
        state("a", Phase.RUNNING, point(1)),
        state("a", Phase.DONE, point(1), note="done"),
        state("b", Phase.FAILED, *points, note="it does not answer"),
    )
    assert await show.run() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["bitaxe_benchmark_results_10.0.0.1.json"]
    told = "no point was measured, so no result file was written"
    assert [line for line in said if told in line] == [f"[b] {told}"]
