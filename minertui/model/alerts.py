"""What a person should know about, and how bad it is."""

from __future__ import annotations

import enum

import msgspec


class Severity(enum.StrEnum):
    """How bad. Shown by word and mark (``!``, ``!!``), never by colour alone."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def mark(self) -> str:
        """The mark in front of a text."""
        return {"info": "", "warning": "!", "critical": "!!"}[self.value]


class Alert(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something a person should know. ``id`` is ``<rule>:<device>``: the same trouble is one alert, counted.
    ``until_s`` is set when it is over; times are wall time."""

    id: str
    rule: str
    device: str
    severity: Severity
    text: str
    since_s: float
    until_s: float | None = None
    count: int = 1
    acknowledged: bool = False

    @property
    def active(self) -> bool:
        """True while the trouble lasts."""
        return self.until_s is None
