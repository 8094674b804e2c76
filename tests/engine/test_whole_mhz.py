"""Firmware before AxeOS 2.10, and a NerdQAxe, stores whole MHz and refuses everything else. Steps of a guard and limits
in the config may be fractions; they are kept there too."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from minertui.engine.facts import LAST_RESORT
from minertui.model.commands import Command, Rank, Tune
from minertui.model.plans import Limits
from minertui.model.status import Ability
from minertui.wire.axeos.commands import encode
from tests.engine.bench import REFUSED, SWEEP, Bench

pytestmark = pytest.mark.looptime

GUARD = "guard:garage"


@pytest.fixture
def whole(bench: Bench) -> Bench:
    """A miner that takes what its firmware takes."""
    real = bench.miner.apply

    async def apply(command: Command) -> None:
        encode(command, bench.miner.status)
        await real(command)

    bench.miner.set(abilities=frozenset(Ability) - {Ability.TUNE_FRACTION})
    bench.miner.apply = apply  # type: ignore[method-assign]
    return bench


@pytest.mark.parametrize("who", [GUARD, LAST_RESORT])
async def test_a_hot_miner_is_lowered_by_half_steps_too(whole: Bench, who: str):
    outcome = await whole.do(Tune(512.5, at_most=True), Rank.SAFETY, who)
    assert (outcome.ok, whole.at) == (True, (512, 1150)), outcome


async def test_a_limit_that_is_half_a_mhz_is_kept(whole: Bench):
    assert (await whole.do(Tune(512.5, at_most=True), Rank.PERSON, "config")).ok
    assert whole.at == (512, 1150)


async def test_a_person_is_told(whole: Bench):
    outcome = await whole.person(Tune(512.5))
    assert outcome.state is REFUSED
    assert "whole MHz only" in outcome.reason


async def test_a_way_back_that_ends_at_such_a_limit_is_proven(whole: Bench):
    assert (await whole.do(Tune(475))).ok
    whole.line.change(replace(whole.line.options, limits=Limits(max_mhz=518.75)))
    await asyncio.sleep(5)
    outcome = await whole.arbiter.conclude("garage", None, SWEEP)
    assert (outcome.ok, whole.at) == (True, (518, 1150)), outcome
    assert whole.journal.entries() == ()
