"""The frontier that a board's newest sweep left, for the guard that moves along it and for whoever is about to start
one. It is found by the board's MAC, under whatever name or address it was swept."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from minertui.engine.records import Records
from minertui.engine.store import StoreError
from minertui.model.fleet import Snapshot
from minertui.model.frontier import Known
from minertui.model.status import MinerStatus


async def left_to(snapshot: Snapshot, records: Records, say: Callable[[str], None]) -> Known | None:
    """None without one, and where the board's MAC is not known; what cannot be read is said."""
    status = snapshot.status
    if not isinstance(status, MinerStatus) or status.mac is None:
        return None
    try:
        return await records.known(status.mac)
    except (StoreError, msgspec.MsgspecError) as error:
        say(f"whether a sweep left a frontier cannot be read: {error}")
        return None
