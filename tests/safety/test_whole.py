"""Firmware that stores whole MHz refuses half of one: what a program asks for is rounded, a person's not."""

from __future__ import annotations

import pytest

from minertui.model.commands import Rank, Tune
from minertui.model.plans import Limits
from minertui.model.status import Ability
from minertui.safety.kernel import decide, storable
from minertui.safety.steps import Steps
from tests.safety.values import GAMMA, INF, ask, gamma

WHOLE = gamma(abilities=frozenset(Ability) - {Ability.TUNE_FRACTION})


@pytest.mark.parametrize(
    ("mhz", "most", "stored"),
    [
        (512.5, None, 512),
        (518.75, None, 519),
        (518.25, 600.0, 518),
        (518.75, 518.75, 518),  # never over a limit
        (518.75, 519.0, 519),
        (500.0, 400.0, 500),  # what is whole stays so, whatever else forbids it
        (None, None, None),
        (INF, None, INF),
    ],
)
def test_a_clock_is_rounded_to_what_can_be_stored(mhz: float | None, most: float | None, stored: float | None):
    assert storable(Tune(mhz, 1100), WHOLE, Limits(max_mhz=most)) == Tune(stored, 1100)
    assert storable(Tune(mhz, 1100), WHOLE, None).frequency_mhz in (stored, 519)
    assert storable(Tune(mhz, 1100), GAMMA, Limits(max_mhz=most)) == Tune(mhz, 1100)


@pytest.mark.parametrize(
    ("tune", "rank", "sent"),
    [
        (Tune(512.5), Rank.SAFETY, 512),
        (Tune(512.5), Rank.SWEEP, 512),
        (Tune(512.5, at_most=True), Rank.PERSON, 512),
        (Tune(512.5), Rank.PERSON, 512.5),
    ],
)
def test_only_a_person_is_told_that_it_cannot_be(tune: Tune, rank: Rank, sent: float):
    decision = decide(ask(tune, WHOLE, rank))
    assert isinstance(decision, Steps)
    assert [step.command for step in decision.steps] == [Tune(sent)]
