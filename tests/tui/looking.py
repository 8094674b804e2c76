"""A running screen on a fake link, and what is seen on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from minertui.model.fleet import Fleet
from minertui.tui.app import MinertuiApp
from minertui.tui.options import Options
from tests.tui.fake_link import FakeLink


class Looking:
    """The app, its link, its pilot."""

    def __init__(self, app: MinertuiApp, link: FakeLink, pilot: Pilot[Any]) -> None:
        self.app, self.link, self.pilot = app, link, pilot

    @property
    def pane(self) -> Any:
        """The tab's body in front, whichever it is."""
        return self.app.main.pane

    @property
    def devices(self) -> list[str]:
        """What actions would go to now."""
        return list(self.app.desk.at.devices)

    @property
    def text(self) -> str:
        """What stands on the screen, line by line."""
        return "\n".join(strip.text.rstrip() for strip in self.app.screen._compositor.render_strips())

    def line(self, n: int) -> str:
        """One line of it; negative from the bottom."""
        return self.text.split("\n")[n]

    def row(self, device: str) -> str:
        """The first line that names this device, below the tabs."""
        return next((line for line in self.text.split("\n")[2:] if device in line), "")

    async def until(self, condition: Callable[[], object], what: str = "it") -> None:
        """Wait until this is so; at most some twenty seconds."""
        for _ in range(2000):
            if condition():
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"{what} did not happen; the screen says:\n{self.text}")

    async def sees(self, text: str) -> None:
        """Wait until this text is on the screen."""
        await self.until(lambda: text in self.text, repr(text))

    async def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()

    async def toast(self, text: str) -> None:
        """Wait until a toast says this."""
        await self.until(lambda: any(text in n.message for n in self.app._notifications), f"toast {text!r}")


@asynccontextmanager
async def looking(
    what: Fleet | FakeLink, size: tuple[int, int] = (120, 40), options: Options | None = None
) -> AsyncIterator[Looking]:
    """Run the screen on this fleet until its first picture is drawn."""
    link = what if isinstance(what, FakeLink) else FakeLink(what)
    app = MinertuiApp(link, options or Options())
    async with app.run_test(size=size) as pilot:
        seen = Looking(app, link, pilot)
        if not link.down:
            await seen.until(lambda: app.main.picture.first, "the first picture")
        await pilot.pause()
        yield seen
