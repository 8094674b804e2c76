"""What a sweep remembers, what it is told and what it asks for. All frozen; the rules are in ``brain``."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace

from minertui.jobs.sweep.thermal import Trace
from minertui.jobs.sweep.transient import WORST, Response
from minertui.jobs.sweep.walk import Target
from minertui.jobs.sweep.watch import Mark
from minertui.model.commands import Command, Outcome
from minertui.model.fleet import Snapshot
from minertui.model.plans import Phase, SweepPlan, SweepPoint, SweepSample
from minertui.model.ranking import Bounds
from minertui.model.status import MinerStatus
from minertui.safety.samples import Stuck


class Stage(enum.Enum):
    """Where the present point is."""

    APPLY = "setting"  # the settings are on their way
    RESTART = "restarting"  # the restart command is on its way
    BOOT = "waiting for the reboot"
    SETTLE = "settling"
    MEASURE = "measuring"
    RETREAT = "retreating"  # lower settings are on their way
    RETREAT_RESTART = "restarting lower"  # ... and the restart that old firmware needs to follow them
    REST = "resting"  # cooling, or waiting for the miner to come back


# told


@dataclass(frozen=True)
class Seen:
    """A poll, successful or not."""

    snapshot: Snapshot


@dataclass(frozen=True)
class Told:
    """How the command asked for ended, and the newest reading after it."""

    outcome: Outcome
    snapshot: Snapshot


Event = Seen | Told


# asked


@dataclass(frozen=True)
class Send:
    """Write this, then tell."""

    command: Command


@dataclass(frozen=True)
class Look:
    """Show the next poll, at the latest in ``within_s`` seconds."""

    within_s: float


@dataclass(frozen=True)
class End:
    """The sweep is over. DONE: the walk is complete; FAILED: it cannot go on; PARKED: a person must look."""

    phase: Phase
    reason: str


Ask = Send | Look | End


@dataclass(frozen=True)
class State:
    """All that the sweep remembers. Times are seconds on the boot-time clock.

    ``at`` is the point's target; ``mark`` what held when its settings were proven; ``tries`` counts its disturbances,
    ``refused`` its refusals. ``retreat`` is set while lower settings are not proven yet; ``cooling`` while the next
    point waits for the miner to be calm. ``earlier`` are points of sweeps before this one. ``begun`` is what ``within``
    was at the start: a limit that is lowered meanwhile holds as long as it is so.

    A strategy that walks in live steps also keeps: ``rung`` what is on its way to the miner, ``here`` what it runs,
    ``origin`` what it ran before this point, ``trail`` the newest readings, ``changed_s`` when the newest step was made
    and ``growth`` by which share heat had grown until then that had not shown yet, ``climb`` all steps (when, heat),
    ``response`` what came of them, ``cut`` why it went no further, ``left`` that the last point was left in time,
    ``easing`` that what it heated is waited for to cool.
    """

    plan: SweepPlan
    within: Bounds
    start: Target
    baseline: Target
    restart: bool
    points: tuple[SweepPoint, ...] = ()
    stage: Stage = Stage.APPLY
    since_s: float = 0.0
    at: Target | None = None
    mark: Mark | None = None
    proven: bool = False  # a reading after the change showed these settings
    tries: int = 0
    refused: int = 0
    misses: int = 0
    silent: int = 0
    blind: int = 0
    stuck: Stuck = field(default_factory=Stuck)
    good_s: float = 0.0
    seen_s: float | None = None
    readings: tuple[MinerStatus, ...] = ()
    sample: SweepSample | None = None
    next_sample_s: float = 0.0
    retreat: Target | None = None
    cooling: bool = False
    lost: bool = False
    why: str = ""
    wall_s: float = 0.0
    earlier: tuple[SweepPoint, ...] = ()
    rung: Target | None = None
    here: Target | None = None
    origin: Target | None = None
    trail: tuple[Trace, ...] = ()
    changed_s: float = 0.0
    growth: float = 0.0
    climb: tuple[tuple[float, float], ...] = ()
    response: Response = WORST
    cut: str = ""
    left: bool = False
    easing: bool = False
    begun: Bounds | None = None

    @property
    def told(self) -> Target:
        """What the miner is to run at this moment: the target, or the rung on the way to it."""
        return self.rung or self.target

    @property
    def target(self) -> Target:
        """The present point's settings; the baseline before the first."""
        return self.at or self.baseline


@dataclass(frozen=True)
class Step:
    """What one event leads to: the new state, what to ask next, what to keep for ever and what to say."""

    state: State
    ask: Ask
    keep: tuple[SweepPoint | SweepSample, ...] = ()
    say: tuple[str, ...] = ()

    def after(self, keep: tuple[SweepPoint | SweepSample, ...], say: tuple[str, ...] = ()) -> Step:
        """The same with more to keep and to say, in front."""
        return replace(self, keep=(*keep, *self.keep), say=(*say, *self.say))
