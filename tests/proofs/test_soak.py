"""Half a minute of the real engine in real time on 160 simulated miners of another process; hours: ``make soak``."""

from __future__ import annotations

from tests.proofs.lateness import Looks
from tests.proofs.soak import soak
from tests.proofs.soak_engine import Sample
from tests.proofs.soak_report import Run, Soaked, computed_mb, memory


async def test_nothing_grows_in_half_a_minute():
    soaked = await soak(Run(seconds=100, speed=10, seed=5))
    assert soaked.faults > 0
    assert soaked.sweeps > 0
    assert soaked.samples[-1].version > 500
    assert soaked.moved() == {}
    assert soaked.at_rest[1].memory_mb - soaked.at_rest[0].memory_mb < 40
    assert soaked.rows >= 160
    assert not soaked.filled
    assert 0 < soaked.looks().ms(0.5) < 1000


def test_how_large_history_is_to_be():
    fortnight_mb = computed_mb(Run(0, miners=100, poll_s=5.0), 14 * 86_400)
    assert 590 < fortnight_mb < 680  # docs/history.md: 0.6 GB for 100 miners


def test_what_is_more_at_rest_is_told():
    def held(files: int, tasks: int) -> Sample:
        return Sample(1.0, 50.0, files, tasks, 7, 1, 0.0, 0.0, 0.0, 1, Looks(), {})

    assert Soaked(Run(1), at_rest=[held(10, 20), held(12, 18)]).moved() == {}
    assert Soaked(Run(1), at_rest=[held(10, 20), held(13, 15)]).moved() == {"files": 3, "tasks": -5}


def test_memory_is_judged_only_after_what_is_bounded_is_full():
    def run(hours: float, leak_mb_hour: float, pages_mb_hour: float = 0.0) -> Soaked:
        samples = []
        for minute in range(1, int(60 * hours) + 1):
            pages_mb = pages_mb_hour * minute / 60
            held_mb = 60 + leak_mb_hour * minute / 60 + pages_mb + 0.01 * (minute % 2)
            samples.append(Sample(60.0 * minute, held_mb, 9, 9, 7, 1, 0.0, 0.0, pages_mb, 1, Looks(), {}))
        return Soaked(Run(3600 * hours), samples)

    assert not run(0.5, 5.0).filled
    assert memory(run(0.5, 5.0)) == 0
    assert memory(run(3, 5.0)) == 1
    assert memory(run(3, 0.0)) == 0
    assert memory(run(3, 0.0, pages_mb_hour=1.0)) == 0
