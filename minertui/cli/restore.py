"""``minertui restore``: bring every miner in the journal back to its baseline, without an engine.

For systemd's ExecStopPost, which runs it after a kill or a watchdog too, and for a person after a crash. A miner is
believed by its MAC: it is looked for at the address in the journal, then at those in the config. Whatever cannot be
brought back and proven keeps its entry. Exit code: 0 all are at their baseline; 1 an entry is kept; 4 a miner was left
where somebody else or its firmware put it, which is nowhere above its baseline.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from minertui import config
from minertui.cli import places
from minertui.cli.restore_alerts import RestoreAlerts
from minertui.cli.wording import Paragraphs, told
from minertui.clock import SystemClock
from minertui.engine.arbiter import Arbiter
from minertui.engine.command_log import CommandLog
from minertui.engine.facts import is_it
from minertui.engine.journal import FOLDER, Entry, Journal
from minertui.engine.kinds import connect
from minertui.engine.line import Identity, Line, LineOptions
from minertui.engine.lock import StateLock
from minertui.engine.records import RECORDS, Records
from minertui.engine.restoring import Left, ended, not_yet
from minertui.engine.store import StoreError
from minertui.engine.way_back import homeward, stays, waits
from minertui.model.alerts import Severity
from minertui.model.commands import OutcomeState
from minertui.model.errors import MinertuiError
from minertui.model.fleet import Snapshot
from minertui.model.seams import Clock, Device
from minertui.safety.settings import Settings

_AT_ONCE = 16
_ELSEWHERE = 4  # exit code: left where it is, which is not its baseline

Connect = Callable[[str, str, Mapping[str, str]], Device]


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``minertui restore``."""
    parser = subparsers.add_parser(
        "restore",
        help="bring miners back to their baseline after a crash",
        description=told(__doc__),
        formatter_class=Paragraphs,
        parents=[places.options()],
    )
    parser.add_argument("--journal", action="store_true", help="restore what the journal holds (the default)")
    parser.add_argument(
        "--now",
        action="store_true",
        help="do not wait until a miner is as cool as its guard asks; no hotter than allowed",
    )
    parser.add_argument("--dry-run", action="store_true", help="look and say, change nothing")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: nothing is left to restore. 1: something is kept. 4: nothing is kept, but a miner was left as it is, where
    somebody else or its firmware put it. Raises LinkError while an engine works on this state."""
    state = places.state_dir(args)
    clock = SystemClock()
    with StateLock(state):
        journal = Journal(state / FOLDER, clock.wall)
        known = _config(places.config_file(args))
        return asyncio.run(_logged(state, journal, known, clock, dry_run=args.dry_run, now=args.now))


async def _logged(
    state: Path, journal: Journal, known: config.Config, clock: Clock, *, dry_run: bool, now: bool
) -> int:
    """Restore, and keep what was written in the command log of this state, and as alerts what an engine that ended
    without warning left behind. A disk that refuses costs the log and the alerts alone."""
    records = Records(state / RECORDS, clock, trouble=_disk, damaged=_disk)
    with contextlib.suppress(StoreError):
        await records.start()
    log = CommandLog(records, clock, lambda event: None, by="restore")
    alerts = RestoreAlerts(state, clock, known.alerts, records)
    await alerts.begin()
    try:
        return await restore(journal, known.miner, clock, dry_run=dry_run, now=now, log=log, tell=alerts.ended.tell)
    finally:
        await alerts.keep()
        await records.close()


def _disk(text: str) -> None:
    if text:
        print(f"command log: {text}", file=sys.stderr)


async def restore(
    journal: Journal,
    miners: Sequence[config.MinerConfig],
    clock: Clock,
    *,
    dry_run: bool,
    now: bool = False,
    log: CommandLog | None = None,
    connect: Connect = connect,
    tell: Left | None = None,
) -> int:
    """Restore all entries, one after the other, and print a line for each; the exit code. ``tell`` hears how each
    ended."""
    entries = await asyncio.to_thread(journal.entries)
    for problem in journal.problems:
        print(f"journal: {problem}", file=sys.stderr)
    left, elsewhere = len(journal.problems), 0
    for entry in entries:
        async with _found(entry, miners, clock, connect) as line:
            ok, text = await _one(entry, line, journal, clock, log, dry_run=dry_run, now=now)
            elsewhere += ok and not dry_run and not _at_home(entry, line)
        if tell is not None and not dry_run:
            tell(entry, ended(text) if ok else not_yet(text), over=ok)
        print(f"{entry.device}: {text}", file=sys.stdout if ok else sys.stderr)
        left += not ok
    if not entries and not left:
        print("nothing to restore")
    return 1 if left else _ELSEWHERE if elsewhere else 0


def _at_home(entry: Entry, line: Line | None) -> bool:
    status = line.snapshot().status if line else None
    return status is not None and Settings.of(status).same_tune(entry.baseline)


async def _one(
    entry: Entry,
    line: Line | None,
    journal: Journal,
    clock: Clock,
    log: CommandLog | None,
    *,
    dry_run: bool,
    now: bool,
) -> tuple[bool, str]:
    if line is None:
        return False, (
            f"no miner with MAC {entry.mac or 'unknown'} answers at {entry.address} or any address of the config; "
            f"its way back to {entry.baseline.tune_text} is kept. Switch it on, or put its new address into the "
            "config, and restore again"
        )
    if dry_run:
        status = line.snapshot().status
        assert status is not None  # it was recognised by its reading
        if why := stays(entry, line.snapshot()):
            return True, f"nothing would be changed: {why}"
        at = Settings.of(status)
        target = homeward(entry, line.snapshot())
        if why := "" if now else waits(entry.calm, target, status):
            return True, f"would not be raised yet: {why}"
        return True, f"would go from {at.tune_text} to {entry.baseline.wrote(target).tune_text}"
    arbiter = Arbiter(clock, journal, {entry.device: line}.__getitem__, log)
    outcome = await arbiter.restore(entry, now=now)
    return outcome.state is OutcomeState.APPLIED, outcome.reason


@contextlib.asynccontextmanager
async def _found(
    entry: Entry, miners: Sequence[config.MinerConfig], clock: Clock, connect: Connect
) -> AsyncIterator[Line | None]:
    """A line to the entry's device: at its own address first, then wherever its MAC answers."""
    own = next((miner for miner in miners if miner.name == entry.device), None)
    named = own or config.MinerConfig(name=entry.device, address=entry.address, kind=entry.kind)
    first = msgspec.structs.replace(named, address=entry.address)
    others = [miner for miner in (*([own] if own else []), *miners) if miner.address != entry.address]
    gate = asyncio.Semaphore(_AT_ONCE)
    lines: list[Line] = []
    try:
        line = await _try(entry, first, clock, connect, gate, lines)
        if line is None:
            tried = await asyncio.gather(*(_try(entry, miner, clock, connect, gate, lines) for miner in others))
            line = next((one for one in tried if one is not None), None)
        yield line
    finally:
        for one in lines:
            await one.close()


async def _try(
    entry: Entry, miner: config.MinerConfig, clock: Clock, connect: Connect, gate: asyncio.Semaphore, lines: list[Line]
) -> Line | None:
    headers = {name: secret.reveal() for name, secret in miner.headers.items()}
    options = LineOptions(entry.device, miner.address, miner.kind, limits=miner.limits, readonly=miner.readonly)
    line = Line(options, connect(miner.kind, miner.address, headers), clock, _Silent(), Identity(mac=entry.mac))
    lines.append(line)
    async with gate:
        snapshot = await line.refresh()
    return line if is_it(entry, snapshot) else None


def _config(path: Path) -> config.Config:
    """The config; one that cannot be read must not keep miners from their baseline."""
    try:
        return config.load(path)
    except MinertuiError as error:
        print(f"minertui: {error}; looking at the addresses of the journal alone", file=sys.stderr)
        return config.Config()


class _Silent:
    """Nobody listens to these lines; ``restore`` prints what matters."""

    def took(self, snapshot: Snapshot, *, fresh: bool) -> None:
        """Nothing to show."""

    def said(self, source: str, text: str, severity: Severity) -> None:
        """Nothing to say."""

    def learned(self, device: str, identity: Identity) -> None:
        """Nothing to keep."""
