"""Options that set a key of a plan. Ranges are the config's own, units and defaults the plan's, so that help and
refusals never tell anything else than what holds."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_args, get_type_hints

from minertui.cli.numbers import UNITS, Number, help_of
from minertui.config_ranges import RANGES
from minertui.model.plans import GuardPlan, SweepPlan


@dataclass(frozen=True)
class PlanOption:
    """``key``: what it sets; ``read``: its value from a text, raises ArgumentTypeError. ``help`` and ``metavar`` are
    argparse's."""

    key: str
    read: Callable[[str], Any]
    help: str
    metavar: str


def numeric(
    plan: SweepPlan | GuardPlan,
    key: str,
    what: str,
    *,
    default: float | None = None,
    absent: str = "",
    source: str = "",
    example: float | None = None,
) -> PlanOption:
    """A number of ``plan``. Without it there is the command's own ``default``, else the plan's, or what ``absent`` says
    in words; ``source`` says where else it may come from. Where there is no default, ``example`` is shown to who
    writes something that cannot be meant."""
    own = getattr(plan, key) if default is None else default
    shown = own if example is None else example
    assert shown is not None, f"{key} has no default, so it needs an example"
    low, high = RANGES[key]
    number = Number(low, high, UNITS.get(key.rpartition("_")[2], ""), shown, whole=float not in _kinds(plan, key))
    return PlanOption(key, number, help_of(what, number, absent or f"{own:g}", source), number.metavar)


def worded(plan: SweepPlan, key: str, what: str) -> PlanOption:
    """One of a few words of ``plan``."""
    own: StrEnum = getattr(plan, key)
    words = [str(word) for word in type(own)]

    def read(text: str) -> StrEnum:
        if text not in words:
            raise argparse.ArgumentTypeError(f"“{text}” is none of: {', '.join(words)}")
        return type(own)(text)

    return PlanOption(key, read, f"{what}: {' or '.join(words)} (default: {own})", "WORD")


def _kinds(plan: SweepPlan | GuardPlan, key: str) -> tuple[type, ...]:
    hint = get_type_hints(type(plan))[key]
    return get_args(hint) or (hint,)
