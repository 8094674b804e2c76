"""``minertui engine``: the engine in the foreground, for systemd and for a terminal.

TERM, INT and HUP end it the same way: jobs lead their miners back first, and asking twice does not cut that short.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from minertui.cli import places
from minertui.cli.numbers import FASTER, SPEED, add_number
from minertui.cli.terminal import log_to_stderr
from minertui.cli.wording import Paragraphs, told

if TYPE_CHECKING:
    from minertui.config import Config
    from minertui.engine.config_watch import Mark
    from minertui.engine.engine import Engine

_FILES = 8192  # a thousand miners, their log streams, a hundred screens, and room
_LOG = logging.getLogger("minertui")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``minertui engine``."""
    parser = subparsers.add_parser(
        "engine",
        help="run the engine in the foreground",
        description=told(__doc__),
        formatter_class=Paragraphs,
        parents=[places.options()],
    )
    add_number(parser, "--speed", number=SPEED, what=FASTER, default=1)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal or a shutdown over the API; 0 when everything was led back."""
    from minertui.config import load
    from minertui.engine.config_watch import mark

    os.umask(0o077)  # history, records and log are nobody else's business
    config_path = places.config_file(args)
    seen, config = mark(config_path), load(config_path)
    log_to_stderr(config.engine.log_level)
    state, socket = places.state_dir(args), places.socket_path(args)
    allow_files()
    asyncio.run(_serve(config, seen, config_path, state, socket, args.speed))
    return 0


async def _serve(config: Config, seen: Mark, config_path: Path, state: Path, socket: Path, speed: float) -> None:
    """``seen``: how the file was before it was read. An engine looks at it from its making on; one that was saved
    between is read again."""
    from minertui.clock import SystemClock
    from minertui.config import load
    from minertui.engine.config_watch import mark
    from minertui.engine.engine import Engine
    from minertui.engine.thinking import Beside

    clock = SystemClock(speed)
    while True:
        engine = Engine(config, state=state, clock=clock, config_path=config_path, think=Beside())
        if (now := mark(config_path)) == seen:
            break
        seen, config = now, load(config_path)
    await serve(engine, socket)


async def serve(engine: Engine, socket: Path) -> None:
    """Run ``engine`` with its API at ``socket`` until it is asked to end. Raises LinkError when another engine is
    there, ConfigError when a door cannot open."""
    from minertui.api.server import serve as open_doors
    from minertui.engine.names import look_up_apart
    from minertui.engine.notify import notify

    look_up_apart()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(sign, engine.ending.set)
    try:
        await engine.open()
        doors = await open_doors(
            engine, socket_path=socket, tcp=engine.config.api.tcp, token_file=_token_file(engine.config)
        )
        try:
            notify("READY=1")
            _LOG.info("ready: %d miners, API at %s", len(engine.config.miner), socket)
            await engine.ending.wait()
            notify("STOPPING=1", "STATUS=leading miners back")
            _LOG.info("ending: leading miners back")
            await engine.settle()
        finally:
            await doors.close()
    finally:
        await engine.close()


def _token_file(config: Config) -> Path | None:
    return Path(config.api.token_file) if config.api.token_file else None


def allow_files() -> None:
    """A miner is a socket, and most systems begin with 1,024 files for a process but allow far more."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
