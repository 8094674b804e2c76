"""Whoever asks from outside may call itself what it likes: its orders are backed by a way back all the same."""

from __future__ import annotations

import pytest

from minertui.engine.facts import LAST_RESORT
from minertui.model.commands import Command, Rank, Tune
from tests.engine.bench import Bench

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize("rank", [Rank.PERSON, Rank.CURTAILMENT, Rank.SWEEP])
async def test_whoever_calls_itself_the_last_resort_raises_nothing_without_a_way_back(
    bench: Bench, rank: Rank, monkeypatch: pytest.MonkeyPatch
):
    await bench.line.refresh()
    kept, real = list[int](), bench.miner.apply

    async def apply(command: Command) -> None:
        kept.append(len(bench.journal.entries()))
        await real(command)

    monkeypatch.setattr(bench.miner, "apply", apply)
    assert (await bench.do(Tune(575), rank, LAST_RESORT)).ok
    assert kept == [1, 1], "on disk before each of the two steps"
