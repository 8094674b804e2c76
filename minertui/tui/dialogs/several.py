"""What a form that is meant for several miners says of them: who they are, what they have in common, and in which ways
they differ. Miners of which the same is to be said share a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from minertui.model.fleet import Snapshot
from minertui.model.plans import GuardPlan, Limits, SweepPlan
from minertui.tui.dialogs.fields import OWN, Answers, Field, Invalid, split
from minertui.tui.widgets.painted import Line, line
from minertui.tui.widgets.wording import some_of

T = TypeVar("T")
Plan = TypeVar("Plan", SweepPlan, GuardPlan)
_GROUPS = 5  # lines of one kind; what more would say is counted


def common(values: Iterable[T]) -> T | None:
    """The value that all of these are; None where they differ."""
    found = list(values)
    return found[0] if found and all(value == found[0] for value in found) else None


def limits_of(snapshots: Sequence[Snapshot]) -> Limits:
    """The limits that all of them have; where they differ none, for then each is judged by its own."""
    return common(snapshot.limits for snapshot in snapshots) or Limits()


def shared(fields: Iterable[Field], own: Sequence[Answers]) -> tuple[tuple[Field, ...], Answers, str]:
    """The fields that ask once for miners of which each has ``own`` values, what they propose, and what a person should
    know of them first: where miners differ nothing is proposed, for one miner's limits are not the others'."""
    asked = tuple(split(field, [values[field.id] for values in own]) for field in fields)
    proposed = {field.id: None if field.differ else own[0][field.id] for field in asked}
    differing = any(field.differ for field in asked)
    note = f"Plans differ. “{OWN.value}”: each keeps its own; what you write is for all."
    return asked, proposed, note if differing else ""


def each_built(
    plans: Sequence[Plan],
    own: Sequence[Answers],
    answers: Answers,
    built: Callable[[Plan, Answers], Plan],
    *,
    named: bool,
) -> list[Plan]:
    """What these answers make of the plan of each miner, which has ``own`` values. Raises Invalid, and tells of which
    miner where they are ``named``."""
    found = []
    for plan, values in zip(plans, own, strict=True):
        asked = {**values, **{name: value for name, value in answers.items() if value is not OWN}}
        try:
            found.append(built(plan, asked))
        except Invalid as wrong:
            raise wrong.of(plan.device if named else "") from None
    return found


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
