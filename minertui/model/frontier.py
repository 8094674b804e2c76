"""What a sweep has shown a board to be able to do: the settings worth running, from least power to most hashrate.

A sweep measures a handful of settings. Between two that passed, the straight line of voltage over clock is stable too:
the voltage that a chip needs grows faster and faster with its clock (the need curve is convex), so a line between two
settings that suffice lies over it. That is all that is filled in here; nothing is said about settings beyond the
measured ones, except that under the lowest clock its voltage suffices for any lower clock.

A guard moves along it: ``at(mhz)`` for a clock, ``under(power_w)`` for a power, ``beside(mhz, step_mhz)`` for a step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from minertui.model.plans import PointVerdict, SweepPoint, SweepRecord
from minertui.model.status import MinerStatus

_SAME = 1e-6


class Setting(msgspec.Struct, frozen=True, omit_defaults=True):
    """A setting of a frontier and what the board did there. MHz, mV, GH/s, W, °C, %; temperatures and fan are those of
    the sweep's room. ``confidence``: how sure it is that it is stable, 0..1; between two measured settings the lower
    of theirs. ``measured``: False where it lies between two measured ones, or under the lowest."""

    mhz: float
    mv: int
    hashrate_ghs: float
    power_w: float
    chip_temp_c: float | None = None
    vr_temp_c: float | None = None
    fan_pct: float | None = None
    error_pct: float | None = None
    confidence: float | None = None
    measured: bool = True


class Frontier(msgspec.Struct, frozen=True, omit_defaults=True):
    """Measured settings, the lowest clock first; clock, power and hashrate rise together, voltage never falls. May be
    empty: then nothing is known."""

    settings: tuple[Setting, ...] = ()

    def at(self, mhz: float) -> Setting | None:
        """The setting for this clock: measured, between two measured ones (voltage rounded up), or under the lowest.
        None above the highest clock, and where nothing is known."""
        if not self.settings or not 0 < mhz <= self.settings[-1].mhz + _SAME:
            return None
        above = next(s for s in self.settings if s.mhz >= mhz - _SAME)
        if above.mhz - mhz <= _SAME:
            return above
        below = next((s for s in reversed(self.settings) if s.mhz < mhz), None)
        return _scaled(above, mhz) if below is None else _between(below, above, mhz)

    def under(self, power_w: float, step_mhz: float) -> Setting | None:
        """The highest clock, in steps of ``step_mhz`` down from the highest, that takes ``power_w`` at most; None when
        not even one step does."""
        mhz = self.settings[-1].mhz if self.settings else 0.0
        while (found := self.at(mhz)) is not None:
            if found.power_w <= power_w:
                return found
            mhz -= step_mhz
        return None

    def beside(self, mhz: float, step_mhz: float) -> Setting | None:
        """One step from ``mhz``: up with a positive ``step_mhz``, down with a negative one, at most to the highest."""
        if not self.settings:
            return None
        return self.at(min(mhz + step_mhz, self.settings[-1].mhz))


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """The frontier that a sweep left of a board, what the board was then, and the errors (%) it passed a setting
    with. ``at_s``: wall time when the sweep ended, or began where it goes on; None: not known."""

    frontier: Frontier
    chip: str | None = None
    firmware: str | None = None
    max_error_pct: float = 1.0
    at_s: float | None = None

    def other_board(self, status: MinerStatus) -> str:
        """Why it says nothing about this board as it is now, in words; empty when it does."""
        for what, then, now in (("chip", self.chip, status.chip), ("firmware", self.firmware, status.firmware)):
            if then != now:
                return f"its {what} is {now or 'unknown'} now and was {then or 'unknown'} at the sweep"
        return ""


def known_of(record: SweepRecord) -> Known | None:
    """What a sweep left; None when nothing is proven. A pass that is less sure than the sweep itself asks is none: a
    short look at a setting may pass by luck."""
    sure = [p for p in record.points if not p.passed or (p.confidence or 1.0) >= record.plan.confidence]
    frontier = frontier_of(sure)
    if not frontier.settings:
        return None
    at_s = record.until_s or record.since_s or None
    return Known(frontier, record.chip, record.firmware, record.plan.max_error_pct, at_s)


def frontier_of(points: Sequence[SweepPoint]) -> Frontier:
    """The frontier of a sweep's points: those that passed and were not disproved by a longer look, without the ones
    that take more voltage than the line between two others."""
    chain: list[Setting] = []
    for setting in sorted(_proven(points), key=lambda s: (s.mhz, s.mv)):
        if chain and setting.mhz - chain[-1].mhz <= _SAME:
            continue  # the same clock at more voltage
        while chain and (chain[-1].mv >= setting.mv or (len(chain) > 1 and _over(chain[-2], chain[-1], setting))):
            chain.pop()
        chain.append(setting)
    return Frontier(_rising(chain))


def _proven(points: Sequence[SweepPoint]) -> list[Setting]:
    """Of a setting measured twice the soak counts."""
    refuted = [p for p in points if p.verdict is PointVerdict.UNSTABLE and (p.soak or p.error_pct is None)]
    found: dict[tuple[float, int], Setting] = {}
    for p in sorted(points, key=lambda p: p.soak):
        if p.passed and not any(p.mhz >= bad.mhz - _SAME and p.mv <= bad.mv for bad in refuted):
            setting = _setting(p)
            found |= {(p.mhz, p.mv): setting} if setting else {}
    return list(found.values())


def _setting(p: SweepPoint) -> Setting | None:
    if not p.hashrate_ghs or not p.power_w or not p.mhz or not p.mv:
        return None
    return Setting(
        p.mhz, p.mv, p.hashrate_ghs, p.power_w, p.chip_temp_c, p.vr_temp_c, p.fan_pct, p.error_pct, p.confidence
    )


def _over(low: Setting, mid: Setting, high: Setting) -> bool:
    """``mid`` takes no less voltage than the line from ``low`` to ``high``."""
    return (mid.mv - low.mv) * (high.mhz - low.mhz) >= (high.mv - low.mv) * (mid.mhz - low.mhz)


def _rising(chain: Sequence[Setting]) -> tuple[Setting, ...]:
    """Without those that bring no more hashrate for their power than a lower clock."""
    kept: list[Setting] = []
    for setting in chain:
        if kept and (setting.hashrate_ghs <= kept[-1].hashrate_ghs or setting.power_w <= kept[-1].power_w):
            continue
        kept.append(setting)
    return tuple(kept)


def _between(low: Setting, high: Setting, mhz: float) -> Setting:
    """Linear in the clock but for power, which follows V²·F between the two, and temperatures, which follow power."""
    part = (mhz - low.mhz) / (high.mhz - low.mhz)
    mv = math.ceil(low.mv + part * (high.mv - low.mv) - _SAME)
    heat = [s.mv * s.mv * s.mhz for s in (low, high)]
    warm = (mv * mv * mhz - heat[0]) / (heat[1] - heat[0])
    return Setting(
        mhz,
        mv,
        low.hashrate_ghs + part * (high.hashrate_ghs - low.hashrate_ghs),
        low.power_w + warm * (high.power_w - low.power_w),
        _mixed(low.chip_temp_c, high.chip_temp_c, warm),
        _mixed(low.vr_temp_c, high.vr_temp_c, warm),
        _mixed(low.fan_pct, high.fan_pct, warm),
        _worse(low.error_pct, high.error_pct),
        None if low.confidence is None or high.confidence is None else min(low.confidence, high.confidence),
        measured=False,
    )


def _scaled(lowest: Setting, mhz: float) -> Setting:
    """Under the lowest clock, at its voltage: hashrate and power in proportion, which overstates neither's fall; the
    temperatures stay, as the worst case."""
    part = mhz / lowest.mhz
    return msgspec.structs.replace(
        lowest, mhz=mhz, hashrate_ghs=lowest.hashrate_ghs * part, power_w=lowest.power_w * part, measured=False
    )


def _mixed(low: float | None, high: float | None, part: float) -> float | None:
    return None if low is None or high is None else low + part * (high - low)


def _worse(low: float | None, high: float | None) -> float | None:
    return None if low is None or high is None else max(low, high)
