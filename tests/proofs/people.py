"""What people do in the chaos proof, by name, with its weight: ``DEEDS``. Each is written into the owner's book.

They order by hand, start and stop sweeps and guards, clear what is parked, and change the config while all of it runs:
limits, read-only, another name, out of it and back. Somebody's script wants more than is rationed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from minertui.config import MinerConfig
from minertui.model.commands import Command, Order, OutcomeState, Pause, Rank, Restart, Resume, SetFan, Tune
from minertui.model.errors import MinertuiError
from minertui.model.fleet import Health
from minertui.model.history import MinerEntry
from minertui.model.plans import GuardPlan, Limits, Strategy, SweepPlan
from minertui.sim.axeos_board import Board
from tests.proofs.judge import Witness
from tests.proofs.owner import KEYS, Point

if TYPE_CHECKING:
    from tests.proofs.world import World

GUARD = GuardPlan(stable_s=900)
_GONE_S = (20.0, 120.0, 600.0)
START_S = 30.0  # until a miner that came is asked


class Miner:
    """A board, who judges it, and what its owner has in the config; ``present``: it is there now."""

    def __init__(self, board: Board, witness: Witness, config: MinerConfig) -> None:
        self.board, self.witness, self.config, self.present = board, witness, config, True
        self.names = [config.name]  # the newest last
        self.by_hand, self.always_readonly = False, config.readonly  # by_hand: somebody started a guard
        self.unkept = False  # which the disk refused to keep, and they were told so

    @property
    def name(self) -> str:
        """In the config."""
        return self.config.name

    @property
    def runs(self) -> Point:
        """What it is set to."""
        return float(self.board.nvs["frequency"]), float(self.board.nvs["coreVoltage"])

    def renewed(self) -> None:
        """The judge knows what the owner has in the config, and whether a guard is wanted."""
        witness, config = self.witness, self.config
        guarded = (config.guarded or self.by_hand) and not config.readonly
        witness.configured(config.limits, readonly=config.readonly, guard=config.guard if guarded else None)


Deed = Callable[["World", Miner], Awaitable[None]]


async def start_sweep(world: World, miner: Miner) -> None:
    """Around what it left the factory with."""
    mhz, mv = miner.board.family.stock_mhz, miner.board.family.stock_mv
    plan = SweepPlan(
        miner.name, strategy=world.dice.choice(list(Strategy)), start_mhz=mhz, start_mv=mv, step_mhz=25, step_mv=20,
        min_mhz=mhz - 50, max_mhz=mhz + 75, min_mv=mv - 20, max_mv=mv + 60, max_chip_temp_c=68, max_vr_temp_c=90,
        max_power_w=200, settle_s=30, measure_s=120, sample_s=30, soak_s=120, apply_best=world.dice.random() < 0.5,
    )  # fmt: skip
    await sweep(world, miner, plan)


async def sweep(world: World, miner: Miner, plan: SweepPlan) -> None:
    """Start this one."""
    await world.engine.start(plan)
    miner.witness.owner.sweeps(float(plan.max_mv))
    world.seen["sweep started"] += 1


async def stop_sweep(world: World, miner: Miner) -> None:
    """If one runs."""
    await world.engine.stop(f"sweep:{miner.name}")
    world.seen["sweep stopped"] += 1


async def guard(world: World, miner: Miner) -> None:
    """Somebody wants it guarded, or no more."""
    if miner.config.guarded:
        return
    if miner.by_hand:
        miner.by_hand = False
        miner.renewed()
        await world.engine.stop(f"guard:{miner.name}")
        world.seen["guard stopped"] += 1
        return
    await world.engine.start(replace(GUARD, device=miner.name))
    miner.by_hand, miner.unkept = True, world.disk is not None
    miner.renewed()
    world.seen["guard started"] += 1


async def tune(world: World, miner: Miner) -> None:
    """Frequency, voltage or both; some of it nonsense."""
    mhz = miner.board.family.stock_mhz + world.dice.choice([-100, -50, 0, 25, 50, 100, 800])
    mv = miner.board.family.stock_mv + world.dice.choice([-20, 0, 20, 60, 120, 400])
    named = world.dice.choice(["both", "both", "mhz", "mv"])
    await order(world, miner, Tune(None if named == "mv" else float(mhz), None if named == "mhz" else round(mv)))


async def fan(world: World, miner: Miner) -> None:
    """Automatic, fast, or so slow that it would cook."""
    pct = world.dice.choice([None, 80, 5, 0])
    await order(world, miner, SetFan(auto=True) if pct is None else SetFan(auto=False, pct=pct))


async def other(world: World, miner: Miner) -> None:
    """Restarts and pauses; a program that repairs is another one at the same door."""
    deeds: list[Command] = [Restart(), Restart(), Pause(), Resume(), Resume()]
    command = world.dice.choice(deeds)
    repairs = isinstance(command, Restart) and world.dice.random() < 0.7
    for _ in range(world.dice.choice([1, 1, 5]) if repairs else 1):
        await order(world, miner, command, Rank.CURTAILMENT if repairs else Rank.PERSON)
        if repairs:
            await asyncio.sleep(world.dice.choice([60, 310]))


async def clear(world: World, miner: Miner) -> None:
    """What is parked goes on; another device at its address is its own from now on."""
    health = world.engine.line(miner.name).snapshot().health
    if health in (Health.PARKED, Health.STRANGER):
        if health is Health.STRANGER:
            miner.witness.accepts()
        await world.engine.clear(miner.name)
        world.seen["cleared"] += 1


async def limit(world: World, miner: Miner) -> None:
    """Another limit in the config: lower, higher or none."""
    mhz, mv = miner.board.family.stock_mhz, miner.board.family.stock_mv
    limits = world.dice.choice([
        Limits(max_mhz=mhz - 25), Limits(max_mhz=mhz + 60, max_mv=mv + 60), Limits(max_chip_temp_c=64.0), Limits(),
    ])  # fmt: skip
    limits = replace(limits, max_power_w=miner.config.limits.max_power_w)
    await world.configure(miner, replace(miner.config, limits=limits))
    world.seen["limits changed"] += 1


async def readonly(world: World, miner: Miner) -> None:
    """Not to be written for a while."""
    if miner.config.readonly:
        return
    await world.configure(miner, replace(miner.config, readonly=True))
    world.seen["made read-only"] += 1
    world.afterwards(world.dice.choice(_GONE_S), writable, miner)


async def writable(world: World, miner: Miner) -> None:
    """As it was."""
    if miner.config.readonly and not miner.always_readonly:
        await world.configure(miner, replace(miner.config, readonly=False))


async def rename(world: World, miner: Miner) -> None:
    """On the miner's own page in the program."""
    world.n += 1
    name = f"m{world.boards.index(miner.board)}-{world.n}"
    async with world.changing:
        old = miner.config
        if not miner.present:
            return
        entry = MinerEntry(name, old.address, readonly=old.readonly, limits=old.limits)
        miner.names.append(name)
        try:
            await world.engine.save_miner(entry, old.name)
        finally:
            if f'"{name}"' in world.config_path.read_text():
                miner.config = replace(old, name=name)
            miner.witness.asked_s = world.now_s() + START_S
            miner.witness.calm_s = world.now_s()
        world.seen["renamed"] += 1


async def remove(world: World, miner: Miner) -> None:
    """Out of the config, and back into it some time later."""
    if not miner.present:
        return
    miner.by_hand = False
    await world.configure(miner, miner.config, present=False)
    world.seen["removed"] += 1
    world.afterwards(world.dice.choice(_GONE_S), put_back, miner)


async def put_back(world: World, miner: Miner) -> None:
    """Into the config again."""
    if not miner.present:
        await world.configure(miner, miner.config, present=True)


async def script(world: World, miner: Miner) -> None:
    """It means well, and up and down it goes, more often than is good for anything."""
    mhz = miner.board.family.stock_mhz
    world.seen["script"] += 1
    for n in range(150):
        await order(world, miner, Tune(frequency_mhz=float(mhz - 6 * (n % 2))))
        await asyncio.sleep(5)


async def order(world: World, miner: Miner, command: Command, rank: Rank = Rank.PERSON) -> None:
    """One order, and what it came to is in the owner's book; also when the engine dies meanwhile."""
    world.n += 1
    by = "person" if rank is Rank.PERSON else "repairs"
    sent = Order(f"o{world.n}", miner.name, command, by, rank, confirmed=True)
    await asyncio.shield(asyncio.create_task(_sent(world, miner, sent), name="order by hand"))


async def _sent(world: World, miner: Miner, sent: Order) -> None:
    """It goes on when whoever gave it has left."""
    command, owner, before, state = sent.command, miner.witness.owner, miner.runs, OutcomeState.UNKNOWN
    goal = _goal(command, before) if isinstance(command, Tune) else None
    if goal is not None:
        owner.asks(goal)
    try:
        state = (await world.engine.send(sent)).outcome.state
    finally:
        if goal is not None and isinstance(command, Tune):
            miner.witness.answered(goal, before, applied=state is OutcomeState.APPLIED, named=_named(command))
        world.seen[f"order {state.value}"] += 1


def _goal(command: Tune, have: Point) -> Point:
    mhz, mv = command.frequency_mhz, command.core_mv
    return have[0] if mhz is None else mhz, have[1] if mv is None else float(mv)


def _named(command: Tune) -> tuple[int, ...]:
    values = (command.frequency_mhz, command.core_mv)
    return tuple(n for n in range(len(KEYS)) if values[n] is not None)


DEEDS: dict[Deed, int] = {
    start_sweep: 16, stop_sweep: 4, guard: 3, tune: 12, fan: 4, other: 4, clear: 6, limit: 3, readonly: 1, rename: 1,
    remove: 2, script: 1,
}  # fmt: skip


def encoded(poll_s: float, miners: list[Miner]) -> str:
    """The config file."""
    lines = ["[engine]", f"poll_s = {poll_s:g}"]
    for miner in miners:
        config = miner.config
        if not miner.present:
            continue
        lines += ["", "[[miner]]", f'name = "{config.name}"', f'address = "{config.address}"']
        lines += [f"{key} = true" for key in ("readonly", "guarded") if getattr(config, key)]
        lines += ["[miner.guard]", f"stable_s = {config.guard.stable_s:g}"]
        held = {key: value for key, value in msgspec.to_builtins(config.limits).items() if value is not None}
        lines += ["[miner.limits]", *(f"{key} = {value}" for key, value in held.items())] if held else []
    return "\n".join(lines) + "\n"


async def does(world: World, deed: Deed, miner: Miner) -> None:
    """One deed of one person; what the program says to it may be no."""
    try:
        await deed(world, miner)
    except (MinertuiError, KeyError) as error:  # KeyError: it is not in the config now
        world.seen[f"no: {type(error).__name__}"] += 1
