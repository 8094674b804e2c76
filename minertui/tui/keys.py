"""Keys as people write them, and those that the user chose: checked before they are used, so that a typing error costs
a sentence and not a key. A key that does nothing where it is pressed says why."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from textual.keys import format_key

from minertui.tui.commands import ACTIONS, BY_ID
from minertui.tui.commands.base import Action, At

_NAMES = {
    "question_mark": "?", "colon": ":", "slash": "/", "right_square_bracket": "]", "left_square_bracket": "[",
    "plus": "+", "minus": "-", "equals_sign": "=", "less_than_sign": "<", "greater_than_sign": ">",
    "space": "space", "escape": "Esc", "enter": "Enter", "delete": "Del",
}  # fmt: skip
_PLACES = {
    "fleet": "the fleet", "miner": "a miner", "sweep": "the sweeps", "rig": "a rig", "alerts": "the alerts",
}  # fmt: skip
_LONG = {sign: name for name, sign in _NAMES.items() if len(sign) == 1}


def sign(keys: str) -> str:
    """The first of these keys as a person writes it: ``question_mark`` → ``?``, ``ctrl+p`` → ``^P``."""
    key = keys.split(",")[0].strip()
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+").upper()
    return _NAMES.get(key) or (key if len(key) == 1 else format_key(key))


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


def checked(keys: Mapping[str, str], others: Iterable[str] = ()) -> tuple[dict[str, str], list[str]]:
    """The usable part of ``keys`` (id → key), and a sentence for each that is not: an unknown id, no key, or a key
    that another action of the same place has. ``others`` are ids of bindings that widgets have of their own."""
    known = {action.id: action for action in ACTIONS}
    good: dict[str, str] = {}
    problems: list[str] = []
    for id_, value in keys.items():
        if not value.strip():
            problems.append(f"keys.{id_}: no key given")
        elif id_ in known or id_ in set(others):
            good[id_] = ",".join(_LONG.get(key.strip(), key.strip()) for key in value.split(",") if key.strip())
        else:
            problems.append(f"keys.{id_}: there is no such action; see the ids with ?")
    for one, two, key in _clashes(known, good):
        loser = one if one in good else two
        if good.pop(loser, None) is not None:
            problems.append(f"keys.{loser}: {sign(key)} is already the key of {two if loser == one else one}")
    return good, problems


def _clashes(known: Mapping[str, Action], good: Mapping[str, str]) -> list[tuple[str, str, str]]:
    found = []
    for one, two in itertools.combinations(known.values(), 2):
        apart = one.places and two.places and not one.places & two.places
        if apart or (one.id not in good and two.id not in good):
            continue
        mine, other = (set(good.get(a.id, a.key).split(",")) for a in (one, two))
        found += [(one.id, two.id, key) for key in sorted(mine & other)]
    return found
