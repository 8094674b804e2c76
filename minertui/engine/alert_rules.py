"""When is something worth a person's attention? Pure rules: two snapshots or a job in, signals out.

lost, back          the device does not answer (three polls; one that never did since the start too), or answers again
refused, stranger   it refuses us, or another device answers at its address, or one that has another name already
stuck               it answers, and repeats itself: its values stand still
parked              no automatic action until a person clears it
<metric>            a METRICS row with ``alert`` is at or beyond its limit: over-temperature, power, input voltage
hashrate-drop       the mean of five minutes is too far under the expected hashrate
fan-target          the automatic fan holds a temperature at which the guard never climbs, or the sweep never goes on
over-limit          it is set to more than a limit in force allows (lowered since, or set elsewhere)
last-resort         a raised miner reached a limit without a job that looks after it (the engine lowers it and says so)
incident            the firmware's own overheat protection acted
fault               the miner reports a power or hardware fault
best-diff           a new best difficulty
sweep-done, job-failed
sudden-end          the engine ended without warning while it changed a miner (the next one says so; until it is seen)
disk                a disk that is full, read-only or broken takes no more of what the engine keeps, the journal
                    included, or does not give the journal (it says so itself)
damaged             a file of the engine was set aside (the engine says so itself)
read-only           it became so in the config, and could not be led back before (the engine says so itself)
board-…, rig-…      a Duino-Coin rig or one of its boards earns nothing (rig_alerts.py looks at them)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from minertui.engine.line import LOST_AFTER
from minertui.jobs.sweep.watch import LEAST_C
from minertui.model.alerts import Severity
from minertui.model.fleet import Fleet, Health, Snapshot
from minertui.model.metrics import METRICS, Better, Metric
from minertui.model.plans import GuardView, JobState, JobView, Limits, Phase, SweepPoint, SweepView
from minertui.model.ranking import bounds
from minertui.model.status import MinerStatus
from minertui.safety.settings import SAME

RULES: dict[str, str] = {
    "lost": "a miner does not answer, and when it is back",
    "refused": "a miner refuses this host (401)",
    "stranger": "another device answers at a miner's address, or one of another name",
    "stuck": "a miner repeats itself: its values stand still",
    "parked": "a miner waits for a person",
    **{m.id: f"{m.title} is at its limit" for m in METRICS if m.alert},
    "hashrate-drop": "five minutes far under the expected hashrate",
    "fan-target": "the automatic fan holds a temperature too near a job's limit",
    "over-limit": "a miner is set to more than a limit in force allows",
    "incident": "the firmware's overheat protection acted",
    "last-resort": "a miner that was raised reached a limit and was lowered",
    "fault": "a power or hardware fault",
    "best-diff": "a new best difficulty",
    "sweep-done": "a sweep ended",
    "job-failed": "a job failed or waits for a person",
    "sudden-end": "the engine was killed while it changed a miner",
    "disk": "the engine's files cannot be written or read",
    "damaged": "a file of the engine was damaged and set aside",
    "read-only": "a miner became read-only before it could be led back",
    "board-stopped": "a rig's board was stopped and waits for a person",
    "board-away": "a rig's board did not answer for five minutes",
    "rig-silent": "a rig had no accepted share for ten minutes",
}

UNTIL_SEEN = frozenset({"sudden-end"})
"""Rules of what happened and is over: their alerts last until a person has seen them."""
_MINUTES = 5  # of the mean for a hashrate drop
_WARM_UP_S = 300.0  # after a restart the means say nothing yet
_RECOVERED_PCT = 5.0  # hysteresis of the hashrate drop
_BACK = 0.03  # hysteresis of a limit: 3 % of it
_ROOM_C = 2.0  # a fan holds its target within a degree or two


class Signal(msgspec.Struct, frozen=True):
    """What a rule says. ``active`` None: it happened once; True: it holds; False: it does not hold any more.
    ``since_s``: when it happened (wall time), for what is told again as more is known of it."""

    rule: str
    device: str
    severity: Severity
    text: str
    active: bool | None = None
    since_s: float | None = None


def judge(fleet: Fleet, before: Snapshot | None, after: Snapshot, drop_pct: float = 20.0) -> Iterator[Signal]:
    """What the step from ``before`` to ``after`` says. ``drop_pct``: hashrate drop in per cent that is reported."""
    yield from _health(after)
    if after.health is not Health.OK or after.status is None:
        return
    for metric in METRICS:
        if metric.alert:
            yield from _limit(metric, metric.alert, after)
    yield from _drop(fleet, after, drop_pct)
    yield from _faults(after)
    yield from _fan_target(fleet, after)
    yield from _over_limit(fleet, after)
    yield from _happened(before, after)


def judge_job(job: JobState) -> Iterator[Signal]:
    """What a job's change says."""
    if job.phase in (Phase.FAILED, Phase.PARKED):
        yield Signal("job-failed", job.device, Severity.WARNING, f"the {job.kind} {job.phase}: {job.note}")
    elif job.phase.over and isinstance(job.view, SweepView):
        yield Signal("sweep-done", job.device, Severity.INFO, f"sweep {job.phase}: {_found(job.view)}")


def _found(view: SweepView) -> str:
    """The best point, and what the miner's own settings gave in the same sweep."""
    best = view.best
    if best is None:
        return "nothing passed"
    own = next((p for p in view.points if (p.mhz, p.mv) == (view.baseline_mhz, view.baseline_mv)), best)
    before = "" if own is best else f" (before: {_point(own)})"
    return f"best {_point(best)}{before}"


def _point(point: SweepPoint) -> str:
    return f"{point.mhz:g} MHz at {point.mv} mV, {point.hashrate_ghs or 0:.0f} GH/s"


def _health(after: Snapshot) -> Iterator[Signal]:
    if after.health is Health.UNKNOWN and after.misses >= LOST_AFTER:  # as bad: nobody looks after it
        yield Signal("lost", after.device, Severity.CRITICAL, f"has never answered: {after.why}", active=True)
    if after.health is Health.UNKNOWN or (after.health is Health.STALE and not after.stuck):
        return  # one lost poll is no news
    if after.stuck or after.health in (Health.OK, Health.PARKED):
        said = f"its readings are not believed: {after.why}" if after.stuck else "its values move again"
        yield Signal("stuck", after.device, Severity.WARNING, said, after.stuck)
    for health, rule, severity, text in (
        (Health.LOST, "lost", Severity.CRITICAL, "does not answer"),
        (Health.AUTH, "refused", Severity.WARNING, "refuses this host"),
        (Health.STRANGER, "stranger", Severity.CRITICAL, "nothing is written here"),
        (Health.PARKED, "parked", Severity.WARNING, "parked until a person clears it"),
    ):
        active = after.health is health
        said = f"{text}: {after.why}" if active and after.why else text if active else f"over: {text}"
        yield Signal(rule, after.device, severity, said, active)


def _limit(metric: Metric, severity: Severity, after: Snapshot) -> Iterator[Signal]:
    value = metric.read(after.status) if after.status else None
    limit = metric.limit(after)
    if value is None or limit is None:
        yield Signal(metric.id, after.device, severity, f"{metric.title} is not known any more", active=False)
        return
    shown = f"{metric.title} {value:.{metric.digits}f} {metric.unit}"
    high = metric.better is Better.HIGH
    if metric.crossed(after):
        side = "under" if high else "at or over"
        yield Signal(
            metric.id, after.device, severity, f"{shown}, {side} its limit of {limit:g} {metric.unit}", active=True
        )
    elif value >= limit * (1 + _BACK) if high else value < limit * (1 - _BACK):
        yield Signal(metric.id, after.device, severity, f"{shown}, well again", active=False)


def _drop(fleet: Fleet, after: Snapshot, drop_pct: float) -> Iterator[Signal]:
    status = after.status
    assert status is not None
    sweeping = any(j.kind == "sweep" and not j.phase.over for j in fleet.jobs_of(after.device))
    warming = status.uptime_s is not None and status.uptime_s < _WARM_UP_S
    if sweeping or warming or status.paused or len(after.recent_ghs) < _MINUTES:
        return
    mean = sum(after.recent_ghs[-_MINUTES:]) / _MINUTES
    expected = status.expected_ghs or max(after.recent_ghs)
    if expected <= 0:
        return
    missing = 100 * (1 - mean / expected)
    text = f"{mean:.0f} GH/s over {_MINUTES} min, {missing:.0f} % under the expected {expected:.0f} GH/s"
    if missing >= drop_pct:
        yield Signal("hashrate-drop", after.device, Severity.WARNING, text, True)
    elif missing < drop_pct - _RECOVERED_PCT:
        yield Signal("hashrate-drop", after.device, Severity.WARNING, f"{mean:.0f} GH/s, well again", False)


def _faults(after: Snapshot) -> Iterator[Signal]:
    assert after.status is not None
    fault = after.status.hardware_fault or after.status.power_fault
    yield Signal("fault", after.device, Severity.CRITICAL, fault or "no fault any more", fault is not None)


def _fan_target(fleet: Fleet, after: Snapshot) -> Iterator[Signal]:
    """A fan that holds 63 °C under a guard that climbs at 63 °C or less is well, and the miner stays slow for ever."""
    status = after.status
    assert status is not None
    target = status.temp_target_c if status.fan_auto else None
    said = next((text for job in fleet.jobs_of(after.device) if target and (text := _too_warm(job, target, after))), "")
    over = "its fan's target leaves room again, or no job asks for it"
    yield Signal("fan-target", after.device, Severity.WARNING, said or over, bool(said))


def _over_limit(fleet: Fleet, after: Snapshot) -> Iterator[Signal]:
    """It goes down to a limit of frequency by a plain order; for less voltage a frequency has to be known: a guard that
    moves along a frontier knows it, and goes there."""
    status, caps = after.status, after.limits
    assert status is not None
    said = over_limits(status, caps)
    if said:
        mhz, mv = min(status.frequency_mhz or 0.0, caps.max_mhz or 1e6), status.core_mv or 0.0
        volts = above(mv, caps.max_mv)
        how = f"-f {mhz:g}" if not volts else f"-v {caps.max_mv} -f MHZ, with a frequency that this voltage bears"
        views = [job.view for job in fleet.jobs_of(after.device) if not job.phase.over]
        held = any(isinstance(view, GuardView) and view.holds_c is not None for view in views)
        told = "its guard lowers it if its frontier shows how; at once" if held else "to lower it"
        said = f"is set to {said}; {told}: minertui tune {after.device} {how}"
    yield Signal("over-limit", after.device, Severity.WARNING, said or "under its limits again", bool(said))


def over_limits(status: MinerStatus, limits: Limits) -> str:
    """Which of these limits what it is set to is over, in words; empty when none."""
    return " and ".join(
        f"{value:g} {unit}, over the limit of {limit:g} {unit}"
        for value, limit, unit in (
            (status.frequency_mhz, limits.max_mhz, "MHz"),
            (status.core_mv, limits.max_mv, "mV"),
        )
        if value is not None and limit is not None and above(value, limit)
    )


def above(value: float | None, limit: float | None) -> bool:
    """True when both are known, and it is more than what rounding makes of the limit."""
    return value is not None and limit is not None and value > limit + SAME


def _too_warm(job: JobState, target_c: float, after: Snapshot) -> str:
    """Why this fan target lets the job never go on, and what to change; empty when it does."""
    asks = None if job.phase.over else _asks(job.view, after)
    if asks is None or target_c < asks.below_c:
        return ""
    return (
        f"its automatic fan holds {target_c:g} °C, and its {job.kind} asks for less than {asks.below_c:g} °C before it "
        f"{asks.goes_on} ({job.kind}.{asks.key} {asks.why}): set a lower target (minertui fan "
        f"{after.device} --auto --target {asks.below_c - _ROOM_C:.0f}) or raise {job.kind}.{asks.key}"
    )


class _Asks(NamedTuple):
    """Under which chip temperature a job does what, by which key of its plan, and how that number comes about."""

    below_c: float
    goes_on: str
    key: str
    why: str


def _asks(view: JobView, after: Snapshot) -> _Asks | None:
    """What this job asks of the chip before it goes on; None for a job that asks nothing."""
    if isinstance(view, GuardView):
        plan, held_c = view.plan, view.holds_c
        limit_c, least_c = plan.max_chip_temp_c, plan.hysteresis_c
        if held_c is not None and held_c < limit_c - least_c:
            return _Asks(held_c, "climbs again along its frontier", "hold_temp_c", f"{held_c:g}")
        return _Asks(limit_c - least_c, "climbs again", "max_chip_temp_c", f"{limit_c:g} less hysteresis_c {least_c:g}")
    if isinstance(view, SweepView):
        limit_c = bounds(view.plan, after.status, after.limits).max_chip_temp_c
        why = f"{limit_c:g} less {LEAST_C:g}"
        return _Asks(limit_c - LEAST_C, "goes on after a limit", "max_chip_temp_c", why)
    return None


def _happened(before: Snapshot | None, after: Snapshot) -> Iterator[Signal]:
    """What is news only at the moment it happens."""
    assert after.status is not None
    if before is None or before.status is None:
        return
    if after.incidents > before.incidents:
        text = "the firmware's overheat protection acted: settings and fan may have changed"
        yield Signal("incident", after.device, Severity.CRITICAL, text)
    old, new = before.status.best_diff, after.status.best_diff
    if old is not None and new is not None and new > old:
        yield Signal("best-diff", after.device, Severity.INFO, f"new best difficulty {_si(new)}")


def _si(value: float) -> str:
    for suffix in ("", "k", "M", "G", "T", "P"):
        if value < 1000:
            return f"{value:.3g}{suffix}"
        value /= 1000
    return f"{value:.3g}E"
