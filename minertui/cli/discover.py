"""``minertui discover``: find miners in the network and offer to add them to the config, or to correct the address of
one that moved."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from minertui.cli import places
from minertui.cli.terminal import at_a_question
from minertui.cli.wording import Paragraphs
from minertui.model.text import as_name

if TYPE_CHECKING:
    from minertui.config import MinerConfig
    from minertui.model.history import Found

_ABOUT = """\
Finds miners that announce themselves (mDNS) and, in the networks that you name or agree to, those that
answer when asked. Only private networks are scanned, at most /22 (1,022 addresses) each, 60 addresses a
second. Without --yes nothing is written unless you say so.
"""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``minertui discover``."""
    parser = subparsers.add_parser(
        "discover",
        help="find miners in the network and add them",
        description=_ABOUT,
        formatter_class=Paragraphs,
        parents=[places.options()],
    )
    parser.add_argument(
        "networks",
        nargs="*",
        metavar="CIDR",
        help="e.g. 192.168.1.0/24, or an address or name[:PORT]; default: this computer's own. With --serial or --i2c: "
        "ports and I2C buses to ask, e.g. /dev/ttyUSB0 or 1; default: all",
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="unasked: scan this computer's networks, add all that is new, change the address of what moved",
    )
    parser.add_argument("--serial", action="store_true", help="find Duino-Coin boards on USB serial ports instead")
    parser.add_argument("--i2c", action="store_true", help="… and on its I2C buses, also behind USB adaptors")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when miners (or boards) were found, 1 when not. Raises ConfigError."""
    if args.serial or args.i2c:
        from minertui.cli import boards

        return boards.show(boards.places(serial=args.serial, i2c=args.i2c, named=args.networks))
    from minertui import config
    from minertui.engine.discovery import discover

    path = places.config_file(args)
    miners = config.load(path).miner
    known = _known(miners, places.state_dir(args))
    networks = args.networks or _own(yes=args.yes)
    if networks:
        print(f"asking {', '.join(networks)} …", flush=True)
    found = asyncio.run(discover(networks, known=known))
    _show(found)
    new = [one for one in found if one.known_as is None]
    moved = [one for one in found if one.moved_from]
    changed = _move(moved, path, yes=args.yes)  # first: what is new may stand where one of them stood
    added = _add(new, path, {miner.name for miner in miners}, yes=args.yes)
    done = [f"{_miners(added)} added"] * bool(added) + [f"the address of {_miners(changed)} changed"] * bool(changed)
    if done:
        print(f"{' and '.join(done)} in {path}; a running engine takes that over by itself")
    elif (new or moved) and not _can_ask():
        print("run it again with --yes to add what is new, and to change the address of what moved")
    return 0 if found else 1


def _known(miners: Sequence[MinerConfig], state: Path) -> dict[str, str]:
    """The names by address, and by the hardware address that an engine learned."""
    from minertui.cli.boards_known import names_by_mac
    from minertui.config_places import place

    names = {place(miner.address): miner.name for miner in miners}
    return names | {mac: name for mac, name in names_by_mac(state).items() if name in names.values()}


def _own(*, yes: bool) -> Sequence[str]:
    """The own networks that a person agreed to have scanned."""
    from minertui.engine.discovery import own_networks

    networks = own_networks()
    if yes:
        return networks
    if not _can_ask():
        if networks:
            print(f"listening only; name a network to have it scanned, e.g. minertui discover {networks[0]}")
        return []
    return [network for network in networks if _ask(f"Ask every address of {network}? [y/N] ") in ("y", "yes")]


def _show(found: Sequence[Found]) -> None:
    if not found:
        print("no miner found; is it on, and is this computer in its network? Name that network: 192.168.1.0/24")
        return
    rows = [("ADDRESS", "MODEL", "NAME", "FIRMWARE", "GH/S", "")]
    for one in found:
        speed = "—" if one.hashrate_ghs is None else f"{one.hashrate_ghs:.0f}"
        known = f"known as {one.known_as}" if one.known_as else "new"
        if one.moved_from:
            known = f"{one.known_as} moved: {one.moved_from} → {one.address}"
        rows.append((one.address, one.model or "—", one.hostname or "—", one.firmware or "—", speed, known))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _move(moved: Sequence[Found], path: Path, *, yes: bool) -> int:
    """Change the addresses of those that a person agrees to; how many."""
    from minertui import config
    from minertui.config_file import entries, save_miner

    changed = 0
    for one in moved if yes or _can_ask() else ():
        said = "y" if yes else _ask(f"{one.known_as} is at {one.address} now: change its address there? [Y/n] ")
        entry = next(entry for entry in entries(config.load(path)) if entry.name == one.known_as)
        if said in ("", "y", "yes"):
            save_miner(path, msgspec.structs.replace(entry, address=one.address), entry.name)
            changed += 1
    return changed


def _add(new: Sequence[Found], path: Path, taken: set[str], *, yes: bool) -> int:
    from minertui.config_file import save_miner
    from minertui.model.history import MinerEntry

    added = 0
    for one in new if yes or _can_ask() else ():
        name = name_for(one, taken)
        if not yes:
            said = _ask(f"Add {one.address} ({one.model or 'unknown model'}) as “{name}”? [Y/n/another name] ")
            if said in ("n", "no"):
                continue
            name = name if said in ("", "y", "yes") else said
        save_miner(path, MinerEntry(name=name, address=one.address, kind=one.kind), None)
        taken.add(name)
        added += 1
    return added


def name_for(found: Found, taken: Collection[str]) -> str:
    """A name for the config: the miner's own, made unique with a number; what config forbids becomes ``-``."""
    own = as_name(found.hostname or found.model or "") or "miner"
    used = {name.casefold() for name in taken}
    names = (own if n == 1 else f"{own}-{n}" for n in range(1, len(used) + 2))
    return next(name for name in names if name.casefold() not in used)


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask(question: str) -> str:
    try:
        with at_a_question():
            said = input(question).strip()
    except EOFError:
        return "n"
    return said.lower() if said.lower() in ("y", "yes", "n", "no") else said


def _miners(count: int) -> str:
    return "1 miner" if count == 1 else f"{count} miners"
