"""``minertui restore``: bring every miner in the journal back to its baseline, without an engine.

For systemd's ExecStopPost, which runs it after a kill or a watchdog too, and for a person after a crash. A miner is
believed by its MAC: it is looked for at the address in the journal, then at those in the config. What the config says
of it holds (read-only, limits), whatever it is called there by now. Whatever cannot be brought back and proven keeps
its entry. Exit code: 0 all are at their baseline; 1 an entry is kept, or the journal cannot be read; 4 a miner was left
where somebody else or its firmware put it, which is nowhere above its baseline.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from minertui import config
from minertui.cli import places
from minertui.cli.restore_alerts import RestoreAlerts
from minertui.cli.terminal import say
from minertui.cli.wording import Paragraphs, told
from minertui.clock import SystemClock
from minertui.engine.arbiter import Arbiter
from minertui.engine.command_log import CommandLog
from minertui.engine.facts import is_it
from minertui.engine.journal import FOLDER, Entry, Journal, JournalError
from minertui.engine.kinds import connect
from minertui.engine.line import Identity, Line
from minertui.engine.lines import Wanted, wanted
from minertui.engine.lock import StateLock
from minertui.engine.records import RECORDS, Records
from minertui.engine.restoring import Left, ended, not_yet
from minertui.engine.store import StoreError
from minertui.engine.way_back import homeward, stays, waits
from minertui.model.alerts import Severity
from minertui.model.commands import OutcomeState
from minertui.model.errors import MinertuiError
from minertui.model.fleet import Health, Snapshot
from minertui.model.seams import Clock, Device
from minertui.safety import kernel
from minertui.safety.settings import Settings
from minertui.wire.axeos.address import host_port

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
    doing = partial(restore, parked=await _parked(records), dry_run=dry_run, now=now, log=log, tell=alerts.ended.tell)
    try:
        return await doing(journal, known, clock)
    finally:
        await alerts.keep()
        await records.close()


async def _parked(records: Records) -> Mapping[str, str]:
    """Why who is parked is, by MAC, and by name where it tells none; a disk that does not tell parks nobody."""
    kept: Mapping[str, Identity] = {}
    with contextlib.suppress(StoreError):
        kept = await records.identities()
    return {identity.mac or name: identity.parked for name, identity in kept.items() if identity.parked}


def _disk(text: str) -> None:
    if text:
        say(f"command log: {text}", sys.stderr)


async def restore(
    journal: Journal,
    known: config.Config,
    clock: Clock,
    *,
    dry_run: bool,
    now: bool = False,
    log: CommandLog | None = None,
    connect: Connect = connect,
    tell: Left | None = None,
    parked: Mapping[str, str] | None = None,
) -> int:
    """Restore all entries, one after the other, and print a line for each; the exit code. ``tell`` hears how each
    ended. ``parked``: why, by MAC or name, who is; only a person has one raised, once it is cleared."""
    entries, problems = await asyncio.to_thread(_read, journal)
    for problem in problems:
        say(f"journal: {problem}", sys.stderr)
    left, elsewhere = len(problems), 0
    for entry in entries:
        who = Identity(mac=entry.mac, parked=(parked or {}).get(entry.mac or entry.device, ""))
        async with _found(entry, known, clock, connect, who) as line:
            ok, text = await _one(entry, line, journal, clock, log, dry_run=dry_run, now=now)
            elsewhere += ok and not dry_run and not _at_home(entry, line)
        if tell is not None and not dry_run:
            tell(entry, ended(text) if ok else not_yet(text), over=ok)
        say(f"{entry.device}: {text}", sys.stdout if ok else sys.stderr)
        left += not ok
    if not entries and not left:
        say("nothing to restore")
    return 1 if left else _ELSEWHERE if elsewhere else 0


def _read(journal: Journal) -> tuple[Sequence[Entry], Sequence[str]]:
    """What can be read, and what is to be said of the rest: it may hold the way back of a miner."""
    try:
        entries = journal.entries()
    except JournalError as error:
        return (), [f"{error}; miners may be left raised: restore as the user of the engine, or as root"]
    return entries, (*journal.problems, *journal.unread)


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
        if line.readonly:
            return False, "nothing would be written: it is read-only in the config; its way back is kept"
        if why := stays(entry, line.snapshot()):
            return True, f"nothing would be changed: {why}"
        at = Settings.of(status)
        target = homeward(entry, line.snapshot())
        if line.snapshot().health is Health.PARKED and not kernel.lowers(target, status):
            return True, f"would not be raised: it is parked ({line.snapshot().why}): clear it first"
        if why := "" if now else waits(entry.calm, target, status):
            return True, f"would not be raised yet: {why}"
        return True, f"would go from {at.tune_text} to {entry.baseline.wrote(target).tune_text}"
    arbiter = Arbiter(clock, journal, {entry.device: line}.__getitem__, log)
    outcome = await arbiter.restore(entry, now=now)
    return outcome.state is OutcomeState.APPLIED, outcome.reason


@contextlib.asynccontextmanager
async def _found(
    entry: Entry, known: config.Config, clock: Clock, connect: Connect, who: Identity
) -> AsyncIterator[Line | None]:
    """A line to the entry's device, wherever its MAC answers."""
    gate = asyncio.Semaphore(_AT_ONCE)
    lines: list[Line] = []
    line = None
    try:
        for places in _places(entry, known):
            if line is None:
                trying = (_try(entry, place, clock, connect, gate, lines, who) for place in places)
                tried = await asyncio.gather(*trying)
                line = next((one for one in tried if one is not None), None)
        yield line
    finally:
        for one in lines:
            await one.close()


def _places(entry: Entry, known: config.Config) -> tuple[Sequence[Wanted], ...]:
    """Where to look, one group after the other, each place with what the config says of whatever answers there: at the
    entry's own address by its miner of this address, or of this name; then at all the others. Only where the config has
    neither, which may be for a new name and another way to write the address, its own address comes last: what the
    config says of the device at one of its addresses counts for more than nothing. One that told no MAC (AxeOS before
    2.3) is known by nothing but its name: elsewhere any other of that kind would be taken for it."""
    miners = wanted(known)
    here = next((place for place in miners.values() if _same_place(place.miner.address, entry.address)), None)
    own = here or miners.get(entry.device)
    alone = config.MinerConfig(name=entry.device, address=entry.address, kind=entry.kind, limits=known.limits)
    (at,) = wanted(msgspec.structs.replace(known, miner=(own.miner if own else alone,))).values()
    at = msgspec.structs.replace(at, miner=msgspec.structs.replace(at.miner, address=entry.address))
    meant = (
        miners.values() if entry.mac else filter(None, (miners.get(entry.device),))
    )  # by a MAC, or by its name alone
    others = [place for place in meant if place is not here]
    return ([at], others) if own else (others, [at])


def _same_place(address: str, other: str) -> bool:
    try:
        return host_port(address) == host_port(other)
    except MinertuiError:  # one that nothing is reached at
        return False


async def _try(
    entry: Entry,
    place: Wanted,
    clock: Clock,
    connect: Connect,
    gate: asyncio.Semaphore,
    lines: list[Line],
    who: Identity,
) -> Line | None:
    miner = place.miner
    headers = {name: secret.reveal() for name, secret in miner.headers.items()}
    options = msgspec.structs.replace(place.options, name=entry.device, address=miner.address)
    line = Line(options, connect(miner.kind, miner.address, headers), clock, _Silent(), who)
    lines.append(line)
    async with gate:
        snapshot = await line.refresh()
    return line if is_it(entry, snapshot) else None


def _config(path: Path) -> config.Config:
    """The config; one that cannot be read must not keep miners from their baseline."""
    try:
        return config.load(path)
    except MinertuiError as error:
        say(f"minertui: {error}; looking at the addresses of the journal alone", sys.stderr)
        return config.Config()


class _Silent:
    """Nobody listens to these lines; ``restore`` prints what matters."""

    def took(self, snapshot: Snapshot, *, fresh: bool) -> None:
        """Nothing to show."""

    def said(self, source: str, text: str, severity: Severity) -> None:
        """Nothing to say."""

    def learned(self, device: str, identity: Identity) -> None:
        """Nothing to keep."""
