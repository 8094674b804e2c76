"""One answer that tells something odd about a healthy miner: it costs no day, and it is nobody's home."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest

from minertui.engine.facts import UNSURE
from minertui.model.commands import Rank, Tune
from tests.engine.bench import APPLIED, REFUSED, SWEEP, Bench
from tests.engine.hardware import FakeMiner

pytestmark = pytest.mark.looptime

GUARD = "guard:garage"


def tells(bench: Bench, odd: Callable[[int], dict[str, Any]]) -> None:
    """From now on reading n (from 1) shows these fields instead of the true ones."""
    real, count = partial(FakeMiner.read, bench.miner), iter(range(1, 10_000))

    async def read():
        return msgspec.structs.replace(await real(), **odd(next(count)))

    bench.miner.read = read  # type: ignore[method-assign]


async def test_a_clock_that_is_told_as_millions_is_waited_for_no_longer_than_the_highest_there_is(bench: Bench):
    await bench.line.refresh()
    mute: dict[str, float | None] = {"actual_mhz": None, "core_actual_mv": None}  # old firmware
    told = [mute | {"frequency_mhz": 5.0e6}]
    tells(bench, lambda _: told[0])
    slower = asyncio.create_task(bench.do(Tune(500), Rank.SAFETY, GUARD))
    await asyncio.sleep(0.3)
    told[0] = mute
    assert (await slower).state is APPLIED
    less = asyncio.create_task(bench.do(Tune(core_mv=1100), Rank.SAFETY, GUARD))
    await asyncio.sleep(0.1)
    by_hand = asyncio.create_task(bench.person(Tune(450)))
    assert (await less).state is APPLIED
    assert (await by_hand).state is APPLIED
    assert bench.clock.boot() < 90.0
    assert bench.at == (450, 1100)


ODD = [{"frequency_mhz": 400.0}, {"core_mv": 0.0}, {"frequency_mhz": 0.0}, {"core_mv": 1000.0}]


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_one_odd_reading_is_nobodys_home_and_nothing_to_climb_from(bench: Bench, odd: dict[str, Any], nth: int):
    await bench.line.refresh()
    tells(bench, lambda n: odd if n == nth else {})
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    await bench.do(Tune(550, 1200))
    assert [entry.baseline.tune_text for entry in bench.journal.entries()] == ["525 MHz / 1150 mV"]
    assert all((write.core_mv or 1150) >= 1150 for write in bench.miner.writes if isinstance(write, Tune))
    tells(bench, lambda _: {})
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert bench.at == (525, 1150)


async def test_the_first_reading_of_all_is_looked_at_twice(bench: Bench):
    tells(bench, lambda n: {"frequency_mhz": 400.0} if n == 1 else {})
    assert (await bench.do(Tune(500))).ok
    assert [entry.baseline.tune_text for entry in bench.journal.entries()] == ["525 MHz / 1150 mV"]


async def test_readings_that_never_agree_raise_nothing_and_are_kept_as_nothing(bench: Bench):
    await bench.line.refresh()
    tells(bench, lambda n: {"frequency_mhz": 400.0 + n})
    outcome = await bench.do(Tune(550))
    assert (outcome.state, outcome.reason) == (REFUSED, UNSURE)
    assert (bench.miner.writes, bench.journal.entries()) == ([], ())
    lower = asyncio.create_task(bench.do(Tune(300), Rank.SAFETY, GUARD))
    await asyncio.sleep(10.0)
    tells(bench, lambda _: {})
    assert (await lower).changes
    assert bench.at == (300, 1150), "going down needs none of it"
    assert bench.journal.entries() == ()


async def test_less_than_any_chip_can_run_is_no_home_however_often_it_is_told(bench: Bench):
    bench.miner.set(core_mv=0.0)
    await bench.line.refresh()
    assert "the least there is" in (await bench.do(Tune(550))).reason
    assert (await bench.do(Tune(500))).ok
    assert bench.miner.writes == [Tune(500)]
    assert bench.journal.entries() == ()


async def test_what_a_person_set_at_the_miners_own_page_is_home_at_once(bench: Bench):
    await bench.line.refresh()
    bench.miner.set(frequency_mhz=500.0, actual_mhz=500.0)
    begun_s = bench.clock.boot()
    assert (await bench.do(Tune(450), Rank.SAFETY, GUARD)).ok
    assert bench.clock.boot() - begun_s < 3.0
    assert [entry.baseline.tune_text for entry in bench.journal.entries()] == ["500 MHz / 1150 mV"]


async def test_what_is_ours_is_not_looked_at_twice(bench: Bench):
    await bench.line.refresh()
    assert (await bench.do(Tune(500), Rank.SAFETY, GUARD)).ok
    bench.miner.set(frequency_mhz=525.0, actual_mhz=525.0)  # its home: an earlier write that arrives late, say
    begun_s = bench.clock.boot()
    assert (await bench.do(Tune(450), Rank.SAFETY, GUARD)).ok
    assert bench.clock.boot() - begun_s < 1.0
