"""What was, and what is configured, as a screen sees it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from minertui.model.frontier import Known
from minertui.model.plans import GuardPlan, Limits, SweepPlan


class Series(msgspec.Struct, frozen=True):
    """Metrics of one device over time, thinned to what a chart can draw.

    ``at_s`` are wall times of the middle of each bucket, ascending and evenly ``step_s`` apart; the columns have the
    same length and hold None where nothing is known: a gap is drawn as a gap.
    """

    device: str
    step_s: float
    at_s: tuple[float, ...]
    mean: Mapping[str, tuple[float | None, ...]]
    low: Mapping[str, tuple[float | None, ...]] = {}
    high: Mapping[str, tuple[float | None, ...]] = {}


class MinerEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A miner as the config file holds it, without its secrets."""

    name: str
    address: str
    kind: str = "axeos"
    tags: tuple[str, ...] = ()
    pinned: bool = False
    poll_s: float | None = None
    readonly: bool = False
    limits: Limits = Limits()


class Templates(msgspec.Struct, frozen=True, omit_defaults=True):
    """The plans that the config proposes for a miner: its own tables over the general ones. ``known``: the frontier
    that a guard of it would move along; None: no sweep of this board left one."""

    sweep: SweepPlan = SweepPlan()
    guard: GuardPlan = GuardPlan()
    known: Known | None = None


class Found(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device that discovery found. ``known_as`` is its name in the config when its MAC or address is there;
    ``moved_from`` the address that stands there for it, and at which it does not answer any more."""

    address: str
    kind: str
    model: str | None = None
    hostname: str | None = None
    mac: str | None = None
    firmware: str | None = None
    hashrate_ghs: float | None = None
    known_as: str | None = None
    moved_from: str | None = None
