"""How low a guard goes. A floor under which it never comes would guard nothing, whoever set which number."""

from __future__ import annotations

from typing import Any

import pytest

from minertui.model.plans import GuardPlan
from tests.jobs.test_guard import Bench


@pytest.mark.parametrize(
    ("plan", "runs", "least"),
    [
        ({}, 450, 315),
        ({"low_mhz": 400}, 450, 400),
        ({"low_mhz": 450, "high_mhz": 600}, 450, 450),  # this is its range, and it is at its end
        ({"low_mhz": 500}, 450, 315),  # it runs lower already
        ({"low_mhz": 450}, 450, 315),  # nothing would be left to lower
        ({"low_mhz": 500, "high_mhz": 600}, 450, 315),
        ({"high_mhz": 700}, 450, 315),  # 70 % of that are 490
        ({"max_mhz": 300}, 450, 210),
        ({"max_mhz": 300, "low_mhz": 400}, 450, 210),  # a limit of yours that is lower than its floor
        ({"low_mhz": 5000}, 450, 315),
    ],
)
def test_a_hot_miner_is_lowered_whatever_the_floor_is(plan: dict[str, Any], runs: float, least: float):
    bench = Bench(plan=GuardPlan("a", **plan), mhz=runs)
    for _ in range(200):
        bench.poll(66)
    assert bench.mhz == least


def test_whoever_orders_less_than_the_floor_is_guarded_there_too():
    bench = Bench()
    bench.poll(55)
    bench.mhz = 380
    for _ in range(200):
        bench.poll(66)
    assert bench.mhz == 266


def test_a_floor_that_was_reached_is_not_passed_by_a_miner_that_was_above_it():
    bench = Bench(plan=GuardPlan("a", low_mhz=500, high_mhz=600), mhz=550)
    for _ in range(200):
        bench.poll(66)
    assert bench.mhz == 500


def test_what_hashes_at_a_limit_is_lowered_though_its_flag_tells_of_an_overheat_of_before():
    bench = Bench()
    bench.poll(66, overheat=True)
    assert bench.mhz == 450
    assert "the firmware handles an overheat" in bench.poll(66, overheat=True, hashrate_ghs=0)
    assert "the firmware handles an overheat" in bench.poll(50, overheat=True)
    assert bench.mhz == 450


def test_of_another_board_it_knows_nothing():
    """A person accepted it: it would be raised to what the one before ran."""
    bench = Bench(plan=GuardPlan("a"))
    bench.poll(66, mac="one")
    assert bench.mhz == 450
    for _ in range(200):
        bench.poll(50, every=60, mac="two")
    assert bench.mhz == 450
    assert bench.state.high_mhz == 450
