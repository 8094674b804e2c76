"""``minertui status``: the fleet as a plain table, for scripts, pipes and screen readers.

No colour, no drawing characters, one line a miner, units in the head, ``-`` for what is not known.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from minertui.cli import places
from minertui.cli.engine_link import no_miner_yet, talking
from minertui.cli.wording import told
from minertui.clock import SystemClock
from minertui.model.alerts import Alert, Severity
from minertui.model.events import advance
from minertui.model.fleet import EMPTY, Fleet, Health, Snapshot
from minertui.model.metrics import BY_ID

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
            "exit code: 0 all is well; 1 a miner does not answer or waits for a person, an alert is critical, or there "
            "is no engine"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[places.options()],
    )
    parser.add_argument("--json", action="store_true", help="everything known, as JSON; with --watch a line per change")
    parser.add_argument("--watch", action="store_true", help=f"go on, with a table every {PERIOD_S:g} s, until Ctrl+C")
    parser.set_defaults(run=talking(_status))


async def _status(args: argparse.Namespace, client: ApiClient) -> int:
    if args.watch:
        return await _watch(args, client)
    fleet = await client.fleet()
    print(_json(fleet) if args.json else text(fleet, no_miner_yet(places.config_file(args))))
    return 0 if well(fleet) else 1


async def _watch(args: argparse.Namespace, client: ApiClient) -> int:
    clock, fleet, shown_s = SystemClock(), EMPTY, -PERIOD_S
    async for message in client.watch():
        fleet = advance(fleet, message)
        if args.json:
            print(msgspec.json.encode(message).decode(), flush=True)
        elif clock.mono() - shown_s >= PERIOD_S:
            shown_s = clock.mono()
            print(text(fleet, no_miner_yet(places.config_file(args))), flush=True)
            print(flush=True)
    return 0


def well(fleet: Fleet) -> bool:
    """True when every miner answers and no critical alert is on."""
    troubled = any(s.health not in (Health.OK, Health.STALE) for s in fleet.snapshots.values())
    critical = any(a.active and a.severity is Severity.CRITICAL for a in fleet.alerts.values())
    return bool(fleet.snapshots) and not troubled and not critical


def text(fleet: Fleet, empty: str) -> str:
    """The table, the sums, the alerts that are on. ``empty`` is said when there is no miner."""
    if not fleet.snapshots:
        return empty
    head = ("name", "state", *(title for title, _ in _COLUMNS), "job", "age s")
    rows = [_row(fleet, snapshot) for _, snapshot in sorted(fleet.snapshots.items())]
    lines = [*_aligned(head, rows), "", _sums(fleet)]
    shown = [alert for alert in fleet.alerts.values() if _shown(alert)]
    lines += [f"{a.severity.mark} {a.severity.value}: {a.device}: {a.text}".strip() for a in shown]
    lines += [f"note: {fleet.notice}"] if fleet.notice else []
    return "\n".join(lines)


def _shown(alert: Alert) -> bool:
    """What lasts; and what happened once and is critical, until a person has seen it."""
    happened = alert.since_s == alert.until_s and alert.severity is Severity.CRITICAL
    return alert.active or (happened and not alert.acknowledged)


def _row(fleet: Fleet, snapshot: Snapshot) -> tuple[str, ...]:
    fresh = snapshot.status if snapshot.health in (Health.OK, Health.STALE, Health.PARKED) else None
    values = (BY_ID[name].text(fresh).replace("—", _UNKNOWN) for _, name in _COLUMNS)
    jobs = [f"{job.kind} {job.phase.value}" for job in fleet.jobs_of(snapshot.device) if not job.phase.over]
    age = _UNKNOWN if snapshot.at_s is None else f"{max(0.0, fleet.at_s - snapshot.at_s):.0f}"
    return (snapshot.device, _state(snapshot), *values, ", ".join(jobs) or _UNKNOWN, age)


def _state(snapshot: Snapshot) -> str:
    paused = snapshot.status is not None and snapshot.status.paused and snapshot.health is Health.OK
    return "paused" if paused else snapshot.health.value


def _aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Words to the left, numbers to the right."""
    left = {0, 1, len(head) - 2}
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
