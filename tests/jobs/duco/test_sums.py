"""The sums of a board are true whatever happens: nothing is counted twice, no time of a job is left out."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minertui.jobs.duco_relay.actions import Ask, Dial, Rest, Seek, Send, Wait, Work
from minertui.jobs.duco_relay.brain import Brain
from minertui.jobs.duco_relay.seams import Done
from minertui.model.relay import BoardPlan, BoardState, BoardStats, Dialect
from minertui.tui.widgets.share_time import REST, shares_of_time
from minertui.wire.duco.exchange import BoardError, NotFound, Outcome, Solved, Tally, TooHard, WrongNonce
from minertui.wire.duco.hash import Job
from minertui.wire.duco.pool import Kind, Verdict

_JOB = Job("05b7406b3909071b2d85b2d2958ad07a0d52bd12", "9d180ec72683f79f586ccdca311f301b7bcf884c", 5)
_OUTCOMES: tuple[Outcome, ...] = (NotFound(), WrongNonce(7), BoardError("it hangs"), TooHard(5, 4))

times = st.floats(0, 30).map(lambda seconds: round(seconds, 3))
fates = st.sampled_from(
    ["well"] * 8 + ["lost", "fell", "kick", "reset", "pause", "bad", "refused"] + [f"fault {n}" for n in range(4)]
)


class Life:
    """A board, and a world in which time passes in its waits alone."""

    def __init__(self, draw: Callable[[], tuple[str, float, float]]) -> None:
        self.brain = Brain(BoardPlan("b", "i2c:1:20"), 0.0, lambda: 1.0)
        self.draw = draw
        self.now_s, self.away_s, self.away_of_job_s, self.answers = 0.0, 0.0, 0.0, 0

    def parts_s(self) -> float:
        stats = self.brain.stats
        return stats.request_wait_s + stats.handover_s + stats.turn_s + stats.verdict_wait_s

    def turn(self) -> None:
        brain, (fate, first_s, second_s) = self.brain, self.draw()
        action = brain.next(self.now_s)
        if fate == "reset":
            brain.reset(0.0)
            self.away_s = self.away_of_job_s if brain.holds_job else 0.0
            self.answers = int(isinstance(action, Send))
        elif fate == "pause":
            brain.pause()
        if isinstance(action, Rest):
            brain.rested()
            brain.resume()
        elif isinstance(action, Seek):
            self.seek(action.wait_s)
        elif isinstance(action, Dial):
            self.now_s += action.wait_s
            brain.greeted("pool", 1)
        elif isinstance(action, Ask):
            self.now_s += first_s
            self.away_of_job_s = 0.0
            brain.came(_JOB, Wait(first_s, 0.0), self.now_s)
        elif isinstance(action, Work):
            self.work(fate, first_s, second_s)
        else:
            assert isinstance(action, Send)
            self.send(fate, first_s)

    def seek(self, wait_s: float) -> None:
        self.now_s += wait_s
        if self.brain.holds_job:
            self.away_s += wait_s
            self.away_of_job_s += wait_s
        self.brain.found("sketch", Dialect.SKETCH, 655)

    def work(self, fate: str, first_s: float, second_s: float) -> None:
        if fate == "fell":
            self.brain.fell("unplugged")
            return
        outcome: Outcome = Solved(476, round(1e6 * second_s) or None)
        if fate.startswith("fault"):
            outcome = _OUTCOMES[int(fate[-1])]
        self.now_s += first_s + second_s
        self.answers += isinstance(outcome, Solved)
        self.brain.worked(Done(outcome, Tally(), first_s, second_s), self.now_s)

    def send(self, fate: str, wait_s: float) -> None:
        if fate in ("lost", "kick"):
            self.brain.lost("cut", self.now_s)
        elif fate == "refused":
            self.brain.refused("Too many workers", self.now_s)
        else:
            self.now_s += wait_s
            verdict = Verdict(Kind.BAD, "Incorrect result") if fate == "bad" else Verdict(Kind.GOOD)
            self.brain.judged(verdict, Wait(wait_s, 0.0), self.now_s, self.now_s)


@given(st.data())
def test_the_parts_of_a_share_are_its_time(data: st.DataObject) -> None:
    events = data.draw(st.lists(st.tuples(fates, times, times), min_size=1, max_size=120))
    left = itertools.chain(events)
    life = Life(lambda: next(left))
    for _ in events:
        life.turn()
    life.brain.over(life.now_s)
    stats = life.brain.stats
    assert stats.jobs == stats.shares + stats.lost
    assert life.parts_s() + life.away_s == pytest.approx(stats.share_s + stats.lost_s, abs=1e-6)
    assert stats.calc_s <= stats.turn_s + 1e-6
    assert 0 <= (stats.busy or 0.0) <= 1
    assert stats.shares <= life.answers, "each answer is judged once at most"


@given(st.lists(st.tuples(times, times, times, times), min_size=1, max_size=20), st.booleans())
def test_the_bar_shows_all_of_the_time(shares: list[tuple[float, float, float, float]], lose: bool) -> None:
    brain, now_s = Brain(BoardPlan("b", "i2c:1:20"), 0.0, lambda: 1.0), 0.0
    brain.found("sketch", Dialect.SKETCH, 655)
    for request_s, handover_s, turn_s, verdict_s in shares:
        if not brain.connected:
            brain.greeted("pool", 1)
        now_s += request_s
        brain.came(_JOB, Wait(request_s, 0.0), now_s)
        now_s += handover_s + turn_s
        brain.worked(Done(Solved(476, round(0.9e6 * turn_s) or None), Tally(), handover_s, turn_s), now_s)
        if lose:
            brain.lost("cut", now_s)
        else:
            now_s += verdict_s
            brain.judged(Verdict(Kind.GOOD), Wait(verdict_s, 0.0), now_s, now_s)
    shown = {part.name: share for part, share in shares_of_time(brain.stats)}
    assert sum(shown.values()) == pytest.approx(1 if shown else 0)
    assert shown.get(REST.name, 0.0) == pytest.approx(0.0, abs=1e-6)


def test_a_reset_keeps_what_belongs_to_the_job_under_way() -> None:
    brain = Brain(BoardPlan("b", "i2c:1:20"), 0.0, lambda: 1.0)
    brain.found("sketch", Dialect.SKETCH, 655)
    brain.greeted("pool", 1)
    brain.came(_JOB, Wait(2.0, 0.1), 2.0)
    brain.worked(Done(Solved(476, 3_000_000), Tally(busy_polls=4), 1.0, 3.5), 6.5)
    assert brain.state is BoardState.DISCONNECTED
    brain.reset(50.0)
    brain.judged(Verdict(Kind.GOOD), Wait(0.5, 0.0), 7.0, 57.0)
    assert brain.stats == BoardStats(
        since_s=50.0, jobs=1, good=1, request_wait_s=2.0, request_send_s=0.1, verdict_wait_s=0.5, handover_s=1.0,
        calc_s=3.0, turn_s=3.5, share_s=7.0, nonces=476, rated=1, busy_polls=4, unpaid=1,
    )  # fmt: skip
    brain.reset(60.0)
    assert brain.stats == BoardStats(since_s=60.0)
