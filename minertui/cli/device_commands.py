"""Commands for one miner: tune, fan, pools, restart, pause, resume, identify.

Each goes the way of every write: through the running engine, its arbiter and its safety rules. Each says how it ended
and what a read-back proves. Exit code 0: applied. 1: refused. 3: unknown, it may have taken effect or not.

What can cost hashrate, shares or hardware shows what it would do and asks, as its key on the screen does (``ASKS``);
what only gives back asks when a dry run warns. ``--yes`` is for scripts: where nobody can be asked, nothing is done.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from minertui.cli import places
from minertui.cli.engine_link import agreed, snapshot_of, talking
from minertui.cli.numbers import UNITS, Number, add_number
from minertui.cli.wording import Paragraphs
from minertui.config_ranges import RANGES
from minertui.model.commands import (
    Command,
    CommandRecord,
    Identify,
    Order,
    OutcomeState,
    Pause,
    Restart,
    Resume,
    SetFan,
    SetPools,
    Tune,
)
from minertui.model.errors import MinertuiError, Unanswered
from minertui.model.fleet import Snapshot
from minertui.model.status import PoolSetting
from minertui.safety.request import RULES

if TYPE_CHECKING:
    from minertui.api.client import ApiClient

EXIT = {OutcomeState.APPLIED: 0, OutcomeState.DRY_RUN: 0, OutcomeState.REFUSED: 1, OutcomeState.UNKNOWN: 3}
ASKS = frozenset({"tune", "fan", "pools", "restart", "pause"})
_BY = "command line"
_ENDS = "exit code: 0 applied, 1 refused, 3 unknown (sent, and no answer proves whether it took effect)"

_MHZ = Number(*RANGES["start_mhz"], UNITS["mhz"], 525)
_MV = Number(*RANGES["start_mv"], UNITS["mv"], 1150, whole=True)
_FIXED = Number(0, 100, UNITS["pct"], 80, whole=True)
_TARGET = Number(35, 66, UNITS["c"], 60, whole=True)
_SLOWEST = Number(0, 99, UNITS["pct"], 25, whole=True)
_SPEED = f"a fixed speed (less than {RULES.fan_least_pct} % only where it was set to that before)"
_AS_IT_IS = "stays as it is"
_PORT = re.compile(r"[0-9]{1,5}")

Asked = Callable[[argparse.Namespace, Snapshot], Command]


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """All seven commands."""
    tune = _command(
        subparsers,
        "tune",
        _tune,
        "set frequency and core voltage",
        "Set frequency and core voltage in safe steps, each read back. Shows what will be done and asks.",
        "minertui tune garage -f 575 -v 1150\nminertui tune garage -f 600 --dry-run",
    )
    add_number(tune, "-f", "--frequency", number=_MHZ, what="frequency", absent=_AS_IT_IS)
    add_number(tune, "-v", "--voltage", number=_MV, what="core voltage", absent=_AS_IT_IS)
    _fan(subparsers)
    _pool_options(subparsers)
    for name, command, what in (
        ("restart", Restart(), "restart the miner's controller; no hashing for about a minute"),
        ("pause", Pause(), "stop hashing until resume or a reboot of the miner"),
        ("resume", Resume(), "hash again after a pause"),
        ("identify", Identify(), "show a greeting on the miner's own display for 30 s"),
    ):
        asks = " Asks first." if name in ASKS else ""
        _command(subparsers, name, _always(command), what, f"{what.capitalize()}.{asks}", f"minertui {name} garage")


def _command(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    asked: Asked,
    what: str,
    description: str,
    examples: str,
) -> argparse.ArgumentParser:
    parser = subparsers.add_parser(
        name,
        help=what,
        description=description,
        epilog=f"examples:\n{_indented(examples)}\n\n{_ENDS}",
        formatter_class=Paragraphs,
        parents=[places.options()],
    )
    parser.add_argument("name", metavar="NAME", help="the miner's name, as “minertui status” lists it, or its address")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask (for scripts)")
    parser.set_defaults(run=talking(lambda args, client: _order(args, client, asked, what)), confirms=name in ASKS)
    return parser


def _fan(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        subparsers,
        "fan",
        _set_fan,
        "fan automatic or at a fixed speed",
        "Let the miner drive its fan towards a temperature, or hold the fan at a fixed speed. Shows what changes and "
        "asks.",
        "minertui fan garage --auto --target 60\nminertui fan garage --manual 80",
    )
    parser.add_argument("speed", nargs="?", help=argparse.SUPPRESS)  # a guess that many make: it is answered
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--auto", action="store_true", help="the miner drives its fan")
    add_number(mode, "--manual", number=_FIXED, what=_SPEED)
    add_number(parser, "--target", number=_TARGET, what="with --auto: aim at this chip temperature", absent=_AS_IT_IS)
    add_number(parser, "--min", number=_SLOWEST, what="with --auto: never slower than this", absent=_AS_IT_IS)
    order = parser.get_default("run")
    parser.set_defaults(run=lambda args: order(_fan_said(args)))


def _pool_options(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        subparsers,
        "pools",
        _set_pools,
        "change where a miner's shares go",
        "Store the primary pool, the fallback pool or both. Shows old and new and asks. What is not named stays.",
        "minertui pools garage --url pool.example:3333 --user bc1q….garage\n"
        "minertui pools garage --fallback-url b.example:3333 --fallback-user bc1q….b",
    )
    for prefix, which in (("", "primary"), ("fallback-", "fallback")):
        parser.add_argument(
            f"--{prefix}url",
            metavar="HOST:PORT",
            help=f"the {which} pool; stratum+tcp:// may stand in front (default: {_AS_IT_IS})",
        )
        parser.add_argument(
            f"--{prefix}user", metavar="USER", help=f"wallet or worker at the {which} pool (default: {_AS_IT_IS})"
        )
    parser.add_argument(
        "--password-file",
        type=Path,
        metavar="PATH",
        help="file with the primary pool's password; others see a command line (default: the stored one stays)",
    )


async def _order(args: argparse.Namespace, client: ApiClient, asked: Asked, what: str) -> int:
    snapshot = snapshot_of(await client.fleet(), args.name, places.config_file(args))
    command = asked(args, snapshot)
    order = Order(uuid.uuid4().hex, snapshot.device, command, by=_BY, dry_run=True, confirmed=True)
    record = await client.send(order)
    if args.dry_run or args.confirms or record.outcome.reason:  # the reason of a dry run warns: a sweep would end
        _tell(record, command, snapshot, what)
        if args.dry_run or not record.outcome.ok:
            return EXIT[record.outcome.state]
        if not agreed(f"Do this to {snapshot.device}?", args):
            print("Nothing was changed.")
            return 1
    try:
        record = await client.send(msgspec.structs.replace(order, id=uuid.uuid4().hex, dry_run=False))
    except Unanswered as error:
        print(f"{snapshot.device}: unknown: {error}", file=sys.stderr)
        return EXIT[OutcomeState.UNKNOWN]
    except asyncio.CancelledError:  # Ctrl+C
        print(f"{snapshot.device}: it was sent, so the engine carries it out all the same", file=sys.stderr)
        raise
    _tell(record, command, snapshot)
    return EXIT[record.outcome.state]


def _tell(record: CommandRecord, command: Command, snapshot: Snapshot, what: str = "") -> None:
    """``what`` would be done, in words, for what changes no setting."""
    outcome = record.outcome
    word = "would be done" if outcome.state is OutcomeState.DRY_RUN else outcome.state.words
    refused = outcome.state in (OutcomeState.REFUSED, OutcomeState.UNKNOWN)
    lines = [
        f"  {change.setting}: {change.before} -> {change.after}"
        for change in outcome.changes
        if change.before != change.after
    ]
    if isinstance(command, SetPools) and not lines:
        lines = _pool_lines(command, snapshot)
    if outcome.state is OutcomeState.DRY_RUN and what and not lines:
        lines = ["  nothing changes" if isinstance(command, Tune | SetFan | SetPools) else f"  {what}"]
    reason = f": {outcome.reason}" if outcome.reason else ""
    print("\n".join([f"{snapshot.device}: {word}{reason}", *lines]), file=sys.stderr if refused else sys.stdout)
    if outcome.state is OutcomeState.UNKNOWN:
        print("  Look at the miner before you try again: “minertui status”.", file=sys.stderr)


def _pool_lines(command: SetPools, snapshot: Snapshot) -> list[str]:
    stored = snapshot.status.pools if snapshot.status else ()
    lines = []
    for index, pool in enumerate(command.pools):
        before = _pool_text(stored[index]) if index < len(stored) else "-"
        if before != _pool_text(pool):
            lines.append(f"  pool {index + 1}: {before} -> {_pool_text(pool)}")
        if pool.password is not None:
            lines.append(f"  pool {index + 1} password: will be replaced")
        elif index < len(stored) and stored[index].url != pool.url:
            lines.append(
                f"  pool {index + 1} password: the stored one goes to the new pool (--password-file replaces it)"
            )
    return lines


def _pool_text(pool: PoolSetting) -> str:
    return f"{pool.url}:{pool.port} as {pool.user}"


def _always(command: Command) -> Asked:
    return lambda _, __: command


def _tune(args: argparse.Namespace, _: Snapshot) -> Tune:
    if args.frequency is None and args.voltage is None:
        raise MinertuiError("say what to set: -f MHZ, -v MV or both")
    return Tune(args.frequency, args.voltage)


def _fan_said(args: argparse.Namespace) -> argparse.Namespace:
    if args.speed is not None or (args.manual is None and not args.auto):
        pct = args.speed if args.speed and args.speed.isdecimal() else "80"
        raise MinertuiError(
            f"say how the fan of {args.name} is to run: --manual {pct} for a fixed speed in per cent, or --auto"
        )
    return args


def _set_fan(args: argparse.Namespace, _: Snapshot) -> SetFan:
    if args.manual is not None:
        if args.target is not None or args.min is not None:
            raise MinertuiError("--target and --min go with --auto")
        return SetFan(auto=False, pct=args.manual)
    return SetFan(auto=True, target_c=args.target, min_pct=args.min)


def _set_pools(args: argparse.Namespace, snapshot: Snapshot) -> SetPools:
    stored = list(snapshot.status.pools) if snapshot.status else []
    wanted = ((args.url, args.user, _password(args.password_file)), (args.fallback_url, args.fallback_user, None))
    if all(value is None for pool in wanted for value in pool):
        raise MinertuiError("say what to store: --url HOST:PORT, --user USER, --fallback-url or --fallback-user")
    for index, (url, user, password) in enumerate(wanted):
        if url is None and user is None and password is None:
            continue
        if index < len(stored):
            stored[index] = _changed(stored[index], url, user, password)
        elif url and user and index == len(stored):
            host, port = _host_port(url)
            stored.append(PoolSetting(host, port, user, password))
        else:
            raise MinertuiError(f"{snapshot.device} shows no such pool yet; name both its url and its user")
    return SetPools(tuple(stored))


def _changed(pool: PoolSetting, url: str | None, user: str | None, password: str | None) -> PoolSetting:
    host, port = (pool.url, pool.port) if url is None else _host_port(url)
    return msgspec.structs.replace(
        pool, url=host, port=port, user=pool.user if user is None else user, password=password or pool.password
    )


def _host_port(url: str) -> tuple[str, int]:
    if "@" in url:  # not repeated: what stands before it may be a password
        raise MinertuiError("write the pool as HOST:PORT, without a user and an @; the user goes into --user")
    host, colon, port = url.removeprefix("stratum+tcp://").rstrip("/").rpartition(":")
    if not colon or not host or "/" in host or not _PORT.fullmatch(port) or not 0 < int(port) < 65536:
        raise MinertuiError(f"write the pool as HOST:PORT, for example pool.example:3333, not “{url}”")
    return host, int(port)


def _password(file: Path | None) -> str | None:
    try:
        return None if file is None else file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise MinertuiError(f"cannot read the password file {file}: {error}") from error


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
