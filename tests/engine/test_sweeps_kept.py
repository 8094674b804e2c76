"""How a sweep ended is kept, also where the disk refused it at first: it must not go on at the next start."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from msgspec.structs import replace

from minertui.engine.line import Line
from minertui.engine.store import StoreError
from minertui.engine.sweep_book import SweepBook
from minertui.model.errors import JobError
from minertui.model.plans import JobState, Phase, SweepPlan, SweepRecord, SweepView
from tests.engine.hardware import FakeMiner, LoopClock, line

pytestmark = pytest.mark.looptime


class Disk:
    """Keeps sweeps, unless it refuses."""

    def __init__(self) -> None:
        self.kept: dict[str, SweepRecord] = {}
        self.refuses = False

    async def keep_sweep(self, record: SweepRecord) -> None:
        await asyncio.sleep(0)
        if self.refuses:
            raise StoreError("records.db: read-only file system")
        self.kept[record.id] = record

    async def begin_sweep(self, record: SweepRecord) -> None:
        await self.keep_sweep(record)

    @property
    def phases(self) -> list[Phase]:
        return [record.phase for record in self.kept.values()]


class Desk:
    """An engine with one miner."""

    def __init__(self, clock: LoopClock) -> None:
        self.records, self.said, self._line = Disk(), list[str](), line(FakeMiner(), clock)

    def line(self, device: str) -> Line:
        return self._line

    def say(self, source: str, text: str) -> None:
        self.said.append(text)


class Story:
    """One book, and the sweep that stands in it last."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.desk = Desk(self.clock)
        self.disk = self.desk.records
        self.book = SweepBook(cast("Any", self.desk), self.clock)

    async def begin(self) -> None:
        plan = SweepPlan(device="garage")
        state = JobState("sweep:garage", "garage", Phase.WAITING, SweepView(plan), since_s=self.clock.wall())
        self.state = await self.book.begin(state, plan, None)

    async def ends(self) -> None:
        assert isinstance(self.state.view, SweepView)
        for phase in (Phase.RESTORING, Phase.FAILED):
            self.book.hear(replace(self.state, phase=phase), self.state.view)
        await self.book.written()


async def test_what_the_disk_did_not_take_is_kept_when_it_does():
    story = Story()
    await story.begin()
    story.disk.refuses = True
    await story.ends()
    assert "is not kept yet" in story.desk.said[-1]
    runs = asyncio.create_task(story.book.run())
    await asyncio.sleep(60)
    story.disk.refuses = False
    await asyncio.sleep(60)
    runs.cancel()
    assert story.disk.phases == [Phase.FAILED]


async def test_another_begins_only_when_the_end_of_the_one_before_is_kept():
    story = Story()
    await story.begin()
    story.disk.refuses = True
    await story.ends()
    with pytest.raises(JobError, match="no sweep without a disk"):
        await story.begin()
    story.disk.refuses = False
    await story.begin()
    assert story.disk.phases == [Phase.FAILED, Phase.RUNNING]


async def test_an_engine_that_ends_tries_once_more():
    story = Story()
    await story.begin()
    story.disk.refuses = True
    await story.ends()
    story.disk.refuses = False
    await story.book.written()
    assert story.disk.phases == [Phase.FAILED]
