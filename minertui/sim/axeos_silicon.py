"""A piece of silicon: what voltage it needs for a clock, what it loses below that, and what heat it makes.

Every chip off the wafer is different; a seed makes it, and the same seed makes the same chip. The shape is fitted to
140 measured points of a two-chip device: an error share below 0.5 % goes with a hashrate ratio of 0.96 and more,
0.5–1 % with 0.90, 1–2 % with 0.78 and more than 2 % with 0.61; above a certain clock the ratio stays just below 0.94 at
any voltage.
"""

from __future__ import annotations

import math
import random

import msgspec

from minertui.sim.axeos_models import Chip, Family

_KNEE_MV = 8.0  # how sharp the edge is
_LOSS_PER_KNEE = 0.07  # at the needed voltage itself 5 % are lost: the ratio is 0.95
_ERRORS_PER_LOSS = 7.0  # per cent of errors for a hashrate lost whole
_BACKGROUND_ERROR_PCT = 0.05
_MV_PER_KELVIN = 0.25  # hotter silicon is slower
_REFERENCE_C = 60.0
_LEAK_DOUBLES_K = 35.0


class Point(msgspec.Struct, frozen=True):
    """What a board does at one setting, at rest and without noise. ``core_w`` is the heat of all chips."""

    hashrate_ghs: float
    ratio: float
    error_pct: float
    core_w: float
    chip_ghs: tuple[float, ...]


NO_POINT = Point(0.0, 0.0, 0.0, 0.0, ())


class Silicon:
    """The chips of one board."""

    def __init__(self, family: Family, seed: int) -> None:
        """``seed``: the same gives the same chips."""
        dice = random.Random(f"silicon-{family.name}-{seed}")
        self.family = family
        chip = family.chip
        self._chip: Chip = chip
        board_mv = _spread(dice, 12.0, 25.0)
        self._offset_mv = tuple(board_mv + _spread(dice, 4.0, 8.0) for _ in range(family.chips))
        self._weakest_mv = max(self._offset_mv)
        self._slope = chip.need_slope * (1 + _spread(dice, 0.06, 0.12))
        self._full_mhz = chip.full_mhz + _spread(dice, 25.0, 50.0)
        self._leak = chip.leak_w * (1 + _spread(dice, 0.15, 0.3))
        self._gain = 1.0 + max(0.0, _spread(dice, 0.01, 0.02))

    def need_mv(self, mhz: float, chip_c: float = _REFERENCE_C) -> float:
        """The core voltage (mV, as set) at which the weakest chip still gives 95 % of its hashrate at ``mhz``."""
        return self._base_mv(mhz, chip_c) + self._weakest_mv

    def saturation(self, mhz: float) -> float:
        """Share of the hashrate that no voltage brings back at ``mhz`` (0 below the knee)."""
        over = mhz - self._full_mhz
        return 0.0 if over <= 0 else 0.10 * (1 - math.exp(-over / 60)) + 0.0002 * over

    def point(self, mhz: float, core_mv: float, chip_c: float = _REFERENCE_C) -> Point:
        """The board at ``mhz`` and ``core_mv``, chips at ``chip_c``."""
        expected = mhz * self._chip.cores / 1000
        if mhz <= 0 or core_mv <= 0:
            return Point(0.0, 0.0, 0.0, 0.0, tuple(0.0 for _ in self._offset_mv))
        most_ghs = expected * (self._gain * (1 - self.saturation(mhz)))
        margin_mv = core_mv - self._base_mv(mhz, chip_c)
        losses = [_loss(margin_mv - offset) for offset in self._offset_mv]
        chip_ghs = tuple([most_ghs * (1 - loss) for loss in losses])
        loss = sum(losses) / len(losses)
        total = sum(chip_ghs)
        return Point(
            hashrate_ghs=total,
            ratio=total / (expected * len(losses)),
            error_pct=_BACKGROUND_ERROR_PCT + _ERRORS_PER_LOSS * loss,
            core_w=self.core_w(mhz, core_mv, chip_c),
            chip_ghs=chip_ghs,
        )

    def core_w(self, mhz: float, core_mv: float, chip_c: float = _REFERENCE_C) -> float:
        """Heat of all chips: V²·F and leakage, which grows with temperature and voltage."""
        volts = core_mv / 1000
        warm = 2 ** ((min(chip_c, 150.0) - _REFERENCE_C) / _LEAK_DOUBLES_K)
        leak = self._leak * warm * (core_mv / self._chip.default_mv) ** 3
        return (self._chip.dynamic_w * volts * volts * mhz + leak) * self.family.chips

    def _base_mv(self, mhz: float, chip_c: float) -> float:
        over = mhz - self._chip.default_mhz
        curve = self._chip.need_curve * over * over if over > 0 else 0.0
        return self._chip.need_mv + self._slope * over + curve + _MV_PER_KELVIN * (chip_c - _REFERENCE_C)


def _loss(margin_mv: float) -> float:
    """Hashrate lost to under-voltage, 0..1, for a margin over the needed voltage (negative: below it)."""
    below = -margin_mv / _KNEE_MV
    softplus = below if below > 30 else math.log1p(math.exp(below))
    return 1 - math.exp(-_LOSS_PER_KNEE * softplus)


def _spread(dice: random.Random, sigma: float, limit: float) -> float:
    return max(-limit, min(limit, dice.gauss(0, sigma)))
