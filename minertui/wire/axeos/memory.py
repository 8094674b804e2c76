"""What one address told before, where an answer that fails must not make anything looser.

``/api/system/asic`` holds the absolute maxima of a board that publishes them. It is asked for once, and again after a
reboot, another firmware or another miner; what it said holds until it says something else, for what a board is built
for does not change while its web server fails. Only an answer that means "this firmware has none" ends the asking.

A board that told a regulator's temperature once, one that can be, and tells none any more is not without that sensor.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from minertui.model.errors import Garbled
from minertui.model.status import MinerStatus
from minertui.wire import json

Value = TypeVar("Value")
NOT_TOLD_C = -1.0
"""As AxeOS tells a sensor that it cannot read."""
_COLDEST_C, _HOTTEST_C = 0.0, 120.0  # between them is a temperature, beyond may be a number of no heat
_TRIES = 3  # at polls that follow each other
_PAUSE_POLLS, _SLOWER = 4, 4  # and then after 4, 8, 16, 32, 64 polls
_MINERS = 8  # at one address; more are no miners that change places
_SIGNS = ("ASICModel", "asicCount", "deviceModel", "defaultFrequency", "frequencyOptions", "absMaxFrequency")
_MAXIMA = ("absMaxFrequency", "absMaxVoltage")


class _Told(msgspec.Struct, frozen=True):
    """What a miner said about its chips, and under which firmware."""

    asic: bytes
    firmware: str | None


class Memory:
    """Of one address; give every reading to ``note`` first. Pure but for what it remembers."""

    def __init__(self) -> None:
        self._last: MinerStatus | None = None
        self._told: dict[str | None, _Told] = {}
        self._regulated: dict[str | None, str | None] = {}  # the firmware that told a regulator's temperature
        self._wanted, self._tries, self._polls_left = True, 0, 0

    @property
    def asic(self) -> bytes | None:
        """What the miner of the last reading said of its chips; None: nothing that is known."""
        known = self._known
        return known.asic if known else None

    def note(self, status: MinerStatus) -> bool:
        """Take a reading in. True when ``asic`` is to be asked for now: at the next polls, and then less and less
        often, until ``heard`` has an answer to it."""
        last, self._last = self._last, status
        if last is not None and _is_new(last, status):
            self._wanted, self._tries, self._polls_left = True, 0, 0
        self._polls_left = max(0, self._polls_left - 1)
        if not self._wanted or self._polls_left:
            return False
        self._tries += 1
        more = min(self._tries - _TRIES, _SLOWER)
        self._polls_left = 0 if more < 0 else _PAUSE_POLLS * 2**more
        return True

    def heard(self, code: int, body: bytes) -> None:
        """What came for the question for ``asic``, whatever it is."""
        assert self._last is not None  # it was asked after a reading
        mac, firmware, known = self._last.mac, self._last.firmware, self._known
        same = known is not None and firmware in (None, known.firmware)
        if (code == 200 and body.lstrip().startswith(b"<")) or code in (404, 405) or 300 <= code < 400:
            self._wanted = False
            if known is not None and not same:
                del self._told[mac]  # what this firmware never said, and another one did
        elif code == 200 and _tells(body, known.asic if known is not None and same else None):
            self._wanted = False
            _keep(self._told, mac, _Told(body, firmware))

    def whole(self, status: MinerStatus) -> MinerStatus:
        """The reading, with a regulator that it does not tell any more as a sensor that failed."""
        known = self._regulated.get(status.mac)
        if status.vr_temp_c is not None and not _COLDEST_C < status.vr_temp_c < _HOTTEST_C:
            return status  # what a board without such a sensor may tell in an hour in which its bus is broken
        if status.vr_temp_c is not None:
            _keep(self._regulated, status.mac, status.firmware or known)
        elif status.mac in self._regulated and status.firmware in (None, known):
            return msgspec.structs.replace(status, vr_temp_c=NOT_TOLD_C)
        return status

    @property
    def _known(self) -> _Told | None:
        return self._told.get(self._last.mac if self._last else None)


def _is_new(last: MinerStatus, now: MinerStatus) -> bool:
    """Another miner, another firmware, or the same one after a reboot."""
    rebooted = (now.uptime_s or 0) < (last.uptime_s or 0)
    return rebooted or now.mac != last.mac or now.firmware != last.firmware


def _tells(asic: bytes, known: bytes | None) -> bool:
    """Is it such an answer, with all the maxima that this firmware told before?"""
    try:
        told = json.load_object(asic)
        before = json.load_object(known) if known else {}
    except Garbled:
        return False
    return any(name in told for name in _SIGNS) and all(told.get(name) for name in _MAXIMA if before.get(name))


def _keep(kept: dict[str | None, Value], key: str | None, value: Value) -> None:
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > _MINERS:
        del kept[next(iter(kept))]
