"""What a line remembers between readings: does the miner repeat itself, did its own overheat protection act, and is it
silent because it was told to restart?

The judgements are ``safety.samples``'. Here is kept what they need: the last reading, what we wrote lately, and the
incident under way, whose signs (fan, flag, no power, lower settings) come one after another and are one incident.
"""

from __future__ import annotations

from minertui.model.commands import Command, Pause, Restart, Resume
from minertui.model.status import MinerStatus
from minertui.safety import samples
from minertui.safety.settings import Settings

_ECHO_S = 30.0  # so long a write of ours explains what is read; a step is looked at for 20 s
_SAME_S = 120.0  # a sign so soon after the last one, or after the miner hashed again, is of the same incident
AWAY_S = 180.0
"""So long may a miner be silent after it was told to restart, pause or resume: what a sweep waits for one, too."""


class Signs:
    """Of one device. Times are boot-clock seconds."""

    def __init__(self) -> None:
        self._ours, self._wrote_s = Settings(), float("-inf")
        self._stuck, self._counted_s = samples.Stuck(), float("-inf")
        self._tripped_s = float("-inf")
        self._told: tuple[str, float] | None = None

    def wrote(self, command: Command, now_s: float) -> None:
        """We are about to send this, for whomever it is."""
        if isinstance(command, Restart | Pause | Resume):  # to resume is a restart for the NerdQAxe family
            self._told = (type(command).__name__.lower(), now_s)
        self._ours, self._wrote_s = self._lately(now_s).wrote(command), now_s

    def away(self, now_s: float) -> str:
        """Why it may be silent now, as a sentence; empty when nothing explains it (any more)."""
        if self._told is None or now_s - self._told[1] > AWAY_S:
            return ""
        return f"it was told to {self._told[0]} {now_s - self._told[1]:.0f} s ago"

    def answered(self, status: MinerStatus, now_s: float) -> None:
        """It is back when it started after it was told to; an answer from before that explains nothing."""
        if self._told is not None and status.uptime_s is not None and now_s - status.uptime_s > self._told[1]:
            self._told = None

    def stuck(self, status: MinerStatus, now_s: float, poll_s: float) -> str | None:
        """What stands still, as a sentence. A reading much sooner than a poll is not counted: values may be equal."""
        if now_s - self._counted_s >= poll_s / 2 or not samples.hashing(status):
            self._stuck, self._counted_s = self._stuck.after(status), now_s
        return self._stuck.why

    def incident(self, before: MinerStatus | None, status: MinerStatus, now_s: float) -> str | None:
        """What shows that the firmware's overheat protection acted since ``before``; None when nothing does, or when
        it is one more sign of an incident under way. Another device, or a first reading, tells nothing."""
        if before is None or before.mac != status.mac:
            return None
        sign = samples.overheated(before, status, self._lately(now_s))
        lasting = now_s - self._tripped_s < _SAME_S
        if sign or (lasting and (status.overheat or not samples.hashing(status))):
            self._tripped_s = now_s
        return None if lasting else sign

    def _lately(self, now_s: float) -> Settings:
        return self._ours if now_s - self._wrote_s < _ECHO_S else Settings()
