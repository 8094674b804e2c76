"""``minertui stop``: end the engine. Jobs restore their miners first; a sweep goes on at the next start.
``minertui stop NAME``: end what runs on one, for good; the engine goes on."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from minertui.cli import places
from minertui.cli.engine_link import agreed, talking, unknown
from minertui.cli.wording import Paragraphs
from minertui.clock import SystemClock
from minertui.model.errors import LinkError, MinertuiError, OtherVersion
from minertui.model.fleet import Fleet
from minertui.model.plans import JobState

if TYPE_CHECKING:
    from minertui.api.client import ApiClient

PATIENCE_S = 180
_LOOK_S = 0.25
GOES_ON = "Their miners get their own settings back first; what runs goes on when the engine starts again."


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``minertui stop``."""
    parser = subparsers.add_parser(
        "stop",
        help="end the engine; miners are restored first. With a NAME: end what runs there",
        description=(
            "End the engine in the background. Miners on which something runs get their own settings back first, and "
            "that goes on when the engine starts again; all miners go on mining. With a NAME only what runs on that "
            "miner or rig ends, for good: a sweep with the best point that passed, or the settings from before."
        ),
        epilog=(
            "examples:\n  minertui stop\n  minertui stop --yes\n  minertui stop attic\n"
            "  minertui stop sweep:attic guard:garage\n\n"
            "exit code: 0 no engine runs any more, or what was named has ended; 1 it still does, or a miner is not "
            "proven to be back"
        ),
        formatter_class=Paragraphs,
        parents=[places.options()],
    )
    parser.add_argument(
        "name",
        nargs="*",
        metavar="NAME",
        help="of a miner or rig, or sweep:NAME, guard:NAME, relay:NAME: end that; the engine goes on",
    )
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask, whatever runs")
    parser.set_defaults(run=talking(_stop))


async def _stop(args: argparse.Namespace, client: ApiClient) -> int:
    if args.name:
        return await _end(args, client)
    try:
        jobs = running(await client.fleet())
    except OtherVersion:  # whose errors say that this command ends it
        jobs = ["it is of another version, so what runs cannot be shown here"]
    except LinkError:
        if await _there(client):
            raise
        print("No engine is running.")
        return 0
    if jobs:
        print("\n".join(["These run now:", *(f"  {job}" for job in jobs), GOES_ON]))
        if not agreed("Stop the engine?", args):
            print("The engine goes on.")
            return 1
    await client.shutdown()
    await _ended(client)
    return 1 if _left(places.state_dir(args)) else 0


def _left(state: Path) -> bool:
    """Say that it has ended, and first which miners could not be led back to their own settings."""
    from minertui.engine.journal import FOLDER, Journal

    entries = Journal(state / FOLDER, SystemClock().wall).entries()
    for entry in entries:
        print(f"{entry.device} is not proven to be back at {entry.baseline.tune_text}.", file=sys.stderr)
    if entries:
        print("Start the engine again, or run “minertui restore”, to bring back what is not.", file=sys.stderr)
    print("The engine has ended; the miners go on mining.", flush=True)
    return bool(entries)


def running(fleet: Fleet) -> list[str]:
    """The jobs that are not over, each in words."""
    return [_words(job) for job in fleet.jobs.values() if not job.phase.over]


def _words(job: JobState) -> str:
    done = f", {job.done} of about {job.total}" if job.total else ""
    return f"{job.kind} on {job.device}: {job.phase.value}{done}"


async def _end(args: argparse.Namespace, client: ApiClient) -> int:
    fleet = await client.fleet()
    jobs = {job.id: job for name in args.name for job in _meant(fleet, name)}
    print("\n".join(["This ends:", *(f"  {_words(job)}" for job in jobs.values())]))
    if not agreed("End it?", args):
        print("It goes on.")
        return 1
    for job_id in jobs:
        await client.stop(job_id)
    await _over(client, set(jobs))
    return 0


def _meant(fleet: Fleet, name: str) -> list[JobState]:
    """What runs on the miner or rig of this name, or is called so itself. Raises MinertuiError where nothing does."""
    alive = [job for job in fleet.jobs.values() if not job.phase.over]
    found = [job for job in alive if name.casefold() in (job.id.casefold(), job.device.casefold())]
    if not found and (not alive or name in fleet.snapshots):
        raise MinertuiError(f"nothing runs on {name}")
    if not found:
        known = [word for job in alive for word in (job.device, job.id)]
        raise MinertuiError(unknown(f"nothing runs that is called “{name}”", name, known))
    return found


async def _over(client: ApiClient, waits: set[str]) -> None:
    """Say of each how it ended."""
    clock = SystemClock()
    deadline_s = clock.mono() + PATIENCE_S
    while True:
        jobs = (await client.fleet()).jobs
        for job_id in sorted(waits):
            if job_id not in jobs or jobs[job_id].phase.over:
                waits.discard(job_id)
                print(f"{job_id}: {(job_id in jobs and jobs[job_id].note) or 'ended'}", flush=True)
        if not waits:
            return
        if clock.mono() > deadline_s:
            raise MinertuiError(f"not over yet: {', '.join(sorted(waits))}; look with “minertui status”")
        await clock.sleep(_LOOK_S)


async def _ended(client: ApiClient) -> None:
    clock = SystemClock()
    deadline_s = clock.mono() + PATIENCE_S
    while await _there(client):
        if clock.mono() > deadline_s:
            raise MinertuiError("the engine is still restoring; look with “minertui logs engine -f”")
        await clock.sleep(_LOOK_S)


async def _there(client: ApiClient) -> bool:
    try:
        await client.health()
    except OtherVersion:
        return True
    except LinkError:
        return False
    return True
