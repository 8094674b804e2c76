"""Half a minute of the real engine in real time on 160 simulated miners of another process; hours: ``make soak``."""

from __future__ import annotations

import pytest

from tests.proofs.soak import slope, soak


async def test_nothing_grows_in_half_a_minute():
    soaked = await soak(seconds=24, miners=160, poll_s=4.0, seed=5)
    assert soaked.polls > 300
    assert soaked.faults > 30
    half = soaked.half()
    assert half[-1].memory_mb - half[0].memory_mb < 25
    for name in ("files", "tasks", "threads"):
        values = [getattr(sample, name) for sample in half]
        assert max(values) - min(values) < 120, (name, values)  # each faulty miner holds a few while it is asked
        assert max(values) < 160 * 6, (name, values)
    assert soaked.lag_s(0.5) < 1.0


def test_a_leak_has_a_slope():
    leak = [(float(n), 100 + 0.5 * n + 0.2 * (-1) ** n) for n in range(50)]
    still = [(float(n), 100 + 0.2 * (-1) ** n) for n in range(50)]
    gained, most = slope(leak)
    assert gained == pytest.approx(0.5, abs=0.01)
    assert 0.49 < most < 0.52
    assert slope(still)[1] < 0.01
