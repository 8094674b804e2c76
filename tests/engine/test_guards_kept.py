"""Who wants a guard is kept over the end of the engine, also where the disk refused it at first."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from minertui.config import Config
from minertui.engine.guards import Guards
from minertui.engine.store import StoreError
from minertui.model.plans import GuardPlan
from tests.engine.fakes import LoopClock
from tests.engine.house import miner

pytestmark = pytest.mark.looptime


class Disk:
    """Keeps guards, unless it refuses."""

    def __init__(self) -> None:
        self.kept: dict[str, GuardPlan] = {}
        self.refuses = False

    def _ask(self) -> None:
        if self.refuses:
            raise StoreError("records.db: read-only file system")

    async def want_guard(self, plan: GuardPlan) -> None:
        self._ask()
        self.kept[plan.device] = plan

    async def unwant_guard(self, device: str) -> None:
        self._ask()
        self.kept.pop(device, None)

    async def guards(self) -> list[GuardPlan]:
        self._ask()
        return list(self.kept.values())

    async def rename(self, old: str, new: str) -> None:
        self._ask()

    async def rename_guard(self, old: str, new: str) -> None:
        self._ask()


class Runs:
    """A runner in which all jobs run."""

    def alive(self, device: str) -> list[str]:
        return [f"guard:{device}"]

    def ending(self, job_id: str) -> bool:
        return False

    def fallen(self) -> list[Any]:
        return []

    def replan(self, device: str, plan: GuardPlan) -> None:
        """They have their plan."""


def house() -> tuple[Guards, Disk, list[str]]:
    disk, said = Disk(), list[str]()
    runs = cast(Any, Runs())
    return Guards(runs, cast(Any, disk), LoopClock(), lambda _, text, __: said.append(text), lasting=True), disk, said


async def test_a_guard_that_was_started_on_a_disk_that_refuses_is_kept_as_soon_as_it_does_not():
    guards, disk, said = house()
    await guards.begin(Config(miner=(miner("a"), miner("b"))))
    await guards.started(GuardPlan("b"))
    running = asyncio.create_task(guards.run())
    disk.refuses = True
    await guards.started(GuardPlan("a"))
    await guards.stopped("guard:b")
    await asyncio.sleep(60)
    assert list(disk.kept) == ["b"]
    disk.refuses = False
    await asyncio.sleep(2)
    running.cancel()
    assert list(disk.kept) == ["a"]
    assert [text.split(":")[0] for text in said] == [
        "its guard is not kept yet, and would not be back after an end of the engine now",
        "its guard may be back after a restart of the engine",
    ]


async def test_of_two_wishes_the_newer_one_is_kept_and_a_new_name_goes_with_it():
    guards, disk, _ = house()
    disk.refuses = True
    await guards.started(GuardPlan("a"))
    await guards.started(GuardPlan("b"))
    await guards.stopped("guard:b")
    with pytest.raises(StoreError):
        await guards.renamed("a", "attic")
    disk.refuses = False
    running = asyncio.create_task(guards.run())
    await asyncio.sleep(2)
    running.cancel()
    assert disk.kept == {"attic": GuardPlan("attic")}
