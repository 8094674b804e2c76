"""How a device stands: one sign, one word, one style. Judged from what the snapshot says, for the eye only; what may
be done to hardware is judged elsewhere."""

from __future__ import annotations

import enum
import operator
from collections.abc import Iterable

from minertui.model.fleet import Health, Snapshot
from minertui.model.metrics import BY_ID, Better, Metric
from minertui.model.plans import GuardView, JobState, Phase, SweepView
from minertui.tui.widgets.glyphs import Glyphs
from minertui.tui.widgets.wording import duration, number

LOW_SHARE = 0.8
"""Below this share of the expected hashrate a miner is slow, judged over minutes: one reading swings by 5 to 18 %."""
_BACK_SHARE = 0.9  # a last minute above this says that it is well again, or that it was just told another frequency
_MINUTES = 5


class Level(enum.IntEnum):
    """How much it matters. Always shown by mark too: ``!`` and ``!!``."""

    GOOD = 0
    WARN = 1
    BAD = 2

    @property
    def mark(self) -> str:
        """What stands behind a number."""
        return ("", "!", "!!")[self]

    @property
    def ink(self) -> str:
        """The style of a number; a good one needs none."""
        return ("", "warn", "bad")[self]


_WARM_UP_S = 300.0  # after a restart means say nothing yet

# error_pct is not among them: it jumps from reading to reading, so it is marked at its own number alone
_WATCHED = (
    (BY_ID["chip_temp_c"], "chip hot"),
    (BY_ID["vr_temp_c"], "VR hot"),
    (BY_ID["power_w"], "power"),
    (BY_ID["input_mv"], "input"),
)
_HEALTH = {
    Health.UNKNOWN: ("", "no answer yet", "dim"),
    Health.STALE: ("!", "stale", "warn"),
    Health.LOST: ("x", "lost", "bad"),
    Health.AUTH: ("!!", "refused", "bad"),
    Health.STRANGER: ("!!", "stranger", "bad"),
    Health.PARKED: ("!!", "parked", "bad"),
}


def level(metric: Metric, snapshot: Snapshot) -> Level:
    """Where the newest value stands against the metric's marks for this device."""
    value = metric.read(snapshot.status) if snapshot.status else None
    return Level.GOOD if value is None else level_of(value, metric, snapshot)


def level_of(value: float, metric: Metric, snapshot: Snapshot) -> Level:
    """Where ``value`` would stand there."""
    beyond = operator.le if metric.better is Better.HIGH else operator.ge
    limit = metric.limit(snapshot)
    if limit is not None and beyond(value, limit):
        return Level.BAD
    warn = metric.warn(snapshot)
    return Level.WARN if warn is not None and beyond(value, warn) else Level.GOOD


def standing(snapshot: Snapshot, glyphs: Glyphs) -> tuple[str, str, str]:
    """Sign (at most two cells), word and style of a device."""
    if snapshot.health is not Health.OK:
        sign, word, ink = _HEALTH[snapshot.health]
        return {"": glyphs.idle, "x": glyphs.lost}.get(sign, sign), word, ink
    status = snapshot.status
    if status is None:
        return glyphs.idle, "no answer yet", "dim"
    if status.overheat:
        return "!!", "overheated", "bad"
    if status.power_fault or status.hardware_fault:
        return "!!", "fault", "bad"
    if status.paused:
        return glyphs.idle, "paused", "dim"
    return _worst(snapshot, glyphs)


def _worst(snapshot: Snapshot, glyphs: Glyphs) -> tuple[str, str, str]:
    worst, what = Level.GOOD, ""
    for metric, word in _WATCHED:
        found = level(metric, snapshot)
        if found > worst:
            worst, what = found, word
    if what:
        return worst.mark, what, worst.ink
    if is_slow(snapshot):
        return "!", "slow", "warn"
    return glyphs.good, "ok", "good"


def is_slow(snapshot: Snapshot) -> bool:
    """Whether the mean of the last minutes stays too far under the expected hashrate; with fewer than five minutes
    known, the miner's own mean of ten minutes is asked. Not said while it warms up."""
    status, minutes = snapshot.status, snapshot.recent_ghs[-_MINUTES:]
    if status is None or not status.expected_ghs or (status.uptime_s or _WARM_UP_S) < _WARM_UP_S:
        return False
    if len(minutes) == _MINUTES:
        mean, last = sum(minutes) / _MINUTES, minutes[-1]
    elif status.hashrate_10m_ghs is not None:
        mean = last = status.hashrate_10m_ghs
    else:
        return False
    return mean < LOW_SHARE * status.expected_ghs and last < _BACK_SHARE * status.expected_ghs


def age_s(snapshot: Snapshot, now_s: float) -> float | None:
    """Seconds since the reading; None without one."""
    return None if snapshot.at_s is None else max(0.0, now_s - snapshot.at_s)


def age_text(snapshot: Snapshot, now_s: float) -> str:
    """``now`` while the reading is of the last poll, then its age."""
    age = age_s(snapshot, now_s)
    if age is not None and snapshot.health is Health.OK and age <= 2 * snapshot.poll_s:
        return "now"
    return duration(age)


def job_text(jobs: tuple[JobState, ...]) -> str:
    """The job that matters most on a device: the running one, else a parked or failed one."""
    for job in jobs:
        if not job.phase.over:
            return _running(job)
    return next((f"{j.kind} {j.phase.value}" for j in jobs if j.phase in _ENDED_BADLY), "")


_SIGNS = {"sweep": "S", "guard": "G"}
_ENDED_BADLY = (Phase.PARKED, Phase.FAILED)


def job_sign(jobs: tuple[JobState, ...]) -> tuple[str, str]:
    """One cell that says which job is on a device, and its style; a small letter where it failed, a blank where none
    is. As ``job_text``: a running one before one that failed."""
    for job in jobs:
        if not job.phase.over:
            return _SIGNS.get(job.kind, "+"), "accent"
    failed = next((job.kind for job in jobs if job.phase in _ENDED_BADLY), None)
    return (" ", "") if failed is None else (_SIGNS.get(failed, "+").lower(), "bad")


def sign_meanings(jobs: Iterable[JobState]) -> list[str]:
    """What the signs of these jobs mean: ``S sweep`` and ``G guard``; before these, as they may be left out first where
    there is little room, what failed: ``s sweep failed``."""
    phases = {(job.kind, job.phase) for job in jobs}
    runs = {kind for kind, phase in phases if not phase.over}
    failed = {kind for kind, phase in phases if phase in _ENDED_BADLY}
    told = [f"{sign.lower()} {kind} failed" for kind, sign in _SIGNS.items() if kind in failed]
    return told + [f"{sign} {kind}" for kind, sign in _SIGNS.items() if kind in runs]


def _running(job: JobState) -> str:
    if not isinstance(job.view, SweepView):
        wanted = job.view.wanted_mhz if isinstance(job.view, GuardView) else None
        return job.kind if wanted is None else f"{job.kind} {number(wanted)} MHz"
    word = job.kind if job.phase is Phase.RUNNING else job.phase.value
    of = "" if job.total is None else f"/{job.total}"
    left = "" if job.left_s is None else f" {duration(job.left_s)}"
    return f"{word} {job.done}{of}{left}"
