"""What a guard took away is given back when the miner is as cool as that guard asks, and not before: not when the guard
ends, not when the engine does, not after a crash. The kernel alone would raise it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from minertui.cli.restore import restore
from minertui.config import Config
from minertui.engine.engine import Engine
from minertui.engine.journal import FOLDER, Journal
from minertui.engine.way_back import waits
from minertui.model.commands import Order, Rank, Tune
from minertui.model.plans import GuardEnd, GuardPlan, GuardView, Phase
from minertui.model.status import MinerStatus
from minertui.safety.calm import Calm
from tests.engine.bench import SWEEP, Bench
from tests.engine.house import House, Miner, as_left, job, miner, until

pytestmark = pytest.mark.looptime

PLAN = GuardPlan("m1", max_chip_temp_c=60, max_vr_temp_c=80)
WAITS = "500 MHz / 1150 mV wait until the chip is down to 58 °C and the regulator to 78 °C, as its guard asks"


class Warm:
    """A miner of 500 MHz that its guard lowered, and that stays at 59 °C: under the limit, not cool."""

    def __init__(self, house: House, engine: Engine, it: Miner) -> None:
        self.house, self.engine, self.it = house, engine, it

    @property
    def kept(self) -> bool:
        return bool(list((self.house.folder / FOLDER).glob("*.json")))

    async def said(self, source: str = "m1") -> list[str]:
        return [line.text for line in await self.engine.log(source)]

    async def again(self) -> None:
        """The next engine on the same folder."""
        self.engine = self.house.engine()
        await self.engine.open()


@asynccontextmanager
async def warm(folder: Path) -> AsyncIterator[Warm]:
    house = House(folder)
    it = house.miners["127.0.0.1:8001"] = Miner("127.0.0.1:8001")
    engine = await house.running()
    await engine.start(PLAN)
    await asyncio.sleep(12)
    it.chip_c = 61.0
    await until(lambda: it.mhz == 450.0, 60)
    it.chip_c = 58.5
    await asyncio.sleep(12)
    assert it.mhz == 450.0
    found = Warm(house, engine, it)
    yield found
    await found.engine.close()


async def test_a_stopped_guard_gives_back_when_it_is_cool_and_not_before(tmp_path: Path):
    async with warm(tmp_path) as found:
        await found.engine.stop("guard:m1")
        await until(lambda: job(found.engine, "guard:m1").phase is Phase.STOPPED)
        ended = job(found.engine, "guard:m1")
        assert ended.note.startswith(f"left at 450 MHz: {WAITS}")
        assert isinstance(ended.view, GuardView)
        assert ended.view.end is GuardEnd.WAITS
        await asyncio.sleep(600)
        assert (found.it.mhz, found.kept) == (450.0, True)
        assert f"m1: its baseline is not restored yet: {WAITS}" in found.engine.hub.fleet.notice
        assert len([text for text in await found.said() if WAITS in text]) == 1
        found.it.chip_c = 57.0
        await until(lambda: found.it.mhz == 500.0, 120)
        await until(lambda: not found.kept, 60)
        assert found.engine.hub.fleet.notice == ""


async def test_the_engines_end_and_the_next_start_wait_too(tmp_path: Path):
    async with warm(tmp_path) as found:
        await found.engine.close()
        assert (found.it.mhz, found.kept) == (450.0, True)
        await found.again()
        await asyncio.sleep(300)
        assert (found.it.mhz, found.kept) == (450.0, True)
        assert WAITS in found.engine.hub.fleet.notice
        found.it.chip_c = 57.0
        await until(lambda: found.it.mhz == 500.0 and not found.kept, 120)


async def test_after_a_crash_it_waits_as_well(tmp_path: Path):
    async with warm(tmp_path / "state") as found:
        as_left(found.house.folder, tmp_path / "as the crash left it")
        found.it.chip_c = 50.0
        await found.engine.close()
        found.it.chip_c, found.it.mhz, found.house.folder = 58.5, 450.0, tmp_path / "as the crash left it"
        await found.again()
        await asyncio.sleep(300)
        assert (found.it.mhz, found.kept) == (450.0, True)


async def test_a_person_who_sets_it_does_not_wait_and_ends_the_waiting(tmp_path: Path):
    async with warm(tmp_path) as found:
        await found.engine.stop("guard:m1")
        await until(lambda: WAITS in found.engine.hub.fleet.notice)
        assert (await found.engine.send(Order("o1", "m1", Tune(475.0)))).outcome.ok
        await until(lambda: found.engine.hub.fleet.notice == "", 120)
        found.it.chip_c = 50.0
        await asyncio.sleep(300)
        assert (found.it.mhz, found.kept) == (475.0, False)


async def test_the_newest_guard_is_the_one_that_asks(tmp_path: Path):
    async with warm(tmp_path) as found:
        await found.engine.stop("guard:m1")
        await until(lambda: job(found.engine, "guard:m1").phase.over)
        await found.engine.start(GuardPlan("m1", max_chip_temp_c=66, max_vr_temp_c=80))
        await until(lambda: found.it.mhz == 500.0 and not found.kept, 120)
        view = job(found.engine, "guard:m1").view
        assert isinstance(view, GuardView)
        assert view.wanted_mhz is not None


async def test_restore_waits_unless_a_person_says_now(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    async with warm(tmp_path) as found:
        await found.engine.close()
        journal, known = Journal(found.house.folder / FOLDER, found.house.clock.wall), Config(miner=(miner(),))

        async def restored(*, dry_run: bool = False, now: bool = False) -> int:
            return await restore(
                journal, known, found.house.clock, dry_run=dry_run, now=now, connect=found.house.connect
            )

        assert await restored(dry_run=True) == 0
        assert f"would not be raised yet: {WAITS}" in capsys.readouterr().out
        assert await restored() == 1
        assert WAITS in capsys.readouterr().err
        found.it.chip_c = 71.0
        assert await restored(now=True) == 1, "no hotter than the model allows"
        assert found.it.mhz == 450.0
        found.it.chip_c = 58.5
        assert await restored(now=True) == 0
        assert found.it.mhz == 500.0


def test_a_fan_that_holds_it_too_warm_is_named():
    calm, home = Calm(58, 78), Tune(500, 1150)
    status = MinerStatus(frequency_mhz=450, core_mv=1150, chip_temp_c=59.0, fan_auto=True, temp_target_c=58.0)
    assert waits(calm, home, status).endswith("holds 58 °C: lower the fan's target, or set the miner by hand")
    for fan in ({"temp_target_c": 57.0}, {"fan_auto": False}, {"temp_target_c": None}):
        assert waits(calm, home, msgspec.structs.replace(status, **fan)).endswith("before it raises anything")


@pytest.mark.parametrize(
    ("chip", "vr", "reached"),
    [
        (63.0, 83.0, True),
        (63.0, None, True),
        (63.1, 60.0, False),
        (50.0, 83.1, False),
        (None, 60.0, False),
        (-1.0, 60.0, False),
        (float("nan"), 60.0, False),
        (50.0, float("nan"), False),
    ],
)
def test_calm_is_both_sensors_down(chip: float | None, vr: float | None, reached: bool):
    calm = Calm.of(GuardPlan(max_chip_temp_c=65, max_vr_temp_c=85, hysteresis_c=2))
    assert calm.reached(MinerStatus(chip_temp_c=chip, vr_temp_c=vr, hashrate_ghs=1.0)) is reached


async def test_each_step_of_the_way_up_is_as_cool_as_the_guard_asks(tmp_path: Path):
    """The first ones warm it: all of them on the reading before the first led straight back into the heat."""
    bench = Bench(tmp_path / "journal")
    bench.arbiter.guard("garage", "guard:garage", Calm(60, 80))
    assert (await bench.do(Tune(400), Rank.SAFETY, "guard:garage")).ok

    def warms(what: str) -> None:
        mhz = bench.miner.status.frequency_mhz or 0
        bench.miner.set(chip_temp_c=58.0 if mhz < 450 else 61.0)

    bench.miner.spy = warms
    outcome = await bench.arbiter.conclude("garage", None, "guard:garage")
    assert outcome.waits, outcome
    assert "has reached 60 °C" in outcome.reason
    assert bench.at == (450, 1150)
    bench.miner.spy = lambda what: bench.miner.set(chip_temp_c=58.0)
    assert (await bench.arbiter.conclude("garage", None, "guard:garage")).ok
    assert bench.at == (525, 1150)


async def test_what_a_sweep_found_is_not_set_over_the_guard_that_stepped_in(tmp_path: Path):
    """Both acted on the same reading, the sweep's last one: what was too hot a moment ago is not gone back to."""
    bench = Bench(tmp_path / "journal")
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(600, 1210))).ok
    bench.arbiter.guard("garage", "guard:garage", Calm(40, 40))
    assert (await bench.do(Tune(500), Rank.SAFETY, "guard:garage")).ok
    outcome = await bench.arbiter.conclude("garage", Tune(575, 1200), SWEEP)
    assert outcome.waits, outcome
    assert bench.at == (500, 1150), "its own voltage; its own frequency waits for the guard"
    assert bench.journal.entries()[0].calm == Calm(40, 40)
