"""What actions may use, done by the app and its main screen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeVar

from textual.screen import ModalScreen

from minertui.model.seams import Link
from minertui.tui.commands.base import At, Danger
from minertui.tui.options import Options
from minertui.tui.printable import one_line
from minertui.tui.screens.main import MainScreen
from minertui.tui.tabs.pane import Pane
from minertui.tui.widgets.glyphs import plain

if TYPE_CHECKING:
    from minertui.tui.app import MinertuiApp

R = TypeVar("R")
Level = Literal["information", "warning", "error"]
_LEVELS: dict[str, Level] = {"warning": "warning", "error": "error"}
_SECONDS: dict[Level, float] = {"information": 5.0, "warning": 10.0, "error": 15.0}


class ScreenDesk:
    """The Desk of a running screen."""

    def __init__(self, app: MinertuiApp, screen: MainScreen) -> None:
        self._app, self._screen = app, screen
        self._held: list[tuple[str, Level]] = []  # said while help was read
        self._remarked = ("", 0.0)  # and until when it can be read

    @property
    def link(self) -> Link:
        """The engine."""
        return self._app.link

    @property
    def options(self) -> Options:
        """How the screen was asked to behave."""
        return self._app.options

    @property
    def pane(self) -> Pane:
        """The tab's body in front."""
        return self._screen.pane

    @property
    def at(self) -> At:
        """Where the user is."""
        pane = self._screen.pane
        place = self._screen.front.partition(":")[0]
        return At(place, pane.devices if pane.ready else (), self._screen.picture.fleet, self.options.readonly)

    async def ask(self, dialog: ModalScreen[R]) -> R | None:
        """Show a dialog and wait for its result."""
        return await self._app.push_screen_wait(dialog)

    async def confirm(self, title: str, lines: Sequence[str], danger: Danger, name: str = "") -> bool:
        """Show exactly what would happen and ask; NONE is always yes."""
        if danger is Danger.NONE:
            return True
        from minertui.tui.dialogs.confirm import ConfirmDialog

        agreed: bool | None = await self.ask(ConfirmDialog(title, lines, danger.value, name))
        return bool(agreed)

    def copy(self, text: str) -> None:
        """Text to the terminal's clipboard (OSC 52)."""
        self._app.copy_to_clipboard("\n".join(one_line(part, 4096) for part in text.splitlines()))

    def picture(self) -> str:
        """What is on the screen, as SVG."""
        return self._app.export_screenshot(title="minertui")

    def say(self, text: str, severity: str = "information") -> None:
        """A toast; never parsed as markup. It does not cover the help: it waits until that is closed."""
        level = _LEVELS.get(severity, "information")
        said = plain(one_line(text)) if self._app.ascii else one_line(text)
        if getattr(self._app.screen, "quiet", False):
            self._held.append((said, level))
        else:
            self._app.notify(said, severity=level, timeout=_SECONDS[level], markup=False)

    def remark(self, text: str) -> None:
        """What a person may want to know about the key just pressed; not again while it can still be read, because a
        key that is held down comes thirty times a second."""
        now_s = asyncio.get_running_loop().time()
        before, until_s = self._remarked
        if text and (text != before or now_s >= until_s):
            self._remarked = (text, now_s + _SECONDS["information"])
            self.say(text)

    def speak(self, _: object = None) -> None:
        """Say what was held back."""
        held, self._held = self._held, []
        for said, level in held:
            self._app.notify(said, severity=level, timeout=_SECONDS[level], markup=False)

    def open_tab(self, key: str) -> None:
        """Go to a tab."""
        self._screen.open_tab(key)

    def close_tab(self) -> None:
        """Close the tab in front if it may be closed."""
        self._screen.close_tab()

    def step_tab(self, step: int) -> None:
        """Go ``step`` tabs to the right."""
        self._screen.step_tab(step)

    def nth_tab(self, number: int) -> None:
        """Go to a tab by its number, counted from 1."""
        if not self._screen.nth_tab(number):
            self.remark(f"there is no tab {number}")

    def back(self) -> None:
        """One step back."""
        self._screen.back()

    def freeze(self) -> None:
        """Hold the picture still, or let it go on."""
        self._screen.freeze()

    def zoom(self) -> None:
        """The focused pane over all, or back."""
        self._screen.zoom()

    def cycle_theme(self) -> None:
        """The next theme."""
        self._app.cycle_theme()

    def show_help(self) -> None:
        """Help for this place."""
        self._app.show_help(self.at)

    def show_palette(self) -> None:
        """The palette."""
        self._app.show_palette()

    def leave(self, text: str) -> None:
        """End the screen and print ``text`` on the terminal that comes back."""
        self._app.exit(text)
