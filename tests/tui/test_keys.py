"""Keys that the user chose, and that the shipped ones do not fight each other."""

from __future__ import annotations

import itertools

import pytest

from minertui.tui.commands import ACTIONS
from minertui.tui.key_names import no_such_key, spelt
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
        ({"tune": "x,ctrl+t"}, {}, ("tune", "x is already the key of close-tab")),
        ({"tune": "ctrl+t"}, {"tune": "ctrl+t"}, None),
        ({"tune": "ctrl+t, !"}, {"tune": "ctrl+t,exclamation_mark"}, None),
        ({"nonsense": "x"}, {}, ("nonsense", "there is no such action; see the ids with ?")),
        ({"tun": "ctrl+t"}, {}, ("tun", "there is no such action; did you mean tune?")),
        ({"tune": " , "}, {}, ("tune", "no key given; leave the id out for its own key (a comma itself is written "
                                       "comma)")),
        ({"tune": "F5"}, {}, ("tune", "there is no key “F5”; did you mean f5?")),
        ({"tune": "f", "fan": "t"}, {"tune": "f", "fan": "t"}, None),
        ({"help": "?"}, {"help": "question_mark"}, None),
        ({"rows.up": "ctrl+k"}, {"rows.up": "ctrl+k"}, None),
        ({"sweep.order": "ctrl+o"}, {"sweep.order": "ctrl+o"}, None),
        ({"log.wrap": "ctrl+s"}, {}, ("log.wrap", "^S is already the key of log.save")),
        ({"filter": "j"}, {}, ("filter", "j is already the key of rows.down")),  # the table would never let it through
        ({"points.up": "ctrl+j", "rows.up": "ctrl+j"}, {"points.up": "ctrl+j", "rows.up": "ctrl+j"}, None),  # apart
        ({"export": "e", "rig-export": "e"}, {"export": "e", "rig-export": "e"}, None),  # as shipped: no new clash
        ({"freeze": "p"}, {"freeze": "p"}, None),  # as shipped, and in the log another's on purpose
        ({}, {}, None),
    ],
)  # fmt: skip
def test_checked(keys, good, said):
    assert checked(keys) == (good, [] if said is None else [said])


def test_who_loses_a_new_key_takes_its_own_back():
    assert checked({"tune": "q", "fan": "t"}) == (
        {},
        [("tune", "q is already the key of detach"), ("fan", "t is already the key of tune")],
    )


def test_every_shipped_key_is_one_that_there_is():
    for action in ACTIONS:
        assert [no_such_key(spelt(key)) for key in action.key.split(",")] == [""] * (action.key.count(",") + 1)


@pytest.mark.parametrize(
    "key",
    ["b", "B", "é", "?", ",", "+", "f5", "ctrl+f5", "shift+tab", "ctrl+shift+left", "alt+enter", "alt+b", "ctrl+@",
     "ctrl+backslash", "question_mark", "plus", "comma", "space"],
)  # fmt: skip
def test_keys_that_there_are(key):
    assert no_such_key(spelt(key)) == ""


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("F5", "f5"), ("Ctrl+T", "ctrl+t"), ("ctrl+T", "ctrl+t"), ("control-t", "ctrl+t"), ("shift+a", "A"),
        ("esc", "escape"), ("return", "enter"), ("pgup", "pageup"), ("PageUp", "pageup"), ("spac", "space"),
        ("shift+ctrl+left", "ctrl+shift+left"), ("plus_sign", "plus"), ("questionmark", "question_mark"),
    ],
)  # fmt: skip
def test_a_key_that_there_is_not_is_likened_to_one_that_there_is(key, meant):
    assert no_such_key(spelt(key)) == f"there is no key “{key}”; did you mean {meant}?"


@pytest.mark.parametrize("key", ["nonsense", "cmd+x", "ctrl+", "<any>", "latin_small_letter_a", "shift+?"])
def test_a_key_like_no_other_is_told_how_keys_are_written(key):
    assert no_such_key(spelt(key)) == (
        f"there is no key “{key}”; write a key as b, B, f5, ctrl+t, pageup or question_mark"
    )


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
        await seen.sees("screen.keys.nope: there is no such action")


async def test_j_and_k_scroll_a_miner_as_the_arrows_do():
    async with looking(pictures.normal(), size=(80, 24)) as seen:
        await seen.press("2")
        sections = seen.pane.query_one("#sections")
        await seen.until(lambda: sections.max_scroll_y > 0, "the miner")
        await seen.press("j", "j")
        await seen.until(lambda: sections.scroll_y == 2, "two lines down")
        await seen.press("k")
        await seen.until(lambda: sections.scroll_y == 1, "one line up")
