"""A rig's hashrate is that of the boards that mine, wherever it is told."""

from __future__ import annotations

import msgspec
import pytest

from minertui.cli.status import text
from minertui.model.fleet import Fleet
from minertui.model.plans import JobState, Phase
from minertui.model.relay import BoardPlan, BoardState, BoardView, RelayPlan, RelayView
from minertui.tui.widgets.rig_lines import rigs_text, summary

RATES = {
    BoardState.HASHING: 218.0, BoardState.GOOD: 220.0, BoardState.AWAY: 300.0, BoardState.PAUSED: 400.0,
    BoardState.STOPPED: 500.0, BoardState.REQUESTED: None,
}  # fmt: skip


def rig(*states: BoardState, phase: Phase = Phase.RUNNING) -> tuple[JobState, RelayView]:
    boards = tuple(BoardView(BoardPlan(s.name, "i2c:1:20"), s, now_hs=RATES[s]) for s in states)
    view = RelayView(RelayPlan("attic"), boards)
    return JobState("relay:attic", "attic", phase, view), view


@pytest.mark.parametrize(
    ("states", "rate_hs"),
    [
        (tuple(RATES), 438.0),
        ((BoardState.AWAY, BoardState.PAUSED), None),
        ((BoardState.REQUESTED,), None),
        ((), None),
    ],
)
def test_only_boards_that_mine_add_their_hashrate_and_all_places_agree(states, rate_hs):
    job, view = rig(*states)
    assert view.now_hs == rate_hs
    said = "—" if rate_hs is None else "438"
    assert f"  {said} H/s" in "".join(span.text for span in summary(job, view))
    assert rigs_text([job]).endswith(f" mine  {said} H/s")
    row = text(Fleet().with_job(job), "").splitlines()[1].split()
    assert row[3] == said.replace("—", "-")


def test_a_rig_that_does_not_run_mines_nothing_whatever_its_boards_did_last():
    over, _ = rig(*RATES, phase=Phase.FAILED)
    two = msgspec.structs.replace(rig(*RATES)[0], id="relay:shed", device="shed")
    assert rigs_text([over, two]) == "3/12 mine  438 H/s"
    assert text(Fleet().with_job(over), "").splitlines()[1].split()[:4] == ["attic", "failed", "0/6", "-"]
