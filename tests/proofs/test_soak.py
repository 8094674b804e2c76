"""Half a minute of the real engine in real time on 160 simulated miners of another process; hours: ``make soak``."""

from __future__ import annotations

import itertools
import sys

import pytest

from tests.proofs.held import Held, held
from tests.proofs.lateness import Looks
from tests.proofs.soak import soak
from tests.proofs.soak_engine import Sample
from tests.proofs.soak_report import Run, Soaked, computed_mb, memory


async def test_nothing_grows_in_half_a_minute():
    soaked = await soak(Run(seconds=100, speed=10, seed=5))
    assert soaked.faults > 0
    assert soaked.sweeps > 0
    assert soaked.samples[-1].version > 500
    assert not [name for name, more in soaked.moved().items() if more > 0]  # fewer is a start that was not over
    assert soaked.at_rest[1].held.memory_mb - soaked.at_rest[0].held.memory_mb < 40
    assert soaked.rows >= 160
    assert not soaked.filled
    assert 0 < soaked.looks().ms(0.5) < 1000


def test_how_large_history_is_to_be():
    fortnight_mb = computed_mb(Run(0, miners=100, poll_s=5.0), 14 * 86_400)
    assert 590 < fortnight_mb < 680  # docs/history.md: 0.6 GB for 100 miners


def test_what_is_more_at_rest_is_told():
    def held(files: int, tasks: int) -> Sample:
        return Sample(1.0, Held(), files, tasks, 7, 1, Looks(), {})

    assert Soaked(Run(1), at_rest=[held(10, 20), held(12, 18)]).moved() == {}
    assert Soaked(Run(1), at_rest=[held(10, 20), held(13, 15)]).moved() == {"files": 3, "tasks": -5}


def _run(hours: float, leak_mb_hour: float, gaps_mb_hour: float = 0.0) -> Soaked:
    samples = []
    for minute in range(1, int(60 * hours) + 1):
        in_use_mb, gaps_mb = 60 + leak_mb_hour * minute / 60 + 0.01 * (minute % 2), 10 + gaps_mb_hour * minute / 60
        memory = Held(200.0, in_use_mb + gaps_mb, in_use_mb, 1.0, 9, {"minertui.Leak": 10 * minute, "socket.x": 5})
        samples.append(Sample(60.0 * minute, memory, 9, 9, 7, 1, Looks(), {}))
    return Soaked(Run(3600 * hours), samples)


def test_memory_is_judged_only_after_what_is_bounded_is_full(capsys: pytest.CaptureFixture[str]):
    assert not _run(0.5, 5.0).filled
    assert memory(_run(0.5, 5.0)) == 0
    assert "not judged" in capsys.readouterr().out
    assert memory(_run(9, 5.0)) == 1
    assert "minertui.Leak +14400" in (said := capsys.readouterr().out)
    assert "socket.x" not in said
    assert memory(_run(9, 0.0)) == 0


def test_memory_that_is_in_use_nowhere_and_does_not_go_back_is_found_too(capsys: pytest.CaptureFixture[str]):
    assert memory(_run(9, 0.0, gaps_mb_hour=1.0)) == 1
    assert "MISSED" in capsys.readouterr().out


def test_what_is_in_use_is_known_by_its_bytes():
    held()  # what earlier tests left is gone
    before = held()
    pieces = [bytes(100_000) for _ in range(100)], [bytes(40) for _ in range(10_000)]
    after, more_mb = held(), sum(map(sys.getsizeof, itertools.chain(*pieces))) / 1e6
    assert after.in_use_mb - before.in_use_mb == pytest.approx(more_mb, rel=0.2)
    assert after.blocks - before.blocks > 5_000
    assert after.anonymous_mb <= after.memory_mb
    del pieces
    assert held().in_use_mb - before.in_use_mb < 1.0
