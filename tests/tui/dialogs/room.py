"""A room for one dialog: opens it, and reads what it says and gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input

from minertui.tui.dialogs.box import Body
from minertui.tui.widgets.painted import Painted
from tests.tui.dialogs.show import Host


@asynccontextmanager
async def opened(
    dialog: Callable[[], ModalScreen[Any]], width: int = 80, height: int = 24, *, ascii_only: bool = False
) -> AsyncIterator[Pilot[None]]:
    async with Host(dialog, ascii_only=ascii_only).run_test(size=(width, height)) as pilot:
        await pilot.pause()
        yield pilot


async def opened_one_by_one(
    dialogs: Sequence[Callable[[], ModalScreen[Any]]], width: int = 80, height: int = 24
) -> AsyncIterator[Pilot[None]]:
    """Each of these in the same room, one after the other: to mount an app costs more than to try a form."""
    async with opened(dialogs[0], width, height) as pilot:
        for n, dialog in enumerate(dialogs):
            if n:
                host = pilot.app
                assert isinstance(host, Host)
                host.pop_screen()
                host.results.clear()
                host.push_screen(dialog(), host.results.append)
                await pilot.pause()
            yield pilot


def results(pilot: Pilot[None]) -> list[Any]:
    app = pilot.app
    assert isinstance(app, Host)
    return app.results


async def until(pilot: Pilot[None], condition: Callable[[], object], what: str) -> None:
    """Wait until this is so: what is laid out anew takes some rounds of messages."""
    for _ in range(200):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError(f"{what} did not happen; the screen says:\n{said(pilot)}")


def in_sight(field: Widget) -> bool:
    """True when no body of the dialog has scrolled it away."""
    bodies = [found for found in field.ancestors if isinstance(found, Body)]
    return bool(bodies) and all(body.region.contains_region(field.region) for body in bodies)


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


async def refuses(pilot: Pilot[None], answers: dict[str, str], sentence: str) -> None:
    """These answers are refused with this sentence; then the fields are as they were."""
    before = {name: pilot.app.screen.query_one(f"#{name}", Input).value for name in answers}
    await fill(pilot, **answers)
    assert sentence in said(pilot)
    await pilot.press("enter")
    assert results(pilot) == []
    await fill(pilot, **before)
