"""One bus, one thread: exchanges of all its boards, interleaved transfer by transfer, with a deadline on each.

    do(address, exchange) ─→ thread: due exchanges in turn, one transfer each ─→ Done

A transfer that does not come back is a hung bus: its board is cut off and reported, the thread is left to itself (it
ends when the kernel lets it go), and a new thread with a newly opened bus goes on with the other boards. When several
threads hang at a time the bus itself is dead: then only power-cycling its boards helps, and saying so is all we do.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from functools import partial

from minertui.jobs.duco_relay.seams import Absent, Done, Opener, Transport
from minertui.model.errors import Unreachable, fault_of_ours
from minertui.model.seams import Clock
from minertui.wire.duco.exchange import Exchange, Outcome, Read, Wait, Write

TRANSFER_S = 3.0
"""Real seconds that one transfer may last; the kernel's own I2C timeout is 1 s."""
MOST_HUNG = 3
_LONG_WRITE = 12  # bytes: pieces of a job; shorter writes are commands, or single characters of a text

_DEAD = "the bus hangs and its driver does not come back: switch the power of its boards off and on"


class _Task:
    """An exchange under way. The thread alone touches it until it is over."""

    def __init__(self, address: int, exchange: Exchange, over: Callable[[Done | None, str], None], now_s: float):
        self.address, self.exchange, self.over = address, exchange, over
        self.due_s = self.started_s = now_s
        self.long_s: float | None = None
        self.write_s: float | None = None

    def wrote(self, data: bytes, now_s: float) -> None:
        """A write ended: hand-over lasts until the last piece of the job, or the last character."""
        self.write_s = now_s
        if len(data) >= _LONG_WRITE:
            self.long_s = now_s

    def done(self, outcome: Outcome, now_s: float) -> Done:
        """How it went."""
        handed_s = self.long_s or self.write_s or self.started_s
        return Done(outcome, self.exchange.tally, handed_s - self.started_s, now_s - handed_s)


class _Crew(threading.Thread):
    """The thread of one opened bus."""

    def __init__(self, name: str, opener: Opener, clock: Clock, tasks: deque[_Task]) -> None:
        super().__init__(name=f"bus {name}", daemon=True)
        self.opener, self.clock, self.tasks = opener, clock, tasks
        self.wake = threading.Condition()
        self.transport: Transport | None = None
        self.failed = ""  # why the bus is lost
        self.absent = False
        self.busy: _Task | None = None
        self.since_s: float | None = None  # a call into the driver is under way since
        self.closing = False
        self.opened: Callable[[], None] = lambda: None

    def run(self) -> None:
        """Open, serve, close."""
        try:
            self._guarded(self._open)
            self.opened()
            while self.failed == "" and not self.closing:
                self._serve()
        except Exception as error:  # noqa: BLE001 - the thread's boundary: its boards must hear of it
            self.failed = fault_of_ours(error)
        finally:
            if self.transport is not None:
                self._guarded(self.transport.close)
            with self.wake:
                left = [*self.tasks]
                self.tasks.clear()
            for task in left:
                task.over(None, self.failed or "the bus was closed")

    def _open(self) -> None:
        self.transport = self.opener()

    def _guarded(self, work: Callable[[], None]) -> None:
        self.since_s = self.clock.mono()
        try:
            work()
        except FileNotFoundError as error:
            self.failed, self.absent = error.strerror or str(error), True
        except OSError as error:
            self.failed = error.strerror or str(error)
        finally:
            self.since_s = None

    def _serve(self) -> None:
        """One transfer, a command with the answer that it asks for, or a wait for the next due exchange."""
        task, wait_s = self._next()
        if task is None:
            with self.wake:
                if not self.closing and self._next()[0] is None:
                    self.wake.wait(wait_s)
            return
        if isinstance(self._step(task), Write) and self.failed == "" and not self.closing and self._wants_read(task):
            self._step(task)

    def _wants_read(self, task: _Task) -> bool:
        return isinstance(task.exchange.next(self.clock.mono(), len(self.tasks)), Read)

    def _step(self, task: _Task) -> Write | Read | Wait | Outcome:
        """What the exchange wants now; done."""
        step = task.exchange.next(self.clock.mono(), len(self.tasks))
        if isinstance(step, Wait):
            task.due_s = step.until_s
        elif isinstance(step, Write | Read):
            self._transfer(task, step)
        else:
            self._over(task, task.done(step, self.clock.mono()), "")
        return step

    def _next(self) -> tuple[_Task | None, float | None]:
        """The next due exchange, taking turns; else real seconds until one is."""
        now_s, soonest = self.clock.mono(), None
        with self.wake:
            for _ in range(len(self.tasks)):
                task = self.tasks[0]
                self.tasks.rotate(-1)
                if task.due_s <= now_s:
                    return task, None
                soonest = task.due_s if soonest is None else min(soonest, task.due_s)
        return None, None if soonest is None else max(0.0, soonest - now_s) / self.clock.speed

    def _transfer(self, task: _Task, step: Write | Read) -> None:
        transport = self.transport
        assert transport is not None
        self.busy, self.since_s = task, self.clock.mono()
        data: bytes | None = b""
        lost = ""
        try:
            if isinstance(step, Write):
                transport.write(task.address, step.data)
            else:
                data = transport.read(task.address, step.count)
        except ConnectionError as error:
            lost = str(error) or "it was unplugged"
        except OSError:
            data = None
        finally:
            self.busy, self.since_s = None, None
        if self.closing:
            return  # cut off meanwhile: what came is nobody's any more
        if lost:
            self.failed = lost
            return
        if isinstance(step, Write) and data is not None:
            task.wrote(step.data, self.clock.mono())
        task.exchange.got(data)

    def _over(self, task: _Task, done: Done | None, why: str) -> None:
        with self.wake:
            if task not in self.tasks:
                return
            self.tasks.remove(task)
        task.over(done, why)


class Bus:
    """A Bench on a Transport. ``name`` is for people; ``opener`` runs in the bus's own thread."""

    def __init__(
        self, name: str, opener: Opener, clock: Clock, *, transfer_s: float = TRANSFER_S, after: Bus | None = None
    ) -> None:
        """``after``: the closed bus that had this port before."""
        self.name = name
        self._opener, self._clock, self._transfer_s = opener, clock, transfer_s
        self._crew: _Crew | None = None
        # was told to close; a port can be opened by one alone
        self._leaving: _Crew | None = after._leaving if after is not None else None
        self._hung: list[_Crew] = []
        self._simulated = False
        self._opening = asyncio.Lock()

    @property
    def simulated(self) -> bool:
        """What the transport said when it was opened last."""
        return self._simulated

    async def open(self) -> bool:
        """Open the bus unless it is open; True when it was not. Raises Unreachable."""
        async with self._opening:
            if self._crew is not None and self._crew.is_alive() and not self._crew.failed:
                return False
            await self._start(deque())
            return True

    async def do(self, address: int, exchange: Exchange) -> Done:
        """Carry ``exchange`` out. Raises Unreachable when the bus is lost, or this board hangs it."""
        crew = self._crew
        if crew is None or crew.failed or not crew.is_alive():
            raise Unreachable(self.name, (crew.failed if crew else "") or "the bus is not open")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Done] = loop.create_future()

        def over(done: Done | None, why: str) -> None:
            _tell(loop, partial(_settle, future, self.name, done, why))

        task = _Task(address, exchange, over, self._clock.mono())
        with crew.wake:
            crew.tasks.append(task)
            crew.wake.notify()
        try:
            return await future
        finally:
            if not future.done() or future.cancelled():
                self._withdraw(task)

    async def look(self) -> None:
        """Cut off the board whose transfer does not come back, once; the others get a new thread."""
        self._hung = [crew for crew in self._hung if crew.is_alive()]
        crew = self._crew
        since_s = crew.since_s if crew is not None else None
        if crew is None or since_s is None:
            return
        if self._clock.mono() - since_s <= self._transfer_s * self._clock.speed:
            return
        culprit, others = self._abandon(crew)
        if culprit is not None:
            culprit.over(None, f"it holds the bus for more than {self._transfer_s:g} s and was cut off; reset it")
        try:
            async with self._opening:
                await self._start(others)
        except Unreachable as error:
            for task in others:
                task.over(None, error.message)

    def close(self) -> None:
        """End the thread; exchanges under way fail. Waits for nothing."""
        crew, self._crew = self._crew, None
        if crew is not None:
            self._leaving = crew
            with crew.wake:
                crew.closing = True
                crew.wake.notify()

    def _abandon(self, crew: _Crew) -> tuple[_Task | None, deque[_Task]]:
        with crew.wake:
            crew.closing = True
            culprit = crew.busy
            others = deque(task for task in crew.tasks if task is not culprit)
            crew.tasks.clear()
        crew.failed = "the bus hangs"
        self._hung.append(crew)
        self._crew = None
        return culprit, others

    async def _start(self, tasks: deque[_Task]) -> None:
        self._hung = [crew for crew in self._hung if crew.is_alive()]
        if len(self._hung) >= MOST_HUNG:
            raise Unreachable(self.name, _DEAD)
        leaving, self._leaving = self._leaving, None
        if leaving is not None and leaving.is_alive():
            await asyncio.to_thread(leaving.join, self._transfer_s)
        loop = asyncio.get_running_loop()
        opened = asyncio.Event()
        crew = _Crew(self.name, self._opener, self._clock, tasks)
        crew.opened = lambda: _tell(loop, opened.set)
        self._crew = crew
        crew.start()
        try:
            async with asyncio.timeout(self._transfer_s):
                await opened.wait()
        except TimeoutError:
            self._abandon(crew)
            raise Unreachable(self.name, "it cannot be opened: the driver does not come back") from None
        if crew.failed:
            raise (Absent if crew.absent else Unreachable)(self.name, crew.failed)
        assert crew.transport is not None
        self._simulated = crew.transport.simulated

    def _withdraw(self, task: _Task) -> None:
        crew = self._crew
        if crew is not None:
            with crew.wake:
                if task in crew.tasks:
                    crew.tasks.remove(task)


def _tell(loop: asyncio.AbstractEventLoop, news: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the program has ended meanwhile
        loop.call_soon_threadsafe(news)


def _settle(future: asyncio.Future[Done], name: str, done: Done | None, why: str) -> None:
    if future.done():
        return
    if done is None:
        future.set_exception(Unreachable(name, why))
    else:
        future.set_result(done)
