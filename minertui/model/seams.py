"""Three protocols hold the house together, and a clock.

Device   engine → hardware     read, apply, close (and the optional LogSource, Statistics)
Site     job → engine          what a job may see and ask
Link     screen → engine       what a screen may see and ask; the engine is one, the API client is another
                               (and the optional FaultConsole: the demo's; Bridging: a connection's)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from minertui.model.alerts import Alert
from minertui.model.commands import Command, CommandRecord, Order, Outcome, Tune
from minertui.model.errors import LinkError
from minertui.model.events import LogLine, Message
from minertui.model.fleet import Snapshot
from minertui.model.history import Found, MinerEntry, Series, Templates
from minertui.model.plans import SWEEPS_SHOWN, JobState, JobView, Phase, Plan, SweepRecord
from minertui.model.relay import BoardOrder
from minertui.model.status import Status


class Clock(Protocol):
    """Time is given, never taken. All in seconds; ``sleep`` and all three clocks run ``speed`` times faster on
    simulated hardware."""

    @property
    def speed(self) -> float: ...
    def mono(self) -> float:
        """Monotonic: for deadlines and intervals; stands still in suspend."""
        ...

    def boot(self) -> float:
        """Since boot, suspend included: for the freshness of samples."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch: only for people and history."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Device(Protocol):
    """A piece of hardware. One request in flight; every call has a total deadline.

    All three raise DeviceError. ``apply`` writes ONE command as it is and returns when the device accepted it; that
    proves nothing, the arbiter reads back. Unreachable from ``apply`` means: outcome unknown; of its kind
    NotSent alone says that nothing was written.
    """

    @property
    def address(self) -> str: ...
    async def read(self) -> Status: ...
    async def apply(self, command: Command) -> None: ...
    async def close(self) -> None: ...


@runtime_checkable
class LogSource(Protocol):
    """A device that streams its own log."""

    def log_lines(self) -> AsyncIterator[str]:
        """Cleaned lines until the connection ends; raises DeviceError when it cannot be opened."""
        ...


@runtime_checkable
class Statistics(Protocol):
    """A device that remembers: rows of (seconds before now, metric id → value), oldest first."""

    async def statistics(self) -> Sequence[tuple[float, dict[str, float]]]: ...


class Site(Protocol):
    """What a job may see and ask. Each job gets its own, bound to its device, its rank and its name.

    The waiting methods raise Stopped once the job was asked to end, and Preempted when a higher rank took the device;
    after either only ``conclude``, ``log`` and ``report`` still work. A job that needs more states its own narrow
    protocol on top of this one.
    """

    def snapshot(self) -> Snapshot:
        """The newest of the job's device (it may be stale: ask ``safety``)."""
        ...

    async def next_snapshot(self, within_s: float | None = None) -> Snapshot:
        """Waits for the next poll of the device, successful or not; polls earlier when ``within_s`` is shorter than
        the engine's own period."""
        ...

    async def send(self, command: Command) -> Outcome:
        """Through arbiter and safety, read back. The baseline is journalled before the first change."""
        ...

    async def conclude(self, settings: Tune | None) -> Outcome:
        """Ends the job's changes: applies ``settings`` (None: the baseline), proves them in two fresh readings and
        closes the journal's entry. Works after Stopped and Preempted; keeps the entry when it cannot be proven."""
        ...

    async def sleep(self, seconds: float) -> None: ...
    def now(self) -> float:
        """Seconds on the boot-time clock, comparable with ``Snapshot.boot_s``."""
        ...

    def log(self, text: str) -> None: ...
    def report(self, phase: Phase, view: JobView, note: str = "", **progress: float | None) -> None:
        """How the job goes: ``done``, ``total``, ``left_s``."""
        ...


class Link(Protocol):
    """What a screen may see and ask. All calls raise LinkError when the engine cannot be reached and MinertuiError
    with one sentence when it says no."""

    def watch(self) -> AsyncIterator[Message]:
        """First the whole Fleet, then numbered events; after a break the implementation resumes, or gives a new
        Whole. Raises LinkError when the engine stays away."""
        ...

    async def send(self, order: Order) -> CommandRecord: ...
    async def commands(self, limit: int = 200) -> Sequence[CommandRecord]:
        """The command log, newest first."""
        ...

    async def start(self, plan: Plan) -> JobState: ...
    async def stop(self, job_id: str) -> JobState:
        """Returns at once; the job restores and ends in its own time."""
        ...

    async def forget(self, job_id: str) -> None:
        """An ended job leaves the fleet; what it measured is kept. Raises JobError while it runs."""
        ...

    async def plans(self, device: str) -> Templates:
        """What a sweep and a guard of this miner start from: the config's plans, and the frontier that is known."""
        ...

    async def steer(self, job_id: str, order: BoardOrder) -> JobState:
        """Tell a running relay (``relay:<rig>``) something about a board; the others go on."""
        ...

    async def clear(self, device: str) -> None:
        """A person clears a parked device."""
        ...

    async def history(
        self, device: str, metrics: Sequence[str], since_s: float, until_s: float, points: int = 500
    ) -> Series:
        """METRICS of a miner; RIG_METRICS of a rig, or of its board as ``rig/board``. Times are wall time."""
        ...

    async def sweeps(
        self, device: str | None = None, limit: int = SWEEPS_SHOWN, before_s: float | None = None
    ) -> Sequence[SweepRecord]:
        """Sweeps kept, newest first, at most ``limit`` of them. For more: those that began before ``before_s``, the
        ``since_s`` of the last one (wall time)."""
        ...

    async def log(self, source: str | None = None, limit: int = 500) -> Sequence[LogLine]:
        """The newest lines, oldest first; None: merged. Live lines come as events of ``watch``."""
        ...

    async def follow(self, device: str, on: bool) -> None:
        """Ask the engine to keep the miner's own log stream open (a lease of 60 s, renewed by asking again)."""
        ...

    async def acknowledge(self, alert_id: str) -> Alert: ...
    async def save_miner(self, entry: MinerEntry, replaces: str | None = None) -> None:
        """Add a miner to the config, or change the one named ``replaces``; written to the file at once."""
        ...

    async def remove_miner(self, name: str) -> None: ...
    async def miners(self) -> Sequence[MinerEntry]:
        """The miners of the config as they stand in the file."""
        ...

    async def discover(self, networks: Sequence[str]) -> Sequence[Found]:
        """mDNS, and a bounded scan of the private networks named (CIDR, at most /22 each)."""
        ...

    async def shutdown(self) -> None:
        """Restore what must be restored, then end the engine."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Bridging(Protocol):
    """A Link over a connection that may break: ``watch`` bridges that in silence, so who shows what it gives as the
    present must be told."""

    def on_break(self, tell: Callable[[LinkError], None]) -> None:
        """Call this with the reason when a stream breaks, and again at each attempt that fails. The next message of
        ``watch`` is the end of it."""
        ...


@runtime_checkable
class FaultConsole(Protocol):
    """A Link to simulated miners, which can be told to go wrong. The demo's engine is one. The API's client always has
    these calls, and raises Unsupported when its engine has none: look at ``Fleet.demo`` first."""

    async def faults(self) -> Mapping[str, str]:
        """What can go wrong: name → what it does, in a sentence."""
        ...

    async def faults_on(self, device: str) -> Sequence[str]:
        """The names of those that are on at one miner, whoever switched them."""
        ...

    async def fault(self, device: str, name: str, on: bool) -> None:
        """Switch a fault of one miner on or off. Raises ConfigError for a name that ``faults`` does not have."""
        ...
