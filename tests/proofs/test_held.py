"""What an engine holds at rest: after more bad hours no more of anything than the documented bounds (docs/figures.md).

Virtual time and one seed, so the counts are the same each time. The bounds that take days to fill are small here.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import gc
from pathlib import Path
from typing import Any

import msgspec
import pytest

from minertui.engine import arbiter, hub, loglines
from minertui.model.errors import MinertuiError
from minertui.model.fleet import Health
from tests.proofs import chaos
from tests.proofs.world import World, dense
from tests.proofs.wound import WoundLoop, run

_MINERS, _RING, _ORDERS, _LINES, _NEWEST = 3, 16, 8, 40, 20
_MORE = 3  # of a kind that has no bound of its own
_BOUNDS = {
    "minertui.model.events.LogLine": _LINES + _NEWEST + _RING,
    "minertui.model.alerts.Alert": _MINERS * 24 + _RING,  # a kind of each
}
_FRAMES = ("builtins.frame", "builtins.traceback", "builtins.coroutine", "_asyncio.Task", "_asyncio.Future")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rings that are full within minutes."""
    monkeypatch.setattr(arbiter, "_REMEMBERED", _ORDERS)
    monkeypatch.setattr(loglines, "KEPT_IN_ALL", _LINES)
    monkeypatch.setattr(loglines, "_NEWEST", _NEWEST)
    monkeypatch.setattr(hub.Hub.__init__, "__kwdefaults__", {"ring": _RING})


async def bad(world: World, hours: float) -> None:
    """Faults and people for so long."""
    others = [asyncio.create_task(world.people(), name="world people")]
    others += [asyncio.create_task(world.misfortune(), name="world misfortune")]
    await asyncio.sleep(3600 * hours)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def at_rest(world: World) -> collections.Counter[str]:
    """All is well and nobody does anything; by type, what of ours there is then."""
    await asyncio.sleep(1500)  # the longest fault
    for board in world.boards:
        board.faults.clear()
        board.nvs["overheat_mode"] = 0
        board.restart()
    await asyncio.sleep(600)
    for name in [miner.name for miner in world.miners]:
        with contextlib.suppress(MinertuiError):
            await world.engine.clear(name)
    for job in list(world.engine.hub.fleet.jobs):
        with contextlib.suppress(MinertuiError):
            await world.engine.stop(job)
    await asyncio.sleep(1200)
    assert {snapshot.health for snapshot in world.engine.hub.fleet.snapshots.values()} == {Health.OK}
    gc.collect()
    kinds = collections.Counter(f"{type(held).__module__}.{type(held).__qualname__}" for held in gc.get_objects())
    ours = {k: n for k, n in kinds.items() if k.startswith("minertui.") and not k.startswith("minertui.sim.")}
    return collections.Counter({**ours, **{kind: kinds[kind] for kind in _FRAMES}})


async def lived(world: World) -> tuple[collections.Counter[str], collections.Counter[str]]:
    """At rest after a bad half hour, and after three quarters of an hour more."""
    await world.open()
    await bad(world, 0.5)
    before = await at_rest(world)
    await bad(world, 0.75)
    after = await at_rest(world)
    await world.engine.close()
    await world.server.close()
    return before, after


@pytest.mark.usefixtures("small")
def test_after_more_bad_hours_an_engine_at_rest_holds_no_more(tmp_path: Path):
    worlds: dict[str, World] = {}

    async def whole(loop: WoundLoop) -> Any:
        pace = msgspec.structs.replace(dense(_MINERS), hits=0.0)
        worlds["world"] = world = World(loop, tmp_path, 5, _MINERS, pace)
        return await lived(world)

    with chaos._judged(worlds):
        before, after = run(whole)
    world = worlds["world"]
    assert sum(world.faults.values()) > 15
    assert world.seen["sweep started"] >= 3
    assert len(world.engine._arbiter._orders) == _ORDERS
    more = {kind: (before[kind], n) for kind, n in after.items() if n > _BOUNDS.get(kind, before[kind] + _MORE)}
    assert more == {}
