"""Judges by the true temperatures of a board: is what is too hot lowered in time, and is nothing raised too early?

Each rule names who has to act, at which temperatures, and how long that may take: a miner that answers, obeys and is
over a limit may not stay there. What a reading may be off by is left to it.
"""

from __future__ import annotations

import math
from collections import deque

import msgspec

from minertui.model.plans import GuardPlan
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_models import Phase
from tests.proofs.owner import SAME

_NOISE_C = 1.5  # a reading's: 0.2 °C, 0.3 °C, and rounding; eight-fold
_LOOK_S = 14.0  # a step of a climb is given 15 s to show
_INERTIA_S, _ROOM_C, _SLOPE_C = 90.0, 5.0, 6.5  # how the heat is taken to go on, its room, and the noise of that
_OBEYS = frozenset({"fan-dead", "fan-stuck", "overheat", "wrong-averages", "hostile-strings"})
"""Faults that neither hide the heat nor keep a write from being obeyed."""


class Rule(msgspec.Struct, frozen=True):
    """Who has to lower it, over which °C, within how many seconds; never under ``floor_mhz``."""

    who: str
    chip_c: float
    vr_c: float
    within_s: float
    floor_mhz: float = 0.0


def of_guard(plan: GuardPlan, chip_c: float, vr_c: float, poll_s: float, high_mhz: float) -> Rule:
    """What a guard of this plan owes under the limits in force. A step down gets ``settle_s``, and two polls to be
    seen; a minute for orders that are on their way."""
    return Rule(
        "its guard",
        min(plan.max_chip_temp_c, chip_c),
        min(plan.max_vr_temp_c, vr_c),
        plan.settle_s + 3 * poll_s + 90,
        0.7 * high_mhz + 7,
    )


class Heat:
    """One board's."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._hot_s: dict[str, float] = {}
        self._last: deque[tuple[float, float, float]] = deque(maxlen=40)  # when, chip, regulator, as it was asked

    def wrote(self) -> None:
        """It was lowered, or went down by itself: who looks has to wait for the effect."""
        self._hot_s.clear()

    def unseen(self) -> None:
        """Nobody could look for a while: whoever has to lower it has the whole time again."""
        self._hot_s.clear()

    def told(self, now_s: float, rules: list[Rule]) -> list[str]:
        """It answered, and the truth was as it is now; what nobody did about it, in words."""
        board, vr_c = self._board, self._vr_c()
        self._last.append((now_s, board.cooler.chip_c, vr_c))
        sound = board.faults <= _OBEYS and board.hashing and board.phase is Phase.RUNNING
        broken = []
        for rule in rules:
            hot = board.cooler.chip_c > rule.chip_c + _NOISE_C or vr_c > rule.vr_c + _NOISE_C
            if not sound or not hot or float(board.nvs["frequency"]) <= rule.floor_mhz + SAME:
                self._hot_s.pop(rule.who, None)
                continue
            since_s = self._hot_s.setdefault(rule.who, now_s)
            if now_s - since_s > rule.within_s:
                self._hot_s[rule.who] = now_s
                felt = f"{board.cooler.chip_c:.1f} °C, regulator {vr_c:.1f} °C, for {now_s - since_s:.0f} s"
                limit = f"over {rule.chip_c:g} / {rule.vr_c:g} °C, within {rule.within_s:.0f} s"
                broken.append(f"{felt}, and {rule.who} has not lowered it ({limit})")
        for gone in self._hot_s.keys() - {rule.who for rule in rules}:
            del self._hot_s[gone]
        return broken

    def warmer_than(self, chip_c: float, vr_c: float) -> bool:
        """When it answered last, was it surely above this?"""
        if not self._last:
            return False
        _, chip, vr = self._last[-1]
        return chip > chip_c + _NOISE_C or vr > vr_c + _NOISE_C

    def heads_over(self, chip_c: float, vr_c: float) -> bool:
        """Going on as between its last answers, does it surely leave no room under these limits?"""
        if not self._last:
            return False
        now_s, *now = self._last[-1]
        then = next((past for past in reversed(self._last) if past[0] <= now_s - _LOOK_S), None)
        if then is None or now_s - then[0] > 60:
            return False
        for n, limit_c in ((0, chip_c), (1, vr_c)):
            slope = max(0.0, now[n] - then[1 + n]) / (now_s - then[0])
            if now[n] + slope * _INERTIA_S > limit_c - _ROOM_C + _SLOPE_C:
                return True
        return False

    def _vr_c(self) -> float:
        return -math.inf if self._board.ina260 else self._board.cooler.vr_c
