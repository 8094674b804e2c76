"""What a form asks for, as data: each field knows its bounds and says in one sentence what is wrong with an answer."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from minertui.model.plans import Limits
from minertui.model.text import clean
from minertui.tui.widgets.wording import number


class Own(enum.Enum):
    """The answer that leaves each of several miners its own."""

    OWN = "their own"


OWN: Final = Own.OWN


class Invalid(Exception):  # noqa: N818 - it names the state of an answer
    """An answer that cannot be used: the field it belongs to and one sentence. Without a field nothing is wrong, but
    there is nothing to agree to either."""

    def __init__(self, field_id: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field_id, self.sentence = field_id, sentence

    def of(self, device: str) -> Invalid:
        """The same, said of this one of several miners; of none in particular where the name is empty."""
        return Invalid(self.field_id, f"{device}: {self.sentence}") if device else self


class Field(msgspec.Struct, frozen=True):
    """One question. ``width`` is that of the answer in cells; a ``wide`` field has a line for itself; ``hint`` says
    what an empty answer means; ``about`` what the answer does, in one short sentence. ``differ``: what the several
    miners have that are asked about at once, where they differ; left untouched it is ``OWN`` then."""

    id: str
    label: str
    unit: str = ""
    width: int = 10
    wide: bool = False
    hint: str = ""
    about: str = ""
    differ: str = ""

    def help(self, limits: Limits) -> str:
        """What it is for, what may be answered under these limits, what an empty answer means; one line."""
        empty = f"Empty: {self.hint}." if self.hint else ""
        if self.differ:
            empty = f"{'Empty: their' if self.hint else 'Their'} own ({self.differ})."
        return " ".join(part for part in (self.about, self.allowed(limits), empty) if part)

    def allowed(self, limits: Limits) -> str:
        """The range of answers in words; empty where any is as good."""
        return ""

    def show(self, value: Any) -> str:
        """A value as text to edit."""
        return "" if value is None else str(value)

    def read(self, text: str) -> Any:
        """The value that this text stands for. Raises Invalid."""
        raise NotImplementedError


class Number(Field, frozen=True):
    """A number between two ends, both included; ``whole`` without decimals; empty is None where ``optional``. ``cap``:
    what of a miner's limits holds it as well, such as ``mhz`` for those of ``min_mhz`` and ``max_mhz``."""

    lowest: float = 0
    highest: float = math.inf
    whole: bool = False
    optional: bool = False
    cap: str = ""

    def allowed(self, limits: Limits) -> str:
        """From the higher lower end to the lower higher end of its own and the limits' range."""
        low: float | None = getattr(limits, f"min_{self.cap}", None)
        high: float | None = getattr(limits, f"max_{self.cap}", None)
        ends = (max(self.lowest, low or self.lowest), min(self.highest, high or self.highest))
        unit = f" {self.unit}" if self.unit else ""
        if math.isinf(ends[1]):
            return f"{self.show(ends[0])}{unit} or more."
        return f"{self.show(ends[0])} to {self.show(ends[1])}{unit}."

    def show(self, value: float | None) -> str:
        """Without needless decimals."""
        return "" if value is None else f"{value:.6f}".rstrip("0").rstrip(".")

    def read(self, text: str) -> float | int | Own | None:
        """A comma counts as a point. Raises Invalid."""
        text = text.strip().replace(",", ".")
        if not text and self.differ:
            return OWN
        if not text and self.optional:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and self.lowest <= value <= self.highest) or (self.whole and value % 1):
            kind = "a whole number" if self.whole else "a number"
            raise Invalid(
                self.id,
                f"{self.label} must be {kind} {self._range()}{' or empty' if self.optional or self.differ else ''}.",
            )
        return int(value) if self.whole else value

    def _range(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if math.isinf(self.highest):
            return f"of at least {self.show(self.lowest)}{unit}"
        return f"from {self.show(self.lowest)} to {self.show(self.highest)}{unit}"


class Words(Field, frozen=True):
    """Some text; ``secret`` is not shown while it is typed."""

    optional: bool = False
    secret: bool = False
    longest: int = 256

    def read(self, text: str) -> str:
        """The text without blanks at its ends. Raises Invalid."""
        text = text.strip()
        if not text and not self.optional:
            raise Invalid(self.id, f"{self.label} must not be empty.")
        if len(text) > self.longest:
            raise Invalid(self.id, f"{self.label} must have at most {self.longest} characters.")
        if clean(text, self.longest) != text:
            raise Invalid(self.id, f"{self.label} must not contain control characters.")
        return text


class Choice(Field, frozen=True):
    """One of some words."""

    choices: tuple[str, ...] = ("no", "yes")

    def show(self, value: Any) -> str:
        """True and False are yes and no."""
        text = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else str(value)
        return text if text in self.choices else self.choices[0]

    def read(self, text: str) -> str | bool | Own:
        """Yes and no are True and False."""
        if self.differ and text == OWN.value:
            return OWN
        if self.choices[-2:] == ("no", "yes"):
            return text == "yes"
        return text


Answers = Mapping[str, Any]


def split(field: Field, values: Sequence[Any]) -> Field:
    """The field as it asks about several miners of which each has one of ``values``: where those differ, what is left
    untouched leaves each its own."""
    if all(value == values[0] for value in values):
        return field
    known = sorted({value for value in values if value is not None})
    if isinstance(field, Choice):
        differ = " and ".join(field.show(value) for value in known)
        width = max(field.width, len(OWN.value) + 4)
        return msgspec.structs.replace(field, differ=differ, width=width, choices=(OWN.value, *field.choices))
    ends = [field.show(value) for value in (known[:1] + known[1:][-1:])]
    differ = " or ".join([" to ".join(ends), *([field.hint] if None in values else [])])
    return msgspec.structs.replace(field, differ=differ, hint=OWN.value)


def ordered(answers: Answers, *pairs: tuple[str, str, str]) -> None:
    """Each pair is (lower id, higher id, sentence). Raises Invalid where the first is above the second."""
    for low, high, sentence in pairs:
        if answers[low] is not None and answers[high] is not None and answers[low] > answers[high]:
            raise Invalid(high, sentence)


def changed(before: float | None, after: float | None, unit: str, digits: int = 0) -> str:
    """``525 → 550 MHz``."""
    return f"{number(before, digits)} → {number(after, digits)} {unit}"
