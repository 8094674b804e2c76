"""``minertui sweep``: benchmark miners from the command line, as the parallel benchmark guide does, but stoppable.

A miner is named by its address or by its name in the config, and may carry its own options:

    minertui sweep 192.168.1.20 192.168.1.21,f=450,max-temp=58 -f 500 -v 1150

When an engine of this user runs, it does the work and this command shows it; otherwise the command brings an engine
of its own. Options on the command line beat the config's [sweep] table, which has more of them; what follows a miner's
comma beats both. The defaults told here hold where none of them says anything.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from minertui import config
from minertui.cli import places
from minertui.cli.numbers import FASTER, SPEED, add_number
from minertui.cli.own_engine import engine_for
from minertui.cli.plan_options import PlanOption, numeric, worded
from minertui.cli.sweep_follow import Follower, Sweep
from minertui.cli.terminal import fitted, say
from minertui.cli.wording import Paragraphs, told
from minertui.config_places import same_place
from minertui.model import ranking
from minertui.model.errors import ConfigError
from minertui.model.plans import Limits, SweepPlan

LAST_MOMENT_S = 5.0
"""How long a plan stands on a terminal before it is carried out."""


_PLAN = SweepPlan()
_POWER = f"{ranking.GUIDE_POWER_W:g}; on 12 V {ranking.BOARD_POWER:.0%} of what the board is built for"
_NOW = "what the miner runs"
_OPTIONS: Mapping[str, PlanOption] = {
    "frequency": numeric(_PLAN, "start_mhz", "frequency to start from", absent=_NOW, example=525),
    "voltage": numeric(_PLAN, "start_mv", "core voltage to start from", absent=_NOW, example=1150),
    "max-temp": numeric(_PLAN, "max_chip_temp_c", "chip temperature that ends a point"),
    "max-vr-temp": numeric(_PLAN, "max_vr_temp_c", "regulator temperature that ends a point"),
    "max-power": numeric(_PLAN, "max_power_w", "power that ends a point", absent=_POWER, example=28),
    "max-fan": numeric(_PLAN, "max_fan_pct", "automatic fan kept slower than this", absent="no cap", example=80),
    "min-frequency": numeric(_PLAN, "min_mhz", "lowest frequency"),
    "max-frequency": numeric(_PLAN, "max_mhz", "highest frequency"),
    "min-voltage": numeric(_PLAN, "min_mv", "lowest core voltage"),
    "max-voltage": numeric(_PLAN, "max_mv", "highest core voltage"),
    "strategy": worded(_PLAN, "strategy", "how to walk"),
    "goal": worded(_PLAN, "goal", "what the best point is best at"),
}
_SHORT = {"f": "frequency", "v": "voltage"}
_ADDRESS = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?")
_PAIRS = (("min_mv", "max_mv"), ("min_mhz", "max_mhz"))


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``minertui sweep``."""
    parser = subparsers.add_parser(
        "sweep",
        help="benchmark miners: find the best frequency and voltage of each",
        description=told(__doc__),
        formatter_class=Paragraphs,
        parents=[places.options()],
    )
    parser.add_argument("miner", nargs="+", metavar="MINER", help="IP[:PORT] or name, with ,option=value … of its own")
    for name, option in _OPTIONS.items():
        short = [f"-{key}" for key, long in _SHORT.items() if long == name]
        parser.add_argument(*short, f"--{name}", type=option.read, metavar=option.metavar, help=option.help)
    parser.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="folder of the result files"
                        " (default: the current one)")  # fmt: skip
    add_number(parser, "--speed", number=SPEED, what=FASTER, default=1)
    parser.add_argument(
        "--restart",
        action="store_true",
        help="restart the miner at every point (default: only where its firmware needs that)",
    )
    parser.add_argument("--yes", "-y", action="store_true", help="start at once, also from a terminal")
    parser.add_argument("--dry-run", action="store_true", help="show points and duration, start nothing")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: every sweep ended as it should, or was stopped well. 1: one could not. Raises MinertuiError."""
    settings = config.load(places.config_file(args))
    miners = chosen(settings, args.miner, options_of(args))
    if not args.dry_run:
        _folder(args.output)
    return asyncio.run(_run(args, settings, miners))


def options_of(args: argparse.Namespace) -> dict[str, Any]:
    """Keys of the plan that the command line sets."""
    given = {option.key: getattr(args, name.replace("-", "_")) for name, option in _OPTIONS.items()}
    said = {key: value for key, value in given.items() if value is not None}
    return {**said, "restart": True} if args.restart else said


def chosen(settings: config.Config, words: Sequence[str], options: Mapping[str, Any]) -> tuple[config.MinerConfig, ...]:
    """The miners meant by ``words``, each with its plan: the config's, changed by the options, changed by its own.

    A miner that the config knows by name or address keeps its headers and limits. Raises ConfigError.
    """
    miners: list[config.MinerConfig] = []
    for word in words:
        place, *own = word.split(",")
        miner = _known(settings, place) or config.MinerConfig(
            name=place, address=place, limits=settings.limits, sweep=settings.sweep
        )
        changes = {**options, **dict(_own(word, part) for part in own), "device": miner.name}
        plan = msgspec.structs.replace(miner.sweep, **changes)
        _possible(word, plan, miner.limits)
        if any(other.name == miner.name for other in miners):
            raise ConfigError(f"{place} is named twice; a miner runs one sweep at a time")
        miners.append(msgspec.structs.replace(miner, sweep=plan))
    return tuple(miners)


def _known(settings: config.Config, place: str) -> config.MinerConfig | None:
    for miner in settings.miner:
        if miner.name == place or same_place(miner.address, place):
            return miner
    if not _ADDRESS.fullmatch(place):
        raise ConfigError(f"{place!r} is neither an address nor the name of a miner in the config")
    return None


def _own(word: str, part: str) -> tuple[str, Any]:
    name, _, text = part.partition("=")
    name = _SHORT.get(name.strip(), name.strip())
    if name not in _OPTIONS:
        raise ConfigError(f"{name!r} is no option of a miner; there are f, v, {', '.join(_OPTIONS)}", key=word)
    option = _OPTIONS[name]
    try:
        return option.key, option.read(text.strip())
    except argparse.ArgumentTypeError as error:
        raise ConfigError(f"--{name}: {error}", key=word) from error


def _possible(word: str, plan: SweepPlan, limits: Limits) -> None:
    """Raises ConfigError for ends the wrong way round, and for a start outside."""
    for low, high in _PAIRS:
        if getattr(plan, low) > getattr(plan, high):
            raise ConfigError(f"{low} {getattr(plan, low):g} is above {high} {getattr(plan, high):g}", key=word)
    if problem := ranking.unreachable(plan, limits=limits):
        raise ConfigError(problem, key=word)


def _folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the output folder {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"the output folder {folder} cannot be written to; choose another with --output")


async def _run(args: argparse.Namespace, settings: config.Config, miners: Sequence[config.MinerConfig]) -> int:
    async with engine_for(args, settings, miners, "minertui sweep") as (link, names):
        sweeps = [
            Sweep(number, miner.address, msgspec.structs.replace(miner.sweep, device=name))
            for number, (miner, name) in enumerate(zip(miners, names, strict=True), 1)
        ]
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        follower = Follower(link, sweeps, args.output, _tell, colour)
        silent = await follower.preview()
        if args.dry_run:
            return 1 if silent or follower.impossible else 0
        if follower.impossible:
            say("Nothing was started.")
            return 1
        new = any(sweep.job is None for sweep in sweeps)  # one that runs already is only followed
        if new and sys.stdin.isatty() and not args.yes and not await _last_moment():
            say("Nothing was started.")
            return 1
        return await follower.run()


def _tell(text: str) -> None:
    say(fitted(text, 4))


async def _last_moment() -> bool:
    """Time for a person to read the plan and to think again; False when they closed the input. Nobody is asked: a
    sweep that a script or a terminal's recorder starts would wait for ever, and whoever wrote addresses and values has
    said what they want."""
    say(f"Starts in {LAST_MOMENT_S:.0f} s. Enter starts at once, Ctrl+C starts nothing.")
    loop = asyncio.get_running_loop()
    entered: asyncio.Future[str] = loop.create_future()

    def typed() -> None:
        loop.remove_reader(sys.stdin)
        entered.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, typed)
    try:
        await asyncio.wait([entered], timeout=LAST_MOMENT_S)
    finally:
        loop.remove_reader(sys.stdin)
    return not entered.done() or entered.result() != ""
