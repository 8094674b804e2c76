"""A fault of the program itself: the screen ends, the terminal says where, and no value of a variable is told."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tests.tui import pictures
from tests.tui.looking import looking


async def test_a_crash_tells_the_place_and_no_values() -> None:
    said = io.StringIO()

    def fails(typed: str = "can" + "ary-91") -> None:
        raise ZeroDivisionError(f"{len(typed)} is too much")

    async def look() -> None:
        async with looking(pictures.normal()) as seen:
            seen.app.error_console = Console(file=said, width=100)
            seen.app.call_later(fails)
            await seen.until(lambda: seen.app._exception)

    with pytest.raises(ZeroDivisionError):
        await look()
    assert "test_fatal.py" in said.getvalue()
    assert "ZeroDivisionError: 9 is too much" in said.getvalue()
    assert "canary" not in said.getvalue()
