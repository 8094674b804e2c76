"""Lines of a log as kept for a screen: the newest so many, those that pass the filter, and how many were dropped."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from minertui.model.events import LogLine

KEPT = 5000


class Filter:
    """Words that must all be in a line; a word with ``!`` in front must not be. Case does not matter."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        words = text.casefold().split()
        self._with = [w for w in words if not w.startswith("!")]
        self._without = [w[1:] for w in words if w.startswith("!") and len(w) > 1]

    def __call__(self, line: LogLine) -> bool:
        """True when the line passes."""
        said = f"{line.source} {line.severity.value} {line.text}".casefold()
        return all(w in said for w in self._with) and not any(w in said for w in self._without)


class LogRing:
    """Lines have numbers that stay theirs: ``first`` is the number of the oldest one that passes and is still kept."""

    def __init__(self, kept: int = KEPT) -> None:
        self.kept = kept
        self.dropped = 0
        self.first = 0
        self.filter = Filter()
        self._all: deque[LogLine] = deque()
        self._passing: deque[LogLine] = deque()

    def __len__(self) -> int:
        return len(self._passing)

    @property
    def total(self) -> int:
        """Lines kept, passing or not."""
        return len(self._all)

    @property
    def end(self) -> int:
        """The number that the next passing line gets."""
        return self.first + len(self._passing)

    def add(self, lines: Sequence[LogLine]) -> None:
        """Keep these too; the oldest beyond the room are dropped and counted."""
        for line in lines:
            if len(self._all) >= self.kept:
                self._drop()
            self._all.append(line)
            if self.filter(line):
                self._passing.append(line)

    def _drop(self) -> None:
        gone = self._all.popleft()
        self.dropped += 1
        if self._passing and self._passing[0] is gone:
            self._passing.popleft()
            self.first += 1

    def narrow(self, text: str) -> None:
        """Let only lines pass that this filter lets through; numbers begin anew."""
        self.filter = Filter(text)
        self._passing = deque(line for line in self._all if self.filter(line))
        self.first = 0

    def clear(self) -> None:
        """Forget all lines and the count of dropped ones."""
        self._all.clear()
        self._passing.clear()
        self.dropped = self.first = 0

    def some(self, number: int, count: int) -> list[tuple[int, LogLine]]:
        """Up to ``count`` passing lines from this number on, with their numbers."""
        start = max(0, number - self.first)
        return [(self.first + start + i, x) for i, x in enumerate(islice(self._passing, start, start + count))]

    def everything(self) -> Iterable[LogLine]:
        """All passing lines, oldest first."""
        return tuple(self._passing)

    def find(self, text: str, after: int, *, back: bool = False) -> int | None:
        """The number of the next passing line that contains ``text``, beyond ``after`` and then from the other end."""
        wanted = text.casefold()
        hits = [self.first + i for i, x in enumerate(self._passing) if wanted in x.text.casefold()]
        if not hits:
            return None
        if back:
            return next((n for n in reversed(hits) if n < after), hits[-1])
        return next((n for n in hits if n > after), hits[0])
