"""Changes of the safety kernel that change nothing it does: no test can find them, and here is why.

They stay in the code where they say what is meant, or where they hold if a caller ever breaks its word. Each names the
line as it stands; a test demands that the mutator still makes it.
"""

from __future__ import annotations

import msgspec


class Same(msgspec.Struct, frozen=True):
    """``line`` of ``minertui/safety/<module>.py``, the change as the mutator says it, and why it has no effect."""

    module: str
    line: str
    what: str
    why: str


_RANGE = "a list of rungs from a higher start is empty, so that the one wanted value is left either way"
SAME_MUTANTS: tuple[Same, ...] = (
    Same("calm", "if chip is None or not valid_temp(chip) or not chip <= self.chip_c:", "without “chip is None”",
         "no temperature is not a valid one; the type checker wants it said"),
    Same("kernel", "if mhz is not None and goes_up(mhz, status.frequency_mhz):", "without “mhz is not None”",
         "nothing asked goes nowhere; the type checker wants it said"),
    Same("kernel", "if have is None or not math.isfinite(have) or want <= have:", "without “want <= have”", _RANGE),
    Same("kernel", "if have is None or not math.isfinite(have) or want <= have:", "LtE → Lt", _RANGE),
    Same("kernel", "least = max(floor, users or 0) if user else floor", "0 → 1", "every floor is higher"),
    Same("kernel", "least = max(floor, users or 0) if user else floor", "0 → -1", "every floor is higher"),
    Same("limits", 'family = BOARDS.get(status.board or "")', "without “''”", "no board is called None"),
    Same("limits", "return min((v for v in values if v is not None and math.isfinite(v) and v > 0), default=None)",
         "without “math.isfinite(v)”", "NaN is not above 0, and the model's own cap, which is finite, beats infinity"),
    Same("others", "was_so = request.baseline is not None and pct is not None and pct == request.baseline.fan_pct",
         "without “pct is not None”", "an unknown speed is refused whatever it was before"),
    Same("others", "now = 100.0 if status.fan_pct is None else status.fan_pct", "100.0 → 101.0",
         "a fan counts as at 100 % at most"),
    Same("raising", "if goes_up(value, have) and not (value is not None and value <= cap):",
         "without “value is not None”", "nothing asked goes nowhere; the type checker wants it said"),
    Same("raising", "if value is not None and usual and goes_up(value, have) and value > usual * _FAR:",
         "without “value is not None”", "nothing asked goes nowhere; the type checker wants it said"),
    Same("samples", "if value is None or not math.isfinite(value) or value in _SENTINELS_C:",
         "without “not math.isfinite(value)”", "NaN and infinity are not between the bounds that follow"),
)  # fmt: skip
