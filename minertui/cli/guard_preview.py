"""What a guard would do, said before it starts anything: ``minertui guard --dry-run``.

The numbers are those that would hold: the plan under the limits in force on the miner, and the decision that the guard
itself takes at the newest reading. Text only; nothing is sent.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from minertui.cli.sweep_lines import duration
from minertui.engine.guard_plans import lowered, under
from minertui.jobs.guard import step
from minertui.jobs.guard.hold import Hold, sets
from minertui.jobs.guard.state import GuardState
from minertui.model.commands import Tune
from minertui.model.fleet import Fleet, Snapshot
from minertui.model.frontier import Known
from minertui.model.holding import against, floor_mhz, reach, target_c
from minertui.model.plans import GuardPlan, Limits
from minertui.model.status import MinerStatus
from minertui.safety.limits import own_power
from minertui.safety.settings import Settings


def refused(fleet: Fleet, device: str, *, readonly: bool) -> str:
    """Why a guard of this miner would not be started at all; empty when it would. ``readonly``: by the config."""
    job = fleet.jobs.get(f"guard:{device}")
    if job is not None and not job.phase.over:
        return "a guard runs on it already; stop it first"
    return "it is read-only in the config; a guard would change it" if readonly else ""


def preview(asked: GuardPlan, snapshot: Snapshot, users: Limits, known: Known | None) -> list[str]:
    """What a guard by this plan would do on the miner: what it keeps under, between which clocks, along which frontier,
    and what first. ``users``: the limits that its config sets."""
    status = snapshot.status
    if status is None:
        why = snapshot.why or f"{snapshot.address or asked.device} does not answer"
        return [f"! {why}; what a guard of it would do is not known"]
    plan = under(asked, snapshot.limits, users)
    state, tune = _first(plan, snapshot, known if plan.hold else None)
    high = state.high_mhz
    cool = f"chip {plan.max_chip_temp_c - plan.hysteresis_c:g} °C, VR {plan.max_vr_temp_c - plan.hysteresis_c:g} °C"
    top = "" if plan.max_mhz is None else f", never over {plan.max_mhz:g} MHz"
    runs = "what it runs" if high is None else f"{high:g} MHz"
    floor = floor_mhz(plan, high, status.frequency_mhz, status.frequency_mhz)
    least = f", as far as {floor:g} MHz" if floor else ""
    less = lowered(asked, plan)
    power = f", {snapshot.limits.max_power_w:g} W at most" if own_power(snapshot.limits, status) else ""
    return [
        f"keeps chip < {plan.max_chip_temp_c:g} °C, VR < {plan.max_vr_temp_c:g} °C{power}",
        *([f"! {less}"] if less else []),
        f"at a limit {plan.step_down_mhz:g} MHz down at once{least}; again after {plan.settle_s:g} s",
        f"cool (under {cool}) for {duration(plan.stable_s)}: {plan.step_up_mhz:g} MHz up, as far as {runs}{top}; "
        f"{plan.max_writes_per_day} steps up a day at most",
        _along(plan, status, snapshot.limits, known),
        f"now {_now(status)}; first: {_said(state, tune)}",
    ]


def _first(plan: GuardPlan, snapshot: Snapshot, known: Known | None) -> tuple[GuardState, Tune | None]:
    """The guard's own decision at this reading, and where it waits for a second one at the same."""
    fresh, now_s = replace(GuardState(), hold=Hold(known=known), asked=True), snapshot.boot_s or 0.0
    state, tune = step(fresh, plan, snapshot, now_s)
    if tune is not None:
        return state, tune
    return step(state, plan, msgspec.structs.replace(snapshot, boot_s=now_s + 1), now_s + 1)


def _along(plan: GuardPlan, status: MinerStatus, limits: Limits, known: Known | None) -> str:
    alone = "moves the frequency alone"
    if not plan.hold:
        return f"{alone}, as asked (--no-hold)"
    if known is None:
        return f"{alone}: no sweep left a frontier of this board"
    runs = status.frequency_mhz
    high = plan.high_mhz or runs
    if why := against(known, status, high, (runs, status.core_mv)):
        return f"{alone}, not along the frontier of its sweep: {why}"
    between = reach(known, plan, high, limits)
    if between is None:
        return "! nothing of the frontier of its sweep is within the limits in force: it would never climb"
    there = [setting for mhz in between if (setting := known.frontier.at(mhz)) is not None]
    ends = " to ".join(dict.fromkeys(Settings(s.mhz, max(s.mv, limits.min_mv or 0)).tune_text for s in there))
    return f"holds chip {target_c(plan):g} °C along the frontier of its sweep, {ends}"


def _said(state: GuardState, tune: Tune | None) -> str:
    return f"nothing ({state.why})" if tune is None else f"sets {sets(tune)} ({state.why})"


def _now(status: MinerStatus) -> str:
    temps = ((status.chip_temp_c, "chip"), (status.vr_temp_c, "VR"))
    parts = [f"{name} {value:.1f} °C" for value, name in temps if value is not None]
    return ", ".join([*parts, Settings(status.frequency_mhz, status.core_mv).tune_text])
