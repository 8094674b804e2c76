"""``minertui demo``: the whole program on simulated miners. No hardware, no network, nothing of yours is touched.
A Duino-Coin rig of three simulated boards mines with a simulated pool.

At a terminal it opens the screen; press ``b`` to start a benchmark sweep. Without one (in a pipe, in CI) it sweeps
three miners, lets the rig mine some shares, prints how that goes, leaves the result files in the current folder and
ends by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from minertui.cli import attach, places
from minertui.cli.numbers import SEED, Number, add_number
from minertui.cli.terminal import say
from minertui.cli.wording import Paragraphs, told
from minertui.model.errors import LinkError

if TYPE_CHECKING:
    from minertui.config import MinerConfig
    from minertui.model.plans import SweepPlan
    from minertui.model.seams import Clock
    from minertui.sim.axeos_board import Board

_SCREEN_SPEED = 30.0
_PLAIN_SPEED = 120.0
_PLAIN_POLL_S = 0.125  # real seconds at least, without a screen: readings of a busy computer are to stay fresh
_ORPHANED_S = 600.0  # real seconds: how long the demo's engine outlives a screen that was killed
_COUNT = Number(1, 1000, example=12, whole=True)
_TAGS = ("shelf", "garage", "attic")
_PLAIN = (("gamma", "v2.15.3"), ("supra", "v2.14.2"), ("nerdqaxe++", "V1.0.37.2-LTS"))

_CONFIG = """\
# The demo's own config, written anew at each start. A sweep takes a minute here instead of an evening.
[sweep]
strategy = "adaptive"
max_chip_temp_c = 66
max_vr_temp_c = 85
max_power_w = 40
"""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``minertui demo``."""
    parser = subparsers.add_parser(
        "demo",
        help="try the program on simulated miners",
        description=told(__doc__),
        formatter_class=Paragraphs,
        parents=[attach.options(f"{_SCREEN_SPEED:g}; without a terminal {_PLAIN_SPEED:g}")],
    )
    add_number(parser, "--count", number=_COUNT, what="simulated miners on the screen", default=12)
    add_number(parser, "--seed", number=SEED, what="the same seed makes the same miners", default=7)
    parser.add_argument(
        "--output", type=Path, default=Path(), metavar="DIR",
        help="folder of the result files, without a terminal (default: the current one)",
    )  # fmt: skip
    parser.add_argument("--serve", type=int, metavar="PID", help=argparse.SUPPRESS)  # the engine of a demo's screen
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """The screen's exit code, or the sweep's."""
    if args.serve is not None:
        return asyncio.run(_serve(args))
    if sys.stdin.isatty() and sys.stdout.isatty():
        return _with_screen(args)
    return asyncio.run(_plain(args))


def _with_screen(args: argparse.Namespace) -> int:
    """Start the demo's own engine in the background, show it, end it. One at a time: a second screen would show the
    first one's miners whatever it was asked for, and end them with itself."""
    from minertui import paths
    from minertui.api.client import ApiClient
    from minertui.cli.start import running_engine
    from minertui.clock import SystemClock
    from minertui.config import ScreenConfig
    from minertui.engine.lock import StateLock

    state = paths.private_dir(paths.state_dir() / "demo")
    config, socket = state / "config.toml", state / paths.SOCKET_NAME
    speed = getattr(args, "speed", _SCREEN_SPEED)
    command = ["demo", f"--serve={os.getpid()}", f"--speed={speed:g}", f"--count={args.count}", f"--seed={args.seed}"]

    async def ready() -> None:
        async with ApiClient(socket, demo=True) as client:
            await running_engine(client, config, state, socket, SystemClock(), command=command)

    async def over() -> None:
        with suppress(LinkError):  # it ended before its screen: nothing is left to end
            async with ApiClient(socket, demo=True) as client:
                await client.shutdown()

    with StateLock(state / "screen", "the screen of a demo", "leave it there (q) and start this one again"):
        print("Starting simulated miners …", flush=True)
        asyncio.run(ready())
        try:
            return attach.screen(args, socket, ScreenConfig(), state / "themes", demo=True)
        finally:
            asyncio.run(over())
            print("The demo and its miners are gone. For real ones: minertui")


async def _serve(args: argparse.Namespace) -> int:
    """The engine behind a demo's screen, simulators included; ends with it, or some time after it was killed."""
    from minertui import paths
    from minertui.cli.demo_engine import DemoEngine, forget
    from minertui.cli.demo_rig import as_toml, simulated_rig
    from minertui.cli.engine import serve
    from minertui.clock import SystemClock
    from minertui.config import Config, load
    from minertui.config_file import entries, replace_text, save_miner
    from minertui.sim.axeos import fleet

    clock = SystemClock(getattr(args, "speed", _SCREEN_SPEED))
    boards = fleet(args.count, seed=args.seed)
    state = places.state_dir(args)
    path = places.config_file(args)
    async with simulated(boards, clock) as miners, simulated_rig(clock) as (rig, way):
        replace_text(path, f"{_CONFIG}\n{as_toml(rig)}")
        for entry, board in zip(entries(Config(miner=tuple(miners))), boards, strict=True):
            save_miner(path, entry)
            if board.family.chips > 1:
                replace_text(path, f"{path.read_text()}\n[miner.sweep]\nmax_power_w = {_watts(board):g}\n")
        config = load(path)
        by_address = {miner.address: board for miner, board in zip(miners, boards, strict=True)}
        folder = paths.private_dir(state)
        engine = DemoEngine(config, state=folder, clock=clock, config_path=path, boards=by_address, open_way=way)
        orphaned = asyncio.create_task(_watch_screen(args.serve, engine.ending))
        try:
            await serve(engine, places.socket_path(args))
        finally:
            orphaned.cancel()
            forget(folder)
    return 0


async def _watch_screen(pid: int, ending: asyncio.Event) -> None:
    """Sets ``ending`` when the process of the screen is gone for good; the engine goes on for a while, as a real one
    would for ever."""
    from minertui.clock import SystemClock

    clock, gone_s = SystemClock(), 0.0
    while gone_s < _ORPHANED_S:
        await clock.sleep(10)
        try:
            os.kill(pid, 0)
            gone_s = 0.0
        except ProcessLookupError:
            gone_s += 10
    ending.set()


async def _plain(args: argparse.Namespace) -> int:
    """A sweep of three simulated miners, without a screen."""
    from minertui.cli.demo_rig import mined, simulated_rig
    from minertui.cli.duco import table
    from minertui.cli.sweep_follow import Follower, Sweep
    from minertui.clock import SystemClock
    from minertui.config import Config, EngineConfig
    from minertui.engine.engine import Engine
    from minertui.engine.thinking import Beside
    from minertui.model.plans import SweepPlan
    from minertui.sim.axeos import fleet

    speed = getattr(args, "speed", _PLAIN_SPEED)
    clock = SystemClock(speed)
    boards = [fleet(1, seed=args.seed + n, mix={kind: 1})[0] for n, kind in enumerate(_PLAIN)]
    print(f"minertui demo: a benchmark sweep of {len(boards)} simulated miners, {speed:g} times faster than real ones.")
    with tempfile.TemporaryDirectory(prefix="minertui-demo-") as state:
        async with simulated(boards, clock) as miners, simulated_rig(clock, start=False) as (rig, way):
            tempo = EngineConfig(poll_s=max(EngineConfig().poll_s, _PLAIN_POLL_S * speed))
            config = Config(engine=tempo, miner=tuple(miners), rig=(rig,))
            engine = Engine(config, state=Path(state), clock=clock, demo=True, open_way=way, think=Beside())
            await engine.open()
            try:
                sweeps = [
                    Sweep(n, miner.address, _brief(SweepPlan(miner.name), board))
                    for n, (miner, board) in enumerate(zip(miners, boards, strict=True), 1)
                ]
                follower = Follower(engine, sweeps, args.output, say)
                await follower.preview()
                code = await follower.run()
                if code == 0:
                    say("\nA Duino-Coin rig of three simulated boards mines a few shares:")
                    say("\n".join(table(await mined(engine))))
                return code
            finally:
                await engine.close()


def _brief(plan: SweepPlan, board: Board) -> SweepPlan:
    """A sweep of few, wide steps, not far from what the board runs."""
    from msgspec.structs import replace

    return replace(
        plan,
        step_mhz=25,
        step_mv=20,
        max_mhz=board.family.chip.default_mhz + 100,
        measure_s=150,
        max_chip_temp_c=68,
        max_vr_temp_c=88,
        max_power_w=_watts(board),
    )


def _watts(board: Board) -> float:
    """The most that a sweep of the demo may draw: several chips draw more as they are than one ever may."""
    return 28.0 if board.family.chips == 1 else 40.0 * board.family.chips


@asynccontextmanager
async def simulated(boards: Sequence[Board], clock: Clock) -> AsyncIterator[list[MinerConfig]]:
    """Serve ``boards`` on free loopback ports; gives the config of each."""
    from minertui.config import MinerConfig
    from minertui.sim.axeos import serve

    server = await serve(boards, clock=clock)
    try:
        yield [
            MinerConfig(name=board.name, address=address, tags=(_TAGS[n % len(_TAGS)],), pinned=n < 3)
            for n, (board, address) in enumerate(zip(server.boards, server.addresses, strict=True))
        ]
    finally:
        await server.close()
