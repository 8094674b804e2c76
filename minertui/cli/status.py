"""``minertui status``: the fleet as a plain table, for scripts, pipes and screen readers.

No colour, no drawing characters, one line a miner and one a rig, units in the head, ``-`` for what is not
known.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import msgspec

from minertui.cli import places
from minertui.cli.engine_link import no_miner_yet, talking
from minertui.cli.terminal import columns
from minertui.cli.wording import Paragraphs, told, wrapped
from minertui.clock import SystemClock
from minertui.model.alerts import Alert, Severity
from minertui.model.events import advance
from minertui.model.fleet import EMPTY, Fleet, Health, Snapshot
from minertui.model.metrics import BY_ID
from minertui.model.plans import GuardView, JobState, Phase
from minertui.model.relay import BoardState, RelayView, stats_total

if TYPE_CHECKING:
    from minertui.api.client import ApiClient

PERIOD_S = 5.0
_COLUMNS = (
    ("GH/s", "hashrate_ghs"),
    ("of expected %", "ratio_pct"),
    ("J/TH", "efficiency_jth"),
    ("chip C", "chip_temp_c"),
    ("VR C", "vr_temp_c"),
    ("power W", "power_w"),
    ("fan %", "fan_pct"),
    ("rejects %", "rejected_pct"),
)
_SHORT = {"of expected %": "exp %", "power W": "W"}  # as on the screen, where whole words do not fit
_SPARE = ("rejects %", "age s", "VR C", "fan %", "J/TH")  # what a narrow terminal does without, in this order
_RIG_HEAD = ("rig", "state", "boards", "H/s", "good", "bad", "notice")
_UNKNOWN = "-"


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``minertui status``."""
    parser = subparsers.add_parser(
        "status",
        help="the fleet as a plain table, or as JSON",
        description=told(__doc__),
        epilog=(
            "examples:\n  minertui status\n  minertui status --json | jq '.snapshots[].status.hashrate_ghs'\n"
            "  minertui status --watch\n\n"
            "exit code: 0 all is well; 1 a miner does not answer, a miner or a rig's board waits for a person, a rig "
            "failed, an alert is critical, or there is no engine"
        ),
        formatter_class=Paragraphs,
        parents=[places.options()],
    )
    parser.add_argument("--json", action="store_true", help="everything known, as JSON; with --watch a line per change")
    parser.add_argument("--watch", action="store_true", help=f"go on, with a table every {PERIOD_S:g} s, until Ctrl+C")
    parser.set_defaults(run=talking(_status))


async def _status(args: argparse.Namespace, client: ApiClient) -> int:
    if args.watch:
        return await _watch(args, client)
    fleet = await client.fleet()
    print(_json(fleet) if args.json else text(fleet, no_miner_yet(places.config_file(args)), columns()))
    return 0 if well(fleet) else 1


async def _watch(args: argparse.Namespace, client: ApiClient) -> int:
    clock, fleet, shown_s = SystemClock(), EMPTY, -PERIOD_S
    async for message in client.watch():
        fleet = advance(fleet, message)
        if args.json:
            print(msgspec.json.encode(message).decode(), flush=True)
        elif clock.mono() - shown_s >= PERIOD_S:
            shown_s = clock.mono()
            print(text(fleet, no_miner_yet(places.config_file(args)), columns()), flush=True)
            print(flush=True)
    return 0


def well(fleet: Fleet) -> bool:
    """True when every miner answers, no rig or board of one waits for a person, and no critical alert is on."""
    troubled = any(s.health not in (Health.OK, Health.STALE) for s in fleet.snapshots.values())
    critical = any(a.active and a.severity is Severity.CRITICAL for a in fleet.alerts.values())
    rigs = _rigs(fleet)
    waiting = any(job.phase is Phase.FAILED or any(b.state is BoardState.STOPPED for b in v.boards) for job, v in rigs)
    return bool(fleet.snapshots or rigs) and not troubled and not waiting and not critical


def text(fleet: Fleet, empty: str, wide: int | None = None) -> str:
    """The tables of miners and rigs, the sums, what ended and which alerts are on. ``empty`` is said when there is no
    miner and no rig. ``wide``: cells of the terminal that it has to fit; None (a pipe, a file): nothing is left out."""
    rigs = [_rig_row(job, view) for job, view in _rigs(fleet)]
    if not fleet.snapshots and not rigs:
        return empty
    lines = []
    if fleet.snapshots:
        head = ("name", "state", *(title for title, _ in _COLUMNS), "job", "age s")
        rows = [_row(fleet, snapshot) for _, snapshot in sorted(fleet.snapshots.items())]
        table, left_out = _fitting(head, rows, wide)
        lines = [*table, "", _sums(fleet)]
        lines += [f"left out for want of room: {', '.join(left_out)}"] if left_out else []
    if rigs:
        lines += [*([""] if lines else []), *_aligned(_RIG_HEAD, rigs, {0, 1, len(_RIG_HEAD) - 1})]
    lines += _swept(fleet)
    lines += _held(fleet)
    shown = [alert for alert in fleet.alerts.values() if _shown(alert)]
    lines += [_alert(alert) for alert in shown]
    lines += [f"note: {fleet.notice}"] if fleet.notice else []
    said = "\n".join(lines)
    return wrapped(said, wide, 4) if wide else said


def _fitting(
    head: tuple[str, ...], rows: Sequence[tuple[str, ...]], wide: int | None
) -> tuple[list[str], tuple[str, ...]]:
    """The table of miners without what there is no room for, and what that is."""
    table = _aligned(head, rows, {0, 1, head.index("job")})
    for spare in range(len(_SPARE) + 1):
        if wide is None or max(map(len, table)) <= wide:
            return table, _SPARE[: max(0, spare - 1)]
        kept = [n for n, title in enumerate(head) if title not in _SPARE[:spare]]
        words = {kept.index(n) for n in (0, 1, head.index("job"))}
        titles = [_SHORT.get(head[n], head[n]) for n in kept]
        table = _aligned(titles, [[row[n] for n in kept] for row in rows], words)
    return table, _SPARE


def _shown(alert: Alert) -> bool:
    """What lasts; and what happened once and is critical, until a person has seen it."""
    happened = alert.since_s == alert.until_s and alert.severity is Severity.CRITICAL
    return alert.active or (happened and not alert.acknowledged)


def _alert(alert: Alert) -> str:
    over = "" if alert.active else " (it happened; told until you acknowledge it among the alerts of the screen)"
    return f"{alert.severity.mark} {alert.severity.value}: {alert.device}: {alert.text}{over}".strip()


def _row(fleet: Fleet, snapshot: Snapshot) -> tuple[str, ...]:
    fresh = snapshot.status if snapshot.health in (Health.OK, Health.STALE, Health.PARKED) else None
    values = (BY_ID[name].text(fresh).replace("—", _UNKNOWN) for _, name in _COLUMNS)
    jobs = [_running(job) for job in fleet.jobs_of(snapshot.device) if not job.phase.over]
    age = _UNKNOWN if snapshot.at_s is None else f"{max(0.0, fleet.at_s - snapshot.at_s):.0f}"
    return (snapshot.device, _state(snapshot), *values, ", ".join(jobs) or _UNKNOWN, age)


def _running(job: JobState) -> str:
    """``sweep 3/11 14 min left``; ``guard running``."""
    if job.phase is not Phase.RUNNING or not job.total:
        return f"{job.kind} {job.phase.value}"
    left = "" if job.left_s is None else f" {max(1, round(job.left_s / 60))} min left"
    return f"{job.kind} {job.done}/{job.total}{left}"


def _swept(fleet: Fleet) -> list[str]:
    """How sweeps ended, until somebody dismisses them on the screen: what was found while nobody looked."""
    jobs = sorted(fleet.jobs.values(), key=lambda job: job.device)
    ended = [job for job in jobs if job.kind == "sweep" and job.phase.over]
    return [f"sweep of {job.device}: {job.phase.value}: {job.note or 'nothing more is known'}" for job in ended]


def _state(snapshot: Snapshot) -> str:
    paused = snapshot.status is not None and snapshot.status.paused and snapshot.health is Health.OK
    return "paused" if paused else snapshot.health.value


def _held(fleet: Fleet) -> list[str]:
    """What the guards that hold a temperature along a frontier do; the others only watch for a limit."""
    jobs = sorted(fleet.jobs.values(), key=lambda job: job.device)
    return [
        f"guard of {job.device}: {job.view.why}"
        for job in jobs
        if isinstance(job.view, GuardView) and job.view.holds_c is not None and not job.phase.over
    ]


def _rigs(fleet: Fleet) -> list[tuple[JobState, RelayView]]:
    """By name, running or not."""
    jobs = sorted(fleet.jobs.values(), key=lambda job: job.device)
    return [(job, job.view) for job in jobs if isinstance(job.view, RelayView)]


def _rig_row(job: JobState, view: RelayView) -> tuple[str, ...]:
    """Boards that mine of those it has, their hashrate, shares since the sums began, and what a person should read."""
    rate_hs = None if job.phase.over else view.now_hs
    sums = stats_total([board.stats for board in view.boards])
    rate = _UNKNOWN if rate_hs is None else f"{rate_hs:.0f}"
    boards = f"{0 if job.phase.over else len(view.mining)}/{len(view.boards)}"
    return (job.device, job.phase.value, boards, rate, f"{sums.good}", f"{sums.bad}", _notice(job, view) or _UNKNOWN)


def _notice(job: JobState, view: RelayView) -> str:
    """Why it does not run; else the first board with a problem, and how many more have one; else what costs money."""
    if job.phase.over:
        return job.note
    whys = [f"{board.name}: {board.why}" for board in view.boards if board.why]
    more = f" (and {len(whys) - 1} more)" if len(whys) > 1 else ""
    return whys[0] + more if whys else next(iter(view.words), "")


def _aligned(head: Sequence[str], rows: Sequence[Sequence[str]], left: Collection[int]) -> list[str]:
    """``left``: the columns of words; numbers go to the right."""
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    return [
        "  ".join(
            c.ljust(w) if n in left else c.rjust(w) for n, (c, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]


def _sums(fleet: Fleet) -> str:
    alive = [s.status for s in fleet.snapshots.values() if s.status and s.health is Health.OK]
    ghs = sum(status.hashrate_ghs or 0 for status in alive)
    watts = sum(status.power_w or 0 for status in alive)
    per = f", {watts / (ghs / 1000):.1f} J/TH" if ghs else ""
    return f"{len(alive)} of {len(fleet.snapshots)} miners answer: {ghs:.0f} GH/s, {watts:.0f} W{per}"


def _json(fleet: Fleet) -> str:
    return msgspec.json.format(msgspec.json.encode(fleet), indent=2).decode()
