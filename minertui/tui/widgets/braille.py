"""Dots: eight to a cell, two across and four down, as the braille characters have them."""

from __future__ import annotations

_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BASE = 0x2800


class Dots:
    """A field of ``width`` x ``height`` cells, that is 2x4 as many dots; (0, 0) is the top left."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._bits = [bytearray(width) for _ in range(height)]

    def dot(self, x: int, y: int) -> None:
        """Set one dot; outside is nothing."""
        if 0 <= x < 2 * self.width and 0 <= y < 4 * self.height:
            self._bits[y // 4][x // 2] |= _BITS[x % 2][y % 4]

    def rise(self, x: int, y0: int, y1: int) -> None:
        """Set a column of dots from ``y0`` to ``y1``, both included, in any order."""
        for y in range(max(0, min(y0, y1)), min(4 * self.height - 1, max(y0, y1)) + 1):
            self.dot(x, y)

    def bits(self, x: int, y: int) -> int:
        """The dots of a cell."""
        return self._bits[y][x]


def braille(bits: int) -> str:
    """The character with these dots; a blank for none."""
    return chr(_BASE + bits) if bits else " "
