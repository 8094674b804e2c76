"""The help and the palette tell keys that do, in this place, what stands behind them."""

from __future__ import annotations

import pytest

from minertui.tui.commands import BY_ID
from minertui.tui.commands.base import At
from minertui.tui.help import help_rows
from minertui.tui.keys import free_sign, signs
from minertui.tui.options import Options
from minertui.tui.widgets.glyphs import plain
from tests.tui import pictures
from tests.tui.looking import looking


def rows(place: str, keys: dict[str, str] | None = None) -> list[tuple[str, str, str]]:
    return [(r.key, r.meaning, r.id) for r in help_rows(At(place, ("lab-gamma",), pictures.normal()), keys or {})]


@pytest.mark.parametrize(
    ("place", "id_", "key"),
    [
        ("sweep", "pools", ""),  # o ranks there
        ("sweep", "pause", ""),  # u changes the goal
        ("sweep", "commands", ""),
        ("sweep", "stop-benchmark", "B"),
        ("fleet", "pools", "o"),
        ("fleet", "open", "Enter"),  # the table's own Enter does the same
        ("fleet", "log", "l"),  # the heat map's, which is not always there
        ("fleet", "fleet", "F"),  # Home is the list's first line
        ("miner", "fleet", "Home"),
        ("log", "sweeps", ""),  # w wraps
        ("log", "freeze", ""),  # p holds the log
        ("log", "fleet", ""),  # Home is its oldest line, F follows
        ("log", "back", "Esc"),
    ],
)
def test_the_key_that_is_told_is_one_that_nothing_else_has_there(place, id_, key):
    assert free_sign(BY_ID[id_], place, {}) == key


def test_help_sends_to_the_palette_what_has_no_key_there():
    told = {id_: (key, meaning) for key, meaning, id_ in rows("sweep") if id_}
    assert told["pools"] == (":", "Set the pools (asks for the name); its key means something else here")
    assert told["stop-benchmark"] == ("B", "Stop the benchmark sweep (asks first)")
    assert "sweeps" not in told  # they are here


def test_the_keys_of_lists_and_logs_are_the_users_own_too():
    assert signs(("points.up", "points.down"), {}) == "↑ ↓ k j"
    assert signs(("log.search", "log.next"), {"log.search": "ctrl+f"}) == "^F n"
    assert ("^F n N", "search, next, previous", "") in rows("log", {"log.search": "ctrl+f"})
    moved = rows("sweep", {"sweep.order": "ctrl+o"})
    assert any(key == "^O u" for key, _, _ in moved)
    assert ("o", "Set the pools (asks for the name)", "pools") in moved  # its key is its own again


async def test_the_palette_tells_no_key_that_means_something_else_here():
    async with looking(pictures.normal()) as seen:
        await seen.press("w", "colon", *"pools")
        await seen.sees("Set the pools")
        assert next(line for line in seen.text.split("\n") if "Set the pools" in line).strip() == "Set the pools"


async def test_the_palette_is_ascii_where_that_is_asked_for():
    async with looking(pictures.normal(), options=Options(ascii=True)) as seen:
        await seen.press("colon", *"sweeps")
        await seen.sees("Show the sweeps")
        assert seen.text.isascii(), [line for line in seen.text.split("\n") if not line.isascii()]


def test_both_arrows_of_the_help_have_a_sign_in_ascii():
    assert plain("← →") == "< >"
