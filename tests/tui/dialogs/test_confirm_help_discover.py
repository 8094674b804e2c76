from __future__ import annotations

import msgspec
import pytest
from textual.widgets import Button, Input

from minertui.model.commands import Change
from minertui.model.history import Found, MinerEntry
from minertui.tui.dialogs.confirm import TYPE_NAME, ConfirmDialog
from minertui.tui.dialogs.discover import DiscoverDialog, entries
from minertui.tui.dialogs.help import HelpRow, HelpScreen
from tests.tui import pictures
from tests.tui.dialogs.room import opened, results, said
from tests.tui.dialogs.show import FOUND, link

CHANGES = [Change("Frequency", "525 MHz", "550 MHz")]


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        ("y", True),
        ("n", False),
        ("escape", False),
        ("left enter", True),
        ("right enter", False),
        ("right left enter", True),
        ("left right enter", False),
        ("tab enter", True),
    ],
)
async def test_only_a_clear_yes_is_a_yes(keys: str, answer: bool) -> None:
    async with opened(lambda: ConfirmDialog("Tune attic-1", CHANGES)) as pilot:
        assert "525 MHz → 550 MHz" in said(pilot)
        await pilot.press(*keys.split())
        assert results(pilot) == [answer]


async def test_enter_alone_is_no_answer_and_says_what_is() -> None:
    async with opened(lambda: ConfirmDialog("Tune attic-1", CHANGES)) as pilot:
        assert "Enter alone" not in said(pilot)
        await pilot.press("enter", "enter")  # the second of a form before, held down
        assert results(pilot) == []
        assert "Enter alone answers nothing: y is yes, n is no." in said(pilot)
        await pilot.press("y")
        assert results(pilot) == [True]


async def test_where_the_name_is_wanted_nothing_less_will_do() -> None:
    async with opened(lambda: ConfirmDialog("Remove", ["gone"], TYPE_NAME, "attic-1")) as pilot:
        await pilot.press("y", "enter")
        assert results(pilot) == []
        assert pilot.app.screen.query_one("#yes", Button).disabled
        pilot.app.screen.query_one(Input).value = "attic-10"
        await pilot.press("enter")
        assert results(pilot) == []
        await pilot.press("end", "backspace", "enter")
        assert results(pilot) == [True]


async def test_many_and_hostile_lines_are_shown_as_text() -> None:
    async with opened(lambda: ConfirmDialog("[/] [@click=app.quit]x", list(pictures.PAYLOADS) * 3)) as pilot:
        assert "[@click=app.quit]x" in said(pilot)
        assert pilot.app.screen.query_one("#no").region.bottom <= 24
        await pilot.press("n")
        assert results(pilot) == [False]


async def test_help_lists_and_closes() -> None:
    rows = [HelpRow("", "Here"), *(HelpRow(f"f{n}", f"does {n}") for n in range(60))]
    for key in ("escape", "q", "question_mark"):
        async with opened(lambda: HelpScreen("Fleet", rows)) as pilot:
            assert "does 1" in said(pilot)
            await pilot.press("down", "j", key)
            assert results(pilot) == [None]


async def test_discovery_saves_what_is_marked_and_gives_it() -> None:
    made = link()
    async with opened(lambda: DiscoverDialog(made)) as pilot:
        pilot.app.screen.query_one(Input).value = "192.168.1.0/24, 10.0.0.0/24"
        await pilot.press("enter")
        await pilot.pause()
        assert made.sent("discover") == [("192.168.1.0/24", "10.0.0.0/24")]
        assert "Enter in the list saves those marked" in said(pilot)  # the one on the button looks
        assert "known as attic-1" in said(pilot)
        assert said(pilot).count("[x]") == 2
        await pilot.press("down", "space")
        assert said(pilot).count("[x]") == 1
        await pilot.press("enter")
        await pilot.pause()
        entry = MinerEntry("bitaxe-20", "192.168.1.20")
        assert made.sent("save_miner") == [(entry, None)]
        assert results(pilot) == [(entry,)]


async def test_known_miners_cannot_be_marked_and_nothing_marked_is_said() -> None:
    made = link()
    made.found = FOUND[2:]
    async with opened(lambda: DiscoverDialog(made)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("space", "enter")
        assert "Nothing is marked" in said(pilot)
        await pilot.press("escape")
        assert results(pilot) == [()]
        assert made.sent("save_miner") == []


async def test_one_that_moved_gets_its_new_address_and_keeps_the_rest_of_its_entry() -> None:
    made = link()
    old = (await made.miners())[0]
    made.found = (FOUND[0], Found("192.168.1.57", "axeos", "Gamma", known_as=old.name, moved_from=old.address))
    made.calls.clear()
    async with opened(lambda: DiscoverDialog(made)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert f"[x] 192.168.1.57           Gamma        {old.name} moved, was {old.address}" in said(pilot)
        await pilot.press("enter")
        await pilot.pause()
        moved = msgspec.structs.replace(old, address="192.168.1.57")
        added = MinerEntry("bitaxe-20", "192.168.1.20")
        assert made.sent("save_miner") == [(moved, old.name), (added, None)]
        assert results(pilot) == [(moved, added)]


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        ("8.8.8.0/24", "is not private"),
        ("10.0.0.0/8", "is too large"),
        ("att!c", "is no network, address or name"),
        ("192.168.1.20:99999", "a port is 1 to 65535"),
        ("192.168.1.0/24:80", "a port goes with one address"),
    ],
)
async def test_only_small_private_networks_are_scanned(network: str, sentence: str) -> None:
    made = link()
    async with opened(lambda: DiscoverDialog(made)) as pilot:
        pilot.app.screen.query_one(Input).value = network
        await pilot.press("enter")
        assert sentence in said(pilot)
        assert made.sent("discover") == []


async def test_addresses_names_and_ports_are_asked_for_as_on_the_command_line() -> None:
    made = link()
    async with opened(lambda: DiscoverDialog(made)) as pilot:
        pilot.app.screen.query_one(Input).value = "127.0.0.1:8081, bitaxe.local:8080 attic 10.0.0.0/24"
        await pilot.press("enter")
        await pilot.pause()
        assert [list(asked) for asked in made.sent("discover")] == [
            ["127.0.0.1:8081", "bitaxe.local:8080", "attic", "10.0.0.0/24"]
        ]


async def test_an_engine_that_says_no_is_quoted_and_the_dialog_stays() -> None:
    made = link()
    made.refuse = "10.0.0.0/24 cannot be scanned now"
    async with opened(lambda: DiscoverDialog(made)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert "! 10.0.0.0/24 cannot be scanned now" in said(pilot)
        assert results(pilot) == []


def test_names_differ_and_suit_the_config() -> None:
    found = [*FOUND[:2], Found("10.0.0.3", "axeos"), Found("10.0.0.4", "axeos", hostname="a/b\\c\x1b")]
    names = [entry.name for entry in entries(found)]
    assert names == ["bitaxe-20", "bitaxe-20-2", "10.0.0.3", "a-b-c\ufffd"]
