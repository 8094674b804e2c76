"""What a form that is meant for several miners says of them: who they are, what they have in common, and in which ways
they differ. Miners of which the same is to be said share a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from minertui.model.fleet import Snapshot
from minertui.model.plans import Limits
from minertui.tui.widgets.painted import Line, line
from minertui.tui.widgets.wording import some_of

T = TypeVar("T")
_GROUPS = 5  # lines of one kind; what more would say is counted


def common(values: Iterable[T]) -> T | None:
    """The value that all of these are; None where they differ."""
    found = list(values)
    return found[0] if found and all(value == found[0] for value in found) else None


def limits_of(snapshots: Sequence[Snapshot]) -> Limits:
    """The limits that all of them have; where they differ none, for then each is judged by its own."""
    return common(snapshot.limits for snapshot in snapshots) or Limits()


def grouped(said: Iterable[tuple[str, str]], ink: str = "", sign: str = "") -> list[Line]:
    """Pairs of miner and what is to be said of it (nothing, where it is empty), as lines: ``attic-1, attic-2 and 3
    more: …``. ``sign``: what each line begins with."""
    found: dict[str, list[str]] = {}
    for device, text in said:
        if text:
            found.setdefault(text, []).append(device)
    lines = [line((f"{sign}{some_of(names)}: ", ink or "dim"), (text, ink)) for text, names in found.items()]
    if len(lines) <= _GROUPS:
        return lines
    more = [name for names in list(found.values())[_GROUPS - 1 :] for name in names]
    return [*lines[: _GROUPS - 1], line((f"{sign}and something else for each of: {some_of(more)}", ink or "dim"))]
