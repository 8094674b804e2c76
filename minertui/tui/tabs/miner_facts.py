"""What is said of a miner in words: who it is, how it is set, its pool and shares, the jobs on it. All of it is text
that a device may have written; it goes to ``Facts``, which knows no markup."""

from __future__ import annotations

from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import GuardView, JobState, SweepPoint, SweepView
from minertui.model.status import MinerStatus
from minertui.model.text import masked
from minertui.tui.widgets.standing import job_text
from minertui.tui.widgets.wording import UNKNOWN, count, duration, number

Rows = list[tuple[str, str]]


def _known(rows: Rows) -> Rows:
    """Without the lines that say nothing; what a miner never reports is not a line of dashes."""
    return [(name, value) for name, value in rows if value and not value.startswith(UNKNOWN)]


def settings(snapshot: Snapshot) -> Rows:
    """How it is set, against what it really does."""
    s = snapshot.status or MinerStatus()
    caps = snapshot.limits
    return [
        ("frequency", _pair(s.frequency_mhz, s.actual_mhz, "MHz")),
        ("core", _pair(s.core_mv, s.core_actual_mv, "mV")),
        *_known(
            [
                ("fan", _fan(s)),
                ("input", f"{number(s.input_mv)} mV" if s.input_mv is not None else ""),
                (
                    "current",
                    f"{number(s.current_ma)} mA" if s.current_ma is not None else "",
                ),  # of the input or the core
                ("stops at", f"chip {number(caps.max_chip_temp_c)} °C" if caps.max_chip_temp_c else ""),
                ("default", _pair(s.default_mhz, None, "MHz") if s.default_mhz else ""),
            ]
        ),
    ]


def pool(snapshot: Snapshot) -> Rows:
    """Where the shares go, and how they fare. The user (a wallet) has its middle hidden."""
    s = snapshot.status or MinerStatus()
    where = f"{s.pool_url}:{s.pool_port or ''}" if s.pool_url else UNKNOWN
    reasons = ", ".join(f"{r.reason} {r.count}" for r in s.reject_reasons)
    return [
        ("pool", ("fallback: " if s.on_fallback_pool else "") + where),
        ("shares", f"{count(s.shares_accepted)} ok, {count(s.shares_rejected)} rejected"),
        *_known(
            [
                ("rejects", reasons),
                ("user", masked(s.pool_user) if s.pool_user else ""),
                ("difficulty", f"{count(s.pool_diff)}" if s.pool_diff is not None else ""),
                ("best", f"{count(s.best_diff)}  session {count(s.best_session_diff)}"),
                ("response", f"{number(s.pool_response_ms)} ms"),
            ]
        ),
    ]


def identity(snapshot: Snapshot) -> Rows:
    """Which device it is and how it is doing as a computer."""
    s = snapshot.status or MinerStatus()
    model = " ".join(part for part in (s.model, s.board and f"board {s.board}") if part)
    chips = f"{s.chip_count or 1} × {s.chip}" if s.chip else ""
    return [
        ("address", snapshot.address or UNKNOWN),
        *_known(
            [
                ("model", model),
                ("chip", chips),
                ("firmware", s.firmware or ""),
                ("host", s.hostname or ""),
                ("mac", s.mac or ""),
                ("uptime", duration(s.uptime_s)),
                ("last reset", s.reset_reason or ""),
                ("wifi", f"{number(s.wifi_rssi_dbm)} dBm {s.wifi_status or ''}"),
                ("tags", ", ".join(snapshot.tags)),
                ("overheated", f"{snapshot.incidents} times" if snapshot.incidents else ""),
            ]
        ),
    ]


def trouble(snapshot: Snapshot) -> str:
    """What is wrong, in one sentence; empty when nothing is."""
    s = snapshot.status
    if snapshot.health is not Health.OK:
        return snapshot.why or snapshot.health.value
    faults = (s.power_fault, s.hardware_fault) if s else ()
    return "; ".join(f for f in faults if f)


def jobs(states: tuple[JobState, ...]) -> Rows:
    """The jobs on it: what runs, how far it is, what it says."""
    rows: Rows = []
    for job in states:
        rows.append((job.kind, job_text((job,)) or job.phase.value))
        rows += [("", job.note)] if job.note else []
        if isinstance(job.view, SweepView):
            rows += _sweep(job.view, over=job.phase.over)
        elif isinstance(job.view, GuardView):
            rows += _guard(job.view)
    return rows


def _sweep(view: SweepView, *, over: bool) -> Rows:
    best = view.best
    if best is None:
        return []
    own = next((p for p in view.points if (p.mhz, p.mv) == (view.baseline_mhz, view.baseline_mv)), best)
    before = [] if own is best else [("before", _point(own))]
    return [("best" if over else "best so far", _point(best)), *before]


def _point(point: SweepPoint) -> str:
    value = f"{number(point.mhz)} MHz {point.mv} mV: {number(point.hashrate_ghs)} GH/s"
    return f"{value} {number(point.efficiency_jth, 1)} J/TH"


def _guard(view: GuardView) -> Rows:
    return [("last decision", view.why)] if view.why else []


def _pair(wanted: float | None, real: float | None, unit: str) -> str:
    if wanted is None and real is None:
        return UNKNOWN
    text = f"{number(wanted)} {unit}"
    return text if real is None or round(real) == round(wanted or 0) else f"{text}, really {number(real)}"


def _fan(s: MinerStatus) -> str:
    if s.fan_auto is None and s.fan_pct is None:
        return ""
    target = f" to {number(s.temp_target_c)} °C" if s.fan_auto and s.temp_target_c is not None else ""
    mode = "" if s.fan_auto is None else f", automatic{target}" if s.fan_auto else ", manual"
    rpm = f", {number(s.fan_rpm)} rpm" if s.fan_rpm is not None else ""
    return f"{number(s.fan_pct)} %{mode}{rpm}"
