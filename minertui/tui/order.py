"""Which miners are listed, and in which order: filter, group, sort. Pure, so that it can be tested without a screen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from minertui.model.fleet import Fleet, Health, Snapshot
from minertui.model.metrics import BY_ID
from minertui.model.plans import JobState

GROUPS = ("", "tag", "kind", "health")
_WORST_FIRST = (
    Health.PARKED, Health.LOST, Health.AUTH, Health.STRANGER, Health.STALE, Health.UNKNOWN, Health.OK,
)  # fmt: skip
_DIGITS = re.compile(r"(\d+)")


class Order(msgspec.Struct, frozen=True):
    """``words``: the filter as typed. ``column``: id of a column of the table. ``group``: one of GROUPS."""

    words: str = ""
    column: str = "name"
    descending: bool = False
    group: str = ""


@lru_cache(maxsize=4096)
def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that puts ``rig-2`` before ``rig-10``."""
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p.casefold()) for p in _DIGITS.split(text) if p)


@lru_cache(maxsize=4)  # names change when somebody edits the config; pictures come four times a second
def by_name(names: tuple[str, ...]) -> tuple[str, ...]:
    """``names`` in natural order."""
    return tuple(sorted(names, key=natural))


def group_of(snapshot: Snapshot, group: str) -> str:
    """The group's name for this device; without a tag it is ``untagged``."""
    if group == "tag":
        return snapshot.tags[0] if snapshot.tags else "untagged"
    if group == "kind":
        return (snapshot.status.model if snapshot.status else None) or snapshot.kind
    return snapshot.health.value if group == "health" else ""


def relays(fleet: Fleet) -> tuple[JobState, ...]:
    """The Duino-Coin rigs, by name."""
    return tuple(sorted((j for j in fleet.jobs.values() if j.kind == "relay"), key=lambda j: natural(j.device)))


def matches(fleet: Fleet, snapshot: Snapshot, words: str) -> bool:
    """Every word is found in name, kind, model, tags, health or job; ``!word`` in none of them."""
    if not words.strip():
        return True
    model = (snapshot.status.model if snapshot.status else None) or ""
    jobs = (f"{job.kind} {job.phase.value}" for job in fleet.jobs_of(snapshot.device) if not job.phase.over)
    text = " ".join((snapshot.device, snapshot.kind, model, *snapshot.tags, snapshot.health.value, *jobs)).casefold()
    return all(_found(word, text) for word in words.casefold().split())


def _found(word: str, text: str) -> bool:
    if word.startswith("!"):
        return len(word) == 1 or word[1:] not in text
    return word in text


def arranged(fleet: Fleet, order: Order) -> tuple[str, ...]:
    """The names to list. Unknown values come last in both directions; equal ones are ordered by name."""
    names = by_name(tuple(fleet.snapshots))
    if order.descending and order.column == "name":
        names = names[::-1]
    shown = [fleet.snapshots[name] for name in names]
    if order.words.strip():
        shown = [s for s in shown if matches(fleet, s, order.words)]
    if order.column != "name":
        keys = {s.device: _value(fleet, s, order.column) for s in shown}
        known = [s for s in shown if keys[s.device] is not None]
        known.sort(key=lambda s: keys[s.device] or 0.0, reverse=order.descending)
        shown = known + [s for s in shown if keys[s.device] is None]
    if order.group:
        shown.sort(key=lambda s: natural(group_of(s, order.group)))
    return tuple(s.device for s in shown)


def _value(fleet: Fleet, snapshot: Snapshot, column: str) -> float | None:
    if column in BY_ID:
        return BY_ID[column].read(snapshot.status) if snapshot.status else None
    others: Mapping[str, float | None] = {
        "state": float(_WORST_FIRST.index(snapshot.health)),
        "word": float(_WORST_FIRST.index(snapshot.health)),
        "age": None if snapshot.at_s is None else fleet.at_s - snapshot.at_s,
        "spark": snapshot.recent_ghs[-1] - snapshot.recent_ghs[0] if snapshot.recent_ghs else None,
    }
    if column == "model":
        return _alphabet(group_of(snapshot, "kind"))
    if column == "job":
        running = [job for job in fleet.jobs_of(snapshot.device) if not job.phase.over]
        return _alphabet(running[0].kind) if running else None
    return others.get(column)


def _alphabet(text: str) -> float:
    """A number that sorts like the first letters of ``text``."""
    return float(int.from_bytes(text.casefold().encode()[:6].ljust(6, b"\0"), "big"))
