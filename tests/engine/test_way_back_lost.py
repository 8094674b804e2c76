"""A way back that goes down in one value and up in the other, and is cut off in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from minertui.model.commands import Tune
from tests.engine.bench import SWEEP, Bench

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize("cut", ["write", "written"], ids=["the write never arrived", "its answer was lost"])
async def test_what_it_came_to_is_ours_and_it_goes_on_from_there(tmp_path: Path, cut: str):
    bench = Bench(tmp_path / "journal")
    assert (await bench.do(Tune(475, 1200))).ok
    before = len(bench.miner.writes)

    def silent(what: str) -> None:
        if what == cut and len(bench.miner.writes) == before + 1 + (cut == "written"):
            bench.miner.dead = True

    bench.miner.spy = silent
    assert not (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert bench.at == ((475, 1150) if cut == "write" else (500, 1150))
    bench.miner.spy = lambda _: None
    bench.miner.dead = False
    ((_, outcome),) = await bench.arbiter.restore_all()
    assert outcome.ok, outcome
    assert bench.at == (525, 1150)
    assert bench.journal.entries() == ()
