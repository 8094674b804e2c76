"""A paused miner: nothing of a raise's heat shows, so it climbs nowhere that it has not been at home."""

from __future__ import annotations

import pytest

from minertui.model.commands import Rank, Tune
from tests.engine.bench import REFUSED, Bench

pytestmark = pytest.mark.looptime


async def test_a_paused_miner_does_not_climb_without_its_heat(bench: Bench):
    """It would run at the top of the climb from one moment to the next, when it goes on."""
    bench.miner.set(paused=True, hashrate_ghs=0.0, chip_temp_c=30.0, vr_temp_c=30.0)
    await bench.line.refresh()
    outcome = await bench.person(Tune(900, 1350))
    assert (outcome.state, bench.at) == (REFUSED, (525, 1150))
    assert "resume it first" in outcome.reason
    assert (await bench.do(Tune(475), Rank.SAFETY, "guard:garage")).ok
    assert (await bench.arbiter.conclude("garage", None, "guard:garage")).ok, "its way back needs no work"
    assert bench.at == (525, 1150)
