"""An engine for one command: the one that runs, when it has the miners; otherwise one of our own, while we run.

Two engines never share a miner or a journal, so an engine that runs and does not know a miner keeps us out.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from minertui.cli import places
from minertui.cli.engine_link import unknown
from minertui.cli.terminal import ended_by, never_dropped
from minertui.config import Config, MinerConfig
from minertui.config_places import same_place
from minertui.model.errors import LinkError
from minertui.model.fleet import Fleet
from minertui.model.seams import Link


@asynccontextmanager
async def engine_for(
    args: argparse.Namespace, settings: Config, miners: Sequence[MinerConfig], what: str
) -> AsyncIterator[tuple[Link, list[str]]]:
    """The engine that runs, with the miners' names there; or one of our own, which in a dry run writes nothing, to
    miners nor to the state folder. An engine that runs and does not know a miner keeps us out: two engines must
    never share a miner or a journal. ``what``: the command, for whoever asks who works with the state folder."""
    from minertui.api.client import ApiClient

    client = ApiClient(places.socket_path(args))
    try:
        fleet = await client.fleet()
    except LinkError:
        await client.close()
        async with _own_engine(args, settings, miners, what) as link:
            yield link, [miner.name for miner in miners]
        return
    try:
        if args.speed != fleet.speed:
            same = "leave --speed out" if fleet.speed == 1 else f"say --speed {fleet.speed:g} too"
            raise LinkError(f"an engine runs already, at speed {fleet.speed:g}: {same}, or stop it first")
        yield client, [name_there(fleet, miner) for miner in miners]
    finally:
        await client.close()


@asynccontextmanager
async def _own_engine(
    args: argparse.Namespace, settings: Config, miners: Sequence[MinerConfig], what: str
) -> AsyncIterator[Link]:
    from minertui.cli.dry_run import forgetful

    os.umask(0o077)  # what the engine keeps is nobody else's business
    only, state = msgspec.structs.replace(settings, miner=tuple(miners)), places.state_dir(args)
    with never_dropped():  # it lives in this process: what ends this must end it well
        if args.dry_run:
            async with forgetful(only, state) as (watching, room), opened(watching, room, args.speed) as engine:
                yield engine
        else:
            work = f"{what} of {', '.join(miner.name for miner in miners)}"
            async with opened(only, state, args.speed, work) as engine:
                yield engine


@asynccontextmanager
async def opened(settings: Config, state: Path, speed: float = 1.0, work: str = "") -> AsyncIterator[Link]:
    """An engine in this process, closed in order whatever signal comes meanwhile. ``work``: what its lock says."""
    from minertui.clock import SystemClock
    from minertui.engine import lock
    from minertui.engine.engine import Engine
    from minertui.engine.names import look_up_apart
    from minertui.engine.thinking import Beside

    look_up_apart()
    engine = Engine(settings, state=state, clock=SystemClock(speed), think=Beside())
    await engine.open()
    if work:
        lock.tell(state, work)
    try:
        yield engine
    finally:
        with ended_by(lambda: None):
            await engine.close()


def name_there(fleet: Fleet, miner: MinerConfig) -> str:
    """What the running engine calls this miner: found by address, by the address the miner says it has, or by name."""
    for name, snapshot in fleet.snapshots.items():
        own = snapshot.status.ip if snapshot.status else None
        if same_place(snapshot.address, miner.address) or (own and same_place(own, miner.address)):
            return name
    if miner.name in fleet.snapshots and miner.name != miner.address:
        return miner.name
    why = (
        f"an engine runs already and does not know {miner.address}: add the miner to it (“minertui discover "
        f"{miner.address}”), or end that engine (“minertui stop”)"
    )
    raise LinkError(unknown(why, miner.name, fleet.snapshots))
