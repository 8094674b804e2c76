"""A miner that reports less than any chip can run: nothing is raised from there, and no rung leads through it."""

from __future__ import annotations

import pytest

from minertui.model.commands import Tune
from minertui.model.status import MinerStatus
from minertui.safety.kernel import decide
from minertui.safety.limits import FLOOR_MHZ, FLOOR_MV
from minertui.safety.raising import under_floor
from minertui.safety.settings import SAME, Settings
from minertui.safety.steps import Refusal, Steps
from tests.safety.values import GAMMA, NAN, ask, gamma, no

UP = Tune(575.0, 1200)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"core_mv": 0.0},
            "it reports 0 mV, less than the 800 mV that are the least there is; if that is so, set it at",
        ),
        ({"core_mv": 799.4}, "it reports 799.4 mV"),
        ({"core_mv": NAN}, "it reports nan mV"),
        ({"frequency_mhz": 0.0}, "it reports 0 MHz, less than the 50 MHz"),
        ({"frequency_mhz": 49.4}, "it reports 49.4 MHz"),
    ],
)
@pytest.mark.parametrize("base", [None, Settings(525, 1150), Settings()])
@pytest.mark.parametrize("tune", [UP, Tune(core_mv=1200), Tune(frequency_mhz=575.0)])
def test_nothing_is_raised_from_what_no_chip_can_run(
    fields: dict[str, float], told: str, base: Settings | None, tune: Tune
):
    assert told in no(ask(tune, gamma(**fields), baseline=base))
    assert under_floor(gamma(**fields), base)


def test_going_down_needs_none_of_it():
    assert isinstance(decide(ask(Tune(frequency_mhz=50.0), gamma(core_mv=0.0))), Steps)
    assert isinstance(decide(ask(Tune(core_mv=1000), gamma(frequency_mhz=0.0))), Steps)


def test_what_firmware_rounds_is_no_less():
    decision = decide(ask(Tune(75.0, 825), gamma(core_mv=799.5, frequency_mhz=49.5)))
    assert isinstance(decision, Steps)
    assert [(s.command.frequency_mhz, s.command.core_mv) for s in decision.steps if isinstance(s.command, Tune)] == [
        (None, 824), (None, 825), (74.5, None), (75.0, None),
    ]  # fmt: skip
    assert under_floor(GAMMA, None) is None
    assert under_floor(gamma(core_mv=FLOOR_MV - SAME, frequency_mhz=FLOOR_MHZ - SAME), None) is None


def test_what_is_not_told_is_not_too_little():
    assert under_floor(gamma(core_mv=None, frequency_mhz=None), None) is None


@pytest.mark.parametrize(
    ("low", "home", "other"),
    [
        (gamma(core_mv=700.0, frequency_mhz=400.0), Settings(500, 700), Tune(frequency_mhz=500.0)),
        (gamma(core_mv=1000.0, frequency_mhz=40.0), Settings(40, 1100), Tune(core_mv=1100)),
    ],
)
def test_a_home_under_the_floor_stays_as_it_is_while_the_other_value_rises(
    low: MinerStatus, home: Settings, other: Tune
):
    assert under_floor(low, home) is None
    assert isinstance(decide(ask(other, low, baseline=home)), Steps)
    assert isinstance(decide(ask(other, low, baseline=Settings(500, 1100))), Refusal)
    both = Tune(other.frequency_mhz or 100.0, other.core_mv or 900)
    assert "the least there is" in no(ask(both, low, baseline=home))  # its first rungs are what no chip can run
