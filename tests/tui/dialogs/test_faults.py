"""Faults of the demo: found, filtered, switched; and nowhere to be found on real miners."""

from __future__ import annotations

import msgspec

from minertui.tui.commands import offered
from minertui.tui.commands.base import At
from minertui.tui.options import Options
from tests.tui import pictures
from tests.tui.fake_link import FakeLink
from tests.tui.looking import looking

DEMO = msgspec.structs.replace(pictures.normal(), demo=True)
FAULTS = {"fan-dead": "the fan stands still", "wifi-lost": "no answer to anything", "fan-slow": "half of the speed"}


class Simulators(FakeLink):
    async def faults(self) -> dict[str, str]:
        return FAULTS


async def test_a_fault_is_found_by_its_words_and_switched_on_and_off() -> None:
    async with looking(Simulators(DEMO)) as seen:
        await seen.press("j", "X")
        await seen.sees("Simulate a fault on attic-2   none is on")
        assert all(name in seen.text and text in seen.text for name, text in FAULTS.items())
        await seen.press(*"half", "space", *"speed")
        await seen.until(lambda: "fan-dead" not in seen.text)
        await seen.press("enter")
        await seen.until(lambda: seen.link.sent("fault") == [("attic-2", "fan-slow", True)])
        await seen.sees("on   fan-slow")
        await seen.press("escape")
        await seen.until(lambda: len(seen.app.screen_stack) == 1)
        await seen.press("X")
        await seen.sees("Simulate a fault on attic-2   1 on")  # the engine knows, whoever switched it
        assert seen.text.index("fan-slow") < seen.text.index("fan-dead")
        assert "on   fan-slow" in seen.text
        seen.link.refuse = "attic-2 is no simulated miner"
        await seen.press("enter")
        await seen.sees("attic-2 is no simulated miner")
        assert "on   fan-slow" in seen.text
        seen.link.refuse = None
        await seen.press("enter")
        await seen.until(lambda: seen.link.sent("fault")[-1] == ("attic-2", "fan-slow", False))


async def test_the_smallest_terminal_has_room_for_it() -> None:
    async with looking(Simulators(DEMO), size=(80, 24), options=Options()) as seen:
        await seen.press("X")
        await seen.sees("Esc close")
        await seen.press("z")
        await seen.sees("no fault has these words")


def test_real_miners_and_readonly_screens_have_no_such_thing() -> None:
    assert "simulate-fault" in {a.id for a in offered(At("fleet", ("attic-1",), DEMO))}
    for fleet, readonly in ((pictures.normal(), False), (DEMO, True)):
        assert "simulate-fault" not in {a.id for a in offered(At("fleet", ("attic-1",), fleet, readonly))}
