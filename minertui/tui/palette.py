"""The palette finds everything: what can be done here, every miner, every theme. What a read-only screen hides is not
found here either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider, SearchIcon

from minertui.tui.commands import offered
from minertui.tui.keys import free_sign
from minertui.tui.printable import one_line

if TYPE_CHECKING:
    from minertui.tui.app import MinertuiApp


class Everything(Provider):
    """Actions, miners and themes by name. Names of devices are shown as plain text, never as markup."""

    async def discover(self) -> Hits:
        """Before anything is typed: what can be done here."""
        for name, key, run in self._actions():
            yield DiscoveryHit(_shown(name, key), run, text=name)

    async def search(self, query: str) -> Hits:
        """What has the letters of ``query`` in their order."""
        matcher = self.matcher(query)
        for name, key, run in (*self._actions(), *self._miners(), *self._themes()):
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, _shown(name, key), run, text=name)

    @property
    def _minertui(self) -> MinertuiApp:
        return cast("MinertuiApp", self.app)

    def _actions(self) -> Iterator[tuple[str, str, Callable[[], None]]]:
        app = self._minertui
        at = app.desk.at
        for action in offered(at):
            yield action.title, free_sign(action, at.place, app.options.keys), partial(app.perform, action)

    def _miners(self) -> Iterator[tuple[str, str, Callable[[], None]]]:
        desk = self._minertui.desk
        for name in desk.at.fleet.snapshots:
            yield f"Open {one_line(name)}", "", partial(desk.open_tab, f"miner:{name}")

    def _themes(self) -> Iterator[tuple[str, str, Callable[[], None]]]:
        app = self._minertui
        for name in app.theme_names:
            yield f"Theme {one_line(name)}", "", partial(setattr, app, "theme", name)


class Palette(CommandPalette):
    """Textual's own in the signs of this program: no emoji, whose width terminals do not agree upon."""

    def __init__(self) -> None:
        super().__init__([Everything], placeholder="command, miner or theme")

    def on_mount(self) -> None:
        """The sign before what is typed is the palette's key."""
        self.query_one(SearchIcon).icon = ":"


def _shown(name: str, key: str) -> Text:
    text = Text(name)
    if key:
        text.append(f"  {key}", style="dim")
    return text
