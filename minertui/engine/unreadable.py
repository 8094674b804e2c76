"""Kept rows that cannot be read: of a newer version of this program, or damaged. One costs nobody the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

K = TypeVar("K")
T = TypeVar("T")
UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, RecursionError)
"""What reading such a row raises: not the form, no text at all, not even bytes, or endlessly nested."""


def sound(read: Callable[[Any], T], rows: Iterable[tuple[K, Any]]) -> tuple[list[T], dict[K, str]]:
    """What can be read, in the order of ``rows`` (key, body); and why not, by the keys of the others."""
    good, bad = list[T](), dict[K, str]()
    for key, body in rows:
        try:
            good.append(read(body))
        except UNREADABLE as error:
            bad[key] = str(error)
    return good, bad


def unshown(file: str, what: str, bad: Mapping[Any, str]) -> str:
    """A sentence about history that is missing."""
    key, why = next(iter(bad.items()))
    few = f"{len(bad)} of the {what} cannot be read by this version"
    return f"{file}: {few}; kept there, and not shown (the first: {key}: {why})"


def without_points(file: str, sweep_id: str, bad: Mapping[int, str]) -> str:
    """A sentence about a sweep that is shown without some of its points."""
    few = f"point{'s' if len(bad) > 1 else ''} {', '.join(map(str, bad))} of the sweep {sweep_id} cannot be read"
    return f"{file}: {few} by this version; kept there, and the sweep is shown without ({next(iter(bad.values()))})"
