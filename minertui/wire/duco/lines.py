"""Lines out of a byte stream, whatever pieces it comes in, and never longer than agreed."""

from __future__ import annotations

from typing import Final


class Overlong:
    """Stands for a line that is too long; its bytes are dropped up to its newline."""


OVERLONG: Final = Overlong()


class Lines:
    """Frames by newline; a carriage return before it is dropped. Holds at most ``longest`` bytes."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes | Overlong]:
        """The lines that ``data`` completes, without their ends; OVERLONG once for each that is too long."""
        *whole, rest = (self._rest + data).split(b"\n")
        lines: list[bytes | Overlong] = []
        for line in whole:
            if not self._skipping:
                lines.append(OVERLONG if len(line) > self._longest else line.removesuffix(b"\r"))
            self._skipping = False
        if len(rest) > self._longest:
            if not self._skipping:
                lines.append(OVERLONG)
            self._skipping, rest = True, b""
        self._rest = b"" if self._skipping else rest
        return lines

    def clear(self) -> None:
        """Forget what is there of an unfinished line."""
        self._rest, self._skipping = b"", False
