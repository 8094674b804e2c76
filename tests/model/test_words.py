"""What people read is words; what files and the API keep are values."""

from __future__ import annotations

import msgspec
import pytest

from minertui.cli.sweep_lines import point_line
from minertui.engine.command_log import told
from minertui.model.commands import ClearOverheat, Command, CommandRecord, Order, Outcome, OutcomeState, Tune, word_of
from minertui.model.plans import JobState, Phase, PointVerdict, SweepPlan, SweepPoint, SweepView
from minertui.tui.commands.orders import outcome_text
from minertui.tui.widgets.point_table import PointRow, PointTable


@pytest.mark.parametrize("kind", [PointVerdict, OutcomeState])
def test_words_have_no_hyphen_and_values_stay(kind: type[PointVerdict | OutcomeState]) -> None:
    for member in kind:
        assert member.words == member.value.replace("-", " ")
    assert msgspec.json.encode([PointVerdict.NOT_APPLIED, OutcomeState.DRY_RUN]) == b'["not-applied","dry-run"]'


@pytest.mark.parametrize(("command", "word"), [(Tune(500), "tune"), (ClearOverheat(), "clear overheat")])
def test_the_word_of_a_command(command: Command, word: str) -> None:
    assert word_of(command) == word


def test_a_point_that_was_never_reached_is_said_in_words() -> None:
    point = SweepPoint(1, 500, 1150, PointVerdict.NOT_APPLIED, "it did not take it")
    job = JobState("sweep:a", "a", Phase.RUNNING, SweepView(SweepPlan(), points=(point,)))
    assert ": not applied (it did not take it)" in point_line(point, job)
    assert PointTable()._verdict(PointRow(point)).text == "? not applied: it did not take it"


def test_an_order_is_said_in_words() -> None:
    record = CommandRecord(Order("1", "attic-1", ClearOverheat()), 0.0, Outcome(OutcomeState.DRY_RUN))
    assert outcome_text(record) == "attic-1: clear overheat — dry run"
    assert told(record) == "person: clear overheat: dry run"
