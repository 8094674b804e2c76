"""Lowering after a limit, a silence or an answer that was lost: it never asks for more than the miner runs, and what
the firmware lowered meanwhile ends the sweep instead of being asked to rise again and again."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from minertui.jobs.sweep import brain, run
from minertui.jobs.sweep.state import Seen, Send, Stage, State
from minertui.jobs.sweep.walk import Target
from minertui.jobs.sweep.watch import Mark
from minertui.model.commands import Tune
from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import Phase, Strategy, SweepPlan
from minertui.model.ranking import bounds
from tests.jobs.sweep_board import Board, FakeSite, plan, steps

HOME, BEGUN, RUNG, AIM = Target(650, 1200), Target(500, 1050), Target(520, 1100), Target(700, 1220, "the best")


def climbing(now_s: float) -> tuple[State, Snapshot]:
    """On the way up from a start under the user's own settings, to far above them; and a reading of that moment."""
    it = SweepPlan("a", strategy=Strategy.ADAPTIVE, max_power_w=40.0, max_mv=1250)
    status = Board(mhz=RUNG.mhz, mv=RUNG.mv).read(now_s, 0)
    state = State(
        it, bounds(it), BEGUN, HOME, restart=False, at=AIM, rung=RUNG, here=RUNG, origin=BEGUN, stage=Stage.SETTLE,
        since_s=now_s - 10, good_s=now_s - 5, mark=Mark(RUNG, status), proven=True,
    )  # fmt: skip
    return state, Snapshot("a", status=status, at_s=now_s, boot_s=now_s, health=Health.OK)


def test_a_limit_on_the_way_up_lowers_what_the_miner_runs_not_where_it_was_to_go():
    state, snapshot = climbing(1000.0)
    assert snapshot.status is not None
    hot = msgspec.structs.replace(snapshot, status=msgspec.structs.replace(snapshot.status, chip_temp_c=75.0))
    made = brain.step(state, Seen(hot), 1000.0)
    assert made.state.stage is Stage.RETREAT
    assert made.ask == Send(Tune(420, 1100))


def test_so_does_a_silence_on_the_way_up():
    state, snapshot = climbing(1000.0)
    for n in range(1, 4):
        made = brain.step(state, Seen(msgspec.structs.replace(snapshot, health=Health.STALE)), 1000.0 + 5 * n)
        state = made.state
    assert made.ask == Send(Tune(420, 1100))


def no_longer_than_an_hour(site: FakeSite) -> None:
    assert site.clock < 5000, "it is asked for ever"


@pytest.mark.parametrize(
    ("meanwhile", "ends", "said"),
    [
        (lambda s: vars(s.board).update(mhz=400, mv=1050), Phase.PARKED, "overheat"),  # −100 MHz and −100 mV
        (lambda s: vars(s.board).update(mhz=50, mv=1000), Phase.PARKED, "overheat"),
        (lambda s: setattr(s, "incidents", 1), Phase.PARKED, "overheat"),
        (lambda s: vars(s.board).update(mhz=350, mv=1150), Phase.FAILED, "somebody else"),
    ],
    ids=["minus-100", "crippled", "counted", "by hand"],
)
async def test_what_was_lowered_while_it_was_silent_ends_the_sweep(
    meanwhile: Callable[[FakeSite], None], ends: Phase, said: str
):
    site = FakeSite(Board(top_mhz=lambda _: 900, chip_c=lambda *_: 50))

    def back(it: FakeSite) -> None:
        it.answers = True
        meanwhile(it)

    site.at = [(1300, lambda s: setattr(s, "answers", False)), (1500, back)]
    site.every = no_longer_than_an_hour
    await run(site, plan(max_mhz=500), ())
    assert (site.end[0], said in site.end[1], site.concluded) == (ends, True, [None]), site.end
    assert site.tunes[-1] == Tune(400, 1150), "nothing was asked of it after it was back"


async def run_grid(site: FakeSite) -> None:
    await run(site, plan(start_mhz=560, max_mhz=560), ())


async def test_a_miner_in_the_middle_of_a_lost_write_is_lowered_from_there():
    """Of frequency and voltage only the first arrived before it fell silent."""
    site = FakeSite(Board(mv=1160, top_mhz=lambda _: 900, chip_c=lambda *_: 50))

    def back(it: FakeSite) -> None:
        it.answers = True
        it.board.mhz = 460

    site.at = [(1300, lambda s: setattr(s, "answers", False)), (1500, back)]
    await run_grid(site)
    assert steps(site.points) == [(560, 1160, "passed")]


async def test_a_miner_that_refuses_to_be_lowered_fails_the_sweep():
    site = FakeSite(Board(top_mhz=lambda _: 900, chip_c=lambda *_: 50))
    site.every = no_longer_than_an_hour
    site.refuse = lambda tune: "not now" if (tune.frequency_mhz or 0) < 560 else None
    site.at = [(1300, lambda s: setattr(s, "answers", False)), (1500, lambda s: setattr(s, "answers", True))]
    await run_grid(site)
    assert site.end[0] is Phase.FAILED
    assert "it cannot be lowered" in site.end[1]
    assert site.concluded == [None]
