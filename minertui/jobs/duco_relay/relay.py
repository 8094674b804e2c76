"""The rig: its boards' tasks, and what they share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from functools import partial

from minertui.jobs.duco_relay import words
from minertui.jobs.duco_relay.account import Account
from minertui.jobs.duco_relay.board import Worker, state_note
from minertui.jobs.duco_relay.brain import Brain
from minertui.jobs.duco_relay.pools import Pools
from minertui.jobs.duco_relay.seams import Benches, Line, Outside, RelaySite
from minertui.model.errors import JobError, Unreachable, fault_of_ours
from minertui.model.relay import (
    AddBoard,
    BoardOrder,
    BoardPlan,
    BoardState,
    BoardView,
    DropBoard,
    KeyCheck,
    LimitBoard,
    PauseBoard,
    RelayPlan,
    RelayView,
    ResetStats,
    ResumeBoard,
    Share,
    is_name,
    place_of,
)
from minertui.wire.duco.messages import made_up_id
from minertui.wire.duco.pool import Conversation

REPORT_S = 1.0
"""The view is told at most so often."""
GRACE_S = 6.0
"""Shares under way get so long to be judged when the rig stops."""


class Relay:
    """One rig. ``run`` it once; ``steer`` it while it runs, from the same event loop."""

    def __init__(
        self,
        plan: RelayPlan,
        site: RelaySite,
        outside: Outside,
        benches: Benches,
        boards: Iterable[BoardPlan] | None = None,
    ) -> None:
        """``boards``: those to begin with (None: the plan's). Nothing is opened or asked yet."""
        self.plan, self.site = plan, site
        self.benches = benches
        self._pools = Pools(plan, site, outside)
        self._account = Account(plan, site, outside)
        self._workers: dict[str, Worker] = {}
        self._connected: list[str] = []
        self._chips: dict[str, str] = {}
        self._told_of: dict[str, Share] = {}
        self._gate = asyncio.Lock()
        self._dialled_s: float | None = None
        self._changed, self._moved = asyncio.Event(), asyncio.Event()
        self._begun = False
        for board in plan.board if boards is None else boards:
            self._admit(board)

    async def run(self) -> None:
        """Until the site says that it is over. Raises JobError when the rig cannot mine at all."""
        over = asyncio.ensure_future(self.site.ended())
        beginning = asyncio.ensure_future(self._begin())
        reporting = asyncio.ensure_future(self._report())
        try:
            await asyncio.wait((over, beginning), return_when=asyncio.FIRST_COMPLETED)
            if beginning.done():
                beginning.result()
            await over
            await self._finish()
        finally:
            boards = [worker.task for worker in self._workers.values() if worker.task is not None]
            for task in (over, beginning, reporting, *boards):
                task.cancel()
            await asyncio.gather(over, beginning, reporting, *boards, return_exceptions=True)
            for worker in self._workers.values():
                worker.brain.over(self.site.now())
            self._tell()

    async def _begin(self) -> None:
        """The key first, then the boards; from then on the balance."""
        self._dirty()
        await self._account.check_key(self._simulated, self._dirty)
        self._begun = True
        self.site.log(words.before_start(self.plan, len(self._workers)))
        for worker in [*self._workers.values()]:
            self._launch(worker)
        await self._account.watch(self._simulated, self._dirty)

    def check(self, order: BoardOrder) -> None:
        """Raises JobError, saying why, for an order that cannot be carried out."""
        if isinstance(order, AddBoard):
            self._check_new(order.board)
            return
        if order.board not in self._workers and not (isinstance(order, ResetStats) and not order.board):
            known = ", ".join(self._workers) or "none"
            raise JobError(f"{self.plan.device} has no board {order.board!r}; there are: {known}")
        if isinstance(order, LimitBoard) and order.jobs is not None and order.jobs < 0:
            raise JobError("a limit is 0 or more jobs")

    def steer(self, order: BoardOrder) -> None:
        """Carry an order out; the other boards go on. Raises JobError."""
        self.check(order)
        if isinstance(order, AddBoard):
            self.site.log(words.before_adding(self.plan, self.workers, order.board))
            self._launch(self._admit(order.board))
        elif isinstance(order, DropBoard):
            self._drop(order.board)
        elif isinstance(order, ResetStats):
            for worker in self._named(order.board):
                worker.brain.reset(self.site.wall())
        else:
            self._told(self._workers[order.board], order)
        self._dirty()

    @property
    def workers(self) -> int:
        """Connected now, those elsewhere included."""
        return len(self._connected) + self.plan.workers_elsewhere

    def view(self) -> RelayView:
        """As it is now."""
        boards = tuple(self._board_view(worker) for worker in self._workers.values())
        key = self._account.key
        return RelayView(
            plan=self.plan,
            boards=boards,
            pool=self._pools.current if self._connected else "",
            key=key,
            workers=self.workers,
            balance=self._account.rows,
            miners=self._account.miners,
            words=(*self._account.words, *words.of_rig(self.plan, self.workers, key, boards, self._account.miners)),
        )

    # -- what boards ask ----------------------------------------------------------------------------------------------

    async def connect(self, name: str, *, simulated: bool) -> Line:
        """A connection, ``apart_s`` after the one before."""
        if self.workers >= self.plan.worker_limit:
            raise Unreachable(
                name, f"{self.plan.worker_limit} workers are connected, and pools take no more; drop another board"
            )
        async with self._gate:
            if self._dialled_s is not None:
                await self.site.sleep(max(0.0, self._dialled_s + self.plan.apart_s - self.site.now()))
            self._dialled_s = self.site.now()
        line, _ = await self._pools.connect(loopback=simulated or self._simulated())
        self._connected.append(name)
        return line

    def pool_works(self, line: Line) -> str:
        """The pool greeted, or answered."""
        if self._pools.works(line):
            for worker in self._workers.values():
                worker.brain.another_pool()
                worker.wake()
        return self._pools.current

    def disconnected(self, name: str, line: Line, failures: int) -> None:
        """The connection is closed."""
        self._pools.gone(line, failures)
        if name in self._connected:
            self._connected.remove(name)

    def worker_number(self, name: str) -> int:
        """In the order of connecting; those elsewhere come first."""
        return self.plan.workers_elsewhere + self._connected.index(name) + 1

    def chip_of(self, name: str, own: str | None) -> str:
        """The board's own DUCOID unless another board of the rig has the same (clones do), else one made up from the
        names of rig and board; for as long as the rig runs."""
        if name not in self._chips:
            mine = own if own and own not in self._chips.values() else None
            self._chips[name] = mine or made_up_id(f"{self.plan.device}/{name}")
        return self._chips[name]

    def conversation(self, chip: str) -> Conversation:
        """A fresh one."""
        plan, key = self.plan, self.site.mining_key or None
        if self._account.key is KeyCheck.NOT_NEEDED:
            key = None
        return Conversation(plan.user, plan.tier, chip_id=chip, software=plan.software, rig_id=plan.device, key=key)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _admit(self, board: BoardPlan) -> Worker:
        worker = Worker(Brain(board, self.site.wall()), self, partial(self._acted, board.name))
        worker.brain.simulated = place_of(board.at).simulated
        self._workers[board.name] = worker
        return worker

    def _check_new(self, board: BoardPlan) -> None:
        place = place_of(board.at)
        if not is_name(board.name):
            raise JobError("a board's name is 1 to 64 printable characters, no slash")
        if board.name in self._workers:
            raise JobError(f"{self.plan.device} has a board {board.name!r} already")
        for worker in self._workers.values():
            if place_of(worker.brain.plan.at) == place:
                raise JobError(f"{board.at} is taken by {worker.name}")
        if len(self._workers) + self.plan.workers_elsewhere >= self.plan.worker_limit:
            raise JobError(f"pools take {self.plan.worker_limit} workers of a user, and that many are there")

    def _launch(self, worker: Worker) -> None:
        if not self._begun:
            return
        worker.task = asyncio.create_task(worker.run(), name=f"board {worker.name}")
        worker.task.add_done_callback(lambda task: self._ended(worker, task))

    def _ended(self, worker: Worker, task: asyncio.Task[None]) -> None:
        """A task that ends by itself is a fault of this program; the others go on."""
        if not task.cancelled() and (error := task.exception()) is not None:
            worker.brain.stop(fault_of_ours(error), self.site.now())
            worker.brain.next(self.site.now())
            self.site.log(f"{worker.name}: {worker.brain.why}")
            self._dirty()

    def _drop(self, name: str) -> None:
        worker = self._workers.pop(name)
        self._chips.pop(name, None)
        if worker.task is not None:
            worker.task.cancel()
        self.site.log(f"{name}: dropped")

    def _told(self, worker: Worker, order: PauseBoard | ResumeBoard | LimitBoard) -> None:
        if isinstance(order, PauseBoard):
            worker.brain.pause()
        elif isinstance(order, ResumeBoard):
            worker.brain.resume()
            if worker.task is not None and worker.task.done():
                self._launch(worker)
        else:
            worker.brain.limit(order.jobs)
        worker.wake()

    def _named(self, name: str) -> Iterable[Worker]:
        return [self._workers[name]] if name else [*self._workers.values()]

    def _simulated(self) -> bool:
        return any(worker.brain.simulated for worker in self._workers.values())

    def _board_view(self, worker: Worker) -> BoardView:
        view = worker.brain.view(self.site.now())
        return worker.brain.view(self.site.now(), words.of_board(view))

    async def _finish(self) -> None:
        """Let shares under way be judged."""
        for worker in self._workers.values():
            worker.brain.pause(BoardState.DISCONNECTED)
            worker.wake()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                while any(worker.brain.holds_job for worker in self._workers.values()):
                    self._moved.clear()
                    await self._moved.wait()

    def _acted(self, name: str) -> None:
        """A board did something; a share that was judged is a line of the log, where that is wanted."""
        worker = self._workers.get(name)
        last = worker.brain.last if worker is not None else None
        if worker is not None and last is not None and self._told_of.get(name) is not last:
            self._told_of[name] = last
            if self.plan.log_shares:
                self.site.log(words.of_share(worker.brain.view(self.site.now()), last))
        self._dirty()

    def _dirty(self) -> None:
        self._changed.set()
        self._moved.set()

    async def _report(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._tell()
            await self.site.sleep(REPORT_S)

    def _tell(self) -> None:
        view = self.view()
        self.site.report(view, state_note([board.state for board in view.boards]))
