"""The demo's Duino-Coin rig: two boards on a simulated I2C bus, one on a simulated serial port, and a pool on loopback.

The config names them like real ones. The bus is in the engine's own process, because the demo's time runs fast: the
milliseconds of a socket would be thirty times as many in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minertui.config_rigs import RigConfig
    from minertui.engine.rigs import Way
    from minertui.jobs.duco_relay import Opener
    from minertui.model.relay import Place, RelayView
    from minertui.model.seams import Clock, Link

NAME = "minis"
_USER = "demo"
_JOB_MS, _VERDICT_MS = 620.0, 480.0  # a pool in a usual mood
_ADDRESSES = (20, 21)
_SHARES = 3
_PATIENCE_S = 30.0  # real seconds


@contextlib.asynccontextmanager
async def simulated_rig(clock: Clock, *, start: bool = True) -> AsyncIterator[tuple[RigConfig, Way]]:
    """Serve the boards and their pool; gives the rig's config and the way to its boards."""
    from minertui.config_rigs import RigConfig
    from minertui.engine.rigs import way
    from minertui.model.relay import BoardPlan
    from minertui.sim.duco_boards import board
    from minertui.sim.duco_bus import FakeBus, Opened
    from minertui.sim.duco_pool import DucoPool
    from minertui.sim.duco_rules import Rules
    from minertui.sim.duco_serial import SerialBench
    from minertui.sim.duco_sketch import SketchBoard

    pool = DucoPool(clock=clock, rules=Rules(job_wait_ms=_JOB_MS, verdict_wait_ms=_VERDICT_MS))
    pool.rest_server.users = {_USER: 100.0}
    bus = FakeBus({at: board("A", seed=at) for at in _ADDRESSES}, clock.mono)

    def opener(place: Place) -> Opener:
        return (lambda: Opened(bus)) if place.simulated else way(place)

    with tempfile.TemporaryDirectory(prefix="minertui-demo-") as folder:
        async with pool, SerialBench([SketchBoard("4.3")], Path(folder), clock) as bench:
            places = {f"pro mini {at}": f"i2c:sim:1:{at}" for at in _ADDRESSES}
            places["nano usb"] = f"serial:{bench.ports[0].path}"
            boards = tuple(BoardPlan(name, at) for name, at in places.items())
            yield RigConfig(name=NAME, user=_USER, start=start, rest=pool.rest, board=boards), opener


def as_toml(rig: RigConfig) -> str:
    """The rig as a config file has it."""
    import tomli_w

    boards = [{"name": board.name, "at": board.at} for board in rig.board]
    table = {"name": rig.name, "user": rig.user, "start": rig.start, "rest": rig.rest, "board": boards}
    return tomli_w.dumps({"rig": [table]})


async def mined(link: Link) -> RelayView:
    """Mine with the rig until each board has some good shares; how that went."""
    from minertui.model.events import JobChanged, Numbered
    from minertui.model.relay import RelayPlan, RelayView

    job = await link.start(RelayPlan(NAME))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_S):
            async for message in link.watch():
                event = message.event if isinstance(message, Numbered) else None
                if isinstance(event, JobChanged) and event.job.id == job.id:
                    job = event.job
                    if job.phase.over:
                        break
                    if isinstance(job.view, RelayView) and _enough(job.view):
                        await link.stop(job.id)
    assert isinstance(job.view, RelayView)
    return job.view


def _enough(view: RelayView) -> bool:
    return all(board.stats.good >= _SHARES for board in view.boards)
