"""What goes over the wire besides the model's own values: questions, small answers, and errors."""

from __future__ import annotations

from typing import Annotated

import msgspec

from minertui import __version__
from minertui.model.errors import (
    ConfigError,
    DeviceError,
    JobError,
    LinkError,
    MinertuiError,
    Preempted,
    Refused,
    Unreachable,
    Unsupported,
)
from minertui.model.events import Numbered, Whole
from minertui.model.plans import SWEEPS_SHOWN

API_VERSION = 1
HEARTBEAT_S = 15.0
"""A stream that has nothing to tell says so this often (real seconds): silence means a broken connection."""


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """Nothing happened, and the engine is there."""


StreamLine = Whole | Numbered | Heartbeat


class EngineHealth(msgspec.Struct, frozen=True):
    """The engine answers. ``pid`` is its process."""

    pid: int
    version: str = __version__
    api: int = API_VERSION


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong: one sentence for a person, and the class of the error for programs."""

    error: str
    kind: str
    device: str = ""


class Follow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keep the miner's own log stream open for the next 60 s, or no longer."""

    on: bool


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault of a simulated miner, from now on or no longer."""

    name: str
    on: bool = True


class Networks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Private networks to scan besides mDNS, in CIDR form, at most /22 each."""

    networks: Annotated[tuple[str, ...], msgspec.Meta(max_length=16)] = ()


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters; as a body: ``{}``."""


class After(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``after``: the fleet version that the caller has seen; absent: start with the whole fleet."""

    after: Annotated[int, msgspec.Meta(ge=0)] | None = None


class Newest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``limit``: how many at most."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 200


class SweepsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``device``: only of this one; absent: of all. ``before_s``: those that began before, for the next page."""

    device: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = SWEEPS_SHOWN
    before_s: float | None = None


class LogQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``source``: a device, a job id or ``engine``; absent: all, merged."""

    source: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 500


class HistoryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``metrics``: ids divided by commas; times are wall time in seconds since the epoch. ``board``: of a rig's board
    instead of the whole rig."""

    metrics: str
    since_s: float
    until_s: float
    points: Annotated[int, msgspec.Meta(ge=2, le=5000)] = 500
    board: str = ""


class RequestError(MinertuiError):
    """The request itself is wrong; ``status`` is the HTTP status that says how."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


_STATUS: tuple[tuple[type[MinertuiError], int], ...] = (
    (ConfigError, 422),
    (Unreachable, 504),
    (Refused, 409),
    (Unsupported, 409),
    (DeviceError, 502),
    (JobError, 409),
    (LinkError, 503),
    (MinertuiError, 400),
)
_BY_KIND: dict[str, type[MinertuiError]] = {kind.__name__: kind for kind in (JobError, Preempted, LinkError)}
_OF_DEVICE: dict[str, type[DeviceError]] = {
    kind.__name__: kind for kind in (DeviceError, Unreachable, Refused, Unsupported)
}


def status_of(error: MinertuiError) -> int:
    """The HTTP status that fits."""
    if isinstance(error, RequestError):
        return error.status
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def problem_of(error: MinertuiError) -> Problem:
    """``error`` as it goes over the wire."""
    if isinstance(error, DeviceError):
        return Problem(error.message, type(error).__name__, error.device)
    return Problem(str(error), type(error).__name__)


def error_of(problem: Problem) -> MinertuiError:
    """The error that a problem tells of, as near as its class is known here."""
    if problem.kind == ConfigError.__name__:
        return ConfigError(problem.error)
    if problem.device:
        return _OF_DEVICE.get(problem.kind, DeviceError)(problem.device, problem.error)
    return _BY_KIND.get(problem.kind, MinertuiError)(problem.error)
