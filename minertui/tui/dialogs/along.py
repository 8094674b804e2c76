"""What a guard would do along the frontiers that are known, in words, before it starts: what it holds, between which
settings, and where they come from; or why it moves the frequency alone, and what to do about that."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from minertui.model.fleet import Snapshot
from minertui.model.frontier import Known, Setting
from minertui.model.holding import against, reach, target_c
from minertui.model.plans import GuardPlan
from minertui.model.status import MinerStatus
from minertui.tui.widgets.painted import Line, line
from minertui.tui.widgets.wording import duration, number, some_of
from minertui.tui.words import moment_text

_MEANWHILE = "until it ends the guard only watches, or steps down; then it guards what the sweep left."


class Swept(msgspec.Struct, frozen=True):
    """A miner that is to be guarded, and the frontier that is known of its board. ``sweeping``: a sweep runs on it."""

    snapshot: Snapshot
    known: Known | None = None
    sweeping: bool = False

    @property
    def status(self) -> MinerStatus | None:
        """Its newest reading."""
        return self.snapshot.status if isinstance(self.snapshot.status, MinerStatus) else None


def why_alone(swept: Swept, plan: GuardPlan) -> str:
    """Why this guard would move the frequency alone; empty when it moves along a frontier."""
    status = swept.status
    if status is None:
        return "it has not answered yet"
    if swept.known is None:
        return "no sweep left a frontier of it"
    runs = status.frequency_mhz
    return against(swept.known, status, plan.high_mhz or runs, (runs, status.core_mv))


def along(plan: GuardPlan, boards: Sequence[Swept], now_s: float, *, among: bool = False) -> list[Line]:
    """A guard of these by ``plan``, as lines; of those that are not swept nothing where it shall not hold. ``among``:
    others are guarded by other plans, so that even a single one is named."""
    swept = [board.snapshot.device for board in boards if board.sweeping]
    lines = [_warning(f"A sweep runs on {some_of(swept)}: {_MEANWHILE}")] if swept else []
    others = [board for board in boards if not board.sweeping]
    if not plan.hold or not others:
        return lines
    lines += _one(plan, others[0], now_s) if len(boards) == 1 and not among else _several(plan, others)
    return [*lines, *_fans(plan, others)]


def _one(plan: GuardPlan, board: Swept, now_s: float) -> list[Line]:
    alone, known, status = why_alone(board, plan), board.known, board.status
    if status is None:
        return [_warning("It has not answered yet: whether a sweep left a frontier is not known.")]
    if known is None:
        text = "No sweep left a frontier of this board, so it moves the frequency alone"
        return [_warning(f"{text}. To hold a temperature sweep it first (b).")]
    first, last = known.frontier.settings[0], known.frontier.settings[-1]
    ago = f", {duration(now_s - known.at_s)} ago" if known.at_s and now_s >= known.at_s else ""
    count = f"{len(known.frontier.settings)} settings" if first != last else "one setting"
    proved = f"Frontier: {count}, {_span(first, last)}, of its sweep ({moment_text(known.at_s, now_s)}{ago})."
    if alone:
        why = f"Not used, it moves the frequency alone: {alone}. Sweep it again (b)."
        return [line(proved), _warning(why)]
    between = reach(known, plan, plan.high_mhz or status.frequency_mhz, board.snapshot.limits)
    if between is None:
        why = "None of them is within the limits in force: it would never climb. Raise the limits, or sweep again (b)."
        return [line(proved), _warning(why)]
    low, high = (_within(known, mhz, board.snapshot.limits.min_mv) for mhz in between)
    return [line(proved), line(f"Holds {_held(plan)} by moving along it, {_span(low, high)}; up {_up(plan)}.")]


def _several(plan: GuardPlan, boards: Sequence[Swept]) -> list[Line]:
    whys = {board.snapshot.device: why_alone(board, plan) for board in boards}
    used = [device for device, why in whys.items() if not why]
    bare = [board.snapshot.device for board in boards if board.status is not None and board.known is None]
    other = [f"{device} ({why})" for device, why in whys.items() if why and device not in bare]
    lines = [line(f"Along the frontier of their sweeps: {some_of(used)}. Holds {_held(plan)}.")] if used else []
    if bare:
        lines.append(_warning(f"Frequency alone, no sweep left a frontier (b starts one): {some_of(bare)}."))
    return [*lines, *([_warning(f"Frequency alone: {some_of(other, 1)}.")] if other else [])]


def _fans(plan: GuardPlan, boards: Sequence[Swept]) -> list[Line]:
    """An automatic fan that holds as much as the guard never lets it climb."""
    held_c = target_c(plan)
    warm = [
        f"{board.snapshot.device}'s at {number(status.temp_target_c)} °C"
        for board in boards
        if (status := board.status) and status.fan_auto and (status.temp_target_c or 0) >= held_c
        if not why_alone(board, plan)
    ]
    if not warm:
        return []
    text = f"Under a fan held at {number(held_c)} °C or more it never climbs ({some_of(warm)}): lower its target (f)."
    return [_warning(text)]


def _warning(sentence: str) -> Line:
    return line((f"! {sentence}", "warn"))


def _held(plan: GuardPlan) -> str:
    chip_c, vr_c = target_c(plan), plan.max_vr_temp_c - plan.hysteresis_c
    capped = ", its most" if plan.hold_temp_c is not None and plan.hold_temp_c > chip_c else ""
    return f"{chip_c:g} °C (chip{capped}) and {vr_c:g} °C (VR)"


def _up(plan: GuardPlan) -> str:
    return f"{number(plan.step_up_mhz)} MHz at most, {duration(plan.hold_dwell_s)} after a change"


def _within(known: Known, mhz: float, least_mv: int | None) -> Setting:
    there = known.frontier.at(mhz)
    assert there is not None  # within reach is within the frontier
    return msgspec.structs.replace(there, mv=max(there.mv, least_mv or 0))


def _span(low: Setting, high: Setting) -> str:
    shown = [f"{number(s.mhz)} MHz / {s.mv} mV" for s in (low, high)]
    return shown[0] if shown[0] == shown[1] else " to ".join(shown)
