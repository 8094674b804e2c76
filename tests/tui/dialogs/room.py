"""A room for one dialog: opens it, and reads what it says and gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input

from minertui.tui.widgets.painted import Painted
from tests.tui.dialogs.show import Host


@asynccontextmanager
async def opened(
    dialog: Callable[[], ModalScreen[Any]], width: int = 80, height: int = 24, *, ascii_only: bool = False
) -> AsyncIterator[Pilot[None]]:
    async with Host(dialog, ascii_only=ascii_only).run_test(size=(width, height)) as pilot:
        await pilot.pause()
        yield pilot


def results(pilot: Pilot[None]) -> list[Any]:
    app = pilot.app
    assert isinstance(app, Host)
    return app.results


async def fill(pilot: Pilot[None], **answers: str) -> None:
    """Write answers into fields as if typed."""
    for name, value in answers.items():
        pilot.app.screen.query_one(f"#{name}", Input).value = value
    await pilot.pause()


def said(pilot: Pilot[None]) -> str:
    """All text on the screen, line by line."""
    found = []
    for widget in pilot.app.screen.query(Painted):
        found += ["".join(s.text for s in widget.render_line(y)) for y in range(widget.size.height)]
    return "\n".join(x.rstrip() for x in found)
