"""One board at work: carries out what its brain says, and tells the brain how it went.

Nothing here decides. A line to the pool is one write out, whole events in; a bench is shared with the other boards of
its bus. An order wakes whatever the board waits for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from minertui.jobs.duco_relay import speech
from minertui.jobs.duco_relay.actions import Action, Ask, Dial, Measure, Rest, Seek, Send, Wait, Work
from minertui.jobs.duco_relay.brain import Brain
from minertui.jobs.duco_relay.seams import Absent, Bench, Benches, Line, RelaySite
from minertui.model.errors import DeviceError, MinertuiError, Unsupported
from minertui.model.relay import BoardState, RelayPlan, place_of
from minertui.wire.duco.pool import Conversation, Desync, Event, Greeted, JobCame, Refusal, Verdict

GREETING_S = 10.0
"""Real seconds for a pool to say its version; the official miner's patience."""
STALLED = 2
"""A pool that takes connections and says nothing is as bad as one that failed twice."""


class Rig(Protocol):
    """What a board needs of its rig."""

    @property
    def plan(self) -> RelayPlan:
        """The rig's."""
        ...

    @property
    def site(self) -> RelaySite:
        """The engine."""
        ...

    @property
    def benches(self) -> Benches:
        """The ways to boards."""
        ...

    async def connect(self, name: str, *, simulated: bool) -> Line:
        """A connection to the pool in use, in turn with the other boards. Raises DeviceError; Unsupported for a
        simulated board and a pool that is not on this computer."""
        ...

    def pool_works(self, line: Line) -> str:
        """The pool greeted; its name."""
        ...

    def disconnected(self, name: str, line: Line, failures: int) -> None:
        """The connection is closed; ``failures``: how much that speaks against the pool."""
        ...

    def worker_number(self, name: str) -> int:
        """The number of this board among the connected workers."""
        ...

    def chip_of(self, name: str, own: str | None) -> str:
        """The DUCOID this board mines with: always the same."""
        ...

    def conversation(self, chip: str) -> Conversation:
        """A fresh one, with the user's key."""
        ...


class LostError(Exception):
    """The connection is gone, or out of step. ``failures``: how much that speaks against the pool."""

    def __init__(self, why: str, *, refused: bool = False, failures: int = 1) -> None:
        self.refused, self.failures = refused, 0 if refused else failures
        super().__init__(why)


class Worker:
    """A board and its task."""

    def __init__(self, brain: Brain, rig: Rig, changed: Callable[[], None]) -> None:
        self.brain = brain
        self.task: asyncio.Task[None] | None = None
        self._rig, self._site, self._changed = rig, rig.site, changed
        self._place = place_of(brain.plan.at)
        self._bench: Bench | None = None
        self._wake = asyncio.Event()
        self._line: Line | None = None
        self._talk: Conversation | None = None
        self._speech: speech.Speech | None = None

    @property
    def name(self) -> str:
        """The board's."""
        return self.brain.plan.name

    def wake(self) -> None:
        """Something was ordered."""
        self._wake.set()

    async def run(self) -> None:
        """For ever; cancel it to drop the board."""
        self._bench = self._rig.benches.take(self._place)
        try:
            while True:
                await self._step()
        finally:
            self._rig.benches.release(self._place)
            await self._hang_up()

    async def _step(self) -> None:
        self._wake.clear()
        action = self.brain.next(self._site.now())
        if self._line is not None and not self.brain.connected:
            await self._hang_up()
        if isinstance(action, Seek | Dial | Measure) and action.wait_s > 0 and await self._woken(action.wait_s):
            return
        self.brain.doing(action)
        self._changed()
        before = self.brain.why
        await self._act(action)
        if self.brain.why and self.brain.why != before:
            self._site.log(f"{self.name}: {self.brain.why}")
        self._changed()

    async def _act(self, action: Action) -> None:
        try:
            if isinstance(action, Rest):
                await self._rest()
            elif isinstance(action, Seek | Measure | Work):
                await self._with_board(action)
            else:
                await self._with_pool(action)
        except LostError as lost:
            await self._hang_up(lost.failures)
            if lost.refused:
                self.brain.refused(str(lost), self._site.now())
            else:
                self.brain.lost(str(lost), self._site.now())

    async def _with_board(self, action: Seek | Measure | Work) -> None:
        if isinstance(action, Seek):
            await self._seek(afresh=action.afresh)
        elif isinstance(action, Measure):
            await self._measure()
        else:
            await self._work(action)

    async def _with_pool(self, action: Dial | Ask | Send) -> None:
        if isinstance(action, Dial):
            await self._dial()
        elif isinstance(action, Ask):
            await self._ask()
        else:
            await self._send(action)

    async def _rest(self) -> None:
        await self._hang_up()
        self.brain.rested()
        self._changed()
        await self._wake.wait()

    async def _seek(self, *, afresh: bool) -> None:
        bench = self._bench
        assert bench is not None
        try:
            found = await speech.listen(
                bench, self._place, self.brain.plan, afresh=afresh, sleep=self._site.sleep
            )  # fmt: skip
        except DeviceError as error:
            self.brain.missing(error.message, absent=isinstance(error, Absent))
            return
        self._speech = found
        self.brain.simulated = bench.simulated
        self.brain.chip = self._rig.chip_of(self.name, found.chip)
        self.brain.found(found.what, found.dialect, found.most, warmth=found.warmth is not None)

    async def _measure(self) -> None:
        assert self._bench is not None
        warmth = self._speech.warmth if self._speech is not None else None
        if warmth is None:
            return
        try:
            done = await self._bench.do(self._place.address, warmth.ask())
        except DeviceError as error:
            self.brain.fell(error.message)
            return
        self.brain.measured(warmth.told(done.outcome), self._site.now())

    async def _dial(self) -> None:
        brain = self.brain
        try:
            line = await self._rig.connect(self.name, simulated=brain.simulated)
        except Unsupported as error:
            brain.stop(str(error), self._site.now())
            return
        except MinertuiError as error:
            brain.lost(str(error), self._site.now())
            return
        self._line = line
        self._talk = self._rig.conversation(brain.chip or "")
        events = await self._heard(GREETING_S)
        if not any(isinstance(event, Greeted) for event in events):
            raise LostError("the pool did not greet")
        brain.greeted(self._rig.pool_works(line), self._rig.worker_number(self.name))

    async def _ask(self) -> None:
        talk = self._talking()
        temp_c = self.brain.warmth.temp_c
        events, wait = await self._exchanged(talk.request_job(None if temp_c is None else {"temp": temp_c}))
        for event in events:
            if isinstance(event, JobCame):
                self.brain.came(event.job, wait, self._site.now())

    async def _work(self, action: Work) -> None:
        assert self._speech is not None
        assert self._bench is not None
        exchange = self._speech.solve(action.job, action.rate_hs, action.known)
        try:
            done = await self._bench.do(self._place.address, exchange)
        except DeviceError as error:
            self.brain.fell(error.message)
            return
        self.brain.worked(done, self._site.now())

    async def _send(self, action: Send) -> None:
        if self._line is None or self._line.over:
            raise LostError("the pool closed the connection while the board worked")
        rate_hs = action.rate_hs if self._rig.plan.send_hashrate else None
        events, wait = await self._exchanged(self._talking().submit(action.nonce, rate_hs))
        for event in events:
            if isinstance(event, Verdict):
                self.brain.judged(event, wait, self._site.now(), self._site.wall())
        _in_step(events)

    async def _exchanged(self, message: bytes) -> tuple[list[Event], Wait]:
        """One message out, what it brings back, and how long that took."""
        assert self._line is not None
        began_s = self._site.now()
        try:
            await self._line.write(message)
        except DeviceError as error:
            raise LostError(error.message) from error
        sent_s = self._site.now()
        events = await self._heard(self._rig.plan.progress_s)
        if self._line is not None:
            self._rig.pool_works(self._line)
        return events, Wait(self._site.now() - began_s, sent_s - began_s)

    async def _heard(self, within_s: float) -> list[Event]:
        """The next events. Raises LostError when the connection ends, or the two ends are out of step."""
        try:
            async with asyncio.timeout(within_s):
                events = await self._received()
        except DeviceError as error:
            raise LostError(error.message) from error
        except TimeoutError as error:
            raise LostError(f"the pool says nothing for {within_s:g} s", failures=STALLED) from error
        if not isinstance(events[0], Verdict):  # a verdict counts, whatever comes after it
            _in_step(events)
        return events

    async def _received(self) -> list[Event]:
        line, talk = self._line, self._talking()
        assert line is not None
        events: list[Event] = []
        while not events:
            events = talk.received(await line.read())
        return events

    async def _hang_up(self, failures: int = 0) -> None:
        line, self._line, self._talk = self._line, None, None
        if line is not None:
            self._rig.disconnected(self.name, line, failures)
            await line.close()

    async def _woken(self, wait_s: float) -> bool:
        """Wait; True when an order came first."""
        sleeping = asyncio.ensure_future(self._site.sleep(wait_s))
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((sleeping, waking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()
        return self._wake.is_set()

    def _talking(self) -> Conversation:
        if self._talk is None:
            raise LostError("there is no connection")
        return self._talk


def _in_step(events: list[Event]) -> None:
    """Raises LostError when one of ``events`` ends the conversation."""
    for event in events:
        if isinstance(event, Desync | Refusal):
            raise LostError(event.reason, refused=isinstance(event, Refusal))


def state_note(states: list[BoardState]) -> str:
    """The rig in one sentence."""
    mining = sum(state.mining for state in states)
    return f"{mining} of {len(states)} boards mine" if states else "no board; add one"
