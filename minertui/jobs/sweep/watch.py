"""Is this reading still about our point? Limits touched, and disturbances told apart.

    limit       chip, VR, power, input voltage, a fault the board reports     ends the point, nothing is raised again
    overheat    the firmware's own protection tripped                         ends the sweep, a person must look
    strange     somebody else changed the settings                            ends the sweep, nobody is fought
    reboot      the uptime went back                                          the point is repeated
    paused, idle (no work: pool lost), silent (work, but no hashrate)         the point is repeated
    blind       hashing, and a temperature is missing or cannot be true       three in a row count as hot

The judgement of single readings is ``safety``'s; here it is put in the order that a sweep needs.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from minertui.jobs.sweep import stats
from minertui.jobs.sweep.walk import Target
from minertui.model.commands import Tune
from minertui.model.fleet import Snapshot
from minertui.model.plans import Limits, SweepPoint
from minertui.model.ranking import Bounds
from minertui.model.status import MinerStatus
from minertui.safety import samples

SAME_MHZ = 3.2  # half a PLL step of 6.25 MHz
SAME_MV = 1.0
ACTUAL_MV_SHARE = 0.05  # measured voltage sags up to 2 % under load (recorded payloads); a refused one stays far off
CALM_C = 5.0
LEAST_C = 1.0
CALM_S = 300.0


class Trouble(enum.Enum):
    """What is wrong with a reading; see the top of the file. The value says it to a person."""

    LIMIT = "a limit was touched"
    OVERHEAT = "the firmware's overheat protection tripped"
    STRANGE = "somebody else changed the settings"
    REBOOT = "the miner rebooted"
    PAUSED = "mining is paused"
    IDLE = "no work: the pool is lost or mining stopped"
    SILENT = "no hashrate"
    BLIND = "no believable temperature"
    LOST = "the miner does not answer"
    STUCK = "the readings stand still"


class Mark(msgspec.Struct, frozen=True):
    """What held when the point began, to compare later readings with."""

    target: Target
    status: MinerStatus
    incidents: int = 0

    def renewed(self, status: MinerStatus) -> Mark:
        """With the newest uptime, so that a reboot is seen at once; all else stays as when the point began."""
        return msgspec.structs.replace(self, status=msgspec.structs.replace(self.status, uptime_s=status.uptime_s))


def unfit(status: MinerStatus, within: Bounds, *, known: bool) -> str:
    """Why this miner cannot be swept at all; empty when it can. ``known``: its settings and a start are."""
    if not known:
        return "the miner does not report its frequency and voltage, so it cannot be swept"
    if within.min_mhz > within.max_mhz or within.min_mv > within.max_mv:
        return "the plan's limits and the miner's leave nothing to measure: check the lowest and highest values"
    if stats.expected_ghs(status) is None and not status.paused:
        return "the expected hashrate is unknown (no expectedHashrate, cores or chip count), so no point can be judged"
    return ""


def touched(status: MinerStatus, within: Bounds) -> str | None:
    """The limit that this reading touches, in words; None when all is within."""
    fault = status.power_fault or status.hardware_fault
    if fault:
        return f"the board reports: {fault}"
    return samples.hot(status, _limits(within), raised=False)


def stricter(begun: Bounds, now: Bounds) -> Bounds:
    """What a sweep began within, lowered by what is in force now: a limit may be lowered while it runs. More than at
    the start is the next sweep's, and so is another lowest value."""
    return msgspec.structs.replace(
        begun,
        max_mhz=min(begun.max_mhz, max(now.max_mhz, begun.min_mhz)),
        max_mv=min(begun.max_mv, max(now.max_mv, begun.min_mv)),
        max_chip_temp_c=min(begun.max_chip_temp_c, now.max_chip_temp_c),
        max_vr_temp_c=min(begun.max_vr_temp_c, now.max_vr_temp_c),
        max_power_w=min(begun.max_power_w, now.max_power_w),
    )


def still_allowed(point: SweepPoint, within: Bounds) -> bool:
    """False for a point that was measured before a limit was lowered, and is over it by now."""
    pairs = (
        (point.mhz, within.max_mhz),
        (point.mv, within.max_mv),
        (point.chip_temp_c, within.max_chip_temp_c),
        (point.vr_temp_c, within.max_vr_temp_c),
        (point.power_w, within.max_power_w),
    )
    return all(value is None or value <= most for value, most in pairs)


def calm(status: MinerStatus, within: Bounds, rested_s: float = 0.0) -> bool:
    """True when the miner is within all limits and far enough under both temperature limits to go on.

    Far enough is CALM_C at first and shrinks to LEAST_C over CALM_S: a miner whose fan holds a target just under the
    limit, or whose regulator idles there, never gets cooler, however long it rests.
    """
    if samples.dark(status):
        return False
    far_c = CALM_C - (CALM_C - LEAST_C) * min(1.0, rested_s / CALM_S)
    cooler = msgspec.structs.replace(
        within, max_chip_temp_c=within.max_chip_temp_c - far_c, max_vr_temp_c=within.max_vr_temp_c - far_c
    )
    return touched(status, cooler) is None


def reached(status: MinerStatus, target: Target) -> str | None:
    """None when the hardware is really at ``target`` as far as it tells; otherwise what it does instead. The stored
    settings prove nothing: a regulator that refuses a voltage keeps the old one (ESP-Miner main/power)."""
    if status.actual_mhz is not None and not abs(status.actual_mhz - target.mhz) <= SAME_MHZ:
        return f"the clock runs at {status.actual_mhz:g} MHz, not at {target.mhz:g} MHz"
    volts = status.core_actual_mv
    if volts is not None and not abs(volts - target.mv) <= ACTUAL_MV_SHARE * target.mv:
        return f"the core gets {volts:.0f} mV, not {target.mv} mV"
    return None


def trouble(snapshot: Snapshot, since: Mark) -> Trouble | None:
    """What makes this reading say nothing about the point; the gravest first, None when nothing does."""
    status = snapshot.status or MinerStatus()
    if _overheated(snapshot, status, since):
        return Trouble.OVERHEAT
    if not stored_at(status, since.target):
        return Trouble.STRANGE
    if samples.rebooted(since.status, status):
        return Trouble.REBOOT
    if status.paused:
        return Trouble.PAUSED
    if not status.hashrate_ghs:
        # AxeOS >= 2.14 expects nothing while it has no pool; older firmware does not tell
        return Trouble.IDLE if status.expected_ghs == 0 else Trouble.SILENT
    return Trouble.BLIND if samples.dark(status) else None


def lowered(snapshot: Snapshot, since: Mark, ours: Iterable[Target]) -> Trouble | None:
    """What happened to a miner while it was to be lowered, maybe unseen: the firmware tripped, or it is under all that
    was on its way to it (``ours``, and what ``since`` held). In between it may be anywhere: a write may be lost."""
    status = snapshot.status or MinerStatus()
    if status.overheat or snapshot.incidents > since.incidents:
        return Trouble.OVERHEAT
    known = (since.target, *ours)
    mhz, mv = status.frequency_mhz, status.core_mv
    slower = mhz is not None and mhz < min(target.mhz for target in known) - SAME_MHZ
    if not slower and not (mv is not None and mv < min(target.mv for target in known) - SAME_MV):
        return None
    return Trouble.OVERHEAT if _overheated(snapshot, status, since) else Trouble.STRANGE


def nowhere_above(status: MinerStatus, target: Target) -> Target:
    """``target``, and no value of it higher than what the miner runs now: so much may always be written."""
    mhz = target.mhz if status.frequency_mhz is None else min(target.mhz, status.frequency_mhz)
    return Target(mhz, target.mv if status.core_mv is None else round(min(target.mv, status.core_mv)))


def stored_at(status: MinerStatus, target: Target) -> bool:
    """True when the stored settings are the target's, as far as the miner tells."""
    mhz, mv = status.frequency_mhz, status.core_mv
    return (mhz is None or abs(mhz - target.mhz) <= SAME_MHZ) and (mv is None or abs(mv - target.mv) <= SAME_MV)


def _overheated(snapshot: Snapshot, status: MinerStatus, since: Mark) -> bool:
    """Signs of the firmware's overheat handling; no single one is reliable over all versions (AxeOS 2.1.9..2.15)."""
    if status.power_fault or status.hardware_fault:
        return False  # a limit of the board, not of its temperature
    ours = Tune(since.target.mhz, since.target.mv)
    counted = snapshot.incidents > since.incidents
    return bool(status.overheat) or counted or samples.incident(since.status, status, ours) is not None


def _limits(within: Bounds) -> Limits:
    return Limits(
        max_chip_temp_c=within.max_chip_temp_c,
        max_vr_temp_c=within.max_vr_temp_c,
        max_power_w=within.max_power_w,
    )
