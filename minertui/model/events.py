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


def advance(fleet: Fleet, message: Message) -> Fleet:
    """``fleet`` after this message: what every reader of a stream does. LogLine and CommandDone change the version
    alone; ``at_s`` is the latest wall time that the events name."""
    if isinstance(message, Whole):
        return message.fleet
    changed = after(fleet, message.event)
    return msgspec.structs.replace(changed, version=message.version, at_s=max(fleet.at_s, _when(message.event)))


def after(fleet: Fleet, event: Event) -> Fleet:
    """``fleet`` with what ``event`` tells; CommandDone and LogLine are told, not kept. The version stays."""
    match event:
        case SnapshotTaken(snapshot):
            return fleet.with_(snapshot)
        case DeviceRemoved(device):
            return fleet.without(device)
        case JobChanged(job):
            return fleet.with_job(job)
        case JobForgotten(id_):
            return msgspec.structs.replace(fleet, jobs={k: v for k, v in fleet.jobs.items() if k != id_})
        case AlertRaised(alert):
            return fleet.with_alert(alert)
        case NoticeChanged(text):
            return msgspec.structs.replace(fleet, notice=text)
        case _:
            return fleet


def _when(event: Event) -> float:
    match event:
        case SnapshotTaken(snapshot):
            return max(snapshot.at_s or 0.0, snapshot.since_s or 0.0)
        case LogLine():
            return event.at_s
        case CommandDone(record):
            return record.at_s
        case _:
            return 0.0
