"""Is what answers the miner that is meant? A name means one board, known by its MAC from its first reading on.

another MAC than the one known                        no, until a person accepts it
a MAC that answers under another name already         no: two names of one miner would each undo what the other does
a MAC, where it told none in several readings before  only after an update: the same model with another firmware
"""

from __future__ import annotations

from collections.abc import Callable

from minertui.model.status import MinerStatus

_UNTOLD = 3  # one answer may lack its MAC by a fault


class Who:
    """Of one line. ``twin`` gives the name under which a MAC answers already; empty where it does not."""

    def __init__(self, twin: Callable[[str], str] = lambda mac: "") -> None:
        self._twin = twin
        self._before: MinerStatus | None = None  # the last reading that was believed without a MAC
        self._untold = 0

    def wrong(self, status: MinerStatus, expected: str | None) -> str:
        """Why this reading is not of the miner that is meant, and what to do; empty when it is. ``expected``: its MAC,
        None as long as it has told none."""
        mac = status.mac
        if expected and mac != expected:
            return f"another device answers here, {mac or 'without a MAC'} instead of {expected}; clear it to accept"
        if mac and (name := self._twin(mac)):
            return f"the same miner as “{name}” ({mac}); remove one of the two from the config"
        if mac and not expected and self._untold >= _UNTOLD and not _updated(self._before, status):
            return f"another device may answer here, {mac}: what answered before told no MAC; clear it to accept"
        return ""

    def believed(self, status: MinerStatus) -> None:
        """Remember a reading of the one that is meant."""
        self._before, self._untold = (status, self._untold + 1) if status.mac is None else (None, 0)

    def accept(self) -> None:
        """Whatever answers next is the one that is meant."""
        self._before, self._untold = None, 0


def _updated(before: MinerStatus | None, now: MinerStatus) -> bool:
    if before is None or before.firmware in (None, now.firmware):
        return False
    return (before.model, before.board, before.chip) == (now.model, now.board, now.chip)
