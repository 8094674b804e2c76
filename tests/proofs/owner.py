"""What the owner of one miner chose: where it may be left, how far a program may raise it, and why it may be lower.

Kept by the world from what people order and from what the board does by itself; never asked of the program.
"""

from __future__ import annotations

import math
from collections.abc import Collection

SAME = 0.6
KEYS = ("frequency", "coreVoltage")

Point = tuple[float, float]  # MHz, mV


def same(a: Point, b: Point) -> bool:
    """Both values, within what firmware rounds."""
    return all(abs(x - y) <= SAME for x, y in zip(a, b, strict=True))


def nowhere_above(a: Point, b: Point) -> bool:
    """True when neither value of ``a`` is higher than that of ``b``."""
    return all(x <= y + SAME for x, y in zip(a, b, strict=True))


class Owner:
    """``choices``: where it may be left, the newest last. ``most``: no program raises it above, but for a sweep that
    somebody started. ``why``: what has lowered it since it was seen at a choice; nothing else may have."""

    def __init__(self, start: Point) -> None:
        self.choices = [start]
        self.theirs: list[Point] = []  # where somebody else, or the firmware, left it since
        self.most = start
        self.why: set[str] = set()
        self.limited = False  # a limit of power is in force: it may end any way back below home
        self.swept_mv = start[1]  # the highest voltage of a sweep: a guard that moves along its frontier may use it
        self.swept = False  # since somebody else changed it: is there a sweep that was started later?
        self.fresh = False  # and it has not begun to write yet
        self.asked: list[Point] = []  # by people whose order has not ended yet
        self.ours: tuple[Point, ...] = ()  # before and after what the program wrote last
        self.mute = self.unnoted = False  # the disk takes no note; and it was lowered meanwhile
        self.held: dict[Point, float] = {}  # how long it has run so, in seconds, since its last sweep was started

    def others(self, was: Point, now: Point, *, back: bool = False) -> None:
        """The firmware, or somebody who does not use the program, changed it. ``back``: it was somebody, who may have
        set it to where it had been: to a sweep that looks like a write that was lost, and it tries once more."""
        if nowhere_above(now, was):
            self.why.add("its firmware or somebody else lowered it")
        if back and any(same(now, mine) for mine in self.ours):
            self.most = _highest(self.most, now)  # nobody can tell it from a write of the program's own
        elif any(nowhere_above(now, choice) for choice in self.choices):
            self.most = now
            more = nowhere_above(was, now)  # a sweep that finds more than it wrote does the same
            if not more and not (back and any(same(now, known) for known in (*self.choices, *self.theirs))):
                self.swept = self.fresh
        else:
            self.most = _highest(self.most, now)
        self.theirs.append(now)

    def bereft(self) -> None:
        """The engine is gone, and its disk refuses: no other one can know what it lowered without a note."""
        if self.unnoted:
            self.why.add("it was lowered without a note, and that engine is gone")

    def asks(self, goal: Point) -> None:
        """A person's order is on its way there."""
        self.asked.append(goal)

    def answered(
        self, goal: Point, before: Point, now: Point, *, applied: bool, named: Collection[int] = (0, 1)
    ) -> None:
        """It has ended. What was cut off may stay where it came to, or go back; it is nobody's promise to finish it.
        A value that was not ``named`` may go back to its owner's from where a sweep had raised it."""
        alone = len(self.asked) == 1
        self.asked.remove(goal)
        if applied and alone:
            mhz, mv = (now[n] if n in named else min(now[n], *(own[n] for own in self.choices)) for n in (0, 1))
            self.choices, self.theirs, self.most = [(mhz, mv), now], [], now
            self.why.clear()
        elif applied or not same(before, now) or not alone:
            self.choices += [goal, now]
            self.most = _highest(self.most, goal, now)
            self.why.add("a person's order ended on the way")

    def sweeps(self, max_mv: float) -> None:
        """A person started a sweep."""
        self.swept = self.fresh = True
        self.swept_mv = max(self.swept_mv, max_mv)
        self.held.clear()

    def found(self, best: Point, least_s: float) -> str:
        """A sweep ends at its best point; what is wrong with that, in words."""
        if any(same(best, choice) for choice in self.choices):
            return ""
        held_s = sum(s for point, s in self.held.items() if same(point, best))
        if held_s < least_s:
            return f"a sweep ends at {best[0]:g} MHz / {best[1]:g} mV, where it was for {held_s:.0f} s"
        self.choices.append(best)
        self.most = _highest(self.most, best)
        return ""

    def may_be(self, now: Point) -> bool:
        """May it be left here?"""
        if any(same(now, choice) for choice in (*self.choices, *self.theirs, *self.asked)):
            return True
        lower = any(nowhere_above(now, choice) for choice in (*self.choices, *self.theirs, *self.asked))
        return (self.limited or bool(self.why)) and lower

    def below(self, now: Point) -> bool:
        """Nowhere above something that was chosen."""
        return any(nowhere_above(now, choice) for choice in (*self.choices, *self.asked))

    def settles(self, now: Point) -> None:
        """Nothing is to be led back any more: this is what counts from now on."""
        known = [choice for choice in (*self.choices, *self.theirs) if same(now, choice)]
        if known:
            self.choices, self.theirs = known[-1:], []
            self.why.clear()

    def home(self) -> Point:
        """The highest of each that it was left at."""
        return _highest(*self.choices)

    def text(self) -> str:
        """The choices, in words."""
        own, theirs = (", ".join(f"{x:g} MHz / {y:g} mV" for x, y in some) for some in (self.choices, self.theirs))
        others = f", and {theirs} by others" if theirs else ""
        return f"{own}{others} ({'; '.join(sorted(self.why)) or 'nothing lowered it'})"


def _highest(*points: Point) -> Point:
    return max((p[0] for p in points), default=-math.inf), max((p[1] for p in points), default=-math.inf)
