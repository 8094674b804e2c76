"""A paused miner is not raised above where it was at home: the heat of all steps would come at once when it goes on."""

from __future__ import annotations

import pytest

from minertui.model.commands import Rank, Tune
from minertui.safety.kernel import decide
from minertui.safety.settings import Settings
from minertui.safety.steps import Steps
from tests.safety.values import GAMMA, ask, gamma, no

PAUSED = gamma(paused=True, hashrate_ghs=0.0, chip_temp_c=30.0)
LOWERED = gamma(paused=True, hashrate_ghs=0.0, chip_temp_c=30.0, frequency_mhz=475.0, core_mv=1100.0)
HOME = Settings(525.0, 1150.0)


@pytest.mark.parametrize("tune", [Tune(550.0), Tune(core_mv=1175), Tune(500.0, 1175), Tune(550.0, 1100)])
@pytest.mark.parametrize("base", [None, HOME, Settings()])
@pytest.mark.parametrize("rank", [Rank.PERSON, Rank.SWEEP])
def test_it_is_resumed_first(tune: Tune, base: Settings | None, rank: Rank):
    assert "it is paused" in no(ask(tune, PAUSED, rank, baseline=base))
    assert isinstance(decide(ask(tune, GAMMA, rank, baseline=base)), Steps)
    assert isinstance(decide(ask(tune, gamma(paused=None), rank, baseline=base)), Steps)


@pytest.mark.parametrize("tune", [Tune(525.0), Tune(core_mv=1150), Tune(525.0, 1150), Tune(500.0, 1125)])
def test_back_home_it_may_go(tune: Tune):
    assert isinstance(decide(ask(tune, LOWERED, baseline=HOME)), Steps)
    assert "it is paused" in no(ask(tune, LOWERED, baseline=None))
    assert "it is paused" in no(ask(Tune(525.5), LOWERED, baseline=HOME))


def test_it_is_lowered_as_ever():
    assert isinstance(decide(ask(Tune(400.0, 1000), PAUSED)), Steps)


def test_what_comes_down_from_above_is_no_raise():
    above = gamma(paused=True, hashrate_ghs=0.0, chip_temp_c=30.0, frequency_mhz=600.0, core_mv=1100.0)
    assert isinstance(decide(ask(Tune(575.0, 1150), above, baseline=HOME)), Steps)
