"""The way out to the terminal outlives the terminal.

Textual writes in a thread behind a queue of 30 pieces. A terminal that was closed answers with an error, of which that
thread dies; whoever draws the 31st piece then waits for ever, deaf to SIGTERM, and the process stays.
"""

from __future__ import annotations

import contextlib
from typing import Any, cast

from textual.driver import Driver


class Unbroken:
    """A stream whose reader may be gone: what is written then goes nowhere. In all else the stream itself."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As of any text stream; never OSError."""
        with contextlib.suppress(OSError):  # EIO of a closed terminal
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """As of any stream; never OSError."""
        with contextlib.suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def outliving(driver: type[Driver]) -> type[Driver]:
    """This driver, writing through ``Unbroken``. One that writes to no stream stays as it is."""

    def begin(self: Any, *args: Any, **options: Any) -> None:
        driver.__init__(self, *args, **options)
        if hasattr(self, "_file"):
            self._file = Unbroken(self._file)

    return cast("type[Driver]", type(driver.__name__, (driver,), {"__init__": begin}))
