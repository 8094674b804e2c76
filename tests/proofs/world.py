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

from minertui.config import MinerConfig, load
from minertui.devices.axeos import connect as axeos
from minertui.engine.engine import Engine
from minertui.engine.journal import FOLDER, Entry, Journal
from minertui.model.commands import Command, CommandRecord, Order, Rank
from minertui.model.errors import MinertuiError, Unreachable
from minertui.model.fleet import Health
from minertui.model.plans import Limits, Phase, SweepPoint, SweepSample, SweepView
from minertui.model.seams import Device
from minertui.model.status import Status
from minertui.sim import axeos as sim
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_faults import FAULTS
from tests.proofs.judge import Witness
from tests.proofs.people import DEEDS, GUARD, START_S, Deed, Miner, clear, does, encoded
from tests.proofs.wound import Awake, WoundClock, WoundLoop

_NOSY = 0.3  # so often somebody chooses a miner that is swept
_WARM = 0.12  # so many of the misfortunes are the weather's
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
    return Pace(30.0, 7.2 * miners, 4.0 * miners, 3.0)


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
    under_way: dict[str, list[Order]]

    async def keep(self, job_id: str, record: SweepPoint | SweepSample) -> None:
        await super().keep(job_id, record)
        if isinstance(record, SweepPoint):
            self.acked.add((job_id, record.n))

    def running(self, device: str) -> list[Order]:
        """What it carries out there now."""
        return self.under_way.get(device, [])

    async def execute(self, order: Order) -> CommandRecord:
        running = self.under_way.setdefault(order.device, [])
        running.append(order)
        try:
            return await super().execute(order)
        finally:
            running.remove(order)


class World:
    """Everything that there is, and the dice."""

    def __init__(self, loop: WoundLoop, folder: Path, seed: int, miners: int, pace: Pace) -> None:
        self.pace = pace
        self.loop, self.folder, self.clock = loop, folder, WoundClock(loop)
        self.dice, self.seen, self.faults = random.Random(f"chaos-{seed}"), Counter[str](), Counter[str]()
        self.boards = sim.fleet(miners, seed=seed, warm_s=600)
        self.config_path, self.changing = folder / "config.toml", asyncio.Lock()
        self.deeds, self.planned = set[asyncio.Task[None]](), set[asyncio.Task[None]]()
        self.witnesses: dict[Board, Witness] = {}
        self.acked: set[tuple[str, int]] = set()
        self.leash = {"alive": True}
        self.disk: OSError | None = None  # what it says to everything
        self.n = 0
        self.notes, self.watchers = list[str](), list[Any]()

    def now_s(self) -> float:
        """The miners' time: it goes on while the host sleeps."""
        return self.clock.boot()

    async def open(self) -> None:
        """Boards, servers, and the first engine."""
        self.server = await sim.serve(self.boards, clock=Awake(self.clock))
        self.miners: list[Miner] = []
        for n, (board, address) in enumerate(zip(self.boards, self.server.addresses, strict=True)):
            limits = (
                Limits(max_mhz=board.family.stock_mhz + 60, max_mv=board.family.stock_mv + 60)
                if n % 3 == 0
                else Limits()
            )
            readonly, guarded = n % 16 == 15, n % 4 == 1
            if n % 8 == 1:  # its guard has to lower it
                limits = replace(limits, max_power_w=round(0.9 * board.shown_w, 1))
            config = MinerConfig(f"m{n}", address, limits=limits, readonly=readonly, guarded=guarded, guard=GUARD)
            witness = Witness(board, limits, self.pace.poll_s, readonly=readonly, seen=self.seen)
            self.witnesses[board] = witness
            self.miners.append(miner := Miner(board, witness, config))
            witness.orders, witness.sweep = partial(self._orders, miner), partial(self._sweep, miner)
            miner.renewed()
        self.write_config()
        await self.open_engine()

    async def open_engine(self) -> None:
        """An engine on the same folder and the same miners. It may lead miners back before it asks the others, and
        wait for those that hang; for no more than a few deadlines."""
        for witness in self.witnesses.values():
            witness.begins(self.now_s() + START_S)
        leash = self.leash = {"alive": True}

        def connect(kind: str, address: str, headers: Mapping[str, str]) -> Device:
            return Dead(axeos(address, headers=headers), leash)

        before = asyncio.all_tasks()
        config = load(self.config_path)
        self.engine = Told(config, state=self.folder, clock=self.clock, connect=connect, config_path=self.config_path)
        self.engine.acked, self.engine.under_way = self.acked, {}
        self.engine._lines._rng = random.Random(self.dice.random())
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
            witness.calm_s = max(witness.calm_s, self.now_s())  # later yet while it is broken

    def _orders(self, miner: Miner) -> list[Order]:
        return [order for name in miner.names for order in self.engine.running(name)]

    def _sweep(self, miner: Miner) -> tuple[Phase, SweepView] | None:
        for name in reversed(miner.names):
            job = self.engine.hub.fleet.jobs.get(f"sweep:{name}")
            if job is not None and isinstance(job.view, SweepView):
                return job.phase, job.view
        return None

    def closed(self, key: str, device: str) -> None:
        """A way back was forgotten."""
        for miner in self.miners:
            if key == miner.board.mac.replace(":", "").lower() or (key.startswith("name-") and device in miner.names):
                miner.witness.closed(self.now_s())

    # people ----------------------------------------------------------------------------------------------------------

    async def people(self) -> None:
        """Somebody does something now and then, whatever the others do; rather where something goes on."""
        while True:
            await asyncio.sleep(self.dice.expovariate(self.pace.acts / 3600))
            busy = [miner for miner in self.miners if (sweep := self._sweep(miner)) and not sweep[0].over]
            near = busy if self.dice.random() < _NOSY else []
            self.does(self.dice.choices(list(DEEDS), list(DEEDS.values()))[0], self.dice.choice(near or self.miners))

    def does(self, deed: Deed, miner: Miner) -> asyncio.Task[None]:
        """Begin it; it goes on beside all others, and ends when the engine is killed."""
        self.server.touch(miner.board)
        miner.witness.looks(self.now_s())  # what it did by itself came before
        task = asyncio.create_task(does(self, deed, miner), name=f"deed {deed.__name__}")
        self.deeds.add(task)
        task.add_done_callback(self.deeds.discard)
        return task

    def afterwards(self, delay_s: float, deed: Deed, miner: Miner) -> None:
        """The same later, whatever becomes of the engine meanwhile."""

        async def wait() -> None:
            await asyncio.sleep(delay_s)
            self.does(deed, miner)

        task = asyncio.create_task(wait(), name="world later")
        self.planned.add(task)
        task.add_done_callback(self.planned.discard)

    async def configure(self, miner: Miner, config: MinerConfig, *, present: bool | None = None) -> None:
        """Into the file, and the engine is told. Until it has taken it over either may hold."""
        async with self.changing:
            witness, was = miner.witness, miner.config
            miner.config, miner.present = config, miner.present if present is None else present
            if present:
                witness.present, witness.asked_s = True, self.now_s() + START_S
            both = _looser(was.limits, config.limits)
            guard = config.guard if witness.guard is not None and miner.present else None
            witness.configured(both, readonly=was.readonly and config.readonly, guard=guard)
            self.write_config()
            try:
                await self.engine.reload(load(self.config_path))
            finally:
                miner.renewed()
                witness.present = miner.present
                witness.calm_s = max(witness.calm_s, self.now_s())

    def write_config(self) -> None:
        """As its owner has it now."""
        self.config_path.write_text(encoded(self.pace.poll_s, self.miners), encoding="utf-8")
        self.config_path.chmod(0o600)

    # faults ----------------------------------------------------------------------------------------------------------

    async def misfortune(self) -> None:
        """Miners break, and heal after a while."""
        tasks: set[asyncio.Task[None]] = set()
        while True:
            await asyncio.sleep(self.dice.expovariate(self.pace.faults / 3600))
            board, name = self.dice.choice(self.boards), self.dice.choice(FAULT_NAMES)
            if name in _HEAVY and self.dice.random() < 0.8:
                continue
            warm = self.dice.random() < _WARM
            task = asyncio.create_task(self._warm(board) if warm else self._break(board, name))
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
        self.witnesses[board].calm_s = 1e12 if board.faults else self.now_s()
        if name == "zombie":
            board.restart()

    async def _warm(self, board: Board) -> None:
        """A hot afternoon, too hot for what it runs."""
        self.server.touch(board)
        board.ambient_c = self.dice.choice([36.0, 40.0, 44.0])
        self.faults["hot room"] += 1
        await asyncio.sleep(self.dice.choice([600, 1500, 3000]))
        self.server.touch(board)
        board.ambient_c = 25.0

    async def kill(self) -> None:
        """The engine is gone at once: nothing of it runs on, and its devices are out of its reach."""
        self.leash["alive"] = False
        mine = {asyncio.current_task(), *self.before, *self.server.tasks}
        kept = mine | self.world_tasks()
        gone = [task for task in asyncio.all_tasks() if task not in kept or task in self.deeds]
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
        """Everything is well again; then every way back has to end, proven: by itself, and after another start.
        What was acknowledged is there."""
        self.disk, self.loop.crowded, self.clock.skew_s = None, False, 0.0
        for task in (*self.planned, *self.deeds):
            task.cancel()
        await asyncio.gather(*self.planned, *self.deeds, return_exceptions=True)
        for miner in self.miners:
            await self.configure(miner, replace(miner.config, readonly=miner.always_readonly), present=True)
        for board in self.boards:
            self.server.touch(board)
            board.faults.clear()
            board.ambient_c = 20.0
            board.nvs["overheat_mode"] = 0  # old firmware keeps it until a person clears it
            board.restart()
        await asyncio.sleep(600)
        for miner in self.miners:
            with contextlib.suppress(MinertuiError):
                await clear(self, miner)
        await asyncio.sleep(300)
        wrong = [*self.notes, *await self._at_rest("without another start", first=True)]
        await self.engine.close()
        await self.open_engine()
        await asyncio.sleep(600)
        wrong += await self._at_rest("after another start", first=False)
        health = Counter(snapshot.health for snapshot in self.engine.hub.fleet.snapshots.values())
        wrong += [f"{count} miners are {state}" for state, count in health.items() if state is not Health.OK]
        wrong += await self._kept()
        await self.engine.close()
        return wrong

    async def _at_rest(self, when: str, *, first: bool) -> list[str]:
        """All jobs have ended: where are the miners, and what does the journal hold? Of a person's order that ended in
        doubt the way back stays until the next start."""
        for name in list(self.engine.hub.fleet.jobs):
            with contextlib.suppress(MinertuiError):
                await self.engine.stop(name)
        await asyncio.sleep(600)
        known = {miner.name for miner in self.miners if miner.witness.meant}
        entries = promised(Journal(self.folder / FOLDER, self.clock.wall).entries(), self.boards, known)
        owed = [entry for entry in entries if not (first and entry.rank is Rank.PERSON)]
        for miner in self.miners:
            miner.witness.left(self.now_s(), when)
        return [f"{when} the journal still holds {entry.device}: {self._why(entry)}" for entry in owed]

    def _why(self, entry: Entry) -> str:
        return "; ".join(str(line.text) for line in self.engine._book.newest(entry.device, 3))

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
            witness.looks(self.now_s())
        return [text for witness in self.witnesses.values() for text in witness.broken]


def promised(entries: Sequence[Entry], boards: Sequence[Board], known: Collection[str]) -> list[Entry]:
    """The ways back that must have ended. Not those of a device that is not here: a MAC that no board has (firmware
    that told none was believed when it posed as another one, mac-swap), or no MAC where the one of that name tells one
    (``known``; missing-fields in the hour in which an engine that could not read its files met it first)."""
    here = {board.mac.upper() for board in boards}
    return [e for e in entries if (e.mac.upper() in here if e.mac else e.device not in known)]


def _looser(a: Limits, b: Limits) -> Limits:
    """What either allows."""

    def most(name: str) -> Any:
        x, y = getattr(a, name), getattr(b, name)
        return None if x is None or y is None else max(x, y)

    return Limits(
        **{name: most(name) for name in ("max_chip_temp_c", "max_vr_temp_c", "max_power_w", "max_mhz", "max_mv")}
    )


def _of_world(task: asyncio.Task[Any]) -> bool:
    coro: Any = task.get_coro()
    return getattr(coro, "__qualname__", "").startswith(("World.", "SimServer.", "_Served.", "Line.", "_live"))
