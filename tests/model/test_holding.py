"""What a guard would do along a frontier: between which clocks, and why not at all."""

from __future__ import annotations

from typing import Any

import pytest

from minertui.model.frontier import Frontier, Known, Setting
from minertui.model.holding import against, reach, target_c
from minertui.model.plans import GuardPlan, Limits
from minertui.model.status import Ability, MinerStatus

KNOWN = Known(Frontier((Setting(500, 1100, 1000, 12), Setting(600, 1150, 1200, 16))), chip="BM1370", firmware="v2")


@pytest.mark.parametrize(("asked", "held"), [(None, 63), (60, 60), (64, 63)])
def test_held_is_what_was_asked_for_and_never_nearer_to_the_limit_than_the_hysteresis(asked: float | None, held: float):
    assert target_c(GuardPlan(hold_temp_c=asked)) == held


@pytest.mark.parametrize(
    ("plan", "high_mhz", "caps", "between"),
    [
        ({}, 550, {}, (385, 550)),
        ({}, None, {}, (0, 600)),
        ({"low_mhz": 450, "max_mhz": 520}, 550, {}, (450, 520)),
        ({}, 700, {"min_mhz": 520}, (520, 600)),
        ({}, 600, {"max_mv": 1125}, (420, 550)),
        ({}, 600, {"max_mhz": 575}, (420, 575)),
        ({"low_mhz": 700}, 800, {}, (600, 600)),
        ({}, 600, {"max_mv": 1050}, None),
    ],
)
def test_between_floor_and_ceiling_within_what_is_proven_and_the_limits(
    plan: dict[str, Any], high_mhz: float | None, caps: dict[str, Any], between: tuple[float, float] | None
):
    assert reach(KNOWN, GuardPlan(**plan), high_mhz, Limits(**caps)) == between


def test_of_an_empty_frontier_nothing_is_in_reach():
    assert reach(Known(Frontier()), GuardPlan(), 500, Limits()) is None


@pytest.mark.parametrize(
    ("status", "high_mhz", "own", "why"),
    [
        ({}, 550.0, (550.0, 1150.0), ""),
        ({"chip": "BM1368"}, 550.0, (550.0, 1150.0), "its chip is BM1368 now and was BM1370 at the sweep"),
        ({"core_mv": None}, 550.0, (550.0, None), "it does not tell its frequency and voltage"),
        ({"abilities": frozenset()}, 550.0, (550.0, 1150.0), "its firmware follows only after a restart"),
        ({}, 650.0, (650.0, 1200.0), "650 MHz, set by hand, are more than its sweep proved"),
        ({}, 650.0, (600.0, 1200.0), ""),
        ({}, 550.0, (550.0, 1120.0), "1120 mV for 550 MHz, set by hand, are less than its sweep proved"),
    ],
)
def test_why_a_frontier_says_nothing_here(status: dict[str, Any], high_mhz: float, own: Any, why: str):
    live = frozenset({Ability.TUNE, Ability.TUNE_LIVE})
    board = {"chip": "BM1370", "firmware": "v2", "frequency_mhz": 550.0, "core_mv": 1150.0, "abilities": live, **status}
    assert against(KNOWN, MinerStatus(**board), high_mhz, own) == why
