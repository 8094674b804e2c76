"""A higher rank cuts an order short while its last write still takes effect. A clock goes down by 62.5 MHz a second,
so whoever comes next does not take the voltage away from under it; what only brings the clock down does not wait."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from minertui.engine.arbiter import Arbiter
from minertui.model.commands import Command, Rank, Tune
from minertui.model.errors import Preempted
from minertui.model.status import MinerStatus
from tests.engine.bench import SWEEP, Bench
from tests.engine.hardware import FakeMiner, line, need_mv

pytestmark = pytest.mark.looptime

GUARD = "guard:garage"
MHZ_PER_S = 62.5


class Ramping(FakeMiner):
    """Its clock needs time. ``low`` is judged by the clock that it really has when a voltage arrives; ``tells``: it
    reports that clock (AxeOS from 2.14)."""

    def __init__(self, *, tells: bool) -> None:
        super().__init__()
        self.tells, self._from_mhz, self._since_s = tells, self.status.frequency_mhz or 0.0, 0.0

    @property
    def clock_mhz(self) -> float:
        to = self.status.frequency_mhz or 0.0
        way = MHZ_PER_S * (asyncio.get_running_loop().time() - self._since_s)
        return max(to, self._from_mhz - way) if to < self._from_mhz else min(to, self._from_mhz + way)

    async def read(self) -> MinerStatus:
        self.set(actual_mhz=self.clock_mhz if self.tells else None)
        return await super().read()

    def _take(self, command: Command) -> None:
        if isinstance(command, Tune) and command.frequency_mhz is not None:
            self._from_mhz, self._since_s = self.clock_mhz, asyncio.get_running_loop().time()
        self.lag = True
        super()._take(command)
        if isinstance(command, Tune) and command.core_mv is not None:
            self.set(core_actual_mv=command.core_mv)

    def _check(self) -> None:
        mhz, mv = self.clock_mhz, self.status.core_mv or 0
        if mv < need_mv(mhz) - 0.5:
            self.low.append(f"{mv:g} mV at {mhz:g} MHz")


@pytest.fixture(params=[True, False], ids=["tells its clock", "does not"])
def ramping(tmp_path: Path, request: pytest.FixtureRequest) -> Bench:
    bench = Bench(tmp_path / "journal")
    bench.miner = Ramping(tells=request.param)
    anew(bench)
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    return bench


def anew(bench: Bench) -> None:
    """The program begins on what there is: it knows nothing of what was sent before."""
    bench.line = line(bench.miner, bench.clock)
    bench.arbiter = Arbiter(bench.clock, bench.journal, {"garage": bench.line}.__getitem__)


@pytest.mark.parametrize("then", [Tune(450, 1000), Tune(440, 1000)], ids=["same clock", "lower"])
async def test_a_voltage_waits_for_the_clock_of_the_order_before(ramping: Bench, then: Tune):
    assert (await ramping.do(Tune(650, 1230))).ok
    down = asyncio.create_task(ramping.do(Tune(450)))
    await asyncio.sleep(0.1)
    assert (await ramping.do(then, Rank.SAFETY, GUARD)).ok
    with pytest.raises(Preempted):
        await down
    assert ramping.at == (then.frequency_mhz, 1000)
    assert ramping.miner.low == []


async def test_a_clock_that_goes_down_does_not_wait(ramping: Bench):
    assert (await ramping.do(Tune(650, 1230))).ok
    up = asyncio.create_task(ramping.do(Tune(650, 1255)))
    await asyncio.sleep(0.1)
    begun_s = ramping.clock.boot()
    stop = asyncio.create_task(ramping.do(Tune(500), Rank.SAFETY, GUARD))
    while ramping.miner.writes[-1] != Tune(500):
        await asyncio.sleep(0.05)
    assert ramping.clock.boot() - begun_s < 1.0
    assert (await stop).ok
    with pytest.raises(Preempted):
        await up


async def test_who_waits_gives_way_too(ramping: Bench):
    assert (await ramping.do(Tune(650, 1230))).ok
    down = asyncio.create_task(ramping.do(Tune(450)))
    await asyncio.sleep(0.1)
    by_hand = asyncio.create_task(ramping.person(Tune(450, 1000)))
    await asyncio.sleep(1.0)
    assert (await ramping.do(Tune(400), Rank.SAFETY, GUARD)).ok
    for task in (down, by_hand):
        with pytest.raises(Preempted):
            await task
    assert Tune(core_mv=1000) not in ramping.miner.writes


# killed --------------------------------------------------------------------------------------------------------------


async def killed_on_the_way_down(ramping: Bench) -> None:
    """The engine was killed just after it sent the clock of a sweep's point home, and is there again at once."""
    assert (await ramping.do(Tune(450, 1000))).ok
    assert (await ramping.do(Tune(700, 1290))).ok
    home = asyncio.create_task(ramping.arbiter.conclude("garage", None, SWEEP))
    while ramping.miner.writes[-1] != Tune(525):
        await asyncio.sleep(0.05)
    home.cancel()
    await asyncio.gather(home, return_exceptions=True)
    assert ramping.at == (525, 1290)
    anew(ramping)


async def test_the_next_start_takes_no_voltage_from_a_clock_that_falls(ramping: Bench):
    await killed_on_the_way_down(ramping)
    ((_, outcome),) = await ramping.arbiter.restore_all()
    assert (outcome.ok, ramping.at, ramping.miner.low) == (True, (525, 1150), [])


async def test_nor_does_a_person_who_orders_right_after_it(ramping: Bench):
    await killed_on_the_way_down(ramping)
    assert (await ramping.person(Tune(525, 1060))).ok
    assert (ramping.at, ramping.miner.low) == ((525, 1060), [])


async def test_only_a_clock_that_does_not_tell_where_it_is_is_waited_for(ramping: Bench):
    await killed_on_the_way_down(ramping)
    await asyncio.sleep(10.0)
    begun_s = ramping.clock.boot()
    assert (await ramping.do(Tune(core_mv=1150))).ok
    assert isinstance(ramping.miner, Ramping)
    assert (ramping.clock.boot() - begun_s < 3.0) is ramping.miner.tells


async def test_long_after_the_start_nobody_waits(ramping: Bench):
    anew(ramping)
    await asyncio.sleep(30.0)
    begun_s = ramping.clock.boot()
    assert (await ramping.do(Tune(core_mv=1140))).ok
    assert ramping.clock.boot() - begun_s < 6.0
