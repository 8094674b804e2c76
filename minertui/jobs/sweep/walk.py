"""What a strategy is: given all points so far, the next one to measure, or the end and why.

A strategy has no memory of its own. It is asked again with every point measured, so a resumed sweep walks on exactly
where it stopped, and a plan with the same points always gives the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from minertui.model.plans import SweepPlan, SweepPoint
from minertui.model.ranking import Bounds
from minertui.safety.settings import Settings


class Target(msgspec.Struct, frozen=True):
    """Settings to measure: frequency in MHz, core voltage in mV; ``why`` in words; ``soak``: confirm, at length;
    ``probe``: go there in small steps and stop where errors begin to show."""

    mhz: float
    mv: int
    why: str = ""
    soak: bool = False
    probe: bool = False

    def __str__(self) -> str:
        return Settings(self.mhz, self.mv).tune_text


class Finish(msgspec.Struct, frozen=True):
    """Nothing more to measure; ``reason`` is one sentence for a person."""

    reason: str


class Walk(Protocol):
    """A strategy. ``points`` holds one point per target handed out so far, in that order; a strategy of live steps may
    have got less far than its target."""

    def __call__(
        self,
        plan: SweepPlan,
        within: Bounds,
        start: Target,
        points: Sequence[SweepPoint],
        earlier: Sequence[SweepPoint] = (),
    ) -> Target | Finish:
        """The next target, or the end. ``earlier``: what sweeps before this one have shown of the same board."""
        ...
