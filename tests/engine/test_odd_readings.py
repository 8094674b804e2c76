"""One answer that tells something odd about a healthy miner: it costs no day, and it is nobody's home."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from minertui.model.commands import Rank, Tune
from tests.engine.bench import APPLIED, Bench

pytestmark = pytest.mark.looptime


def tells(bench: Bench, odd: Callable[[int], dict[str, Any]]) -> None:
    """From now on reading n (from 1) shows these fields instead of the true ones."""
    real, count = bench.miner.read, iter(range(1, 10_000))

    async def read():
        return msgspec.structs.replace(await real(), **odd(next(count)))

    bench.miner.read = read  # type: ignore[method-assign]


async def test_a_clock_that_is_told_as_millions_is_waited_for_no_longer_than_the_highest_there_is(bench: Bench):
    await bench.line.refresh()
    mute: dict[str, float | None] = {"actual_mhz": None, "core_actual_mv": None}  # old firmware
    told = [mute | {"frequency_mhz": 5.0e6}]
    tells(bench, lambda _: told[0])
    slower = asyncio.create_task(bench.do(Tune(500), Rank.SAFETY, "guard:garage"))
    await asyncio.sleep(0.3)
    told[0] = mute
    assert (await slower).state is APPLIED
    less = asyncio.create_task(bench.do(Tune(core_mv=1100), Rank.SAFETY, "guard:garage"))
    await asyncio.sleep(0.1)
    by_hand = asyncio.create_task(bench.person(Tune(450)))
    assert (await less).state is APPLIED
    assert (await by_hand).state is APPLIED
    assert bench.clock.boot() < 90.0
    assert bench.at == (450, 1100)
