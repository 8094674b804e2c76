"""``minertui logs``: what the engine, its jobs and the miners say."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeGuard

from minertui.cli import places
from minertui.cli.engine_link import talking, unknown
from minertui.cli.numbers import Number, add_number
from minertui.cli.start import last_lines, log_file
from minertui.cli.terminal import fitted
from minertui.cli.wording import Paragraphs
from minertui.clock import SystemClock
from minertui.model.errors import LinkError, MinertuiError
from minertui.model.events import Event, LogLine, Whole
from minertui.model.fleet import Fleet

if TYPE_CHECKING:
    from minertui.api.client import ApiClient

_LINES = Number(0, 5000, example=100, whole=True)  # no engine keeps more
_RENEW_S = 30.0  # half of the engine's lease on a miner's log stream


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``minertui logs``."""
    parser = subparsers.add_parser(
        "logs",
        help="what engine, jobs and miners say",
        description="Print the newest log lines, oldest first: of one source, or merged. On a terminal long lines are "
        "wrapped between words; in a pipe each is one line.",
        epilog=(
            "examples:\n  minertui logs\n  minertui logs garage -f\n  minertui logs sweep:garage -n 50\n"
            "  minertui logs engine"
        ),
        formatter_class=Paragraphs,
        parents=[places.options()],
    )
    parser.add_argument(
        "source", nargs="?", metavar="SOURCE", help="a miner, a job (sweep:NAME) or “engine”; absent: all"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on with new lines until Ctrl+C")
    add_number(parser, "-n", "--lines", number=_LINES, what="how many old lines", default=100)
    parser.set_defaults(run=talking(_logs))


async def _logs(args: argparse.Namespace, client: ApiClient) -> int:
    try:
        if args.follow:
            return await _follow(args, client)
        _known(args.source, await client.fleet())
        await _old(args, client)
    except LinkError as error:
        own = last_lines(log_file(places.state_dir(args)), args.lines)
        if not own or args.source not in (None, "engine"):
            raise
        print(f"minertui: {error}; this is what the last one wrote:", file=sys.stderr)
        print("\n".join(own))
        return 1
    return 0


async def _old(args: argparse.Namespace, client: ApiClient) -> set[LogLine]:
    if not args.lines:
        return set()
    lines = await client.log(args.source, args.lines)
    for line in lines:
        print(_text(line), flush=True)
    return set(lines)


async def _follow(args: argparse.Namespace, client: ApiClient) -> int:
    printed: set[LogLine] = set()
    renewing: asyncio.Task[None] | None = None
    try:
        async for message in client.watch():
            if isinstance(message, Whole):
                if renewing is None:
                    _known(args.source, message.fleet)
                    printed = await _old(args, client)
                    renewing = asyncio.ensure_future(_keep_open(args.source, message.fleet, client))
            elif _wanted(message.event, args.source) and message.event not in printed:
                print(_text(message.event), flush=True)
    finally:
        if renewing is not None:
            renewing.cancel()
    return 0


def _wanted(event: Event, source: str | None) -> TypeGuard[LogLine]:
    return isinstance(event, LogLine) and source in (None, event.source)


async def _keep_open(source: str | None, fleet: Fleet, client: ApiClient) -> None:
    """Ask for the miner's own log stream, again and again, while somebody reads."""
    clock = SystemClock()
    while source in fleet.snapshots and source is not None:
        with contextlib.suppress(MinertuiError):
            await client.follow(source, True)
        await clock.sleep(_RENEW_S)


def _known(source: str | None, fleet: Fleet) -> None:
    names = {"engine", *fleet.snapshots, *fleet.jobs}
    if source is not None and source not in names and ":" not in source:
        raise MinertuiError(unknown(f"nobody named “{source}” writes a log", source, names))


def _text(line: LogLine) -> str:
    when = datetime.fromtimestamp(line.at_s, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    mark = f"{line.severity.mark} " if line.severity.mark else ""
    return fitted(f"{when} {line.source}: {mark}{line.text}", len(when) + 1)
