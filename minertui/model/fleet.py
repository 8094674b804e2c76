"""All that is known now. A Snapshot is the newest reading of a device and how old it is; a Fleet is all of them.

Both are frozen: the hub makes a new Fleet for each change and hands the same object to everybody.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec

from minertui.model.alerts import Alert
from minertui.model.plans import JobState, Limits
from minertui.model.status import Status


class Health(enum.StrEnum):
    """Can we believe what we show? LOST is not UNKNOWN: lost was there and is gone."""

    UNKNOWN = "unknown"  # never answered yet
    OK = "ok"
    STALE = "stale"  # the last poll failed, or gave a bad answer; or it repeats itself and cannot be believed
    LOST = "lost"  # three polls in a row failed
    AUTH = "auth"  # it refuses us (401): password, or address not in its own network
    STRANGER = "stranger"  # another device answers at this address (MAC differs): never written
    PARKED = "parked"  # no automatic action until a person clears it


class Snapshot(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest of one device.

    ``at_s``: wall time of the reading, seconds since the epoch, None before the first. ``boot_s``: the same moment on
    the host's boot-time clock, for freshness. ``why``: one sentence when health is not OK. ``recent_ghs``: hashrate of
    the last hour, oldest first, at most 60 means of a minute, for the spark.
    """

    device: str
    kind: str = "axeos"
    address: str = ""
    tags: tuple[str, ...] = ()
    pinned: bool = False
    status: Status | None = None
    at_s: float | None = None
    boot_s: float | None = None
    poll_s: float = 5.0
    health: Health = Health.UNKNOWN
    why: str = ""
    since_s: float | None = None  # wall time since when the health is as it is
    misses: int = 0
    limits: Limits = Limits()  # in force: the user's caps and the model's, joined
    recent_ghs: tuple[float, ...] = ()
    incidents: int = 0  # overheat incidents seen since the engine knows the device

    @property
    def stuck(self) -> bool:
        """True when it answers but repeats itself: its telemetry is not believed, its settings read back."""
        return self.health is Health.STALE and self.misses == 0 and self.status is not None

    @property
    def answered(self) -> bool:
        """True when the newest poll was answered by the device that is meant."""
        return self.status is not None and (self.health in (Health.OK, Health.PARKED) or self.stuck)


class Fleet(msgspec.Struct, frozen=True, omit_defaults=True):
    """All known now. ``version`` counts changes; ``speed`` is the program clock's factor (1 on real hardware)."""

    version: int = 0
    at_s: float = 0.0
    engine: str = ""  # version of the engine's program
    speed: float = 1.0
    readonly: bool = False
    demo: bool = False
    snapshots: Mapping[str, Snapshot] = {}
    jobs: Mapping[str, JobState] = {}
    alerts: Mapping[str, Alert] = {}
    notice: str = ""  # what the engine wants everybody to see (config refused, disk full)

    def with_(self, snapshot: Snapshot) -> Fleet:
        """The fleet with this device's newest snapshot."""
        return msgspec.structs.replace(self, snapshots={**self.snapshots, snapshot.device: snapshot})

    def without(self, device: str) -> Fleet:
        """The fleet without this device and its jobs."""
        return msgspec.structs.replace(
            self,
            snapshots={k: v for k, v in self.snapshots.items() if k != device},
            jobs={k: v for k, v in self.jobs.items() if v.device != device},
        )

    def with_job(self, job: JobState) -> Fleet:
        """The fleet with this job as it goes now."""
        return msgspec.structs.replace(self, jobs={**self.jobs, job.id: job})

    def with_alert(self, alert: Alert) -> Fleet:
        """The fleet with this alert as it stands now."""
        return msgspec.structs.replace(self, alerts={**self.alerts, alert.id: alert})

    def jobs_of(self, device: str) -> tuple[JobState, ...]:
        """The jobs of a device, running ones first."""
        return tuple(sorted((j for j in self.jobs.values() if j.device == device), key=lambda j: j.phase.over))


EMPTY = Fleet()
