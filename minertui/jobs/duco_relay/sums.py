"""One board's statistics: what each job and share adds to its sums.

A job counts from JOB sent to its verdict, or to its loss, and no time is left out: request wait, hand-over, turn and
verdict wait of the jobs that ended make up ``share_s`` and ``lost_s``, but for the time in which a board was away.
"""

from __future__ import annotations

from msgspec.structs import replace

from minertui.jobs.duco_relay.actions import Wait
from minertui.jobs.duco_relay.seams import Done
from minertui.model.relay import BoardStats
from minertui.wire.duco.exchange import NotFound, Solved, WrongNonce
from minertui.wire.duco.pool import Kind, Verdict

_SLACK, _SLACK_S = 1.2, 0.5  # a board's clock is no good one


def believed(done: Done) -> Done:
    """Without a time that is longer than the whole exchange took: the sketch's answers have no checksum, and one that
    is damaged in its time would slow the board down for good, in its sums and in what it is trusted with."""
    solved = done.outcome
    if not isinstance(solved, Solved) or solved.elapsed_us is None:
        return done
    if solved.elapsed_us / 1e6 <= _SLACK * (done.handover_s + done.turn_s) + _SLACK_S:
        return done
    return replace(done, outcome=replace(solved, elapsed_us=None))


class Sums:
    """``stats``: the sums up to now. Times are seconds of the program's clock, except ``wall_s``."""

    def __init__(self, wall_s: float) -> None:
        self.stats = BoardStats(since_s=wall_s)
        self._before: BoardStats | None = None  # the job under way came
        self._asked_s = 0.0

    def connected(self) -> None:
        """A connection stands."""
        self._add(connects=1)

    def came(self, wait: Wait, now_s: float) -> None:
        """A job from the pool."""
        self._before, self._asked_s = self.stats, now_s - wait.wait_s
        self._add(jobs=1, request_wait_s=wait.wait_s, request_send_s=wait.send_s)

    def worked(self, done: Done) -> None:
        """An exchange with the board ended."""
        tally, outcome = done.tally, done.outcome
        self._add(
            handover_s=done.handover_s,
            turn_s=done.turn_s,
            busy_polls=tally.busy_polls,
            retries=tally.repeats,
            bus_errors=tally.bus_errors + tally.bad_answers,
            wrong=isinstance(outcome, WrongNonce),
            not_found=isinstance(outcome, NotFound),
        )
        if isinstance(outcome, Solved) and outcome.elapsed_us:
            self._add(calc_s=outcome.elapsed_us / 1e6, nonces=outcome.nonce, rated=1)

    def bus_error(self) -> None:
        """The way to the board is lost."""
        self._add(bus_errors=1)

    def judged(self, verdict: Verdict, wait: Wait, now_s: float, *, unpaid: bool) -> None:
        """The pool's word on the share."""
        self._add(
            good=verdict.accepted,
            bad=not verdict.accepted,
            block=verdict.kind is Kind.BLOCK,
            unpaid=unpaid,
            verdict_wait_s=wait.wait_s,
            verdict_send_s=wait.send_s,
            share_s=now_s - self._asked_s,
        )
        self._before = None

    def lost(self, now_s: float) -> None:
        """The job died."""
        self._add(lost=1, lost_s=max(0.0, now_s - self._asked_s))
        self._before = None

    def reset(self, wall_s: float) -> None:
        """The sums begin anew, with what the job under way has added."""
        stats, before = self.stats, self._before
        self.stats = BoardStats(since_s=wall_s)
        if before is not None:
            self._before = self.stats
            self._add(**{name: getattr(stats, name) - getattr(before, name) for name in _SUMS})

    def _add(self, **more: float) -> None:
        self.stats = replace(self.stats, **{name: getattr(self.stats, name) + each for name, each in more.items()})


_SUMS = tuple(name for name in BoardStats.__struct_fields__ if name != "since_s")
