"""One board's decisions, told what happened."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minertui.jobs.duco_relay.actions import (
    LONGEST_S,
    SHORTEST_S,
    Action,
    Ask,
    Backoff,
    Dial,
    Rest,
    Seek,
    Send,
    Wait,
    Work,
)
from minertui.jobs.duco_relay.brain import ABSENT_S, HOLD_S, Brain
from minertui.jobs.duco_relay.seams import Done
from minertui.model.relay import BoardPlan, BoardState, Dialect
from minertui.wire.duco.exchange import BoardError, NotFound, Outcome, Solved, Tally, TooHard, WrongNonce
from minertui.wire.duco.hash import Job
from minertui.wire.duco.pool import Kind, Verdict

JOB = Job("05b7406b3909071b2d85b2d2958ad07a0d52bd12", "9d180ec72683f79f586ccdca311f301b7bcf884c", 5)
GOOD, BAD = Verdict(Kind.GOOD), Verdict(Kind.BAD, "Incorrect result")
SOLVED = Solved(476, 2_291_044)
WAITED = Wait(0.882, 0.003)


class Told:
    """A brain, and the time that passes around it."""

    def __init__(self, **plan: object) -> None:
        self.brain = Brain(BoardPlan("b", "i2c:1:20", **plan), 1000.0, lambda: 1.0)  # type: ignore[arg-type]
        self.now_s = 0.0

    def next(self) -> Action:
        return self.brain.next(self.now_s)

    def ready(self) -> None:
        self.brain.found("sketch", Dialect.SKETCH, 655)
        self.brain.greeted("pool", 1)

    def job(self, difficulty: int = 5) -> None:
        assert self.next() == Ask()
        self.brain.came(Job(JOB.last_hash, JOB.expected, difficulty), WAITED, self.now_s)

    def worked(self, outcome: Outcome) -> None:
        self.brain.worked(Done(outcome, Tally(bus_errors=1, busy_polls=2, repeats=3), 0.03, 2.3), self.now_s)

    def share(self, verdict: Verdict) -> None:
        self.job()
        self.worked(SOLVED)
        assert isinstance(self.next(), Send)
        self.now_s += 4.0
        self.brain.judged(verdict, Wait(0.799, 0.001), self.now_s, 1004.0)


@pytest.fixture
def told() -> Told:
    board = Told()
    board.ready()
    return board


def test_the_way_of_a_share() -> None:
    board = Told()
    assert board.next() == Seek(0.0)
    board.brain.found("sketch", Dialect.SKETCH, 655)
    assert board.next() == Dial(0.0)
    board.brain.greeted("pool", 1)
    board.job()
    assert board.next() == Work(JOB, None, True)
    board.worked(SOLVED)
    action = board.next()
    assert isinstance(action, Send)
    assert (action.nonce, round(action.rate_hs or 0)) == (476, 208)
    board.brain.judged(GOOD, Wait(0.799, 0.001), 4.0, 1004.0)
    assert board.next() == Ask()


def test_every_wait_has_its_own_sum(told: Told) -> None:
    told.share(GOOD)
    told.share(Verdict(Kind.BLOCK))
    told.share(BAD)
    stats = told.brain.stats
    assert (stats.jobs, stats.good, stats.bad, stats.block, stats.unpaid) == (3, 2, 1, 1, 2)
    assert (stats.request_wait_s, stats.request_send_s) == pytest.approx((3 * 0.882, 0.009))
    assert (stats.verdict_wait_s, stats.verdict_send_s) == pytest.approx((3 * 0.799, 0.003))
    assert (stats.handover_s, stats.turn_s) == pytest.approx((0.09, 6.9))
    assert (stats.bus_errors, stats.busy_polls, stats.retries) == (3, 6, 9)
    assert stats.mean_hs == pytest.approx(476 / 2.291044)
    assert stats.share_s == pytest.approx(3 * 4.882)
    assert stats.per_minute == pytest.approx(60 / 4.882)
    last = told.brain.view(told.now_s).last
    assert last is not None
    assert last.verdict == "BAD, Incorrect result"


def test_three_refused_shares_stop_it_and_say_why(told: Told) -> None:
    for verdict in (BAD, BAD, GOOD, BAD, BAD):
        told.share(verdict)
    assert told.next() == Ask()
    told.share(BAD)
    assert told.next() == Rest()
    view = told.brain.view(told.now_s)
    assert view.state is BoardState.STOPPED
    assert view.why == "the pool refused 3 shares in a row: Incorrect result"
    told.brain.rested()
    told.brain.resume()
    assert told.next() == Dial(0.0)


@pytest.mark.parametrize("reason", ["Too many workers", "User banned"])
def test_some_refusals_stop_it_at_once(told: Told, reason: str) -> None:
    told.share(Verdict(Kind.BAD, reason))
    assert told.next() == Rest()
    assert reason in told.brain.why


def test_a_pool_that_refuses_to_talk(told: Told) -> None:
    told.brain.refused("User banned", told.now_s)
    assert told.next() == Rest()
    assert told.brain.view(0.0).why == "the pool refuses: User banned"


@pytest.mark.parametrize("outcome", [WrongNonce(475), NotFound(), BoardError("damaged")])
def test_what_is_not_proven_is_never_sent(told: Told, outcome: Outcome) -> None:
    told.job()
    for _ in range(2):
        told.worked(outcome)
        assert isinstance(told.next(), Work), "the same job again"
    told.worked(outcome)
    assert isinstance(told.next(), Seek)
    assert told.next() == Seek(told.brain._seek_s, afresh=True)
    assert not told.brain.connected, "only a new connection gets rid of a job"
    stats = told.brain.stats
    assert (stats.lost, stats.shares) == (1, 0)
    assert (stats.wrong, stats.not_found) == (3 * isinstance(outcome, WrongNonce), 3 * isinstance(outcome, NotFound))


def test_three_jobs_without_an_answer_stop_it(told: Told) -> None:
    for _ in range(3):
        told.ready()
        told.job()
        for _ in range(3):
            told.worked(WrongNonce(1))
    assert told.next() == Rest()
    assert told.brain.why == "it failed at 3 jobs in a row: it answered with a wrong nonce"


def test_a_job_too_hard_is_not_handed_over(told: Told) -> None:
    assert told.brain.most == 80, "100 H/s, the slowest known, for 80 s"
    for n in range(3):
        told.brain.greeted("pool", 1)
        told.brain.came(Job(JOB.last_hash, JOB.expected, 700), WAITED, told.now_s)
        assert isinstance(told.next(), Dial if n < 2 else Rest)
    assert told.brain.stats.lost == 3
    assert "difficulty 700, and this board can do 80 at most; ask for another tier" in told.brain.why


def test_the_plan_and_the_kind_bound_the_difficulty() -> None:
    assert Told(max_difficulty=30).brain.most == 30
    board = Told()
    board.brain.found("A", Dialect.A, 9)
    assert board.brain.most == 9
    board.brain.greeted("pool", 1)
    board.job(5)
    board.worked(TooHard(5, 4))
    assert isinstance(board.next(), Dial)


def test_a_job_dies_with_its_connection(told: Told) -> None:
    told.job()
    told.worked(SOLVED)
    told.brain.lost("cut", told.now_s)
    assert told.next() == Dial(2.0)
    told.brain.greeted("pool", 1)
    assert told.next() == Ask(), "the nonce found is not sent into another session"
    assert told.brain.stats.lost == 1


def test_a_board_away_keeps_job_and_connection_for_a_while(told: Told) -> None:
    told.job()
    told.brain.fell("unplugged")
    assert told.next() == Seek(ABSENT_S, afresh=True)
    told.brain.missing("no port", absent=True)
    assert told.next() == Seek(ABSENT_S, afresh=True)
    assert told.brain.state is BoardState.AWAY
    told.now_s = 30.0
    told.brain.found("sketch", Dialect.SKETCH, 655)
    assert isinstance(told.next(), Work)
    told.brain.fell("unplugged")
    told.now_s += HOLD_S + 1
    told.next()
    assert not told.brain.connected
    assert told.brain.stats.lost == 1


def test_an_idle_connection_of_a_board_away_is_given_back(told: Told) -> None:
    told.brain.fell("unplugged")
    told.next()
    assert told.brain.connected
    told.now_s = HOLD_S + 1
    told.next()
    assert not told.brain.connected


def test_a_pause_ends_the_share_first(told: Told) -> None:
    told.job()
    told.brain.pause()
    assert isinstance(told.next(), Work)
    told.worked(SOLVED)
    assert isinstance(told.next(), Send)
    told.brain.judged(GOOD, WAITED, 1.0, 1.0)
    assert told.next() == Rest()
    assert told.brain.state is BoardState.PAUSED
    told.brain.resume()
    assert told.next() == Ask()


def test_a_limit_counts_down_and_rests(told: Told) -> None:
    told.brain.limit(2)
    told.share(GOOD)
    assert told.brain.view(0.0).left == 1
    told.share(BAD)
    assert told.next() == Rest()
    assert told.brain.state is BoardState.LIMIT
    told.brain.limit(1)
    told.share(GOOD)
    assert told.next() == Rest()
    told.brain.resume()
    assert told.next() == Ask()


def test_a_plan_may_begin_paused_or_limited() -> None:
    board = Told(paused=True, jobs=3)
    assert board.next() == Rest()
    assert (board.brain.state, board.brain.left) == (BoardState.PAUSED, 3)


def test_sums_begin_anew(told: Told) -> None:
    told.share(GOOD)
    told.job()
    told.brain.reset(2000.0)
    assert (told.brain.stats.jobs, told.brain.stats.good, told.brain.stats.since_s) == (1, 0, 2000.0)


def test_the_rate_told_is_that_of_the_last_shares(told: Told) -> None:
    for _ in range(12):
        told.share(GOOD)
    told.job()
    told.worked(Solved(1, 6_290))  # 159 H/s from a board that makes 208
    action = told.next()
    assert isinstance(action, Send)
    assert action.rate_hs == pytest.approx(9 * 476 / (9 * 2.291044 + 0.00629), rel=1e-3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_waits_grow_from_one_second_to_five_minutes(chances: list[float]) -> None:
    dice = itertools.cycle(chances)
    backoff = Backoff(lambda: next(dice))
    waits = [backoff.next_s() for _ in range(20)]
    assert all(SHORTEST_S <= wait <= LONGEST_S for wait in waits)
    assert waits[-1] >= LONGEST_S / 2
    backoff.reset()
    assert backoff.next_s() <= 2.0


def test_a_time_that_cannot_be_slows_no_board_down(told: Told) -> None:
    """The answers of the sketch have no checksum: a time of three hours for a search of two seconds is damaged."""
    told.share(GOOD)
    most, rate = told.brain.most, told.brain.stats.mean_hs
    assert most > 100
    told.job()
    told.worked(Solved(476, 9_999_999_999))
    assert (told.brain.most, told.brain.stats.mean_hs) == (most, rate)
    send = told.next()
    assert isinstance(send, Send), "its nonce is right all the same"
    assert send.rate_hs == pytest.approx(476 / 2.291044)
