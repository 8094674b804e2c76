"""A key of an action that does nothing where it is pressed says why, once; other keys stay silent."""

from __future__ import annotations

import msgspec
import pytest

from minertui.model.fleet import Fleet
from minertui.model.plans import Phase
from minertui.tui.commands import ACTIONS
from minertui.tui.commands.base import At
from minertui.tui.keys import why_not
from minertui.tui.options import Options
from tests.tui import pictures, rigs
from tests.tui.looking import looking

MARKED = ("attic-1", "attic-2")


def said(key: str, device: str | tuple[str, ...] = "attic-1", place: str = "fleet", fleet: Fleet | None = None) -> str:
    devices = (device,) if isinstance(device, str) else device
    return why_not(key, At(place, devices, fleet or pictures.normal()), {})


@pytest.mark.parametrize(
    ("key", "device", "why"),
    [
        ("G", "attic-1", "attic-1: no guard runs; g starts one"),
        ("g", "cellar-1", "cellar-1: a guard runs already; G stops it"),
        ("B", "attic-1", "attic-1: no sweep runs; b starts one"),
        ("b", "lab-gamma", "lab-gamma: a sweep runs already; B stops it"),
        ("U", "attic-1", "attic-1: not paused; u pauses"),
        ("O", "attic-1", "attic-1: its firmware does not say that it overheated"),
        ("C", "attic-1", "attic-1: not parked"),
        ("D", "attic-1", "attic-1: no job of it has ended"),
        ("X", "attic-1", "only the miners of a demo can simulate a fault"),
        ("G", MARKED, "2 miners: no guard runs; g starts one"),
        ("b", ("lab-gamma", "gone"), "lab-gamma: a sweep runs already; B stops it"),
        ("ctrl+j", "attic-1", ""),
    ],
)
def test_a_miner_that_cannot_says_why_and_what_to_press(key, device, why):
    assert said(key, device) == why


def test_a_paused_miner_is_told_how_it_goes_on_and_one_never_read_why_not():
    fleet = pictures.normal()
    paused = fleet.snapshots["attic-1"]
    assert paused.status is not None
    paused = msgspec.structs.replace(paused, status=msgspec.structs.replace(paused.status, paused=True))
    assert said("u", fleet=fleet.with_(paused)) == "attic-1: paused already; U resumes"
    assert paused.status is not None
    assert said("t", "attic-3", fleet=pictures.error()) == "attic-3: no reading of it yet"
    mute = msgspec.structs.replace(paused, status=msgspec.structs.replace(paused.status, abilities=frozenset()))
    assert said("t", fleet=fleet.with_(mute)) == "attic-1: its firmware offers no such order"


def test_several_that_cannot_for_different_reasons_are_not_given_one():
    whom = ("attic-1", "attic-3")
    fleet = pictures.error()
    rest = fleet.snapshots["attic-1"]
    assert rest.status is not None
    mute = msgspec.structs.replace(rest, status=msgspec.structs.replace(rest.status, abilities=frozenset()))
    assert said("t", whom, fleet=fleet.with_(mute)) == "2 miners: none of them can do this now"


def test_an_empty_fleet_is_told_how_to_fill_it_and_an_empty_choice_is_not_a_fault_of_the_fleet():
    why = "there is no miner yet; n in the fleet adds one, d looks for some"
    assert said("t", "", fleet=pictures.empty()) == why
    assert said("t", "") == "no miner is chosen here"


def test_a_key_of_another_place_says_whose_it_is():
    assert said("m", place="log") == "m is for the fleet: Heat map, or back to the table"
    assert said("b", "", place="alerts") == (
        "b is for the fleet, a miner, the sweeps: Start a benchmark sweep; a rig: Balance and all miners of the user"
    )


def test_a_rig_that_runs_or_does_not():
    running = rigs.fleet()
    job = running.jobs["relay:rig-42"]
    assert said("s", "rig-42", "rig", running) == "rig-42 runs already; x closes it"
    assert said("C", "rig-42", "rig", running) == "no board of rig-42 was dropped"
    over = running.with_job(msgspec.structs.replace(job, phase=Phase.STOPPED))
    assert said("d", "rig-42", "rig", over) == "rig-42 does not run; s starts it"


@pytest.mark.parametrize("at", [
    At("fleet", ("attic-1",), pictures.normal(), readonly=True),
    At("fleet", ("attic-1",), msgspec.structs.replace(pictures.normal(), readonly=True)),
])  # fmt: skip
def test_what_is_read_only_is_said_of_every_key_that_writes(at):
    whose = "the engine" if at.fleet.readonly else "this screen"
    keys = {a.key for a in ACTIONS if a.writes and a.belongs(at)}
    assert {why_not(key, at, {}) for key in keys} == {f"{whose} is read-only"}


def test_the_users_own_keys_are_the_ones_told():
    at = At("fleet", ("attic-1",), pictures.normal())
    assert why_not("f9", at, {"guard-off": "f9", "guard": "f8"}) == "attic-1: no guard runs; f8 starts one"
    assert why_not("G", at, {"guard-off": "f9"}) == ""


class TestOnTheScreen:
    async def test_a_key_that_does_nothing_says_why_once_and_no_other_key_does(self):
        async with looking(pictures.normal()) as seen:
            told = seen.app._notifications
            await seen.press("ctrl+y", "f7", "j", "down", "end", "home", "slash", *"Gb", "escape", "escape")
            assert not told  # keys of no action, of the list, and what is typed
            await seen.press("r")
            await seen.sees("Restart the miner: attic-1")
            await seen.press("G", "m", "escape")  # a dialog has its own keys
            assert not told
            await seen.press("G", "G", "G")  # held down
            await seen.toast("attic-1: no guard runs; g starts one")
            assert len(told) == 1
            await seen.press("B", "9")
            await seen.toast("attic-1: no sweep runs; b starts one")
            await seen.toast("there is no tab 9")
            await seen.press("w", "o", "c", "up")  # the sweep tab's own keys
            assert len(told) == 3

    async def test_nothing_to_acknowledge_and_nothing_to_open(self):
        async with looking(pictures.empty()) as seen:
            await seen.press("a", "space", "enter")
            await seen.toast("there is no alert to acknowledge")
            await seen.toast("there is no alert to open")

    async def test_a_readonly_screen_says_so(self):
        async with looking(pictures.normal(), options=Options(readonly=True)) as seen:
            await seen.press("t", "r", "Q")
            await seen.toast("this screen is read-only")
            assert len(seen.app._notifications) == 1
