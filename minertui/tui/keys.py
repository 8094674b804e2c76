"""Keys as people write them, and those that the user chose: checked before they are used, so that a typing error costs
a sentence and not a key. A key that does nothing where it is pressed says why."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from textual.binding import Binding
from textual.keys import format_key

from minertui.tui.commands import ACTIONS, BY_ID
from minertui.tui.commands.base import Action, At
from minertui.tui.key_names import no_such_key, spelt

_NAMES = {
    "question_mark": "?", "colon": ":", "slash": "/", "right_square_bracket": "]", "left_square_bracket": "[",
    "plus": "+", "minus": "-", "equals_sign": "=", "less_than_sign": "<", "greater_than_sign": ">",
    "space": "space", "escape": "Esc", "enter": "Enter", "delete": "Del", "tab": "Tab",
    "home": "Home", "end": "End", "pageup": "PgUp", "pagedown": "PgDn",
}  # fmt: skip
_PLACES = {
    "fleet": "the fleet", "miner": "a miner", "sweep": "the sweeps", "rig": "a rig", "alerts": "the alerts",
}  # fmt: skip
_HOMES = {
    "rows": ("fleet",), "list": ("alerts", "commands", "rig"), "log": ("log",), "points": ("sweep",),
    "sweep": ("sweep",), "miner": ("miner",),
}  # fmt: skip
"""Where what a widget does with a key is done, by the first word of its id. A miner's log has its keys only while it
has the focus, and is no place of its own."""
_LET_THROUGH = frozenset({"rows.left", "rows.right", "rows.open", "log.dismiss"})
"""Of those, the heat map's, which is in front only now and then; what does the same as the action of that key; and what
gives the key on where it has nothing to do."""


def sign(keys: str) -> str:
    """The first of these keys as a person writes it: ``question_mark`` → ``?``, ``ctrl+p`` → ``^P``."""
    key = keys.split(",")[0].strip()
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+").upper()
    return _NAMES.get(key) or (key if len(key) == 1 else format_key(key))


def signs(ids: Sequence[str], keys: Mapping[str, str]) -> str:
    """The keys of what widgets do, by ids: the first of each, then the second of each. ``keys``: the user's own."""
    shipped = dict(_of_widgets())
    each = [[sign(key) for key in keys.get(id_, shipped[id_]).split(",")] for id_ in ids]
    return " ".join(dict.fromkeys(key for row in itertools.zip_longest(*each) for key in row if key))


def free_sign(action: Action, place: str, keys: Mapping[str, str]) -> str:
    """The first key of an action that nothing else takes in this place; empty where what is in front takes them all."""
    taken = {
        key
        for id_, shipped in _of_widgets()
        if place in _HOMES[id_.partition(".")[0]] and id_ not in _LET_THROUGH
        for key in keys.get(id_, shipped).split(",")
    }
    own = keys.get(action.id, action.key).split(",")
    return next((sign(key) for key in own if key.strip() not in taken), "")


def why_not(key: str, at: At, keys: Mapping[str, str]) -> str:
    """Why an action's ``key`` (as Textual names it) does nothing here, in one short line; empty for a key of no action.
    ``keys``: the user's own, by id."""
    bound = [action for action in ACTIONS if key in keys.get(action.id, action.key).split(",")]
    here = next((action for action in bound if action.belongs(at)), None)
    if here is not None:
        return here.reason(at, lambda id_: sign(keys.get(id_, BY_ID[id_].key)))
    return f"{sign(key)} is for " + "; ".join(f"{_where(a)}: {a.title}" for a in bound) if bound else ""


def _where(action: Action) -> str:
    return ", ".join(name for place, name in _PLACES.items() if place in action.places)


class Problem(NamedTuple):
    """Why the key that the user chose for ``id`` cannot be used."""

    id: str
    text: str


def checked(keys: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    """The usable part of ``keys`` (id → keys divided by commas) as Textual spells them, and what is wrong with the
    rest: an unknown id, no key, a key that no terminal tells, or one that something else has in the same place."""
    if not keys:
        return {}, []
    known = _bound()
    good: dict[str, str] = {}
    problems: list[Problem] = []
    for id_, value in keys.items():
        chosen = _split(value)
        if wrong := _unusable(id_, chosen, known):
            problems.append(Problem(id_, wrong))
        else:
            good[id_] = ",".join(chosen)
    while clash := _clash(known, good):  # who loses a key has its own again, which may clash too
        del good[clash.id]
        problems.append(clash)
    return good, problems


def _split(value: str) -> list[str]:
    return [spelt(key.strip()) for key in value.split(",") if key.strip()]


def _unusable(id_: str, chosen: Sequence[str], known: Mapping[str, Bound]) -> str:
    if id_ not in known:
        near = difflib.get_close_matches(id_, known, 1)
        return f"there is no such action; {f'did you mean {near[0]}?' if near else 'see the ids with ?'}"
    if not chosen:
        return "no key given; leave the id out for its own key (a comma itself is written comma)"
    return next((wrong for key in chosen if (wrong := no_such_key(key))), "")


class Bound(NamedTuple):
    """What has a key: an action, or what a widget does while it is in front. ``keys`` as shipped; ``places`` where."""

    keys: frozenset[str]
    places: frozenset[str]


def _bound() -> dict[str, Bound]:
    """All that has a key and an id, the actions first. A dialog's keys stay: what is written there names them."""
    anywhere = frozenset({*_PLACES, *_HOMES["list"], *_HOMES["log"]})
    found = {a.id: Bound(frozenset(_split(a.key)), (a.places or anywhere) - a.but) for a in ACTIONS}
    for id_, keys in _of_widgets():
        found[id_] = Bound(frozenset(_split(keys)), frozenset(_HOMES[id_.partition(".")[0]]))
    return found


def _of_widgets() -> Iterator[tuple[str, str]]:
    from minertui.tui.tabs.listing import Listing
    from minertui.tui.tabs.miner import MinerPane
    from minertui.tui.tabs.sweep import SweepTab
    from minertui.tui.widgets.heat_map import HeatMap
    from minertui.tui.widgets.log_pane import LogPane
    from minertui.tui.widgets.log_view import LogView
    from minertui.tui.widgets.point_table import PointTable
    from minertui.tui.widgets.rows import DeviceRows

    for kind in (DeviceRows, HeatMap, Listing, LogPane, LogView, MinerPane, PointTable, SweepTab):
        yield from ((b.id, b.key) for b in kind.BINDINGS if isinstance(b, Binding) and b.id)


def _clash(known: Mapping[str, Bound], good: Mapping[str, str]) -> Problem | None:
    """The first id with a key of the user's that something else has where both work. Shipped keys may meet: there the
    widget in front goes first, and that is meant."""
    now = {id_: set(good[id_].split(",")) if id_ in good else bound.keys for id_, bound in known.items()}
    for id_ in (id_ for id_ in known if id_ in good):
        new = now[id_] - known[id_].keys
        for other, theirs in known.items():
            if other != id_ and (both := new & now[other]) and known[id_].places & theirs.places:
                return Problem(id_, f"{sign(min(both))} is already the key of {other}")
    return None
