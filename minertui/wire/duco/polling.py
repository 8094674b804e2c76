"""When to ask a board that searches whether it is done. Only boards on I2C are asked; a sketch answers by itself.

Pools draw the nonce evenly, so a search ends evenly between now and the longest it can take. A question costs the board
0.1 ms of hashing (measured with hauchel's sketch: 300 polls lower 207 H/s to 202), and bus and host some time; an
answer that waits for the question costs the wait. The least of both together: pauses that shrink with the root of what
the search may still take.
"""

from __future__ import annotations

import math

QUESTION_S = 0.0002
"""What one question costs: the board's 0.1 ms, and as much for all others."""
SHORTEST_S, LONGEST_S = 0.004, 0.1
UNKNOWN_S = 0.03
"""While nobody knows how fast the board is."""
_FEW = 8  # exchanges that a bus carries without being crowded


def pause_s(searched_s: float, longest_s: float | None, sharing: int = 1) -> float:
    """Seconds until the next question to a board that has searched for ``searched_s`` of at most ``longest_s`` (None:
    not known). ``sharing``: exchanges under way on its bus; on a crowded one a question costs the others too."""
    if longest_s is None:
        return UNKNOWN_S
    cost_s = QUESTION_S * max(1.0, sharing / _FEW)
    return min(LONGEST_S, max(SHORTEST_S, math.sqrt(2 * cost_s * abs(longest_s - searched_s))))
