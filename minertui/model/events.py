"""What happened. The hub numbers events; a client that knows fleet version n asks for what came after n."""

from __future__ import annotations

import msgspec

from minertui.model.alerts import Alert, Severity
from minertui.model.commands import CommandRecord
from minertui.model.fleet import Fleet, Snapshot
from minertui.model.plans import JobState


class SnapshotTaken(msgspec.Struct, frozen=True, tag="snapshot"):
    """A device was read, or could not be."""

    snapshot: Snapshot


class LogLine(msgspec.Struct, frozen=True, omit_defaults=True, tag="log"):
    """A line somebody said. ``source`` is a device, a job id or ``engine``; the text is cleaned. ``at_s`` wall time."""

    source: str
    text: str
    at_s: float
    severity: Severity = Severity.INFO


class JobChanged(msgspec.Struct, frozen=True, tag="job"):
    """A job goes as stated."""

    job: JobState


class JobForgotten(msgspec.Struct, frozen=True, tag="job-forgotten"):
    """An ended job left the fleet."""

    id: str


class AlertRaised(msgspec.Struct, frozen=True, tag="alert"):
    """An alert is new, grew, was acknowledged or is over."""

    alert: Alert


class CommandDone(msgspec.Struct, frozen=True, tag="command"):
    """A command ended."""

    record: CommandRecord


class DeviceRemoved(msgspec.Struct, frozen=True, tag="removed"):
    """A device left the config."""

    device: str


class NoticeChanged(msgspec.Struct, frozen=True, tag="notice"):
    """What the engine wants everybody to see; empty when there is nothing."""

    text: str


Event = SnapshotTaken | DeviceRemoved | JobChanged | JobForgotten | AlertRaised | CommandDone | LogLine | NoticeChanged


class Whole(msgspec.Struct, frozen=True, tag="whole"):
    """The whole fleet: the first message of every stream, and again after a gap that cannot be filled."""

    fleet: Fleet


class Numbered(msgspec.Struct, frozen=True, tag="event"):
    """An event and the fleet version that it leads to."""

    version: int
    event: Event


Message = Whole | Numbered
