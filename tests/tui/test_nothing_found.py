"""A filter that leaves nothing says so, in the table and in the heat map; groups are not cut on a narrow screen."""

from __future__ import annotations

import pytest

from tests.tui import pictures
from tests.tui.looking import looking

SAID = "No miner matches /nobody; Esc shows all again."


@pytest.mark.parametrize("mapped", [False, True])
async def test_a_filter_that_leaves_nothing_says_how_to_see_all_again(mapped: bool) -> None:
    async with looking(pictures.normal()) as seen:
        await seen.press(*"m" * mapped, "slash", *"nobody", "enter")
        await seen.sees(SAID)
        assert "0 of 12 shown" in seen.text
        await seen.press("escape")
        await seen.sees("12 of 12 shown")
        assert SAID not in seen.text


async def test_the_sums_of_groups_are_not_cut_at_80_columns() -> None:
    async with looking(pictures.normal(), size=(80, 24)) as seen:
        await seen.press("v", "v")
        await seen.sees("by kind")
        groups = [line for line in seen.text.split("\n") if "Gamma (" in line or "Supra (" in line]
        assert groups
        assert not any("…" in line for line in groups), groups
