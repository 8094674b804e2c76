"""Moments in words. Times of day are local; everything else is relative to the fleet's own time."""

from __future__ import annotations

from datetime import UTC, datetime


def clock_text(at_s: float | None) -> str:
    """``12:04:05`` of the user's own time zone; unknown is a dash."""
    return "—" if not at_s else datetime.fromtimestamp(at_s, tz=UTC).astimezone().strftime("%H:%M:%S")


def moment_text(at_s: float | None, now_s: float) -> str:
    """``12:04:05`` today, ``19 Nov 12:04`` before."""
    if not at_s:
        return "—"
    then, now = (datetime.fromtimestamp(s, tz=UTC).astimezone() for s in (at_s, now_s))
    return then.strftime("%H:%M:%S" if then.date() == now.date() else "%d %b %H:%M")
