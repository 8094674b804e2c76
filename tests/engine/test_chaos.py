"""Orders, faults and other people in random order; the promises are judged at the miner and not in our variables."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from minertui.engine.arbiter import Arbiter
from minertui.engine.journal import Journal
from minertui.model.commands import Command, Order, Rank, Tune
from minertui.model.errors import Preempted
from tests.engine.hardware import GAMMA, MAC, FakeMiner, LoopClock, line, need_mv

SEEDS, ACTIONS = 60, 25
SWEEP = "sweep:garage"


class Judged(FakeMiner):
    """Notes every promise that is broken, at the moment it is."""

    def __init__(self, seen: Counter[str]) -> None:
        super().__init__()
        self.broken: list[str] = []
        self.seen = seen

    async def apply(self, command: Command) -> None:
        now = self.status
        if now.mac != MAC:
            self.broken.append(f"a stranger was sent {command}")
        if isinstance(command, Tune) and not self.dead:  # what is sent to the dead does not arrive
            if command.frequency_mhz is not None and command.core_mv is not None:
                self.broken.append(f"two values in one write: {command}")
            for want, have, cap in (
                (command.frequency_mhz, now.frequency_mhz, 1200),
                (command.core_mv, now.core_mv, 1400),
            ):
                if want is None or have is None:
                    continue
                self.seen["raise" if want > have else "lower"] += 1
                if want > have and (want > cap or want - have > 25):
                    self.broken.append(f"raised to {want} from {have}")
                if want > have and not 5 < (now.chip_temp_c or 0) < 70:
                    self.broken.append(f"raised at {now.chip_temp_c} °C")
        await super().apply(command)


class World:
    """One miner's bad day."""

    def __init__(self, seed: int, folder: Path, clock: LoopClock, seen: Counter[str]) -> None:
        self.dice, self.clock, self.seen = random.Random(seed), clock, seen
        self.miner, self.folder, self.n = Judged(seen), folder, 0
        self.start_engine()

    def start_engine(self) -> None:
        self.journal = Journal(self.folder, self.clock.wall)
        self.arbiter = Arbiter(self.clock, self.journal, {"garage": line(self.miner, self.clock)}.__getitem__)

    def point(self) -> Tune:
        mhz = self.dice.choice([400.0, 450.0, 500.0, 525.0, 550.0, 600.0, 650.0, 1300.0])
        return Tune(
            mhz, self.dice.choice([mv for mv in (1000, 1100, 1150, 1210, 1300, 1450) if mv >= need_mv(mhz)] or [1450])
        )

    async def order(self, rank: Rank, by: str) -> None:
        self.n += 1
        try:
            record = await self.arbiter.execute(Order(f"o{self.n}", "garage", self.point(), by, rank))
        except Preempted:
            self.seen["preempted"] += 1
            return
        self.seen[record.outcome.state.value] += 1

    async def act(self) -> None:
        what = self.dice.choices(
            [
                "sweep",
                "person",
                "safety",
                "hot",
                "cool",
                "cut",
                "ask",
                "deaf",
                "hears",
                "dead",
                "alive",
                "other",
                "back",
                "swap",
                "engine",
                "conclude",
                "wait",
            ],
            [30, 6, 6, 4, 8, 4, 4, 3, 8, 3, 8, 3, 6, 2, 3, 4, 6],
        )[0]
        miner, dice = self.miner, self.dice
        self.seen[what] += 1
        if what in ("sweep", "person", "safety"):
            rank = {"sweep": Rank.SWEEP, "person": Rank.PERSON, "safety": Rank.SAFETY}[what]
            await self.order(rank, SWEEP if what == "sweep" else what)
        elif what == "other":  # the firmware's overheat handling, or somebody at the miner's own page
            miner.set(frequency_mhz=425.0, actual_mhz=425.0, core_mv=1050, core_actual_mv=1050)
        elif what == "engine":
            self.start_engine()
            await self.arbiter.restore_all()
        elif what == "conclude":
            self.seen["concluded" if (await self.arbiter.conclude("garage", None, SWEEP)).ok else "kept"] += 1
        elif what == "wait":
            await self.clock.sleep(dice.uniform(1, 4000))
        else:
            self.bend(what)

    def bend(self, what: str) -> None:
        miner, dice = self.miner, self.dice
        if what in ("hot", "cool"):
            odd = dice.choice([71.0, 90.0, None, -1.0, 127.0, float("nan")])
            miner.set(chip_temp_c=odd if what == "hot" else 58.0)
        elif what in ("swap", "back"):
            miner.set(mac="02:00:00:00:00:99" if what == "swap" else MAC)
        elif what in ("cut", "ask"):
            miner.cut_after, miner.cut_before = what == "cut", what == "ask"
        elif what in ("deaf", "hears"):
            miner.ignore = what == "deaf"
        else:
            miner.dead = what == "dead"

    async def heal(self) -> None:
        """Everything is well again: then the way back must end, proven."""
        self.miner.dead = self.miner.ignore = self.miner.cut_after = self.miner.cut_before = False
        self.miner.set(mac=MAC, chip_temp_c=58.0)
        await self.clock.sleep(4000)
        self.start_engine()
        for _ in range(3):
            if not self.journal.entries():
                return
            await self.clock.sleep(30)
            self.last = await self.arbiter.restore_all()


@pytest.mark.looptime
async def test_the_promises_hold_on_bad_days(tmp_path: Path):
    seen: Counter[str] = Counter()
    clock = LoopClock()
    for seed in range(SEEDS):
        world = World(seed, tmp_path / str(seed), clock, seen)
        for _ in range(ACTIONS):
            await world.act()
        await world.heal()
        assert world.miner.broken == [], f"seed {seed}"
        assert world.miner.low == [], f"seed {seed}"
        assert world.journal.entries() == (), f"seed {seed}: {world.last}"
        mhz, mv = world.miner.status.frequency_mhz, world.miner.status.core_mv
        assert mhz is not None
        assert mv is not None
        assert mhz <= 1200
        assert mv <= 1400
    for state, least in (
        ("raise", 500),
        ("lower", 200),
        ("applied", 100),
        ("refused", 100),
        ("unknown", 5),
        ("kept", 3),
    ):
        assert seen[state] >= least, f"{state}: {seen}"
    assert GAMMA.mac == MAC
