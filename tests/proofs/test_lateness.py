from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tests.proofs.lateness import Lateness, Looks


def hold_up(is_seen: Callable[[], object]) -> None:
    time.sleep(0.3)
    until_s = time.monotonic() + 20
    while not is_seen() and time.monotonic() < until_s:
        time.sleep(0.01)


async def test_a_loop_that_is_held_up_is_late_and_the_place_is_told():
    lateness = Lateness()
    watching = asyncio.create_task(lateness.watch())
    await asyncio.sleep(0.02)
    hold_up(lambda: lateness._places)
    await asyncio.sleep(0.02)
    looks = lateness.take()
    watching.cancel()
    await asyncio.wait([watching])
    assert looks.ms(1.0) >= 150
    assert any("hold_up" in place for place in looks.places)
    assert lateness.take().late == {}


def test_looks_add_up_and_shares_are_of_all_of_them():
    looks = Looks({0: 98, 60: 1}, {0: 99}, {"a": 1}, 3.0).plus(Looks({500: 1}, {10: 1}, {"a": 2, "b": 1}, 2.0))
    assert looks == Looks({0: 98, 60: 1, 500: 1}, {0: 99, 10: 1}, {"a": 3, "b": 1}, 3.0)
    assert [looks.ms(share) for share in (0.5, 0.98, 0.99, 1.0)] == [1, 1, 61, 501]
    assert looks.ms(1.0, own=True) == 11
