"""``minertui sim duco``: a Duino-Coin pool and boards that exist only in memory, on loopback."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minertui.cli.numbers import PORT, SEED, SPEED, UNITS, Number, add_number
from minertui.cli.terminal import ended_by

if TYPE_CHECKING:
    from minertui.clock import SystemClock
    from minertui.sim.duco_faults import Faults
    from minertui.sim.duco_pool import DucoPool
    from minertui.sim.duco_search import Hasher

_BOARDS = Number(0, 50, example=3, whole=True)
_RATE = Number(1, 100_000, example=260)
_WAIT = Number(0, 60_000, UNITS["ms"], 20)
_DIALECTS = ("serial", "adaptor", "A", "A85", "B", "C", "D", "pico")


def add(kinds: Any) -> None:
    """The kind and its options."""
    duco = kinds.add_parser("duco", help="a simulated Duino-Coin pool, and boards on serial ports or an I2C bus")
    add_number(duco, "--boards", number=_BOARDS, what="how many boards", default=3)
    duco.add_argument(
        "--dialect",
        choices=_DIALECTS,
        default="serial",
        help="serial: a pty each (default); adaptor: dialect C behind one USB adaptor, a pty; A to D: an I2C bus on a "
        "loopback port; pico: dialect C on Raspberry Picos, two addresses each",
    )
    duco.add_argument("--sketch", default="4.3", metavar="VERSION", help="of boards on serial ports (default: 4.3)")
    add_number(duco, "--rate", number=_RATE, what="hashes a second of each board", absent="its dialect's")
    duco.add_argument("--folder", type=Path, metavar="DIR", help="where the names of ptys go (default: a fresh folder)")
    add_number(duco, "--pool-wait", number=_WAIT, what="the pool's wait before each job and each verdict", default=20)
    duco.add_argument(
        "--motd", default="Simulated pool", help="the pool's message of the day (default: Simulated pool)"
    )
    duco.add_argument("--user", default="alice", help="the only user that the simulated server knows (default: alice)")
    duco.add_argument("--key", help="the user's mining key (default: none is set)")
    free = "0, which takes a free one"
    add_number(duco, "--port", number=PORT, what="port of the pool", default=0, absent=free)
    add_number(duco, "--rest-port", number=PORT, what="port of the REST server", default=0, absent=free)
    add_number(duco, "--bus-port", number=PORT, what="port of the I2C bus", default=0, absent=free)
    add_number(duco, "--seed", number=SEED, what="the same seed makes the same boards and jobs", default=0)
    add_number(duco, "--speed", number=SPEED, what="simulated seconds in a real one", default=1)
    duco.add_argument("--fault", action="append", default=[], metavar="NAME[@BOARD]",
                      help="switch a fault on, at one board (counted from 0) or at all; may be repeated")  # fmt: skip
    duco.add_argument("--pool-fault", action="append", default=[], metavar="NAME", help="a fault of the pool")
    duco.add_argument("--list-faults", action="store_true", help="list the faults and exit")
    duco.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl+C. Raises ConfigError for options that make no sense."""
    from minertui.sim.duco_faults import BOARD_FAULTS, POOL_FAULTS

    if args.list_faults:
        print(_listed("--fault", BOARD_FAULTS) + "\n\n" + _listed("--pool-fault", POOL_FAULTS))
        return 0
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(args))
    return 0


def _listed(option: str, faults: Mapping[str, str]) -> str:
    width = max(map(len, faults))
    return "\n".join([f"{option}:", *(f"  {name:{width}}  {text}" for name, text in faults.items())])


async def _serve(args: argparse.Namespace) -> None:
    from minertui.clock import SystemClock
    from minertui.sim.duco_pool import DucoPool
    from minertui.sim.duco_rules import Rules

    ended = asyncio.Event()
    clock = SystemClock(args.speed)
    rules = Rules(
        job_wait_ms=args.pool_wait,
        verdict_wait_ms=args.pool_wait,
        motd=args.motd + "\n",
        keys={args.user: args.key} if args.key else {},
    )
    pool = DucoPool(clock=clock, rules=rules, seed=args.seed)
    pool.rest_server.users = {args.user: 100.0}
    for name in args.pool_fault:
        pool.faults.add(name)
    with ended_by(ended.set):
        try:
            await pool.open(args.port, args.rest_port)
            async with _boards(args, clock) as boards:
                lines = [*_pool_lines(pool, args.user), "", *boards, "", "Ctrl+C ends the simulation."]
                print("\n".join(lines), flush=True)
                await ended.wait()
        finally:
            await pool.close()


def _pool_lines(pool: DucoPool, user: str) -> list[str]:
    host, port = pool.address
    return [f"pool    {host}:{port}", f"server  {pool.rest}", f"user    {user}"]


@contextlib.asynccontextmanager
async def _boards(args: argparse.Namespace, clock: SystemClock) -> AsyncIterator[list[str]]:
    """The boards, plugged in; gives a line about each."""
    if args.dialect in ("serial", "adaptor"):
        with contextlib.ExitStack() as stack:
            folder = args.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="minertui-sim-")))
            folder.mkdir(parents=True, exist_ok=True)
            serve = _on_serial if args.dialect == "serial" else _behind_adaptor
            async with serve(args, clock, folder) as lines:
                yield lines
    else:
        async with _on_bus(args, clock) as lines:
            yield lines


@contextlib.asynccontextmanager
async def _on_serial(args: argparse.Namespace, clock: SystemClock, folder: Path) -> AsyncIterator[list[str]]:
    from minertui.sim.duco_serial import SerialBench
    from minertui.sim.duco_sketch import SketchBoard

    boards = [SketchBoard(args.sketch, args.rate, seed=args.seed + n) for n in range(args.boards)]
    _switch_on([board.faults for board in boards], args.fault)
    async with SerialBench(boards, folder, clock) as bench:
        yield [
            f"serial:{port.path}  sketch {board.version}, {board.rate_hs:g} H/s, {board.chip_id}"
            for port, board in zip(bench.ports, boards, strict=True)
        ]


@contextlib.asynccontextmanager
async def _behind_adaptor(args: argparse.Namespace, clock: SystemClock, folder: Path) -> AsyncIterator[list[str]]:
    from minertui.sim.duco_adaptor import Adaptor
    from minertui.sim.duco_bus import FakeBus
    from minertui.sim.duco_serial import SerialBench

    boards = _i2c_boards(args, "C")
    async with SerialBench([Adaptor(FakeBus(boards, clock.mono, seed=args.seed))], folder, clock) as bench:
        path = bench.ports[0].path
        yield [f"adaptor:{path}:{address}  {_told(board)}" for address, board in boards.items()]


@contextlib.asynccontextmanager
async def _on_bus(args: argparse.Namespace, clock: SystemClock) -> AsyncIterator[list[str]]:
    from minertui.sim.duco_bus import FakeBus
    from minertui.sim.duco_remote import BusServer

    boards = _i2c_boards(args, args.dialect)
    bus = FakeBus(boards, clock.mono, seed=args.seed)
    server = BusServer(bus)
    await server.open(args.bus_port)
    try:
        yield [f"{server.at(address)}  {_told(board)}" for address, board in boards.items()]
    finally:
        await server.close()


def _i2c_boards(args: argparse.Namespace, dialect: str) -> dict[int, Any]:
    from minertui.sim.duco_boards import FIRST_ADDRESS, board

    first = FIRST_ADDRESS[dialect]
    boards = {first + n: board(dialect, seed=args.seed + n, rate_hs=args.rate) for n in range(args.boards)}
    _switch_on([one.faults for one in boards.values()], args.fault)
    return boards


def _told(board: Hasher) -> str:
    return f"{board.rate_hs:g} H/s, {board.chip_id}"


def _switch_on(boards: list[Faults], faults: list[str]) -> None:
    from minertui.model.errors import ConfigError

    for fault in faults:
        name, _, which = fault.partition("@")
        if which and not (which.isdecimal() and int(which) < len(boards)):
            raise ConfigError(f"--fault {fault}: no simulated board {which!r}; use 0 to {len(boards) - 1}")
        for board in [boards[int(which)]] if which else boards:
            board.add(name)
