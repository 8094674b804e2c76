"""Asks one device again and again, at its own moment within the period.

A thousand devices start spread over one period and keep their places, so that polls never come in bursts. Somebody
else's reading (a command's read-back, a job in a hurry) counts as the poll. After a standstill of the process or of
the host nothing known is believed, and the places are drawn anew instead of asking everybody at once.
"""

from __future__ import annotations

import random

from minertui.engine.line import Line
from minertui.model.seams import Clock

STANDSTILL_S = 2.0  # this late is not a busy loop any more
_NAP_S = 30.0  # a place may come nearer while it is waited for: the config asks for it more often now
_NOW_S = 0.001  # nearer than this is now: clocks tick, and a sleep shorter than a tick would never end


async def poll(line: Line, clock: Clock, rng: random.Random) -> None:
    """Poll ``line`` for ever; the first time after a random part of its period."""
    line.due_s = clock.boot() + rng.random() * line.options.poll_s
    while True:
        while (left := line.due_s - clock.boot()) > _NOW_S:
            await clock.sleep(min(left, _NAP_S * max(1.0, clock.speed)))
        if -left > STANDSTILL_S * max(1.0, clock.speed):
            line.doubt(f"the engine stood still for {-left:.0f} s")
            line.due_s = clock.boot() + rng.random() * line.options.poll_s
            continue
        await line.refresh()
