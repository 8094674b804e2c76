"""An order of a person is judged as it will be sent before it takes the miner from a sweep: it is neither ended for
nothing nor held up for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from minertui.model.commands import OutcomeState, Rank, Tune
from minertui.model.plans import Limits
from tests.engine.bench import SWEEP, Bench

pytestmark = pytest.mark.looptime


async def swept(folder: Path, limits: Limits, to: Tune) -> Bench:
    bench = Bench(folder, limits=limits)
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    await bench.line.refresh()
    assert (await bench.do(to)).ok
    return bench


async def test_what_the_filled_up_order_is_refused_for_does_not_cost_the_sweep(tmp_path: Path):
    """Their own 1150 mV belong to the 520 MHz, and are over a limit that was set since."""
    bench = await swept(tmp_path, Limits(max_mv=1140), Tune(500, 1100))
    outcome = await bench.person(Tune(frequency_mhz=520))
    assert (outcome.state, outcome.reason) == (
        OutcomeState.REFUSED,
        "1150 mV is above the limit in force, 1140 mV",
    )
    assert (await bench.do(Tune(490))).ok, "the sweep still has the miner"


async def test_back_to_their_own_settings_is_not_refused_for_a_minimum_set_since(tmp_path: Path):
    bench = await swept(tmp_path, Limits(min_mhz=530), Tune(550))
    outcome = await bench.person(Tune(frequency_mhz=525))
    assert outcome.ok, outcome
    assert bench.at == (525, 1150)


async def test_a_raise_is_not_refused_for_a_reading_that_only_has_to_be_taken_anew(tmp_path: Path):
    bench = await swept(tmp_path, Limits(), Tune(550))
    outcome = await bench.person(Tune(560, 1150))
    assert outcome.ok, outcome
    assert bench.at == (560, 1150)


async def test_the_journal_is_read_as_often_as_for_a_miner_that_nobody_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """What the sweep wrote there is known without the disk, which may be slow."""
    swept_one, free = await swept(tmp_path / "a", Limits(), Tune(550)), Bench(tmp_path / "b")
    counts: list[int] = []
    for bench in (free, swept_one):
        reads: list[str] = []
        read = bench.journal.read
        monkeypatch.setattr(
            bench.journal, "read", lambda key, read=read, reads=reads: (reads.append(key), read(key))[1]
        )
        assert (await bench.person(Tune(500, 1150))).ok
        counts.append(len(reads))
    assert counts[0] == counts[1]
