"""A miner that minds its physics, its line, a journal and an arbiter: what most tests of the path to hardware begin
with."""

from __future__ import annotations

from pathlib import Path

from minertui.engine.arbiter import Arbiter
from minertui.engine.journal import Journal
from minertui.engine.line import Line
from minertui.model.commands import (
    Command,
    Order,
    OutcomeState,
    Rank,
)
from minertui.model.plans import Limits
from tests.engine.hardware import FakeMiner, LoopClock, line

APPLIED, REFUSED, UNKNOWN, DRY = (
    OutcomeState.APPLIED,
    OutcomeState.REFUSED,
    OutcomeState.UNKNOWN,
    OutcomeState.DRY_RUN,
)
SWEEP = "sweep:garage"


class Bench:
    """A miner, its line, a journal and an arbiter."""

    def __init__(self, folder: Path, *, limits: Limits | None = None, readonly: bool = False) -> None:
        self.clock, self.miner = LoopClock(), FakeMiner()
        self.journal = Journal(folder, self.clock.wall)
        self.line: Line = line(self.miner, self.clock, limits=limits, readonly=readonly)
        self.arbiter = Arbiter(self.clock, self.journal, {"garage": self.line}.__getitem__)
        self._n = 0

    async def do(
        self, command: Command, rank: Rank = Rank.SWEEP, by: str = SWEEP, *, dry: bool = False, confirmed: bool = False
    ):
        self._n += 1
        order = Order(f"o{self._n}", "garage", command, by, rank, dry, confirmed)
        return (await self.arbiter.execute(order)).outcome

    async def person(self, command: Command, *, dry: bool = False, confirmed: bool = False):
        return await self.do(command, Rank.PERSON, "person", dry=dry, confirmed=confirmed)

    @property
    def at(self) -> tuple[float | None, float | None]:
        return self.miner.status.frequency_mhz, self.miner.status.core_mv
