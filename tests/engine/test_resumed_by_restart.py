"""A NerdQAxe is resumed by a restart, and restarts are rationed."""

from __future__ import annotations

import pytest

from minertui.model.commands import Rank, Restart, Resume
from tests.engine.bench import Bench

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize(("family", "ok"), [("nerdqaxe", False), ("bitaxe", True)])
async def test_who_was_resumed_by_a_restart_is_not_restarted_again_at_once(bench: Bench, family: str, ok: bool):
    bench.miner.set(family=family, paused=True)
    await bench.person(Resume())
    bench.miner.set(paused=False)
    outcome = await bench.do(Restart(), Rank.CURTAILMENT, "repairs")
    assert outcome.ok is ok
    assert ok or "restarted less than 300 s ago" in outcome.reason
