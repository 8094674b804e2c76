"""Half a minute of the real engine in real time on 160 simulated miners of another process; hours: ``make soak``."""

from __future__ import annotations

from tests.proofs.soak import soak
from tests.proofs.soak_report import Run, computed_mb


async def test_nothing_grows_in_half_a_minute():
    soaked = await soak(Run(seconds=100, speed=10, seed=5))
    assert soaked.faults > 5
    assert soaked.sweeps > 0
    assert soaked.samples[-1].version > 1000
    before, after = soaked.at_rest
    assert abs(after.files - before.files) <= 2
    assert abs(after.tasks - before.tasks) <= 2
    assert after.memory_mb - before.memory_mb < 40
    assert soaked.rows > 160
    assert not soaked.filled
    assert 0 < soaked.looks().ms(0.5) < 1000


def test_how_large_history_is_to_be():
    fortnight_mb = computed_mb(Run(0, miners=100, poll_s=5.0), 14 * 86_400)
    assert 590 < fortnight_mb < 680  # docs/history.md: 0.6 GB for 100 miners
