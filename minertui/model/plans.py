"""What may be asked to run on a device, and how it goes.

One job runs on one device. Starting a sweep on five miners starts five independent jobs. A job's id is
``<kind>:<device>``: a device has at most one job of a kind. A relay's device is its rig. Plans of miners are stored and
sent in full, so that a version with other defaults runs them as they were meant.
"""

from __future__ import annotations

import enum

import msgspec

from minertui.model.relay import RelayPlan, RelayView
from minertui.model.text import spoken

SWEEPS_SHOWN = 50
"""So many sweeps are given where nobody says how many; one has 10 to 40 points."""


class Limits(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The user's caps for a device; None: only the model's own cap holds. They can only lower what ``safety`` allows.

    Temperatures in °C, frequency MHz, voltage mV, power W.
    """

    max_chip_temp_c: float | None = None
    max_vr_temp_c: float | None = None
    max_power_w: float | None = None
    min_mhz: float | None = None
    max_mhz: float | None = None
    min_mv: int | None = None
    max_mv: int | None = None


class Strategy(enum.StrEnum):
    """How a sweep walks. ADAPTIVE learns the board's own curves and measures only what it must; GRID is the parallel
    benchmark guide's walk, mended."""

    ADAPTIVE = "adaptive"
    GRID = "grid"


class Goal(enum.StrEnum):
    """What the sweep's winner is best at; only points that passed compete."""

    HASHRATE = "hashrate"
    EFFICIENCY = "efficiency"


class SweepPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="sweep"):
    """A benchmark sweep of one miner. Defaults are those of the parallel benchmark guide (specs: axeos 4.1, 4.3).

    Times are seconds on the program's clock. ``start_mhz``/``start_mv`` None: what the miner runs now.
    ``restart`` restarts the miner at every point, as the reference scripts do; otherwise changes are live and a restart
    happens only where the firmware needs one. ``max_power_w`` None: the guide's 28 W, and on a board of 12 V nine
    tenths of what it is built for, where that is known. ``max_fan_pct`` caps the fan's speed (None: no cap). For
    ADAPTIVE alone: ``measure_s`` is the most that a point may take, ``soak_s`` how long the winner is confirmed at
    least, and ``confidence`` (0.5..0.999) how sure a verdict must be.
    """

    device: str = ""  # empty in the config, where a plan is a template
    strategy: Strategy = Strategy.ADAPTIVE
    goal: Goal = Goal.HASHRATE
    start_mhz: float | None = None
    start_mv: int | None = None
    step_mhz: float = 5
    step_mv: int = 5
    min_mhz: float = 400
    max_mhz: float = 1200
    min_mv: int = 1000
    max_mv: int = 1200
    max_chip_temp_c: float = 62
    max_vr_temp_c: float = 65
    max_power_w: float | None = None
    max_fan_pct: float | None = None
    settle_s: float = 90
    measure_s: float = 600
    sample_s: float = 15
    soak_s: float = 240
    confidence: float = 0.95
    tolerance: float = 0.94
    max_error_pct: float = 1.0
    min_chip_balance: float = 0.7
    restart: bool = False
    apply_best: bool = True


class GuardPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="guard"):
    """Watch one miner's temperatures: step down at once, climb back slowly.

    ``high_mhz`` is what to run when cool (None: what the miner runs when the guard starts), ``low_mhz`` the floor that
    is really reached (None: 70 % of ``high_mhz``), ``max_mhz`` never to exceed (None: only the safety limits hold).
    ``check_s`` None: at every poll. ``settle_s``: time a step down gets to show its effect before the next one, unless
    the temperature is 5 °C over its limit. Steps and times default to the temperature-control script's.
    ``max_writes_per_day`` bounds steps up; a step down is never withheld.

    ``hold``: where a sweep's frontier is known, keep the chip at ``hold_temp_c`` (None, and at most: ``hysteresis_c``
    under ``max_chip_temp_c``) by moving along it, voltage with frequency; ``hold_dwell_s``: from a change to the next
    step up there.
    """

    device: str = ""  # empty in the config, where a plan is a template
    max_chip_temp_c: float = 65
    max_vr_temp_c: float = 85
    high_mhz: float | None = None
    low_mhz: float | None = None
    max_mhz: float | None = None
    step_down_mhz: float = 50
    step_up_mhz: float = 25
    hysteresis_c: float = 2
    stable_s: float = 3600
    settle_s: float = 30
    check_s: float | None = None
    max_writes_per_day: int = 48
    hold: bool = True
    hold_temp_c: float | None = None
    hold_dwell_s: float = 600


MinerPlan = SweepPlan | GuardPlan
Plan = MinerPlan | RelayPlan


class Phase(enum.StrEnum):
    """Where a job is. RESTORING goes on until the baseline is proven; PARKED waits for a person."""

    WAITING = "waiting"
    RUNNING = "running"
    RESTORING = "restoring"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    PARKED = "parked"

    @property
    def over(self) -> bool:
        """True when nothing more will happen without a person."""
        return self in (Phase.DONE, Phase.STOPPED, Phase.FAILED, Phase.PARKED)


class PointVerdict(enum.StrEnum):
    """What a measured point was worth; only PASSED points are ever ranked."""

    PASSED = "passed"
    UNSTABLE = "unstable"  # hashrate ratio, error percentage or chip balance
    LIMIT = "limit"  # a temperature, power or input limit was touched
    DISTURBED = "disturbed"  # reboot, pool or Wi-Fi loss, somebody else's change: says nothing about the point
    NOT_APPLIED = "not-applied"  # the miner was never really at these settings

    @property
    def words(self) -> str:
        """As a person reads it; result files and the API keep the value."""
        return spoken(self.value)


class SweepPoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """One measured point. ``n`` counts from 1 in the order measured; ``at_s`` is wall time when it ended.

    ``why``: why it was measured, in words. ``confidence``: how sure its verdict is, 0..1; None where that was not
    asked. ``soak``: it is the longer confirmation of a winner. ``cooler_w``: the power that the cooler surely takes
    within the temperature limits, as far as readings have shown by then; None where the fan still had an answer.
    ``likely_ghs``: of a soak, the hashrate by all points together, whose noise is less than its own.
    ``hashrate_memory``: how alike two readings in a row differ from the mean, -1..1 (lag-one autocorrelation).
    ``error_memory``: what one reading of the errors keeps of the one before, as this point shows it; and by how much
    that counts, one over its variance.
    """

    n: int
    mhz: float
    mv: int
    verdict: PointVerdict
    reason: str = ""
    hashrate_ghs: float | None = None
    expected_ghs: float | None = None
    power_w: float | None = None
    efficiency_jth: float | None = None
    chip_temp_c: float | None = None
    vr_temp_c: float | None = None
    input_mv: float | None = None
    fan_pct: float | None = None
    error_pct: float | None = None
    chip_balance: float | None = None
    hashrate_sd_ghs: float | None = None
    samples: int = 0
    at_s: float = 0.0
    why: str = ""
    confidence: float | None = None
    soak: bool = False
    cooler_w: float | None = None
    likely_ghs: float | None = None
    hashrate_memory: float | None = None
    error_memory: float | None = None
    error_memory_weight: float | None = None

    @property
    def passed(self) -> bool:
        """True when the point may be ranked and applied."""
        return self.verdict is PointVerdict.PASSED

    @property
    def ratio(self) -> float | None:
        """Measured share of the expected hashrate."""
        return self.hashrate_ghs / self.expected_ghs if self.hashrate_ghs and self.expected_ghs else None


class SweepSample(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reading taken inside a point: what the live line and the samples table show."""

    at_s: float
    n: int
    mhz: float
    mv: int
    index: int  # 1-based within the point
    of: int
    hashrate_ghs: float | None = None
    chip_temp_c: float | None = None
    vr_temp_c: float | None = None
    power_w: float | None = None
    input_mv: float | None = None
    error_pct: float | None = None
    fan_pct: float | None = None


class SweepView(msgspec.Struct, frozen=True, omit_defaults=True, tag="sweep"):
    """How a sweep goes, for the screen and the command line."""

    plan: SweepPlan
    sweep_id: str = ""
    points: tuple[SweepPoint, ...] = ()
    at_mhz: float | None = None
    at_mv: int | None = None
    sample: SweepSample | None = None
    best: SweepPoint | None = None
    baseline_mhz: float | None = None
    baseline_mv: int | None = None


class GuardEnd(enum.StrEnum):
    """What the end of a guard leaves its miner with."""

    GIVEN_BACK = "given-back"  # what its owner wants: the settings from before, proven, or what somebody else set since
    WAITS = "waits"  # lower settings; the engine gives the ones from before back once it is cool
    OWED = "owed"  # the settings from before are not proven; the engine goes on trying
    NEVER_GUARDED = "never-guarded"  # it never answered, and nothing was changed

    @property
    def well(self) -> bool:
        """True when it went as it should, hot miners included."""
        return self in (GuardEnd.GIVEN_BACK, GuardEnd.WAITS)


class GuardView(msgspec.Struct, frozen=True, omit_defaults=True, tag="guard"):
    """How a guard goes: ``wanted_mhz`` is its present ceiling, ``why`` its last decision in words. ``holds_c``: the
    chip temperature that it holds along a frontier; None while it moves the frequency alone. ``end``: None until it is
    stopped, and where it failed or somebody took the miner from it."""

    plan: GuardPlan
    wanted_mhz: float | None = None
    holds_c: float | None = None
    mean_temp_c: float | None = None
    writes_today: int = 0
    why: str = ""
    end: GuardEnd | None = None


JobView = SweepView | GuardView | RelayView


class JobState(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a job goes. ``done``/``total`` are points (total is an estimate), ``left_s`` the time left in seconds of the
    program's clock, ``note`` one sentence for a person, ``since_s`` wall time of the start."""

    id: str
    device: str
    phase: Phase
    view: JobView
    note: str = ""
    done: int = 0
    total: int | None = None
    left_s: float | None = None
    since_s: float = 0.0
    by: str = "person"

    @property
    def kind(self) -> str:
        """``sweep``, ``guard`` or ``relay``: the first half of the id."""
        return self.id.partition(":")[0]


class SweepRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sweep as kept for ever: its plan, its points, how it ended; and the board's chip and firmware, frequency and
    core voltage at its start."""

    id: str
    device: str
    mac: str | None
    model: str | None
    plan: SweepPlan
    phase: Phase
    since_s: float
    until_s: float | None = None
    points: tuple[SweepPoint, ...] = ()
    note: str = ""
    chip: str | None = None
    firmware: str | None = None
    home_mhz: float | None = None
    home_mv: int | None = None
