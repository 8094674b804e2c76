"""A guard that a fault ended is started again; and a disk that refuses does not keep a guard from lowering."""

from __future__ import annotations

import asyncio
import errno
import os

import pytest

from minertui import durable
from minertui.jobs import guard
from minertui.model.commands import Rank, Tune
from minertui.model.errors import JobError
from minertui.model.plans import GuardPlan, Phase
from tests.engine.bench import Bench
from tests.engine.house import House, Miner, job, until

pytestmark = pytest.mark.looptime
GUARD = "guard:m1"


class Faulty:
    """A guard that fails as often as it is told to, and then is the real one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, faults: int) -> None:
        self.real, self.faults, self.began_s = guard.run, faults, list[float]()
        monkeypatch.setattr(guard, "run", self.run)

    async def run(self, site: guard.GuardSite, plan: GuardPlan) -> None:
        self.began_s.append(asyncio.get_running_loop().time())
        if len(self.began_s) <= self.faults:
            raise RuntimeError("a bug")
        await self.real(site, plan)


async def test_a_disk_that_refuses_to_forget_a_way_back_keeps_nothing_from_being_lowered(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    """The way back of a person's order that ended in doubt is history, and cannot be removed."""
    await bench.line.refresh()

    def falls_silent(what: str) -> None:
        bench.miner.dead = bench.miner.dead or what == "written"

    bench.miner.spy = falls_silent
    await bench.person(Tune(600))
    bench.miner.spy, bench.miner.dead = lambda what: None, False
    assert len(bench.journal.entries()) == 1
    bench.miner.set(frequency_mhz=500.0, actual_mhz=500.0)  # somebody sets it at its own page
    await bench.line.refresh()

    def refuses(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(durable, "remove", refuses)
    monkeypatch.setattr(durable, "replace", refuses)
    assert (await bench.do(Tune(450), Rank.SAFETY, "guard:garage")).ok
    assert bench.at[0] == 450
    refused = await bench.do(Tune(475), Rank.SAFETY, "guard:garage")
    assert (refused.ok, bench.at[0]) == (False, 450)


async def test_it_is_started_again_later_and_later_and_said_once(house: House, monkeypatch: pytest.MonkeyPatch):
    faulty = Faulty(monkeypatch, 4)
    engine = await house.running()
    it = house.miners["127.0.0.1:8001"]
    await engine.start(GuardPlan("m1", max_chip_temp_c=60))
    await until(lambda: job(engine, GUARD).phase is Phase.FAILED)
    await until(lambda: job(engine, GUARD).phase is Phase.RUNNING)
    waits = [round(b - a) for a, b in zip(faulty.began_s, faulty.began_s[1:], strict=False)]
    assert waits == sorted(waits)
    assert waits[0] < waits[-1] < 70
    said = [line.text for line in await engine.log(GUARD)]
    assert [text for text in said if "a bug" in text] == [
        "failed: a fault of this program (RuntimeError: a bug); it is started again in 5 s, then later and later until "
        "it goes on"
    ]
    assert (job(engine, GUARD).by, job(engine, GUARD).view.plan) == ("person", GuardPlan("m1", max_chip_temp_c=60))
    it.chip_c = 66.0
    await until(lambda: it.mhz < 500.0)
    await engine.close()


async def test_a_fault_long_after_another_is_said_again(house: House, monkeypatch: pytest.MonkeyPatch):
    faulty = Faulty(monkeypatch, 1)
    engine = await house.running()
    await engine.start(GuardPlan("m1"))
    await until(lambda: job(engine, GUARD).phase is Phase.RUNNING)
    await asyncio.sleep(700)
    faulty.faults = len(faulty.began_s) + 1

    async def refuses(plan: GuardPlan) -> GuardPlan:
        raise RuntimeError("a bug")

    monkeypatch.setattr(engine._runner._sites[GUARD], "renewed", refuses)
    await until(lambda: len(faulty.began_s) == faulty.faults)
    assert sum("a bug" in line.text for line in await engine.log(GUARD)) == 2
    await engine.close()


async def test_who_stops_it_meanwhile_is_obeyed(house: House, monkeypatch: pytest.MonkeyPatch):
    faulty = Faulty(monkeypatch, 1000)
    engine = await house.running()
    await engine.start(GuardPlan("m1"))
    await until(lambda: job(engine, GUARD).phase is Phase.FAILED)
    state = await engine.stop(GUARD)
    assert (state.phase, "a bug" in state.note) == (Phase.STOPPED, True)
    with pytest.raises(JobError, match="no job"):
        await engine.stop(GUARD)
    tried = len(faulty.began_s)
    await asyncio.sleep(300)
    assert len(faulty.began_s) == tried
    await engine.close()


async def test_a_stop_that_ends_in_a_fault_is_a_stop(house: House, monkeypatch: pytest.MonkeyPatch):
    engine = await house.running()
    it: Miner = house.miners["127.0.0.1:8001"]
    await engine.start(GuardPlan("m1", max_chip_temp_c=60))
    it.chip_c = 66.0
    await until(lambda: it.mhz < 500.0)
    site, real = engine._runner._sites[GUARD], engine.arbiter.conclude

    async def faulty(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(engine.arbiter, "conclude", faulty)
    await engine.stop(GUARD)
    await until(lambda: job(engine, GUARD).phase is Phase.FAILED)
    assert "failed: a fault" in (await engine.log(GUARD))[-1].text
    monkeypatch.setattr(engine.arbiter, "conclude", real)
    await asyncio.sleep(200)
    assert engine._runner._sites[GUARD] is site
    await engine.close()


async def test_one_that_is_started_anew_after_such_a_stop_climbs_again(house: House, monkeypatch: pytest.MonkeyPatch):
    Faulty(monkeypatch, 1)
    engine = await house.running()
    it = house.miners["127.0.0.1:8001"]
    await engine.start(GuardPlan("m1"))
    await until(lambda: job(engine, GUARD).phase is Phase.FAILED)
    await engine.stop(GUARD)
    await engine.start(GuardPlan("m1", max_chip_temp_c=60, stable_s=60))
    await asyncio.sleep(10)
    it.chip_c = 61.0
    await until(lambda: it.mhz < 500.0)
    it.chip_c = 50.0
    await until(lambda: it.mhz == 500.0)
    await engine.close()
