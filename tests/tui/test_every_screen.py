"""Every place of the screen in every state at every size, as text: one app a state is led through all of them.

The pictures in colour are in ``test_snapshots``. Run with ``--snapshot-update`` after looking at what changed.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from syrupy.assertion import SnapshotAssertion

from minertui.model.fleet import Fleet
from tests.tui import pictures
from tests.tui.fake_link import FakeLink
from tests.tui.looking import Looking, looking

SIZES = ((80, 24), (120, 40), (200, 60))
PLACES = {"fleet": "1", "map": "m", "miner": "2", "sweep": "w", "alerts": "a", "log": "l", "commands": "c"}
STATES: dict[str, Callable[[], Fleet]] = {
    "empty": pictures.empty,
    "normal": pictures.normal,
    "error": pictures.error,
    "hostile": pictures.hostile,
}


async def still(seen: Looking) -> str:
    """What stands there when all that was asked for has come and is drawn."""
    now, same = "", 0
    for _ in range(100):
        await seen.pilot.pause(0.06)
        busy = [w for w in seen.app.workers if w.group not in ("feed", "actions") and not w.is_finished]
        before, now = now, seen.text
        same = same + 1 if seen.pane.ready and not busy and now == before else 0
        if same >= 4:
            return now
    raise AssertionError(f"it does not stand still:\n{now}")


@pytest.mark.parametrize("state", STATES)
async def test_every_place_at_every_size(state: str, snapshot: SnapshotAssertion):
    fleet = STATES[state]()
    link = FakeLink(fleet, pictures.hostile_lines() if state == "hostile" else None)
    async with looking(link, size=SIZES[0]) as seen:
        for width, height in SIZES:
            await seen.pilot.resize_terminal(width, height)
            for place, key in PLACES.items():
                if place in ("map", "miner") and not fleet.snapshots:
                    continue
                await seen.press(key)
                text = await still(seen)
                lines = text.split("\n")
                assert len(lines) == height
                assert all(len(line) <= width for line in lines)
                assert all(char.isprintable() for line in lines for char in line)
                assert text == snapshot(name=f"{place} {width}x{height}")
                if place == "map":
                    await seen.press("m")  # back to the table
