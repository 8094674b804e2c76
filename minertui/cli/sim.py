"""``minertui sim``: simulated hardware on loopback, to look at the program without risking a board."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from minertui.cli import sim_duco
from minertui.cli.numbers import PORT, SEED, SPEED, UNITS, Number, add_number
from minertui.cli.terminal import ended_by

if TYPE_CHECKING:
    from minertui.sim.axeos import SimServer
    from minertui.sim.axeos_board import Board

_COUNT = Number(1, 1000, example=4, whole=True)
_ROOM = Number(-20, 60, UNITS["c"], 25)


def add(subparsers: Any) -> None:
    """The command and its kinds."""
    sim = subparsers.add_parser("sim", help="run simulated hardware on loopback")
    kinds = sim.add_subparsers(title="kinds", metavar="KIND", required=True)
    axeos = kinds.add_parser("axeos", help="simulated Bitaxe and NerdQAxe miners over HTTP")
    add_number(axeos, "--count", number=_COUNT, what="how many boards", default=4)
    axeos.add_argument("--host", default="127.0.0.1", help="a loopback address (default: 127.0.0.1)")
    free = "0, which takes free ones"
    add_number(axeos, "--port", number=PORT, what="port of the first board", default=0, absent=free)
    add_number(axeos, "--control-port", number=PORT, what="port of the fault console", default=0, absent=free)
    add_number(axeos, "--seed", number=SEED, what="the same seed makes the same boards", default=0)
    add_number(axeos, "--speed", number=SPEED, what="simulated seconds in a real one", default=1)
    axeos.add_argument("--family", help="all boards of this family: gamma, supra, hex, nerdqaxe++ … (default: a mix)")
    axeos.add_argument("--firmware", help="all boards with this firmware, like v2.12.2 (default: a mix)")
    add_number(axeos, "--ambient", number=_ROOM, what="room temperature", default=25)
    axeos.add_argument("--cold", action="store_true", help="start cold, as after plugging in")
    axeos.add_argument("--fault", action="append", default=[], metavar="NAME[@BOARD]",
                       help="switch a fault on, at one board (counted from 0) or at all; may be repeated")  # fmt: skip
    axeos.add_argument("--list-faults", action="store_true", help="list the faults and exit")
    axeos.set_defaults(run=run)
    sim_duco.add(kinds)


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl+C. Raises ConfigError for options that make no sense."""
    from minertui.sim.axeos_faults import FAULTS

    if args.list_faults:
        width = max(map(len, FAULTS))
        print("\n".join(f"{name:{width}}  {text}" for name, text in FAULTS.items()))
        return 0
    boards = _boards(args)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(args, boards))
    return 0


def _boards(args: argparse.Namespace) -> list[Board]:
    from minertui.sim.axeos import MIX, fleet

    mix = MIX
    if args.family or args.firmware:
        family = args.family or "gamma"
        mix = {(family, args.firmware or _newest(family)): 1}
    boards = fleet(args.count, seed=args.seed, mix=mix, ambient_c=args.ambient, warm_s=0 if args.cold else 600)
    _switch_on(boards, args.fault)
    return boards


def _newest(family: str) -> str:
    from minertui.sim.axeos_models import FIRMWARES, NERD_FIRMWARE, family_named

    return NERD_FIRMWARE if family_named(family).nerd else FIRMWARES[-1]


def _switch_on(boards: Sequence[Board], faults: Sequence[str]) -> None:
    from minertui.sim.axeos_control import chosen

    for fault in faults:
        name, _, which = fault.partition("@")
        for board in chosen(boards, (), which or "all"):
            board.faults.add(name)


async def _serve(args: argparse.Namespace, boards: Sequence[Board]) -> None:
    from minertui.clock import SystemClock
    from minertui.sim.axeos import serve

    ended = asyncio.Event()
    with ended_by(ended.set):
        server = await serve(
            boards, host=args.host, port=args.port, clock=SystemClock(args.speed), control_port=args.control_port
        )
        try:
            print(announcement(server), flush=True)
            await ended.wait()
        finally:
            await server.close()


def announcement(server: SimServer) -> str:
    """The addresses, and how to break things."""
    lines = [
        f"{address}  {board.family.model} {board.firmware}  {board.name}"
        for board, address in zip(server.boards, server.addresses, strict=True)
    ]
    lines += [
        "",
        "faults: minertui sim axeos --list-faults; switch one on while this runs:",
        f"""curl -s http://{server.control}/faults -d '{{"board": 0, "fault": "drip", "on": true}}'""",
        "Ctrl+C ends the simulation.",
    ]
    return "\n".join(lines)
