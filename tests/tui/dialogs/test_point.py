"""All that is known of a measured point, and only what can be applied is applied."""

from __future__ import annotations

import msgspec
import pytest
from textual.widgets import Button

from minertui.model.plans import SweepPlan
from minertui.tui.dialogs.box import Body
from minertui.tui.dialogs.point import PointDialog, explained, figures, mean_error_ghs
from minertui.tui.widgets.glyphs import ASCII, UNICODE
from tests.tui import pictures
from tests.tui.dialogs.room import opened, results, said, until
from tests.tui.dialogs.show import FAILED, POINT


def dialog(point=POINT, **more) -> PointDialog:
    return PointDialog("attic-1", SweepPlan(max_chip_temp_c=62), point, pictures.NOW_S, **more)


async def test_it_says_what_was_measured_how_it_was_judged_and_why_it_was_measured() -> None:
    async with opened(lambda: dialog(place="2 of 6 by efficiency", took_s=690.0)) as pilot:
        text = " ".join(said(pilot).split())
        for part in (
            "attic-1: 550 MHz 1125 mV, measured as number 7",
            "confirmed by a soak: passed (sure to 97 %), 2 of 6 by efficiency",
            "Measured because: the surface has its best here by 0.8 %; one point more halves what it may be wrong by",
            "1085.2 ± 15.9 GH/s", "96.7 % of 1122 GH/s", "15.57 J/TH", "16.90 W", "58.3 °C of 62", "61.0 °C of 65",
            "0.14 %", "11m with settling", "11:45:00",
        ):  # fmt: skip
            assert part in text, part
        await pilot.press("enter")
        assert results(pilot) == [True]


async def test_the_words_of_a_point_are_explained_with_what_the_plan_asks_for() -> None:
    plan = SweepPlan(tolerance=0.96, max_error_pct=0.5, confidence=0.9)
    async with opened(lambda: PointDialog("attic-1", plan, POINT, pictures.NOW_S)) as pilot:
        for words in (
            "expected       measured of what the frequency promises; 96 % must be",
            "errors         share of results that were wrong; must be under 0.5 %",
            "sure to        how likely the verdict is right; 90 % were asked for",
            "★ best         first by the goal of those that passed; soaked go first",
        ):
            assert words in said(pilot)
    bare = msgspec.structs.replace(FAILED, hashrate_ghs=None, confidence=None)  # what is not shown is not explained
    assert [x.text[:6] for x in explained(bare, plan, ASCII)] == ["* best"]


async def test_what_a_small_screen_has_no_room_for_is_scrolled_between_heading_and_buttons() -> None:
    point = msgspec.structs.replace(POINT, why="a long reason " * 40)
    async with opened(lambda: dialog(point, refused="it is read-only")) as pilot:
        shown = pilot.app.screen
        box = shown.query_one(Body)
        assert box.max_scroll_y > 0
        assert shown.query_one(Button).region.bottom < 24
        await pilot.press("pagedown")
        await until(pilot, lambda: box.scroll_y > 0, "the next page")
        await pilot.press("pageup")
        await until(pilot, lambda: box.scroll_y == 0, "the first page")


async def test_a_point_that_failed_says_why_and_is_not_applied() -> None:
    async with opened(lambda: dialog(FAILED, refused="only a point that passed can be")) as pilot:
        text = " ".join(said(pilot).split())
        assert "unstable hashrate 91.2 % of what 600 MHz give, under 94 % (sure to 99 %)" in text
        assert "It cannot be applied: only a point that passed can be." in text
        await pilot.press("enter")  # the way out has the focus
        assert results(pilot) == [False]


async def test_nothing_is_applied_while_the_engine_is_away() -> None:
    async with opened(dialog) as pilot:
        shown = pilot.app.screen
        assert isinstance(shown, PointDialog)
        shown.heed("!! Engine lost")
        assert shown.query_one("#apply", Button).disabled
        await pilot.press("enter")  # it had the focus: Enter does not mean the button beside it now
        assert results(pilot) == []
        shown.heed("")
        assert not shown.query_one("#apply", Button).disabled
        await pilot.press("escape")
        assert results(pilot) == [False]


def test_a_short_look_that_passed_under_what_must_be_says_why_it_passed() -> None:
    assert POINT.expected_ghs is not None
    low = msgspec.structs.replace(POINT, hashrate_ghs=0.9 * POINT.expected_ghs)
    texts = [explained(point, SweepPlan(), UNICODE)[0].text.split(maxsplit=1)[1] for point in (POINT, low)]
    assert texts == [
        "measured of what the frequency promises; 94 % must be",
        "under the 94 % that must be, but too few readings to be sure",
    ]


def test_what_is_not_known_is_left_out() -> None:
    bare = msgspec.structs.replace(FAILED, hashrate_ghs=None, expected_ghs=None, samples=0)
    assert figures(bare, SweepPlan(), pictures.NOW_S) == []


@pytest.mark.parametrize(
    ("samples", "alike", "error"),
    [(40, 0.0, 13.0), (160, 0.0, 6.5), (40, 0.6, 26.0), (40, -0.5, 13.0), (40, 1.0, 56.7), (1, 0.0, None)],
)
def test_a_mean_is_as_sure_as_its_readings_are_many_and_unlike(samples, alike, error) -> None:
    point = msgspec.structs.replace(POINT, samples=samples, hashrate_memory=alike)
    found = mean_error_ghs(point)
    assert found is None if error is None else found == pytest.approx(error, abs=0.05)
