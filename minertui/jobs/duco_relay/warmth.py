"""How warm a board is, where it tells that, and whether it must rest until it has cooled down. Pure.

Boards of dialects C and D are asked between two jobs, once a minute. One that reaches its limit takes no job until it
is 5 °C cooler. A sensor that falls silent while its board is hot does not make it cool: it rests on.
"""

from __future__ import annotations

EVERY_S, SELDOM_S = 60.0, 600.0
"""Between two readings; of a sensor that is off."""
COOLER_C = 5.0


class Warmth:
    """``most_c``: the limit, None when there is none. ``tells``: the board can be asked. ``temp_c``: its last reading,
    None when it gave none."""

    def __init__(self, most_c: float | None) -> None:
        self.most_c = most_c
        self.tells = False
        self.temp_c: float | None = None
        self.hot = False
        self._due_s = 0.0

    def due(self, now_s: float) -> bool:
        """True when the board shall be asked before its next job."""
        return self.tells and (self.hot or now_s >= self._due_s)

    def read(self, temp_c: float | None, now_s: float) -> None:
        """The board was asked."""
        self.temp_c = temp_c
        self._due_s = now_s + (SELDOM_S if temp_c is None else EVERY_S)
        if temp_c is not None and self.most_c is not None:
            self.hot = temp_c > self.most_c - COOLER_C if self.hot else temp_c >= self.most_c

    @property
    def why(self) -> str:
        """Why it rests."""
        if not self.hot or self.most_c is None:
            return ""
        said = "its sensor is silent" if self.temp_c is None else f"it has {self.temp_c:.0f} °C"
        return f"{said}, its limit is {self.most_c:g} °C: it mines again at {self.most_c - COOLER_C:g} °C"
