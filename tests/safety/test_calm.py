"""How cool is cool enough to give back what a guard took."""

from __future__ import annotations

import pytest

from minertui.model.plans import GuardPlan
from minertui.safety.calm import Calm
from tests.safety.values import NAN, gamma

CALM = Calm(63.0, 83.0)


@pytest.mark.parametrize(
    ("chip", "vr", "cool"),
    [
        (63.0, 83.0, True),
        (63.1, 60.0, False),
        (50.0, 83.1, False),
        (63.0, None, True),
        (None, 60.0, False),
        (NAN, 60.0, False),
        (-1.0, 60.0, False),
        (50.0, NAN, False),
        (50.0, -1.0, False),
        (50.0, 0.0, False),
    ],
)
def test_both_sensors_have_to_be_down(chip: float | None, vr: float | None, cool: bool):
    assert CALM.reached(gamma(chip_temp_c=chip, vr_temp_c=vr)) is cool


def test_a_guard_asks_its_limits_less_its_hysteresis():
    plan = GuardPlan("m1", max_chip_temp_c=66.0, max_vr_temp_c=86.0, hysteresis_c=3.0)
    assert Calm.of(plan) == CALM
    assert CALM.text == "the chip is down to 63 °C and the regulator to 83 °C"
    assert Calm.__struct_config__.frozen
