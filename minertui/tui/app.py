"""The screen: it follows a link, shows what comes, and turns keys into actions. It keeps nothing that matters, so it
may die with its terminal at any moment.

    run(link, options)   until the user leaves; prints the farewell; returns the exit code
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

import msgspec
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.driver import Driver
from textual.filter import LineFilter, Monochrome, NoColor
from textual.screen import Screen
from textual.theme import Theme
from textual.worker import Worker

from minertui.model.alerts import Severity
from minertui.model.errors import MinertuiError
from minertui.model.seams import Link
from minertui.tui import theme as themes
from minertui.tui.commands import ACTIONS, BY_ID
from minertui.tui.commands.base import Action, At
from minertui.tui.desk import ScreenDesk
from minertui.tui.driver import outliving
from minertui.tui.feed import Feed, Picture, PictureTaken
from minertui.tui.keys import checked, why_not
from minertui.tui.options import Options, for_terminal
from minertui.tui.printable import InTurn, PrintableOnly, one_line
from minertui.tui.screens.bars import lost_since
from minertui.tui.screens.main import MainScreen

_LOOK_S = 2.0  # between looks at the theme files
_TOAST = {Severity.INFO: "information", Severity.WARNING: "warning", Severity.CRITICAL: "error"}


class MinertuiApp(App[str]):
    """The screen of a Link. Its result is what to print when the terminal is back."""

    TITLE = "minertui"
    CSS_PATH = "minertui.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [action.binding() for action in ACTIONS]

    def __init__(self, link: Link, options: Options) -> None:
        """``options`` as ``for_terminal`` gave them. The link is closed by whoever made it."""
        super().__init__()
        self.link = link
        self.ascii = options.ascii
        self.set_class(options.ascii, "-ascii")
        self.set_class(options.no_color, "-no-color")
        good, problems = checked(options.keys)
        self._key_problems = [f"screen.keys.{id_}: {text}" for id_, text in problems]
        self.options = msgspec.structs.replace(options, keys=good)
        self._action_keys = {key for action in ACTIONS for key in good.get(action.id, action.key).split(",")}
        self.set_keymap({"rows.last": "end", **good})  # G belongs to the guard
        self.feed = Feed(link, self)
        self.main = MainScreen(link, self.feed, demo=options.demo, readonly=options.readonly)
        self.desk = ScreenDesk(self, self.main)
        self._printable, self._no_color = PrintableOnly(), NoColor()
        self._filter = InTurn()
        self._theme_folders = options.themes or (themes.shipped(),)
        self._theme_files: dict[Path, int] = {}
        self.theme_names: tuple[str, ...] = ()
        self._known_alerts: frozenset[str] | None = None
        self._take_themes()

    # start and end

    def get_driver_class(self) -> type[Driver]:
        """Textual's own for this platform, on a terminal that may be closed at any moment."""
        return outliving(super().get_driver_class())

    def get_default_screen(self) -> Screen[None]:
        """The one screen."""
        return self.main

    def on_mount(self) -> None:
        """Follow the engine; end in good order when the terminal or the system says so."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self.exit, f"Ended by {number.name}; the engine goes on.")
            except (ValueError, NotImplementedError, RuntimeError):  # not in the main thread: somebody else's signals
                break
        self.feed.on_lost(self._follow)
        self._follow()
        self.set_interval(_LOOK_S, self._look_at_themes)

    def _follow(self) -> None:
        _: Worker[None] = self.run_worker(self.feed.run, exclusive=True, group="feed")

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and last the gate that lets only printable text out; all in one, the same as long as they are
        the same ones, because lines are kept by filter. For NO_COLOR Textual chooses greys before a theme is known, and
        knows no grey for the terminal's own colours: it would write black on black."""
        own = (each for each in super().get_line_filters() if not isinstance(each, Monochrome))
        no_color = (self._no_color,) if self.options.no_color else ()
        wanted = (*own, self._printable, *no_color)
        if wanted != self._filter.filters:
            self._filter = InTurn(*wanted)
        return (self._filter,)

    # pictures

    def on_picture_taken(self, message: PictureTaken) -> None:
        """Show the newest, and tell what is new in it; nothing any more while the screen is left: it comes apart."""
        if self._exit or not self.is_running:
            return
        self.main.show(message.picture)
        self._tell_dialogs(message.picture)
        self._toast_new_alerts(message.picture)

    def _tell_dialogs(self, picture: Picture) -> None:
        """A dialog that was open when the engine went cannot order, and one that it came back to can again."""
        open_ = self.screen_stack[1:]
        if not open_:  # the module of dialogs may not even be there yet
            return
        from minertui.tui.dialogs.ordering import Ordering

        lost = f"!! Engine lost{lost_since(picture)}; nothing can be ordered" if picture.lost else ""
        for screen in open_:
            if isinstance(screen, Ordering):
                screen.heed(lost)

    def _toast_new_alerts(self, picture: Picture) -> None:
        if not picture.first:
            return
        active = {a.id: a for a in picture.fleet.alerts.values() if a.active and not a.acknowledged}
        if self._known_alerts is not None:
            for id_ in active.keys() - self._known_alerts:
                alert = active[id_]
                self.desk.say(f"{alert.severity.mark} {alert.device}: {alert.text}".strip(), _TOAST[alert.severity])
        self._known_alerts = frozenset(active)

    # actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what applies here has a key."""
        if action != "act" or not parameters:
            return super().check_action(action, parameters)
        return self.main.is_mounted and BY_ID[str(parameters[0])].applies(self.desk.at)

    def on_key(self, event: events.Key) -> None:
        """Before Textual looks what the key does. Where it would do nothing, one of the actions says why."""
        if event.key not in self._action_keys or len(self.screen_stack) > 1 or not self.main.is_mounted:
            return
        if event.key not in self.main.active_bindings:
            self.desk.remark(why_not(event.key, self.desk.at, self.options.keys))

    async def action_act(self, action_id: str) -> None:
        """A key was pressed. What needs no dialog and no engine is done before the next key is read."""
        action = BY_ID[action_id]
        if action.waits:
            self.perform(action)
        elif action.applies(self.desk.at):
            await self._perform(action)

    def perform(self, action: Action) -> None:
        """Do it, beside the screen: it may wait for dialogs and for the engine."""
        at = self.desk.at
        if action.applies(at):
            _: Worker[None] = self.run_worker(partial(self._perform_there, action, at), group="actions")

    async def _perform_there(self, action: Action, meant: At) -> None:
        """Unless the next key was faster, and something else is in front now: that was not meant."""
        at = self.desk.at
        if (at.place, at.devices) == (meant.place, meant.devices):
            await self._perform(action)
        else:
            self.desk.say(f"“{action.title}” was left out: you had left {meant.place} before it began", "warning")

    async def _perform(self, action: Action) -> None:
        if action.writes and self.feed.picture.lost:  # before a dialog is filled in for nothing
            self.desk.say(f"the engine is lost{lost_since(self.feed.picture)}; nothing can be ordered", "error")
            return
        try:
            await action.run(self.desk)
        except MinertuiError as error:
            self.desk.say(str(error), "error")
        if self.is_running and self.main.is_mounted:
            self.main.draw_keys()

    def show_palette(self) -> None:
        """Find everything."""
        from minertui.tui.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def show_help(self, at: At) -> None:
        """What the keys do here."""
        from minertui.tui.help import help_screen

        self.push_screen(help_screen(at, self.options.keys), self.desk.speak)

    def _fatal_error(self) -> None:
        """As Textual's own, without the values of variables: a password that was being typed may be one of them."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        self.bell()
        self._exit_renderables.append(Segments(self.console.render(Traceback(width=None), self.console.options)))
        self._close_messages_no_wait()

    def handle_bindings_clash(self, clashed_bindings: set[Binding], node: DOMNode) -> None:
        """Two bindings of one widget want the same key: said once, in the banner."""
        mapped = self.options.keys
        lost = sorted(b.id or b.action for b in clashed_bindings if b.id not in mapped and b.id != "rows.last")
        if not lost:  # a binding that keeps one of its own keys is no clash
            return
        names = ", ".join(lost)
        self._say_problem(f"keys: {names} lost their key to another binding in {type(node).__name__}")

    # themes

    def cycle_theme(self) -> None:
        """The next one, in the order of their names."""
        names = self.theme_names
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]
        self.desk.say(f"Theme: {self.theme}")

    def _take_themes(self) -> None:
        self._theme_files = themes.files(self._theme_folders)
        found, problems = themes.read_all(self._theme_files)
        for found_theme in found.values():
            self.register_theme(found_theme)
        known = {*self.theme_names, *found}  # a file that broke leaves the theme as it was
        self.theme_names = tuple(sorted(known)) or ("textual-dark",)
        if self.theme in found:
            self._repaint_theme(found[self.theme])
        elif self.theme not in known:
            problems += self._choose_theme(self.options.theme)
        self._say_problem("; ".join([*self._key_problems, *problems]))

    def _choose_theme(self, wanted: str) -> list[str]:
        if wanted in self.theme_names:
            self.theme = wanted
            return []
        self.theme = self.theme_names[0]
        return [f"there is no theme {wanted!r}; there are: {', '.join(self.theme_names)}"]

    def _repaint_theme(self, changed: Theme) -> None:
        """The file of the theme in use changed: setting the same name again would do nothing."""
        self.call_next(self._watch_theme, changed.name)

    def _look_at_themes(self) -> None:
        if themes.files(self._theme_folders) != self._theme_files:
            self._take_themes()

    def _say_problem(self, text: str) -> None:
        self.main.problem = one_line(text, 500)
        if self.main.is_mounted:
            self.main.draw_frame()


def run(link: Link, options: Options) -> int:
    """Show the screen until the user leaves; then say on the terminal what goes on. Returns the exit code."""
    app = MinertuiApp(link, for_terminal(options, os.environ))
    farewell = app.run(mouse=options.mouse)
    if farewell:
        with contextlib.suppress(OSError):  # the terminal was closed
            print(one_line(farewell, 2000), file=sys.stderr, flush=True)
    return app.return_code or 0
