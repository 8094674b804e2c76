"""The world of the chaos proof: miners, the engine, people, and misfortune of both. One seed, one history."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from minertui.config import Config, EngineConfig, MinerConfig
from minertui.devices.axeos import connect as axeos
from minertui.engine.engine import Engine
from minertui.engine.journal import FOLDER, Entry, Journal
from minertui.model.commands import Command, CommandRecord, Order, Pause, Rank, Restart, Resume, SetFan, Tune
from minertui.model.errors import MinertuiError, Unreachable
from minertui.model.fleet import Health
from minertui.model.plans import GuardPlan, Limits, Strategy, SweepPlan, SweepPoint, SweepSample
from minertui.model.seams import Device
from minertui.model.status import Status
from minertui.sim import axeos as sim
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_faults import FAULTS
from tests.proofs.judge import Witness
from tests.proofs.wound import WoundClock, WoundLoop

START_S = 30.0
_HEAVY = ("endless", "gzip-bomb", "huge-header", "deep-json")  # dear to simulate: rarer and shorter
FAULT_NAMES = sorted(FAULTS)


class Pace(msgspec.Struct, frozen=True):
    """How often something happens, in an hour over all miners; ``poll_s``: seconds between two polls of one."""

    poll_s: float
    faults: float  # of miners
    acts: float  # of people
    hits: float  # of the engine and its host


def dense(miners: int) -> Pace:
    """Bad hours: a miner breaks every eight minutes and is away as often as not."""
    return Pace(30.0, 7.2 * miners, 2.4 * miners, 3.0)


def spread(miners: int, *, poll_s: float = 120.0) -> Pace:
    """Bad years in a thousand hours: most miners are calm most of the time, and each has some two hundred faults. A
    user may set any period from two seconds to an hour, and the judge counts by it; two minutes make a thousand hours
    affordable. Jobs and orders ask at their own pace, whatever it is."""
    return Pace(poll_s, miners / 5, miners / 4, 1.0)


class Dead(Device):
    """A device on a leash: a killed engine reaches nothing any more."""

    def __init__(self, device: Any, leash: dict[str, bool]) -> None:
        self._device, self._leash = device, leash

    @property
    def address(self) -> str:
        return str(self._device.address)

    async def read(self) -> Status:
        self._check()
        status: Status = await self._device.read()
        self._check()
        return status

    async def apply(self, command: Command) -> None:
        self._check()
        await self._device.apply(command)

    async def close(self) -> None:
        await self._device.close()

    def _check(self) -> None:
        if not self._leash["alive"]:
            raise Unreachable(self.address, "this engine was killed")


class Told(Engine):
    """An engine that remembers outside itself what it acknowledged, and tells whose orders it carries out."""

    acked: set[tuple[str, int]]
    ranks: dict[str, list[Rank]]

    async def keep(self, job_id: str, record: SweepPoint | SweepSample) -> None:
        await super().keep(job_id, record)
        if isinstance(record, SweepPoint):
            self.acked.add((job_id, record.n))

    def running(self, device: str) -> list[Rank]:
        """Of the orders that it carries out there now."""
        return self.ranks.get(device, [])

    async def execute(self, order: Order) -> CommandRecord:
        running = self.ranks.setdefault(order.device, [])
        running.append(order.rank)
        try:
            return await super().execute(order)
        finally:
            running.remove(order.rank)


class World:
    """Everything that there is, and the dice."""

    def __init__(self, loop: WoundLoop, folder: Path, seed: int, miners: int, pace: Pace) -> None:
        self.pace = pace
        self.loop, self.folder, self.clock = loop, folder, WoundClock(loop)
        self.dice, self.seen, self.faults = random.Random(f"chaos-{seed}"), Counter[str](), Counter[str]()
        self.boards = sim.fleet(miners, seed=seed, warm_s=600)
        self.start = {board.name: (board.nvs["frequency"], board.nvs["coreVoltage"]) for board in self.boards}
        self.witnesses: dict[Board, Witness] = {}
        self.acked: set[tuple[str, int]] = set()
        self.leash = {"alive": True}
        self.disk: OSError | None = None  # what it says to everything
        self.n = 0
        self.notes: list[str] = []
        self.watchers: list[Any] = []

    async def open(self) -> None:
        """Boards, servers, and the first engine."""
        self.server = await sim.serve(self.boards, clock=self.clock)
        self.miners = []
        for n, (board, address) in enumerate(zip(self.boards, self.server.addresses, strict=True)):
            limits = (
                Limits(max_mhz=board.family.stock_mhz + 60, max_mv=board.family.stock_mv + 60)
                if n % 3 == 0
                else Limits()
            )
            readonly, guarded = n % 16 == 15, n % 4 == 1
            if n % 8 == 1:  # its guard has to lower it
                limits = replace(limits, max_power_w=round(0.9 * board.shown_w, 1))
            self.miners.append(
                MinerConfig(
                    f"m{n}", address, limits=limits, readonly=readonly, guarded=guarded, guard=GuardPlan(stable_s=900)
                )
            )
            self.witnesses[board] = Witness(
                board, limits, self.pace.poll_s, readonly=readonly, seen=self.seen, guarded=guarded
            )
        await self.open_engine()

    async def open_engine(self) -> None:
        """An engine on the same folder and the same miners. It may lead miners back before it asks the others, and
        wait for those that hang; for no more than a few deadlines."""
        for witness in self.witnesses.values():
            witness.asked_s = self.loop.time() + START_S
        leash = self.leash = {"alive": True}

        def connect(kind: str, address: str, headers: Mapping[str, str]) -> Device:
            return Dead(axeos(address, headers=headers), leash)

        before = asyncio.all_tasks()
        config = Config(engine=EngineConfig(poll_s=self.pace.poll_s), miner=tuple(self.miners))
        self.engine = Told(config, state=self.folder, clock=self.clock, connect=connect)
        self.engine.acked, self.engine.ranks = self.acked, {}
        self.engine._lines._rng = random.Random(self.dice.random())
        for miner, board in zip(self.miners, self.boards, strict=True):
            self.witnesses[board].expected_mac = partial(self._mac, miner.name)
            self.witnesses[board].ranks = partial(self.engine.running, miner.name)
        await self.engine.open()
        self.before = before
        self.excuse()

    def ask_disk(self, *but: int) -> None:
        """Raises what the disk says now, unless its errno is one of ``but``."""
        if self.disk is not None and self.disk.errno not in but:
            raise self.disk

    def excuse(self) -> None:
        """What just happened to the engine excuses late polls for a while."""
        for witness in self.witnesses.values():
            witness.calm_s = self.loop.time()

    def _mac(self, name: str) -> str | None:
        try:
            return self.engine.line(name).expected_mac
        except KeyError:
            return None

    # people ----------------------------------------------------------------------------------------------------------

    async def people(self) -> None:
        """Somebody does something now and then."""
        while True:
            await asyncio.sleep(self.dice.expovariate(self.pace.acts / 3600))
            n = self.dice.randrange(len(self.boards))
            deed = self.dice.choices(
                [self._start_sweep, self._stop_sweep, self._tune, self._fan, self._other, self._clear],
                [8, 2, 5, 2, 2, 3],
            )[0]
            try:
                await deed(f"m{n}", self.boards[n])
            except MinertuiError as error:
                self.seen[f"no: {type(error).__name__}"] += 1

    async def _start_sweep(self, name: str, board: Board) -> None:
        mhz, mv = board.family.stock_mhz, board.family.stock_mv
        plan = SweepPlan(
            name, strategy=self.dice.choice(list(Strategy)), start_mhz=mhz, start_mv=mv, step_mhz=25, step_mv=20,
            min_mhz=mhz - 50, max_mhz=mhz + 75, min_mv=mv - 20, max_mv=mv + 60, max_chip_temp_c=68, max_vr_temp_c=90,
            max_power_w=200, settle_s=30, measure_s=120, sample_s=30, soak_s=120, apply_best=self.dice.random() < 0.5,
        )  # fmt: skip
        await self.engine.start(plan)
        self.seen["sweep started"] += 1

    async def _stop_sweep(self, name: str, board: Board) -> None:
        await self.engine.stop(f"sweep:{name}")
        self.seen["sweep stopped"] += 1

    async def _tune(self, name: str, board: Board) -> None:
        mhz = board.family.stock_mhz + self.dice.choice([-100, -50, 0, 25, 50, 100, 800])
        mv = board.family.stock_mv + self.dice.choice([-20, 0, 20, 60, 120, 400])
        rank = self.dice.choice([Rank.PERSON, Rank.PERSON, Rank.SAFETY])
        await self._order(name, Tune(float(mhz), round(mv)), rank)

    async def _fan(self, name: str, board: Board) -> None:
        await self._order(
            name, self.dice.choice([SetFan(auto=True), SetFan(auto=False, pct=80), SetFan(auto=False, pct=5)])
        )

    async def _other(self, name: str, board: Board) -> None:
        deeds: list[Command] = [Restart(), Pause(), Resume(), Resume()]
        await self._order(name, self.dice.choice(deeds))

    async def _clear(self, name: str, board: Board) -> None:
        if self.engine.line(name).snapshot().health in (Health.PARKED, Health.STRANGER):
            await self.engine.clear(name)
            self.seen["cleared"] += 1

    async def _order(self, name: str, command: Command, rank: Rank = Rank.PERSON) -> None:
        self.n += 1
        order = Order(f"o{self.n}", name, command, rank=rank, confirmed=True)
        record = await self.engine.send(order)
        self.seen[f"order {record.outcome.state.value}"] += 1

    # faults ----------------------------------------------------------------------------------------------------------

    async def misfortune(self) -> None:
        """Miners break, and heal after a while."""
        tasks: set[asyncio.Task[None]] = set()
        while True:
            await asyncio.sleep(self.dice.expovariate(self.pace.faults / 3600))
            board, name = self.dice.choice(self.boards), self.dice.choice(FAULT_NAMES)
            if name in _HEAVY and self.dice.random() < 0.8:
                continue
            task = asyncio.create_task(self._break(board, name))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _break(self, board: Board, name: str) -> None:
        self.server.touch(board)
        board.faults.add(name)
        self.faults[name] += 1
        self.witnesses[board].calm_s = 1e12
        await asyncio.sleep(40 if name in _HEAVY else self.dice.choice([20, 60, 200, 600, 1500]))
        self.server.touch(board)
        board.faults.discard(name)
        self.witnesses[board].calm_s = self.loop.time()
        if name == "zombie":
            board.restart()

    async def kill(self) -> None:
        """The engine is gone at once: nothing of it runs on, and its devices are out of its reach."""
        self.leash["alive"] = False
        mine = {asyncio.current_task(), *self.before, *self.server.tasks}
        gone = [task for task in asyncio.all_tasks() if task not in mine and task not in self.world_tasks()]
        for task in gone:
            task.cancel()
        for _ in range(3):
            await asyncio.gather(*gone, return_exceptions=True)
        for line in self.engine._lines:
            await line.device.close()
        for store in (self.engine._records._store, self.engine._history._store, self.engine._rigs._history._store):
            store._disconnect()
        self.engine._lock.__exit__(None, None, None)

    def world_tasks(self) -> set[asyncio.Task[Any]]:
        """Boards, people and misfortune go on."""
        return {task for task in asyncio.all_tasks() if task.get_name().startswith("world") or _of_world(task)}

    # the end ---------------------------------------------------------------------------------------------------------

    async def heal(self) -> list[str]:
        """Everything is well again; then every way back has to end, proven, and what was acknowledged is there."""
        self.disk, self.loop.crowded, self.clock.skew_s = None, False, 0.0
        for board in self.boards:
            board.faults.clear()
            board.ambient_c = 20.0
            board.nvs["overheat_mode"] = 0  # old firmware keeps it until a person clears it
            board.restart()
        await asyncio.sleep(600)
        for miner in self.miners:
            with contextlib.suppress(MinertuiError):
                await self.engine.clear(miner.name)
        await asyncio.sleep(300)
        await self.engine.close()
        await self.open_engine()
        await asyncio.sleep(1200)
        for name in list(self.engine.hub.fleet.jobs):
            with contextlib.suppress(MinertuiError):
                await self.engine.stop(name)
        await asyncio.sleep(600)
        wrong = list(self.notes)
        known = {miner.name for miner in self.miners if self._mac(miner.name)}
        entries = promised(Journal(self.folder / FOLDER, self.clock.wall).entries(), self.boards, known)
        wrong += [f"the journal still holds {e.device}: {self.engine.line(e.device).snapshot().why}" for e in entries]
        health = Counter(snapshot.health for snapshot in self.engine.hub.fleet.snapshots.values())
        wrong += [f"{count} miners are {state}" for state, count in health.items() if state is not Health.OK]
        wrong += await self._kept()
        await self.engine.close()
        return wrong

    async def _kept(self) -> list[str]:
        points = Counter(
            (f"sweep:{s.device}", s.id, p.n) for s in await self.engine.sweeps(limit=100_000) for p in s.points
        )
        kept = {(sweep, n) for _, sweep, n in points}
        lost = [
            f"point {n} of {sweep} was acknowledged and is lost" for sweep, n in self.acked if (sweep, n) not in kept
        ]
        self.seen["points kept"] = len(kept)
        return lost + [f"{key} is there {count} times" for key, count in points.items() if count > 1]

    def broken(self) -> list[str]:
        """All that the judges found."""
        for witness in self.witnesses.values():
            witness.looks(self.loop.time())
        return [text for witness in self.witnesses.values() for text in witness.broken]


def promised(entries: Sequence[Entry], boards: Sequence[Board], known: Collection[str]) -> list[Entry]:
    """The ways back that must have ended. Not those of a device that is not here: a MAC that no board has (firmware
    that told none was believed when it posed as another one, mac-swap), or no MAC where the one of that name tells one
    (``known``; missing-fields in the hour in which an engine that could not read its files met it first)."""
    here = {board.mac.upper() for board in boards}
    return [e for e in entries if (e.mac.upper() in here if e.mac else e.device not in known)]


def _of_world(task: asyncio.Task[Any]) -> bool:
    coro: Any = task.get_coro()
    return getattr(coro, "__qualname__", "").startswith(("World.", "SimServer.", "_Served.", "Line.", "_live"))
