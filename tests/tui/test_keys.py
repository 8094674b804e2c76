"""Keys that the user chose, and that the shipped ones do not fight each other."""

from __future__ import annotations

import itertools

import pytest

from minertui.tui.commands import ACTIONS
from minertui.tui.keys import checked, sign
from minertui.tui.options import Options
from tests.tui import pictures
from tests.tui.looking import looking


def test_ids_are_unique_and_every_action_says_what_it_does():
    assert len({a.id for a in ACTIONS}) == len(ACTIONS)
    for action in ACTIONS:
        assert action.title
        assert action.key
        assert action.binding().id == action.id


def test_no_two_actions_of_a_place_have_the_same_key():
    for one, two in itertools.combinations(ACTIONS, 2):
        if (one.places and two.places and not one.places & two.places) or one.places & two.but or two.places & one.but:
            continue
        assert not set(one.key.split(",")) & set(two.key.split(",")), (one.id, two.id)


def test_the_promised_keys():
    keys = {a.id: a.key for a in ACTIONS}
    promised = {
        "help": "question_mark", "detach": "q", "stop-engine": "Q", "palette": "colon,ctrl+p", "filter": "slash",
        "open": "enter", "back": "escape", "mark": "space", "zoom": "z", "freeze": "p", "benchmark": "b",
        "stop-benchmark": "B", "guard": "g", "guard-off": "G", "tune": "t", "fan": "f", "restart": "r", "sort": "s",
        "heat-map": "m", "export": "e", "alerts": "a", "log": "l", "theme": "T", "next-tab": "right_square_bracket",
        "previous-tab": "left_square_bracket", "tab-1": "1", "tab-9": "9",
    }  # fmt: skip
    assert {id_: keys[id_] for id_ in promised} == promised


@pytest.mark.parametrize(
    ("keys", "good", "said"),
    [
        ({"tune": "x,ctrl+t"}, {}, "keys.tune: x is already the key of close-tab"),
        ({"tune": "ctrl+t"}, {"tune": "ctrl+t"}, None),
        ({"tune": "!"}, {"tune": "!"}, None),
        ({"nonsense": "x"}, {}, "keys.nonsense: there is no such action"),
        ({"tune": " "}, {}, "keys.tune: no key given"),
        ({"tune": "f", "fan": "t"}, {"tune": "f", "fan": "t"}, None),
        ({"help": "?"}, {"help": "question_mark"}, None),
        ({"rows.up": "w"}, {"rows.up": "w"}, None),
    ],
)
def test_checked(keys, good, said):
    got, problems = checked(keys, ["rows.up"])
    assert got == good
    if said is None:
        assert problems == []
    else:
        assert said in problems[0]


def test_signs():
    assert [sign(k) for k in ("question_mark", "ctrl+p", "colon,ctrl+p", "b", "B", "escape")] == [
        "?", "^P", ":", "b", "B", "Esc",
    ]  # fmt: skip


async def test_a_changed_key_works_and_the_old_one_does_not():
    async with looking(pictures.normal(), options=Options(keys={"alerts": "ctrl+l"})) as seen:
        await seen.press("a")
        assert seen.app.main.front == "fleet"
        await seen.press("ctrl+l")
        await seen.until(lambda: seen.app.main.front == "alerts")


async def test_a_bad_key_is_said_on_the_screen():
    async with looking(pictures.normal(), options=Options(keys={"nope": "x"})) as seen:
        await seen.sees("keys.nope: there is no such action")
