"""What a sweep looks like on a plain terminal: one coloured line a sample, much as the parallel benchmark guide prints
it, with the miner's own name and, as everywhere, the frequency before the voltage.

    [garage] [15/40]  37.5% | F: 500MHz | CV: 1150mV | H: 1010 GH/s | IV: 5012mV | T: 58°C | VR: 61°C | P: 17.2W

A miner keeps its colour: green, blue, magenta, cyan, yellow, then from the start again. Text only; nothing is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from minertui.model import ranking
from minertui.model.fleet import Snapshot
from minertui.model.plans import Goal, JobState, Strategy, SweepPlan, SweepPoint, SweepSample, SweepView
from minertui.model.text import path_text
from minertui.safety.settings import Settings

COLOURS = (32, 34, 35, 36, 33)  # ANSI green, blue, magenta, cyan, yellow: the guide's order
RANKED = 5


def painted(text: str, number: int, colour: bool) -> str:
    """``text`` in the colour of miner ``number`` (from 1), or plain."""
    return f"\033[{COLOURS[(number - 1) % len(COLOURS)]}m{text}\033[0m" if colour else text


def sample_line(sample: SweepSample, strategy: Strategy = Strategy.GRID) -> str:
    """One sample of a point; what the miner does not report is left out. The adaptive strategy looks for as long as it
    must, so its count has no end and no share."""
    share = 100 * sample.index / sample.of if sample.of else 0.0
    width = len(str(sample.of))
    adaptive = strategy is Strategy.ADAPTIVE
    parts = [
        f"[{sample.index:>2}]" if adaptive else f"[{sample.index:>{width}}/{sample.of}] {share:5.1f}%",
        f"F: {sample.mhz:g}MHz",
        f"CV: {sample.mv}mV",
        f"H: {_number(sample.hashrate_ghs)} GH/s",
        f"IV: {_number(sample.input_mv)}mV",
        f"T: {_number(sample.chip_temp_c)}°C",
    ]
    if sample.vr_temp_c is not None:
        parts.append(f"VR: {_number(sample.vr_temp_c)}°C")
    if sample.power_w is not None:
        parts.append(f"P: {sample.power_w:.1f}W")
    return " | ".join(parts)


def point_line(point: SweepPoint, job: JobState) -> str:
    """A point that is over, and how far the sweep is."""
    numbers = ""
    if point.hashrate_ghs is not None:
        numbers = f", {point.hashrate_ghs:.1f} GH/s"
        numbers += f", {point.efficiency_jth:.2f} J/TH" if point.efficiency_jth is not None else ""
    said = point.reason or point.why
    why = f" ({said})" if said else ""
    left = f", {_most(job)} {duration(job.left_s)} left" if job.left_s else ""
    return f"{_setting(point.mhz, point.mv)}: {point.verdict.words}{why}{numbers}; point {point.n}{left}"


def preview(plan: SweepPlan, snapshot: Snapshot) -> list[str]:
    """What a sweep is going to do: start, steps, limits, length, and what speaks against it."""
    status = snapshot.status
    if status is None:
        why = snapshot.why or f"{snapshot.address or plan.device} does not answer"
        return [f"! {why}; where its sweep would begin, and how long it would take, is not known"]
    within = ranking.bounds(plan, status, snapshot.limits)
    begin = ranking.start(plan, status, within)
    points, seconds = ranking.estimate(plan, status, snapshot.limits)
    adaptive = plan.strategy is Strategy.ADAPTIVE
    start = _setting(*begin) if begin else "what the miner runs (it does not tell)"
    where = f"{snapshot.address}: " if snapshot.address not in ("", plan.device) else ""
    lines = [
        f"{where}from {start} in steps of {_setting(plan.step_mhz, plan.step_mv)}, "
        f"within {within.min_mhz:g}..{within.max_mhz:g} MHz and {within.min_mv}..{within.max_mv} mV",
        f"{'some' if adaptive else 'at most'} {points} points, {duration(seconds)}; stops at chip "
        f"{within.max_chip_temp_c:g} °C, VR {within.max_vr_temp_c:g} °C, {within.max_power_w:g} W; goal: {plan.goal}"
        + ("; restarts at every point" if ranking.restarts(plan, status) else ""),
    ]
    judges = (ranking.lowered, ranking.moved, ranking.over_now)
    return lines + [f"! {text}" for judge in judges if (text := judge(plan, status, snapshot.limits))]


def running(job: JobState) -> list[str]:
    """A sweep that runs on the miner already, by its own plan: what was asked for now counts for nothing."""
    view = job.view
    if not isinstance(view, SweepView):
        return []
    plan = view.plan
    done = f"{len(view.points)} point{'' if len(view.points) == 1 else 's'} done"
    left = f", {_most(job)} {duration(job.left_s)} left" if job.left_s else ""
    return [
        f"a sweep runs on {plan.device} already and goes on with its own plan; what this command asks for is not used",
        f"that plan: {plan.strategy}, within {plan.min_mhz:g}..{plan.max_mhz:g} MHz and "
        f"{plan.min_mv}..{plan.max_mv} mV; "
        f"stops at chip {plan.max_chip_temp_c:g} °C, VR {plan.max_vr_temp_c:g} °C, "
        f"{ranking.bounds(plan).max_power_w:g} W; "
        f"goal: {plan.goal}; {done}{left}",
    ]


def summary(points: Sequence[SweepPoint], goal: Goal) -> list[str]:
    """The five fastest and the five most efficient settings that passed, by the sweep's ``goal`` its winner first."""
    if not any(point.passed for point in points):
        return ["No valid results collected"]
    return [
        "Top 5 highest hashrate:",
        *_table(ranking.leading(points, Goal.HASHRATE, goal)),
        "Top 5 most efficient:",
        *_table(ranking.leading(points, Goal.EFFICIENCY, goal)),
    ]


def _most(job: JobState) -> str:
    """The adaptive strategy's time left is what boards take as a rule; the grid's is the longest walk."""
    adaptive = isinstance(job.view, SweepView) and job.view.plan.strategy is Strategy.ADAPTIVE
    return "about" if adaptive else "at most"


def duration(seconds: float | None) -> str:
    """``25 s``, ``11 min``, ``2 h 05 min``, ``3 d 04 h``."""
    if seconds is None:
        return "?"
    minutes = round(seconds / 60)
    hours = minutes // 60
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 120:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{hours // 24} d {hours % 24:02d} h"


def saved_line(path: Path) -> str:
    """Where the results are."""
    return f"Results saved to {path_text(path.absolute())}"


def _table(points: Sequence[SweepPoint]) -> list[str]:
    return [
        f"  {rank}. {_setting(p.mhz, p.mv)}: {p.hashrate_ghs or 0:.1f} GH/s, {_number(p.efficiency_jth, 2)} J/TH, "
        f"{_number(p.chip_temp_c, 1)} °C" + (f", VR {p.vr_temp_c:.1f} °C" if p.vr_temp_c is not None else "")
        for rank, p in enumerate(points[:RANKED], 1)
    ]


def _setting(mhz: float, mv: float) -> str:
    return Settings(mhz, mv).tune_text


def _number(value: float | None, digits: int = 0) -> str:
    return "—" if value is None else f"{value:.{digits}f}"
