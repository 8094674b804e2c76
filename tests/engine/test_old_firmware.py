"""Firmware that follows its settings only after a restart (AxeOS before 2.2): what it is left at, it really runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from minertui.engine.arbiter import Arbiter
from minertui.engine.journal import Journal
from minertui.model.commands import Command, Order, OutcomeState, Rank, Restart, Tune
from minertui.model.errors import Unreachable
from minertui.model.status import Ability, MinerStatus
from tests.engine.hardware import GAMMA, FakeMiner, LoopClock, line

pytestmark = pytest.mark.looptime

JOB = "sweep:garage"


class OldMiner(FakeMiner):
    """Stores at once, runs what it stores from the next restart on; ``back_s`` is how long a restart takes."""

    def __init__(self) -> None:
        super().__init__()
        self.set(abilities=GAMMA.abilities - {Ability.TUNE_LIVE}, actual_mhz=None, core_actual_mv=None)
        self.runs = (525.0, 1150)
        self.booted_s, self.back_s = -1000.0, 15.0
        self.restarts = 0
        self.answers_restart = True

    async def read(self) -> MinerStatus:
        now_s = asyncio.get_running_loop().time()
        if now_s < self.booted_s:
            raise Unreachable("fake", "does not answer")
        await super().read()
        self.set(uptime_s=float(int(now_s - self.booted_s)))
        return self.status

    async def apply(self, command: Command) -> None:
        await super().apply(command)
        if isinstance(command, Restart):
            self.restarts += 1
            self.booted_s = asyncio.get_running_loop().time() + self.back_s
            assert self.status.frequency_mhz is not None
            assert self.status.core_mv is not None
            self.runs = (self.status.frequency_mhz, round(self.status.core_mv))
            if not self.answers_restart:
                raise Unreachable("fake", "it went down before it answered")


class Bench:
    def __init__(self, folder: Path) -> None:
        self.clock, self.miner, self.journal = LoopClock(), OldMiner(), Journal(folder, lambda: 1.0)
        self.line = line(self.miner, self.clock)
        self.arbiter = self.anew()
        self._n = 0

    def anew(self) -> Arbiter:
        """An arbiter that knows nothing but the journal."""
        return Arbiter(self.clock, self.journal, {"garage": self.line}.__getitem__)

    async def do(self, command: Command) -> OutcomeState:
        self._n += 1
        return (await self.arbiter.execute(Order(f"o{self._n}", "garage", command, JOB, Rank.SWEEP))).outcome.state

    async def swept(self) -> None:
        """A job has driven it to a point, by a restart."""
        assert await self.do(Tune(575, 1200)) is OutcomeState.APPLIED
        assert await self.do(Restart()) is OutcomeState.APPLIED
        await asyncio.sleep(120)
        assert self.miner.runs == (575, 1200)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "journal")


async def test_the_end_of_a_job_restarts_into_the_baseline_and_proves_it(bench: Bench):
    await bench.swept()
    outcome = await bench.arbiter.conclude("garage", None, JOB)
    assert outcome.ok, outcome
    assert (bench.miner.runs, bench.miner.restarts) == ((525, 1150), 2)
    assert bench.journal.entries() == ()


async def test_what_it_runs_already_needs_no_restart(bench: Bench):
    await bench.swept()
    assert (await bench.arbiter.conclude("garage", Tune(575, 1200), JOB)).ok
    assert bench.miner.restarts == 1


async def test_a_restart_whose_answer_is_lost_counts_when_it_is_seen(bench: Bench):
    await bench.swept()
    bench.miner.answers_restart = False
    assert (await bench.arbiter.conclude("garage", None, JOB)).ok
    assert bench.miner.runs == (525, 1150)


async def test_one_that_is_not_back_in_time_stays_in_the_journal_and_is_not_restarted_again(bench: Bench):
    await bench.swept()
    bench.miner.back_s = 300.0
    outcome = await bench.arbiter.conclude("garage", None, JOB)
    assert (outcome.state, len(bench.journal.entries())) == (OutcomeState.UNKNOWN, 1)
    assert "is not seen to have done so" in outcome.reason
    await asyncio.sleep(300)
    assert (await bench.arbiter.conclude("garage", None, JOB)).ok
    assert bench.miner.restarts == 2


async def test_what_a_job_ends_with_waits_for_a_slow_one_because_it_has_no_second_try(bench: Bench):
    await bench.swept()
    bench.miner.back_s = 150.0
    assert (await bench.arbiter.conclude("garage", Tune(550, 1175), JOB)).ok
    assert (bench.miner.runs, bench.miner.restarts) == ((550, 1175), 2)


async def test_the_ration_of_restarts_holds_and_the_next_try_does_it(bench: Bench):
    await bench.swept()
    await bench.do(Restart())
    await asyncio.sleep(20)
    early = await bench.arbiter.conclude("garage", None, JOB)
    assert (early.ok, bench.miner.runs) == (False, (575, 1200))
    assert "restarted less than 60 s ago" in early.reason
    await asyncio.sleep(60)
    assert (await bench.arbiter.conclude("garage", None, JOB)).ok
    assert bench.miner.runs == (525, 1150)


async def test_after_a_crash_it_is_restarted_once_whatever_is_stored(bench: Bench):
    await bench.swept()
    assert await bench.do(Tune(525, 1150)) is OutcomeState.APPLIED
    bench.arbiter = bench.anew()
    [(_, outcome)] = await bench.arbiter.restore_all()
    assert outcome.ok, outcome
    assert (bench.miner.runs, bench.miner.restarts) == ((525, 1150), 2)
    assert bench.journal.entries() == ()


async def test_firmware_that_follows_live_is_never_restarted(bench: Bench):
    bench.miner.set(abilities=GAMMA.abilities)
    assert await bench.do(Tune(575, 1200)) is OutcomeState.APPLIED
    assert (await bench.arbiter.conclude("garage", None, JOB)).ok
    assert bench.miner.restarts == 0
