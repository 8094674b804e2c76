"""How a key is spelt: as Textual names it when it is pressed, whatever sign a person wrote; and which names are none.

A key is its own sign (``b``, ``B``, ``?``) or a name (``f5``, ``pageup``, ``question_mark``), behind what is held down
with it in the order of the alphabet (``ctrl+t``, ``alt+enter``, ``ctrl+shift+left``).
"""

from __future__ import annotations

import difflib

from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS, KEY_TO_UNICODE_NAME, REPLACED_KEYS, Keys, key_to_character

_HELD = ("alt", "ctrl", "hyper", "meta", "shift", "super")
_NEVER_SENT = {"<any>", "<ignore>", "<scroll-up>", "<scroll-down>", "ctrl-at", "return"}
_SENT = frozenset({key.value for key in Keys} - _NEVER_SENT)
_NAMED = frozenset(name for key in _SENT if len(name := key.rpartition("+")[2]) > 1)
_SIGNS = frozenset(REPLACED_KEYS.keys() | KEY_TO_UNICODE_NAME.keys() - REPLACED_KEYS.values())
_OTHERS_CALL_IT = {"control": "ctrl", "esc": "escape", "return": "enter", "del": "delete", "ins": "insert",
                   "pgup": "pageup", "pgdn": "pagedown", **KEY_NAME_REPLACEMENTS}  # fmt: skip


def spelt(key: str) -> str:
    """One key as Textual names it: ``?`` → ``question_mark``; a name stays as it is."""
    if key == ",":  # which divides keys for Textual
        return "comma"
    return next(iter(Binding.make_bindings([Binding(key, "")]))).key


def no_such_key(key: str) -> str:
    """Why ``key``, as ``spelt`` gave it, is none that a terminal tells, with what was probably meant; empty when it is
    one."""
    if _exists(key):
        return ""
    near = _near(key)
    hint = f"did you mean {near}?" if near else "write a key as b, B, f5, ctrl+t, pageup or question_mark"
    return f"there is no key “{key}”; {hint}"


def _exists(key: str) -> bool:
    if key in _SENT:
        return True
    *held, base = key.split("+")
    if held != sorted(set(held) & set(_HELD)):
        return False
    if base in _NAMED:
        return True
    sign = base if len(base) == 1 else key_to_character(REPLACED_KEYS.get(base, base))
    if sign is None or spelt(sign) != base:
        return False
    return not held or (held != ["shift"] and not sign.isupper())  # with shift alone it is another sign


def _near(key: str) -> str:
    """An existing key that is written much like this one; empty when there is none."""
    parts = [_OTHERS_CALL_IT.get(part.casefold(), part) for part in key.replace("-", "+").split("+")]
    held, base = sorted({part.casefold() for part in parts[:-1]}), parts[-1]
    if len(base) == 1:
        base = base.upper() if held == ["shift"] else base.casefold()
        held = [] if held == ["shift"] else held
    else:
        base = next(iter(difflib.get_close_matches(base.casefold(), sorted(_NAMED | _SIGNS), 1)), "")
    found = "+".join([*held, base])
    return found if base and _exists(found) else ""
