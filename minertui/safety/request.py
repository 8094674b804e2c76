"""What the kernel is asked: a command and all that the decision depends on."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from minertui.model.commands import Command, Rank
from minertui.model.fleet import Snapshot
from minertui.model.plans import Limits
from minertui.model.status import MinerStatus
from minertui.safety.settings import Settings
from minertui.safety.steps import Refusal, Steps

HOUR_S, DAY_S = 3600.0, 86400.0


class Rules(msgspec.Struct, frozen=True):
    """The numbers behind the rules; seconds, MHz, mV, °C. ``writes_per_day`` protects the flash (each write is
    stored; regulators of the TPS546 kind count about 1,000 cycles of their own memory, ESP-Miner #1392).
    ``dwell_s``: at least so long a raising step is waited for before the next one above the baseline. ``inertia_s``:
    for so long a sensor is taken to go on as it does, and to stay ``room_c`` under its limit; a heat sink has a time
    constant of 80 s on a Gamma's chip, 45 s on its regulator."""

    step_mhz: float = 25.0
    step_mv: float = 25.0
    dwell_s: float = 15.0
    inertia_s: float = 90.0
    room_c: float = 5.0
    raises_per_hour: int = 60
    writes_per_day: int = 1000
    restart_gap_s: float = 300.0
    sweep_restart_gap_s: float = 60.0
    repairs_per_day: int = 3
    fan_least_pct: int = 20


RULES = Rules()


class Request(msgspec.Struct, frozen=True):
    """All that the decision depends on; times are boot-clock seconds.

    ``limits`` are the caps in force (None: none known). ``before`` is the reading before the newest one.
    ``journalled``: the baseline is safely on disk, or can be put there. ``baseline`` is exempt from the floors: a miner
    may always go back to what it was. ``raised_s``/``wrote_s``/``restarted_s``: when that happened, as far back as a
    day. ``settled_s``: when the last step was proven; a reading must be newer to support a raise. ``doubt``: a reason
    of the caller not to trust the readings (a repeating miner, an incident). ``within``: limits of whoever orders,
    beside those in force.
    """

    command: Command
    rank: Rank
    snapshot: Snapshot
    now_s: float
    limits: Limits | None = None
    within: Limits | None = None
    before: MinerStatus | None = None
    journalled: bool = False
    baseline: Settings | None = None
    raised_s: Sequence[float] = ()
    wrote_s: Sequence[float] = ()
    restarted_s: Sequence[float] = ()
    settled_s: float | None = None
    doubt: str = ""
    parked: bool = False
    readonly: bool = False
    confirmed: bool = False
    rules: Rules = RULES


Decision = Steps | Refusal


def recent(times_s: Sequence[float], now_s: float, within_s: float) -> int:
    """How many of these times are less than ``within_s`` ago."""
    return sum(1 for at in times_s if now_s - at < within_s)


def goes_up(want: float | None, have: float | None) -> bool:
    """Unknown now counts as up: what is not known to be lower is higher. NaN too."""
    if want is None:
        return False
    return have is None or not want <= have


def may_lift_park(rank: Rank) -> bool:
    """Only a person clears a parked device."""
    return rank is Rank.PERSON
