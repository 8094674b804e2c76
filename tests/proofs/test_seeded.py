"""Some faults put into the program are found by the judge of the chaos proof; all of them: ``make chaos``."""

from __future__ import annotations

import pytest

from minertui.safety import kernel
from tests.proofs import scenes, seeded
from tests.proofs.chaos import played
from tests.proofs.seeded import FAULTS, hunt, hunt_all

CHEAP = {
    "a way back is closed unproven": "unproven",
    "what others lowered is raised": "by others (",
    "any MAC is learned": "had said it is",
}


@pytest.mark.parametrize(("name", "says"), CHEAP.items())
def test_a_seeded_fault_is_found(name: str, says: str):
    with seeded.seeded(name):
        assert says in played(FAULTS[name].scene)[0]


def test_without_it_nothing_is_found():
    assert played(scenes.tripped) == []


def test_a_fault_that_does_not_show_and_a_scene_that_breaks_anyway_are_not_found(capsys: pytest.CaptureFixture[str]):
    name, other = "a guard never lowers", "in one step"
    assert hunt(name, lambda _: []) == ""
    assert hunt(name, lambda _: ["broken anyway"]) == ""
    answers = iter([["it was raised"], [], []])
    assert hunt_all([name, other], lambda _: next(answers)) == 1
    said = capsys.readouterr().out
    assert "a guard never lowers: it was raised" in said
    assert "in one step: NOT FOUND" in said
    assert "1 of 2 faults were found" in said


def test_every_fault_can_be_put_in_and_is_gone_afterwards():
    right = kernel._ladder
    for name in FAULTS:
        with seeded.seeded(name):  # AttributeError where the program has no such place any more
            assert (kernel._ladder is right) is (name != "in one step")
    assert kernel._ladder is right
