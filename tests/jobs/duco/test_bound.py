"""How near shares come to what calculation, waits and wire alone would allow, whatever the pool's waits are. In
wound-on time, where handling costs nothing: what is lost here is lost by asking too late or by waiting for nothing."""

from __future__ import annotations

import asyncio

import pytest

from minertui.jobs.duco_relay.relay import Relay
from minertui.model.relay import BoardState, BoardView
from minertui.sim.duco_boards import board
from minertui.sim.duco_bus import FakeBus
from minertui.sim.duco_rules import Rules, Tier
from minertui.sim.duco_sketch import SketchBoard
from tests.jobs.duco.world import LoopClock, World

pytestmark = pytest.mark.looptime

RATE_HS = 208.0
LETTERS_S = 87 * 0.0002  # dialect C: a pause after each character of a job is its own


def lost_pct(then: BoardView, now: BoardView, waits_s: float) -> float:
    assert then.last is not None
    assert now.last is not None
    shares, nonces = now.stats.shares - then.stats.shares, now.stats.nonces - then.stats.nonces
    bound_s = nonces / RATE_HS + shares * waits_s
    return 100 * (1 - bound_s / (now.last.at_s - then.last.at_s))


async def between_shares(relay: Relay) -> list[BoardView]:
    """Each board at a moment when no verdict is awaited: its nonces are then those of its shares."""
    found: dict[str, BoardView] = {}
    while len(found) < len(relay.view().boards):
        await asyncio.sleep(0.02)
        for one in relay.view().boards:
            if one.state not in (BoardState.RESULT, BoardState.SENT):
                found.setdefault(one.name, one)
    return [found[name] for name in sorted(found)]


@pytest.mark.parametrize(("job_ms", "verdict_ms"), [(20, 20), (250, 250), (1000, 1000)])
async def test_97_per_cent_of_the_bound(job_ms: float, verdict_ms: float) -> None:
    boards = {20: board("A"), 8: board("C", rate_hs=RATE_HS)}
    world = World(
        {"i2c:1": FakeBus(boards, LoopClock().mono), "serial:/dev/by-id/one": SketchBoard("3.3")},
        rules=Rules(job_ms, verdict_ms, tiers={"AVR": Tier(5, 0, 1e6)}),
    )
    async with world.mining() as relay:
        await asyncio.sleep(10)
        before = await between_shares(relay)
        await asyncio.sleep(40)
        after = await between_shares(relay)
    waits_s = (job_ms + verdict_ms) / 1000
    for then, now in zip(before, after, strict=True):
        lost = lost_pct(then, now, waits_s + (LETTERS_S if now.name == "b8" else 0.0))
        assert -0.1 < lost < 2, f"{now.name} loses {lost:.1f} %"
