"""``minertui guard``: keep miners under a temperature, in the place of the temperature-control script.

It reads the script's environment variables: BITAXE_IP, TEMP_THRESHOLD, FIRST_FREQUENCY, SECOND_FREQUENCY,
MAX_FREQUENCY, CHECK_INTERVAL, STABLE_TIMEFRAME. An option beats its variable. Started as the script is, by BITAXE_IP,
it has the script's frequencies too; a miner that is named keeps what it runs. The config's [guard] is for the guards
that the engine starts; its [limits] hold here too.

    BITAXE_IP=192.168.1.40 TEMP_THRESHOLD=63 minertui guard
    minertui guard 192.168.1.40 192.168.1.41 --max-temp 63 --max-vr-temp 80
    minertui guard garage --hold-temp 60     (after a sweep: see docs/guard.md)
    minertui guard garage --dry-run

Ctrl+C or SIGTERM ends it and gives the miner's own settings back, or, while it is too warm for them, leaves it lower
and says so. When an engine runs that has the miner, that engine does the work and this command shows it.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from minertui import config
from minertui.cli import places
from minertui.cli.numbers import FASTER, SPEED, Number, add_number, help_of
from minertui.cli.own_engine import engine_for
from minertui.cli.plan_options import PlanOption, numeric
from minertui.cli.terminal import ended_by, fitted, say
from minertui.cli.wording import Paragraphs, told
from minertui.config_places import same_place
from minertui.model.errors import ConfigError, LinkError, MinertuiError
from minertui.model.events import JobChanged, LogLine, Message, SnapshotTaken, Whole
from minertui.model.fleet import Snapshot
from minertui.model.plans import GuardPlan, GuardView, JobState, Phase
from minertui.model.seams import Link

_PLAN = GuardPlan()


def _scripts(variable: str, key: str, default: float, what: str, absent: str = "") -> tuple[str, float, PlanOption]:
    """An option that the script has as a variable, with the script's default; ``absent``: what holds for a miner that
    is named, in words, where that is not the same."""
    instead = f"{absent}; by BITAXE_IP {default:g}" if absent else ""
    return variable, default, numeric(_PLAN, key, what, default=default, absent=instead, source=f"env {variable}")


def _own(key: str, what: str, absent: str = "", example: float | None = None) -> tuple[None, None, PlanOption]:
    return None, None, numeric(_PLAN, key, what, absent=absent, example=example)


# option → (environment variable, the script's default, what it sets)
_OPTIONS: Mapping[str, tuple[str | None, float | None, PlanOption]] = {
    "max-temp": _scripts("TEMP_THRESHOLD", "max_chip_temp_c", 65, "chip temperature to keep under"),
    "max-vr-temp": _own("max_vr_temp_c", "regulator temperature to keep under"),
    "frequency": _scripts("FIRST_FREQUENCY", "high_mhz", 500, "frequency when cool", "what it runs"),
    "min-frequency": _scripts("SECOND_FREQUENCY", "low_mhz", 410, "frequency when nothing else helps", "70 % of that"),
    "max-frequency": _scripts("MAX_FREQUENCY", "max_mhz", 575, "never above this frequency", "the limits"),
    "stable": _scripts("STABLE_TIMEFRAME", "stable_s", 3600, "calm before a step up"),
    "hysteresis": _own("hysteresis_c", "cooler than the limits before a step up"),
    "step-down": _own("step_down_mhz", "a step down"),
    "step-up": _own("step_up_mhz", "a step up"),
    "settle": _own("settle_s", "from a step down to the next"),
    "check": _own("check_s", "from one look at the temperature to the next", "every poll", 15),
    "max-writes": _own("max_writes_per_day", "steps up a day at most"),
    "hold-temp": _own("hold_temp_c", "chip temperature to hold", "--hysteresis under --max-temp", 62),
    "hold-dwell": _own("hold_dwell_s", "holding, from a change to the next step up"),
}
_NAMED = frozenset({"high_mhz", "low_mhz", "max_mhz"})
"""What a miner that is named goes on by itself: the script's numbers are those of one board, and not of a swept one."""
_INTERVAL = Number(1, 86_400, "s", 300)
_INTERVAL_S, _INTERVAL_VARIABLE = 300.0, "CHECK_INTERVAL"


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``minertui guard``."""
    parser = subparsers.add_parser(
        "guard",
        help="keep miners under a temperature",
        description=told(__doc__),
        formatter_class=Paragraphs,
        parents=[places.options()],
    )
    parser.add_argument("miner", nargs="*", metavar="MINER", help="IP[:PORT] or name (default: BITAXE_IP)")
    for name, (_, _, option) in _OPTIONS.items():
        parser.add_argument(f"--{name}", type=option.read, metavar=option.metavar, help=option.help)
    parser.add_argument(
        "--hold",
        action=argparse.BooleanOptionalAction,
        help="hold a temperature by moving voltage with frequency, where a sweep left a frontier (default: "
        f"{'yes' if _PLAN.hold else 'no'})",
    )
    every = help_of("between two lines", _INTERVAL, f"{_INTERVAL_S:g}", f"env {_INTERVAL_VARIABLE}")
    parser.add_argument("--interval", type=_INTERVAL, metavar=_INTERVAL.metavar, help=every)
    parser.add_argument("--dry-run", action="store_true", help="show what it would do and why, start nothing")
    add_number(parser, "--speed", number=SPEED, what=FASTER, default=1)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: ended by a signal, and the miners have their own settings back. 1: one could not be guarded or given back."""
    settings = config.load(places.config_file(args))
    miners = chosen(settings, args.miner or _from_script(os.environ.get("BITAXE_IP", "")), plan_of(args, os.environ))
    interval_s = _value(args.interval, _INTERVAL_VARIABLE, _INTERVAL, os.environ)
    return asyncio.run(_run(args, settings, miners, interval_s or _INTERVAL_S))


def _from_script(text: str) -> list[str]:
    """What BITAXE_IP says, with or without ``http://``, several separated by commas."""
    found = [part.strip().removeprefix("http://").rstrip("/") for part in text.split(",") if part.strip()]
    if not found:
        raise ConfigError("name a miner, or set BITAXE_IP to its address, such as BITAXE_IP=192.168.1.40")
    return found


def plan_of(args: argparse.Namespace, environ: Mapping[str, str]) -> dict[str, float | bool]:
    """Keys of the plan from options, variables and, without a miner's name, the script's defaults. Raises ConfigError
    that names the one."""
    found: dict[str, float | bool] = {} if args.hold is None else {"hold": args.hold}
    for name, (variable, default, option) in _OPTIONS.items():
        said = _value(getattr(args, name.replace("-", "_")), variable, option.read, environ)
        scripts = default if not args.miner or option.key not in _NAMED else None
        value = scripts if said is None else said
        if value is not None:
            found[option.key] = value
    if found.get("low_mhz", 0) > found.get("high_mhz", math.inf):
        raise ConfigError(
            f"the lowest frequency, {found['low_mhz']:g} MHz (SECOND_FREQUENCY), is above the one to run when cool, "
            f"{found['high_mhz']:g} MHz (FIRST_FREQUENCY)"
        )
    return found


def _value(
    given: float | None, variable: str | None, read: Callable[[str], float], environ: Mapping[str, str]
) -> float | None:
    text = environ.get(variable, "") if variable else ""
    if given is not None or not text:
        return given
    try:
        return read(text)
    except argparse.ArgumentTypeError as error:
        raise ConfigError(f"{variable}: {error}") from error


def chosen(settings: config.Config, words: Sequence[str], plan: Mapping[str, Any]) -> tuple[config.MinerConfig, ...]:
    """The miners meant, each with its guard. One that the config knows keeps its headers and limits."""
    miners: list[config.MinerConfig] = []
    for word in words:
        known = next((m for m in settings.miner if m.name == word or same_place(m.address, word)), None)
        miner = known or config.MinerConfig(name=word, address=word, limits=settings.limits)
        guard = msgspec.structs.replace(GuardPlan(device=miner.name), **plan)
        miners.append(msgspec.structs.replace(miner, guard=guard, guarded=False))
    return tuple(miners)


async def _run(
    args: argparse.Namespace, settings: config.Config, miners: Sequence[config.MinerConfig], interval_s: float
) -> int:
    async with engine_for(args, settings, miners, "minertui guard") as (link, names):
        plans = [msgspec.structs.replace(m.guard, device=name) for m, name in zip(miners, names, strict=True)]
        if args.dry_run:
            return await _shown(link, settings, miners, plans)
        return await Guarding(link, plans, interval_s).run()


async def _shown(
    link: Link, settings: config.Config, miners: Sequence[config.MinerConfig], plans: Sequence[GuardPlan]
) -> int:
    """What each would do; 1 when one could not be started, or of one that is not known."""
    from minertui.cli.guard_preview import preview, refused
    from minertui.cli.watching import read_once

    fleet = await read_once(link, [plan.device for plan in plans])
    code = 0
    for miner, plan in zip(miners, plans, strict=True):
        snapshot = fleet.snapshots.get(plan.device) or Snapshot(plan.device, address=miner.address)
        known = (await link.plans(plan.device)).known if snapshot.status else None
        why = refused(fleet, plan.device, readonly=settings.engine.readonly or miner.readonly)
        for text in [f"! {why}"] if why else preview(plan, snapshot, miner.limits, known):
            _tell(f"{plan.device}: {text}")
        code = 1 if why or snapshot.status is None else code
    say("Nothing was started.")
    return code


def _tell(text: str) -> None:
    say(fitted(text, 4))


class Guarding:
    """Guards followed over a Link until a signal, and then until each has given its miner back."""

    def __init__(self, link: Link, plans: Sequence[GuardPlan], interval_s: float) -> None:
        self._link, self._plans, self._interval_s = link, plans, interval_s
        self._jobs: dict[str, JobState] = {}
        self._shown_s: dict[str, float] = {}
        self._health: dict[str, str] = {}
        self._newest: dict[str, Snapshot] = {}
        self._stopping: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """The exit code."""
        with ended_by(self._stop):
            started = [await self._start(plan) for plan in self._plans]
            try:
                if self._jobs:
                    await self._follow()
            except LinkError as error:
                raise LinkError(
                    f"{error}; that, or “minertui restore”, gives the miners their own settings back"
                ) from error
        return int(not all(started) or any(_badly(job) for job in self._jobs.values()))

    async def _start(self, plan: GuardPlan) -> bool:
        try:
            job = await self._link.start(plan)
        except MinertuiError as error:
            _tell(f"{plan.device}: {error}")
            return False
        self._jobs[job.id] = job
        held = job.view.plan if isinstance(job.view, GuardView) else plan
        _tell(f"{plan.device}: guarded, chip < {held.max_chip_temp_c:g} °C, VR < {held.max_vr_temp_c:g} °C")
        lowered = (held.max_chip_temp_c, held.max_vr_temp_c) != (plan.max_chip_temp_c, plan.max_vr_temp_c)
        if lowered:
            asked = f"{plan.max_chip_temp_c:g} and {plan.max_vr_temp_c:g} °C were asked for"
            _tell(f"{plan.device}: ! {asked}; the limits in force on this miner are lower")
        return True

    async def _follow(self) -> None:
        async for message in self._link.watch():
            self._take(message)
            if all(job.phase.over and not self._started_again(job) for job in self._jobs.values()):
                return

    def _started_again(self, job: JobState) -> bool:
        """A fault ended it, and nobody asked for that: the engine starts it again."""
        return job.phase is Phase.FAILED and not self._stopping

    def _stop(self) -> None:
        if self._stopping:
            say("Still giving the miners their own settings back. Killed now, the way back is: minertui restore")
            return
        say("Stopping: every miner gets its own settings back. Please wait.")
        self._stopping.add(asyncio.get_running_loop().create_task(self._stop_all()))

    async def _stop_all(self) -> None:
        for job in self._jobs.values():
            if not job.phase.over or job.phase is Phase.FAILED:
                try:
                    await self._link.stop(job.id)
                except MinertuiError as error:
                    _tell(f"{job.device}: {error}")

    def _take(self, message: Message) -> None:
        if isinstance(message, Whole):
            for snapshot in message.fleet.snapshots.values():
                self._newest[snapshot.device] = snapshot
            for job in message.fleet.jobs.values():
                self._changed(job)
        elif isinstance(message.event, SnapshotTaken):
            self._read(message.event.snapshot)
        elif isinstance(message.event, JobChanged):
            self._changed(message.event.job)
        elif isinstance(message.event, LogLine) and message.event.source in self._jobs:
            _tell(f"{message.event.source.partition(':')[2]}: {message.event.text}")

    def _read(self, snapshot: Snapshot) -> None:
        self._newest[snapshot.device] = snapshot
        if self._health.get(snapshot.device, "ok") != snapshot.health and f"guard:{snapshot.device}" in self._jobs:
            _tell(f"{snapshot.device}: {snapshot.health}{f': {snapshot.why}' if snapshot.why else ''}")
        self._health[snapshot.device] = snapshot.health

    def _changed(self, job: JobState) -> None:
        if job.id not in self._jobs or not isinstance(job.view, GuardView):
            return
        before, self._jobs[job.id] = self._jobs[job.id], job
        snapshot = self._newest.get(job.device)
        now_s = snapshot.at_s if snapshot and snapshot.at_s else 0.0
        due = now_s - self._shown_s.get(job.id, -math.inf) >= self._interval_s
        if due or job.phase is not before.phase:
            self._shown_s[job.id] = now_s
            _tell(f"{job.device}: {_line(job, job.view, snapshot)}")


def _badly(job: JobState) -> bool:
    """A miner that is still too warm for its own settings is left lower on purpose: that is no failure."""
    end = job.view.end if isinstance(job.view, GuardView) else None
    return job.phase in (Phase.FAILED, Phase.PARKED) or (end is not None and not end.well)


def _line(job: JobState, view: GuardView, snapshot: Snapshot | None) -> str:
    status = snapshot.status if snapshot else None
    parts = []
    if status and status.chip_temp_c is not None:
        mean = f" (mean {view.mean_temp_c:.1f} °C)" if view.mean_temp_c is not None else ""
        parts.append(f"chip {status.chip_temp_c:.1f} °C{mean}")
    if status and status.vr_temp_c is not None:
        parts.append(f"VR {status.vr_temp_c:.1f} °C")
    if status and status.frequency_mhz is not None:
        parts.append(f"{status.frequency_mhz:g} MHz")
    now = "your own settings are back" if job.phase.over else view.why or "waiting for its first answer"
    what = job.note or now
    return " | ".join([*parts, f"{job.phase}: {what}" if job.phase.over else what])
