from __future__ import annotations

import random

import pytest

from tests.proofs.growth import trend, verdict

MINUTE_S, A_DAY = 60.0, 86_400.0


def walk(seed: int, drift: float, n: int = 300) -> list[tuple[float, float]]:
    """A level that changes in steps and stays for a while, with a slope in MB a day."""
    dice, level, points = random.Random(seed), 0.0, []
    for minute in range(n):
        level = 0.95 * level + dice.gauss(0, 0.05)
        points.append((minute * MINUTE_S, 100 + level + drift * minute * MINUTE_S / A_DAY))
    return points


def test_a_line_is_known_exactly():
    found = trend([(n * MINUTE_S, 100 + n * MINUTE_S / A_DAY) for n in range(20)])
    assert found is not None
    assert (found * A_DAY).gained == pytest.approx(1.0)
    assert found.span == 19 * MINUTE_S
    assert trend([(0.0, 1.0)] * 7) is None


def test_what_stands_still_in_steps_is_not_convicted_and_what_leaks_is():
    still = [found * A_DAY for seed in range(60) if (found := trend(walk(seed, 0.0)))]
    leaks = [found for seed in range(60) if (found := trend(walk(seed, 20.0)))]
    assert sum(found.low <= 0 <= found.high for found in still) >= 54
    assert not any(verdict(found, 1.0)[0] for found in leaks)
    assert sum(verdict(found, 1.0)[0] is False for found in leaks) >= 55


def test_a_run_that_cannot_tell_says_how_long_it_takes():
    short = trend(walk(1, 0.0, 60))
    kept, words = verdict(short, 0.1)
    assert kept is None
    assert "not shown" in words
    assert verdict(None, 1.0) == (None, "too short to tell")
    assert verdict(trend([(n * MINUTE_S, 100.0) for n in range(20)]), 1.0) == (True, "kept")
