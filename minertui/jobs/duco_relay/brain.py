"""One board's mind: told what happened, it says what to do next. Pure; time and chance are given.

    Seek ─Found→ Dial ─Connected→ Ask ─Came→ Work ─Worked→ Send ─Judged→ Ask …

A board fault leaves the pool's connection alone and a pool fault the board: the first ten shares of every connection
are unpaid. A job dies with its connection, and a result is sent once or never. What the relay has found wrong is not
sent. Three refused shares in a row, three jobs too hard or three jobs that the board cannot solve stop the board; a
person resumes it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

from minertui.jobs.duco_relay.actions import Action, Ask, Backoff, Dial, Measure, Rest, Seek, Send, Wait, Work
from minertui.jobs.duco_relay.seams import Done
from minertui.jobs.duco_relay.sums import Sums, believed
from minertui.jobs.duco_relay.warmth import Warmth
from minertui.model.relay import BoardPlan, BoardState, BoardStats, BoardView, Dialect, Share
from minertui.wire.duco.exchange import NotFound, Solved, TooHard, WrongNonce
from minertui.wire.duco.hash import MAX_DIFFICULTY, SLOWEST_HS, Job
from minertui.wire.duco.pool import UNPAID_SHARES, Verdict

STREAK = 3
HOLD_S = 80.0
"""A job may be held so long: pools close after 90 s of silence."""
ABSENT_S = 2.0
"""Between looks for a port that is not there: cheap, and a replugged board mines again soon."""
COOL_S = 15.0
"""Between looks at a board that is too hot."""
_NOW_SHARES = 10
_TRIES = 3  # of one job at a board
_AT_ONCE = ("Too many workers", "User banned", "No username specified", "This user doesn't exist")


class Brain:
    """A board's state, statistics and decisions. Times are seconds of the program's clock (``now_s``), except
    ``wall_s``."""

    def __init__(self, plan: BoardPlan, wall_s: float, chance: Callable[[], float] = random.random) -> None:
        self.plan = plan
        self._sums = Sums(wall_s)
        self.state = BoardState.PAUSED if plan.paused else BoardState.DISCONNECTED
        self.why = ""
        self.left = plan.jobs
        self.what, self.dialect = "", plan.dialect
        self.chip: str | None = None
        self.warmth = Warmth(plan.max_temp_c)
        self.simulated = False
        self.pool = ""
        self.worker: int | None = None
        self.connected = False
        self._most_of_kind = MAX_DIFFICULTY
        self._resting = BoardState.PAUSED if plan.paused else None
        self._found = self._known = False
        self._afresh = False
        self._seek_s = self._dial_s = 0.0
        self._away_s: float | None = None
        self._seeking, self._dialling = Backoff(chance), Backoff(chance)
        self._job: Job | None = None
        self._job_s = self._now_s = 0.0
        self._request = self._handed = Wait(0.0, 0.0)
        self._solved: Solved | None = None
        self._tries = 0
        self._bad = self._hard = self._failed = self._paid_off = 0
        self._recent: deque[tuple[int, float]] = deque(maxlen=_NOW_SHARES)
        self.last: Share | None = None

    # -- what to do ---------------------------------------------------------------------------------------------------

    def next(self, now_s: float) -> Action:
        """The next thing to do. Ask again after telling how it went."""
        self._now_s = now_s
        if self._job is not None and self._solved is None and now_s - self._job_s > HOLD_S:
            self._too_old()
        if self._resting is not None and self._job is None:
            self.state = self._resting
            return Rest()
        if not self._found:
            self._hang_up(now_s)
            return self._seek()
        if self._job is None and self.warmth.due(now_s):
            return self._measure()
        if not self.connected:
            self.state = BoardState.DISCONNECTED
            return Dial(self._dial_s)
        if self._solved is not None:
            self.state = BoardState.RESULT
            return Send(self._solved.nonce, self._rate_of(self._solved))
        if self._job is not None:
            self.state = BoardState.JOB
            return Work(self._job, self.stats.mean_hs, self._known)
        self.state = BoardState.IDLE
        return Ask()

    def _seek(self) -> Seek:
        self.state = BoardState.AWAY if self.why else BoardState.DISCONNECTED
        return Seek(self._seek_s, self._afresh)

    def _measure(self) -> Measure:
        if not self.warmth.hot:
            return Measure(0.0)
        self.rested()
        self.state, self.why = BoardState.HOT, self.warmth.why
        return Measure(COOL_S)

    def doing(self, action: Action) -> None:
        """``action`` has begun."""
        if isinstance(action, Ask):
            self.state = BoardState.REQUESTED
        elif isinstance(action, Dial):
            self.state = BoardState.VERSION
        elif isinstance(action, Work):
            self.state = BoardState.HASHING
        elif isinstance(action, Send):
            self.state = BoardState.SENT

    # -- the board ----------------------------------------------------------------------------------------------------

    def found(self, what: str, dialect: Dialect, most: int, *, warmth: bool = False) -> None:
        """The board answers. ``most``: the highest difficulty its kind can do; ``warmth``: it can be asked for that."""
        self.warmth.tells = warmth
        self._found, self._known, self._afresh, self._seek_s, self._away_s = True, True, False, 0.0, None
        self.what, self.dialect, self._most_of_kind, self.why = what, dialect, most, ""

    def missing(self, why: str, *, absent: bool = False) -> None:
        """The board does not answer; ``absent``: its port is not even there."""
        self._found, self.why = False, why
        self._afresh = True
        self._seek_s = ABSENT_S if absent else self._seeking.next_s()

    def worked(self, done: Done, now_s: float) -> None:
        """An exchange with the board ended."""
        self._now_s = now_s
        self._sums.worked(done := believed(done))
        self._handed = Wait(done.handover_s, 0.0)
        outcome = done.outcome
        if isinstance(outcome, TooHard):
            self._too_hard(outcome.difficulty, outcome.most)
            return
        self._known = isinstance(outcome, Solved | NotFound | WrongNonce)
        if isinstance(outcome, Solved):
            self._solved_it(outcome)
            return
        why = "it answered with a wrong nonce" if isinstance(outcome, WrongNonce) else "it found no nonce"
        self._not_solved(getattr(outcome, "reason", why))

    def measured(self, temp_c: float | None, now_s: float) -> None:
        """The board was asked how warm it is."""
        self.warmth.read(temp_c, now_s)
        if not self.warmth.hot and self.state is BoardState.HOT:
            self.why = ""

    def fell(self, why: str) -> None:
        """The way to the board is lost; the job stays, it may be back in time."""
        self._sums.bus_error()
        self.missing(why, absent=self._found)

    # -- the pool -----------------------------------------------------------------------------------------------------

    def greeted(self, pool: str, worker: int) -> None:
        """A connection stands; this board is worker number ``worker``."""
        self.connected, self.pool, self.worker, self.why = True, pool, worker, ""
        self._paid_off = 0
        self._sums.connected()

    def lost(self, why: str, now_s: float, *, wait: bool = True) -> None:
        """No connection, or no longer. ``wait`` False: the next attempt may be at once."""
        self._now_s = now_s
        if self._job is not None:
            self._sums.lost(now_s)
        self._job = self._solved = None
        self.connected, self.worker, self.why = False, None, why
        self._dial_s = self._dialling.next_s() if wait else 0.0

    def another_pool(self) -> None:
        """Another pool works: what failed at the one before need not wait."""
        self._dial_s = 0.0
        self._dialling.reset()

    def refused(self, reason: str, now_s: float) -> None:
        """The pool gives no jobs and closes."""
        self.lost(f"the pool refuses: {reason}", now_s)
        self._bad += 1
        if self._bad >= STREAK or reason in _AT_ONCE:
            self._stop(f"the pool refuses: {reason}")

    def came(self, job: Job, wait: Wait, now_s: float) -> None:
        """A job from the pool."""
        self._now_s = now_s
        self._sums.came(wait, now_s)
        self._job, self._job_s, self._request, self._tries, self._solved = job, now_s, wait, 0, None
        if job.difficulty > self.most:
            self._too_hard(job.difficulty, self.most)

    def judged(self, verdict: Verdict, wait: Wait, now_s: float, wall_s: float) -> None:
        """The pool's word on the share."""
        job, solved = self._job, self._solved
        assert job is not None
        assert solved is not None
        self._now_s = now_s
        self._job = self._solved = None
        good = verdict.accepted
        unpaid = good and self._paid_off < UNPAID_SHARES
        self._paid_off += good
        self._sums.judged(verdict, wait, now_s, unpaid=unpaid)
        said = str(verdict.kind).upper() + (f", {verdict.reason}" if verdict.reason else "")
        calc_s = (solved.elapsed_us or 0) / 1e6
        self.last = Share(
            wall_s, solved.nonce, job.difficulty, calc_s, solved.rate_hs, self._request.wait_s, self._handed.wait_s,
            wait.wait_s, said,
        )  # fmt: skip
        self._judge(good=good, reason=verdict.reason)

    # -- a person -----------------------------------------------------------------------------------------------------

    def pause(self, state: BoardState = BoardState.PAUSED) -> None:
        """No job after the present one; ``state`` is what it is then."""
        self._resting = self._resting or state

    def resume(self) -> None:
        """Mine again."""
        self._resting, self.why = None, ""
        self._bad = self._hard = self._failed = 0
        self._seek_s = self._dial_s = 0.0
        self._seeking.reset()
        self._dialling.reset()
        if self.left == 0:
            self.left = None

    def limit(self, jobs: int | None) -> None:
        """So many jobs more; None: no limit."""
        self.left = jobs
        if jobs == 0:
            self._resting = self._resting or BoardState.LIMIT
        elif self._resting is BoardState.LIMIT:
            self._resting = None

    def rested(self) -> None:
        """The connection is closed because there is nothing to do."""
        self.connected, self.worker = False, None

    def over(self, now_s: float) -> None:
        """The rig has ended; a job still open is lost."""
        if self._job is not None:
            self.lost("the rig was stopped", now_s)
        self.rested()
        self.state = self._resting or BoardState.DISCONNECTED

    def stop(self, why: str, now_s: float) -> None:
        """The rig stops this board and says why."""
        self._now_s = now_s
        self._stop(why)

    def reset(self, wall_s: float) -> None:
        """The sums begin anew, with what the job under way has added."""
        self._sums.reset(wall_s)

    # -- what it shows ------------------------------------------------------------------------------------------------

    @property
    def stats(self) -> BoardStats:
        """The sums up to now."""
        return self._sums.stats

    @property
    def most(self) -> int:
        """The highest difficulty to accept: what the user allows, the kind can do, and is done before the pool's
        patience ends."""
        in_time = int(HOLD_S * (self.stats.mean_hs or SLOWEST_HS) / 100)
        return max(1, min(self.plan.max_difficulty or MAX_DIFFICULTY, self._most_of_kind, in_time))

    @property
    def holds_job(self) -> bool:
        """True from a job's arrival until its verdict."""
        return self._job is not None

    @property
    def now_hs(self) -> float | None:
        """Hashrate over the last ten shares."""
        calc_s = sum(seconds for _, seconds in self._recent)
        return sum(nonce for nonce, _ in self._recent) / calc_s if calc_s else None

    def view(self, now_s: float, words: tuple[str, ...] = ()) -> BoardView:
        """As it is now."""
        return BoardView(
            plan=self.plan,
            state=self.state,
            why=self.why,
            dialect=None if self.dialect is Dialect.AUTO else self.dialect,
            what=self.what,
            chip=self.chip,
            simulated=self.simulated,
            worker=self.worker,
            pool=self.pool if self.connected else "",
            difficulty=self._job.difficulty if self._job else self.last.difficulty if self.last else None,
            left=self.left,
            now_hs=self.now_hs,
            temp_c=self.warmth.temp_c,
            job_s=now_s - self._job_s if self._job else None,
            stats=self.stats,
            last=self.last,
            words=words,
        )

    # -- inside -------------------------------------------------------------------------------------------------------

    def _solved_it(self, solved: Solved) -> None:
        self._solved = solved
        self._failed = 0
        self._seeking.reset()
        self.why = ""
        if solved.elapsed_us:
            self._recent.append((solved.nonce, solved.elapsed_us / 1e6))

    def _not_solved(self, why: str) -> None:
        self._tries += 1
        self.why = why
        if self._tries < _TRIES:
            return
        self._drop_job(why)
        self._gave_up(why)

    def _too_old(self) -> None:
        """Nobody waits longer for this job: because the board is away, or because it does not come to an end."""
        tried, why = self._tries, self.why or "the job grew too old"
        self._drop_job(why)
        if tried and self._found:
            self._gave_up(why)

    def _gave_up(self, why: str) -> None:
        self._failed += 1
        if self._failed >= STREAK:
            self._stop(f"it failed at {STREAK} jobs in a row: {why}")
        else:
            self.missing(why)

    def _too_hard(self, difficulty: int, most: int) -> None:
        self._hard += 1
        why = f"the pool gives difficulty {difficulty}, and this board can do {most} at most"
        self._drop_job(why)
        if self._hard >= STREAK:
            self._stop(f"{why}; ask for another tier in the config, or for another pool")

    def _hang_up(self, now_s: float) -> None:
        """A board that stays away gives its connection back before the pool closes it."""
        if self._away_s is None:
            self._away_s = now_s
        elif self.connected and now_s - self._away_s > HOLD_S:
            self.lost(self.why, now_s, wait=False)

    def _drop_job(self, why: str) -> None:
        """The protocol cannot skip a job: only a new connection gets rid of it."""
        self.lost(why, self._now_s)

    def _judge(self, *, good: bool, reason: str) -> None:
        if good:
            self._bad = self._hard = 0
            self._dialling.reset()
        else:
            self._bad += 1
            if self._bad >= STREAK or reason in _AT_ONCE:
                self._stop(f"the pool refused {self._bad} share{'s' * (self._bad > 1)} in a row: {reason or 'BAD'}")
        if self.left is not None:
            self.left = max(0, self.left - 1)
            if self.left == 0:
                self._resting = self._resting or BoardState.LIMIT

    def _stop(self, why: str) -> None:
        self._resting, self.why = BoardState.STOPPED, why
        if self._job is not None:
            self.lost(why, self._now_s)
        self.why = why

    def _rate_of(self, solved: Solved) -> float | None:
        """What is told to the pool: the mean of the last shares, because one of a small nonce says nothing."""
        return self.now_hs or solved.rate_hs
