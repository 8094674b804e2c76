"""How long the engine waits before it tries once more what failed: soon at first, and then later and later."""

from __future__ import annotations

_WAITS_S = (5.0, 10.0, 30.0, 60.0)


def wait_s(tries: int) -> float:
    """The wait after so many tries in a row that failed, counted from 0; from the fourth on a minute each."""
    return _WAITS_S[min(tries, len(_WAITS_S) - 1)]
