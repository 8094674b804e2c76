"""What the commands share that talk to the running engine: connecting, finding a miner by its name, asking a person."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from minertui.cli import places
from minertui.cli.terminal import at_a_question
from minertui.config_places import same_place
from minertui.model.errors import LinkError, MinertuiError
from minertui.model.fleet import Fleet, Snapshot

if TYPE_CHECKING:
    from minertui.api.client import ApiClient


@asynccontextmanager
async def engine(args: argparse.Namespace) -> AsyncIterator[ApiClient]:
    """The running engine; the calls raise LinkError, which says how to start one, when there is none."""
    from minertui.api.client import ApiClient

    async with ApiClient(places.socket_path(args)) as client:
        yield client


def talking(work: Callable[[argparse.Namespace, ApiClient], Awaitable[int]]) -> Callable[[argparse.Namespace], int]:
    """A command's ``run`` from a coroutine that wants the engine."""

    async def connected(args: argparse.Namespace) -> int:
        async with engine(args) as client:
            try:
                return await work(args, client)
            except LinkError as error:
                if alone := _alone(args):
                    raise LinkError(alone) from error
                raise

    return lambda args: asyncio.run(connected(args))


def _alone(args: argparse.Namespace) -> str:
    """Which command brought an engine of its own, that nobody else can ask; empty when none did."""
    from minertui.engine.lock import holder

    found = holder(state := places.state_dir(args))
    if found is None or not found.work:
        return ""
    return (
        f"no engine to ask, but {found.work} (process {found.process}) works with {state} on its own: it is shown "
        "where it was started, and Ctrl+C there ends it well"
    )


def snapshot_of(fleet: Fleet, name: str, config: Path) -> Snapshot:
    """The miner of this name, upper or lower case, or at this address. Raises MinertuiError with the nearest name, or
    with what to do when there is no miner at all."""
    if not fleet.snapshots:
        raise MinertuiError(no_miner_yet(config))
    by_fold = {known.casefold(): known for known in fleet.snapshots}
    at = (known for known, snapshot in fleet.snapshots.items() if same_place(snapshot.address, name))
    known = by_fold.get(name.casefold()) or next(at, None)
    if known is None:
        raise MinertuiError(unknown(f"there is no miner named “{name}”", name, fleet.snapshots))
    return fleet.snapshots[known]


def no_miner_yet(config: Path) -> str:
    """What to do with an empty config."""
    return (
        "there is no miner yet: start “minertui” and let it find some, or add a [[miner]] with “minertui config edit” "
        f"({config})"
    )


def unknown(sentence: str, name: str, known: Iterable[str]) -> str:
    """``sentence`` with the nearest known name, or with all of them when there are few."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1, 0.5)
    if near:
        return f"{sentence}; did you mean “{near[0]}”?"
    if len(names) <= 8:
        return f"{sentence}; there are {', '.join(names)}"
    return f"{sentence}; “minertui status” lists all {len(names)}"


def agreed(question: str, args: argparse.Namespace) -> bool:
    """Does the person agree? ``--yes`` agrees; without a terminal to ask at, MinertuiError."""
    if args.yes:
        return True
    if not sys.stdin.isatty():
        raise MinertuiError("there is no terminal to confirm at; add --yes when you are sure")
    with at_a_question():
        print(f"{question} [y/N] ", end="", flush=True)
        return sys.stdin.readline().strip().casefold() in ("y", "yes")
