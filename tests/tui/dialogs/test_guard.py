"""The guard's dialog tells what the guard would do along the frontier that a sweep left, or why it would not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from textual.widgets import Input

from minertui.model.plans import GuardPlan, Limits
from minertui.tui.dialogs.along import Swept, along
from minertui.tui.dialogs.box import Body
from minertui.tui.dialogs.form import Picker
from minertui.tui.dialogs.guard import GuardDialog
from tests.tui import pictures
from tests.tui.dialogs.room import fill, opened, results, said, until
from tests.tui.dialogs.show import KNOWN

ATTIC = pictures.snapshot(0)  # 525 MHz at 1150 mV, its fan at 60 °C
ASKED = GuardPlan(hold_temp_c=61)


def board(device: str = "attic-1", known: Any = KNOWN, limits: Limits | None = None, **status: Any) -> Swept:
    assert ATTIC.status is not None
    changed = replace(ATTIC, device=device, status=replace(ATTIC.status, **status), limits=limits or ATTIC.limits)
    return Swept(changed, known)


def told(*boards: Swept, plan: GuardPlan = ASKED) -> str:
    return " ".join(line.text for line in along(plan, boards, pictures.NOW_S))


def test_what_is_known_and_what_it_would_hold():
    assert told(board()) == (
        "Frontier: 3 settings, 430 MHz / 1060 mV to 560 MHz / 1175 mV, of its sweep (19 Nov 13:30, 22h30 ago). "
        "Holds 61 °C (chip) and 83 °C (VR) by moving along it, 368 MHz / 1060 mV to 525 MHz / 1138 mV; up 25 MHz at "
        "most, 10m after a change."
    )


@pytest.mark.parametrize(
    ("plan", "limits", "expected"),
    [
        (replace(ASKED, low_mhz=450), Limits(), "450 MHz / 1074 mV to 525 MHz / 1138 mV"),
        (replace(ASKED, high_mhz=800, low_mhz=560), Limits(), "moving along it, 560 MHz / 1175 mV; up"),
        (ASKED, Limits(min_mv=1080), "368 MHz / 1080 mV to 525 MHz / 1138 mV"),
        (replace(ASKED, hold_temp_c=70), Limits(), "Holds 63 °C (chip, its most)"),
        (ASKED, Limits(max_mv=1050), "! None of them is within the limits in force: it would never climb."),
    ],
)
def test_floor_ceiling_and_limits_bound_it(plan: GuardPlan, limits: Limits, expected: str):
    assert expected in told(board(limits=limits), plan=plan)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (board(known=None), "! No sweep left a frontier of this board, so it moves the frequency alone."),
        (board(firmware="v3"), "! Not used, it moves the frequency alone: its firmware is v3 now and was v2.11.0"),
        (board(frequency_mhz=600.0), "600 MHz, set by hand, are more than its sweep proved. Sweep it again (b)."),
        (Swept(replace(ATTIC, status=None)), "! It has not answered yet"),
        (board(temp_target_c=61.0), "! Under a fan held at 61 °C or more it never climbs (attic-1's at 61 °C)"),
    ],
)
def test_why_it_would_not_and_what_to_do(one: Swept, expected: str):
    assert expected in told(one)


def test_where_it_shall_not_hold_nothing_is_said_of_it():
    assert told(board(), plan=GuardPlan(hold=False)) == ""


def test_of_several_it_says_which_would_and_which_not():
    boards = (board("a"), board("b"), board("c", None), board("d", firmware="v3"), board("e", firmware="v3"))
    assert told(*boards) == (
        "Along the frontier of their sweeps: a, b. Holds 61 °C (chip) and 83 °C (VR). "
        "! Frequency alone, no sweep left a frontier (b starts one): c. "
        "! Frequency alone: d (its firmware is v3 now and was v2.11.0 at the sweep) and 1 more."
    )


def test_of_a_miner_that_is_swept_it_promises_nothing_of_what_runs_just_now():
    swept = replace(board("a"), sweeping=True)
    said = (
        "! A sweep runs on a: until it ends the guard only watches, or steps down; then it guards what the sweep left."
    )
    assert told(swept) == said
    assert told(swept, plan=GuardPlan(hold=False)) == said
    assert told(swept, board("b")).startswith(f"{said} Along the frontier of their sweeps: b.")


async def test_however_much_there_is_to_say_the_buttons_are_on_the_smallest_screen() -> None:
    names = [f"a-miner-with-a-very-long-name-{n}" for n in range(9)]
    known = (KNOWN, KNOWN, KNOWN, None, None, None, KNOWN, KNOWN, KNOWN)
    firmware = ("v2.11.0",) * 6 + ("v3",) * 3
    boards = [
        board(name, left, firmware=runs, temp_target_c=64.0)
        for name, left, runs in zip(names, known, firmware, strict=True)
    ]
    plans = [replace(ASKED, device=name) for name in names]
    async with opened(lambda: GuardDialog(boards, plans, pictures.NOW_S)) as pilot:
        foreseen = pilot.app.screen.query_one("#preview", Body)
        assert foreseen.max_scroll_y > 0
        await pilot.press("pagedown", "pagedown")
        await until(pilot, lambda: foreseen.scroll_y == foreseen.max_scroll_y, "the last page")
        assert all(0 < button.region.bottom <= 23 for button in pilot.app.screen.query("Button"))
    async with opened(lambda: GuardDialog(boards, plans, pictures.NOW_S), 120, 40) as pilot:
        assert "lower its target (f)." in said(pilot)
        assert "…" not in said(pilot).partition("Each runs on as now.")[2]


async def test_what_holding_needs_is_asked_and_shown_live_and_not_where_it_shall_not() -> None:
    async with opened(lambda: GuardDialog([Swept(ATTIC, KNOWN)], [GuardPlan("attic-1")], pictures.NOW_S)) as pilot:
        await fill(pilot, hold_temp_c="60.5", hold_dwell_s="300")
        assert "Holds 60.5 °C (chip)" in said(pilot)
        assert "5m after a change" in said(pilot)
        assert "cool: 25 MHz up" not in said(pilot), "that is how it climbs without a frontier"
        hold = pilot.app.screen.query_one("#hold", Picker)
        hold.focus()
        await pilot.press("space")
        assert pilot.app.screen.query_one("#hold_temp_c", Input).disabled
        assert "Frontier" not in said(pilot)
        assert "1h00 cool: 25 MHz up" in said(pilot)
        await pilot.press("space", "enter")
        assert results(pilot) == [(GuardPlan("attic-1", hold_temp_c=60.5, hold_dwell_s=300),)]
