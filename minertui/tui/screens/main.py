"""The one screen: header, tabs, banner, the tab in front, footer. It mounts a tab's body when it is first opened."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widget import Widget

from minertui.model.fleet import Fleet
from minertui.model.seams import Link
from minertui.tui.commands import BY_ID
from minertui.tui.commands.base import At
from minertui.tui.feed import NOTHING, Feed, Picture, outdated
from minertui.tui.keys import sign
from minertui.tui.order import natural, relays
from minertui.tui.screens.bars import KeyBar, Tab, TabBar, alerts_tab, banner_spans, header_spans, rig_tab, worse
from minertui.tui.tabs.fleet import FleetPane
from minertui.tui.tabs.pane import Pane
from minertui.tui.widgets.rig_lines import RigLines
from minertui.tui.widgets.rows import DeviceRows
from minertui.tui.widgets.sentences import Sentences
from minertui.tui.widgets.status_line import StatusLine

_ALWAYS = ("palette", "help", "detach")  # at the right end of the footer, wherever you are
_SOON = ("benchmark", "stop-benchmark")  # behind the first of a pane's own keys, where that has several


def pane_for(place: str, link: Link, feed: Feed) -> Pane:
    """A new body for this place; imported when first opened, so that the first picture does not wait for it."""
    if place == "miner":
        from minertui.tui.tabs.miner import MinerPane

        return MinerPane(link, feed)
    if place == "rig":
        from minertui.tui.tabs.rig import RigPane

        return RigPane(link, feed)
    if place == "sweep":
        from minertui.tui.tabs.sweep import SweepPane

        return SweepPane(link, feed)
    if place == "alerts":
        from minertui.tui.tabs.alerts import AlertsPane

        return AlertsPane(link, feed)
    if place == "log":
        from minertui.tui.tabs.log import MergedLogPane

        return MergedLogPane(link, feed)
    if place == "commands":
        from minertui.tui.tabs.commands import CommandsPane

        return CommandsPane(link, feed)
    return FleetPane(link, feed)


class MainScreen(Screen[None]):
    """Frame and tabs. The app gives it pictures; actions find the pane in front here."""

    BINDINGS: ClassVar[list[BindingType]] = []
    BLANK = True  # its widgets cover it: nothing is painted under them

    def __init__(self, link: Link, feed: Feed, *, demo: bool = False, readonly: bool = False) -> None:
        super().__init__()
        self._link, self._feed = link, feed
        self._demo, self._readonly = demo, readonly
        self.picture: Picture = NOTHING
        self.frozen_s: float | None = None
        self._frozen: Picture = NOTHING  # as it was when it was frozen, whatever comes of its engine
        self.problem = ""  # a sentence of the screen's own (keys, themes), shown while the engine has none
        self.front = "fleet"
        self._opened: list[str] = []  # miners opened by hand, besides the pinned ones
        self._panes: dict[str, Pane] = {}
        self._head, self._tab_bar, self._banner = StatusLine(id="head"), TabBar(), Sentences(id="banner")
        self._key_bar = KeyBar()
        self._keys_told: object = None
        self._framed = False  # its lines are mounted; pictures may come before, and after they are gone

    def compose(self) -> ComposeResult:
        """Line by line from the top."""
        yield self._head
        yield self._tab_bar
        yield self._banner
        yield self._make("fleet")  # right here: a container around it would be painted under it each time
        yield self._key_bar

    def on_mount(self) -> None:
        """The lines around the first tab, with whatever picture came until now."""
        self._framed = True
        self.draw_frame()

    def on_unmount(self) -> None:
        """Nothing is left to draw on."""
        self._framed = False

    def on_resize(self) -> None:
        """More or less room for the header."""
        self.draw_frame()

    def _make(self, place: str) -> Pane:
        pane = pane_for(place, self._link, self._feed)
        self._panes[place] = pane
        return pane

    @property
    def pane(self) -> Pane:
        """The body in front."""
        return self._panes[self.front.partition(":")[0]]

    # pictures

    def show(self, picture: Picture) -> None:
        """Draw this picture. A frozen screen keeps its own, but not as the present when the engine is lost."""
        if self.frozen_s is None:
            self.picture = picture
            self._forget_gone(picture.fleet)
        elif picture.lost != self.picture.lost:
            self.picture = self._still(picture)
        else:
            self.draw_frame(picture)
            return
        if self._framed and self.pane.ready:
            self.pane.show(self.picture)
        self.draw_frame(picture)

    def _still(self, newest: Picture) -> Picture:
        """The frozen picture while the engine is lost, and after."""
        fleet = outdated(self._frozen.fleet) if newest.lost else self._frozen.fleet
        return msgspec.structs.replace(self._frozen, fleet=fleet, lost=newest.lost, lost_s=newest.lost_s)

    def freeze(self) -> None:
        """Hold the picture still, or let it go on with the newest."""
        self.frozen_s = self.picture.fleet.at_s if self.frozen_s is None else None
        self._frozen = self.picture
        self.show(self._feed.picture)

    def _forget_gone(self, fleet: Fleet) -> None:
        self._opened = [name for name in self._opened if name in fleet.snapshots]
        if ":" in self.front and self.front not in [tab.key for tab in self.tabs]:
            self.open_tab("fleet")

    def draw_frame(self, newest: Picture | None = None) -> None:
        """The lines around the tab; the banner says how the ``newest`` picture is even while the screen is frozen."""
        if not self._framed:
            return
        newest = newest or self.picture
        self._head.show(*header_spans(self.picture, self._demo, self.size.width, self._readonly))
        ill = 0 if self.frozen_s is None else worse(self.picture.fleet, newest.fleet)
        banner = banner_spans(newest, self.frozen_s, self.problem, ill)
        self._banner.display = bool(banner)
        self._banner.show(banner)
        self._tab_bar.show(self.tabs, self.front)
        told = self._what_keys_depend_on()
        if told != self._keys_told:
            self._keys_told = told
            self.draw_keys()

    def _what_keys_depend_on(self) -> object:
        """What of a picture can change the footer: asking every action four times a second costs more than drawing."""
        fleet, devices = self.picture.fleet, self.pane.devices if self.pane.ready else ()
        shown = [fleet.snapshots[name] for name in devices if name in fleet.snapshots]
        status = [(s.status.abilities, s.status.paused, s.status.overheat) for s in shown if s.status]
        jobs = [(job.id, job.phase) for job in fleet.jobs.values()]
        alert = next((a.id for a in fleet.alerts.values()), "")
        return (
            self.front,
            self.focused,
            devices,
            [s.health for s in shown],
            status,
            jobs,
            alert,
            fleet.readonly,
            fleet.demo,
        )

    def draw_keys(self) -> None:
        """The footer: what can be done here, in the focused widget and in the tab."""
        active = self.active_bindings.values()
        shown = [b for b in active if b.enabled and b.binding.show and b.binding.description]
        own = [b for b in shown if b.node is not self.app]
        acts = [b for b in shown if b.node is self.app]
        at = At(self.front.partition(":")[0], self.pane.devices if self.pane.ready else (), self.picture.fleet)
        seen: dict[str, tuple[str, str, str]] = {}
        soon = [b for b in acts if b.binding.id in _SOON] if len(own) > 1 else []
        for found in (*own[:1], *soon, *own[1:], *acts):  # of what comes twice the first one counts
            key = found.binding.id or found.binding.action
            prefix = "" if found.node is self.app else "focused."
            word = BY_ID[key].label(at) if key in BY_ID else found.binding.description
            seen.setdefault(key, (sign(found.binding.key), word, prefix + found.binding.action))
        always = [seen.pop(id_) for id_ in _ALWAYS if id_ in seen]
        self._key_bar.show(list(seen.values()), always)

    # tabs

    @property
    def tabs(self) -> tuple[Tab, ...]:
        """Fleet, pinned miners, opened ones, rigs, then the fixed places."""
        fleet = self.picture.fleet
        pinned = sorted((s.device for s in fleet.snapshots.values() if s.pinned), key=natural)
        miners = [*pinned, *(name for name in self._opened if name not in pinned)]
        sweeps = sum(job.kind == "sweep" and not job.phase.over for job in fleet.jobs.values())
        return (
            Tab("fleet", "Fleet"),
            *(Tab(f"miner:{name}", name) for name in miners),
            *(rig_tab(job) for job in relays(fleet)),
            Tab("sweep", "Sweep", str(sweeps) if sweeps else "", "accent"),
            alerts_tab(self.picture),
            Tab("log", "Log"),
            Tab("commands", "Commands"),
        )

    def open_tab(self, key: str) -> None:
        """Bring a tab to the front; a miner's tab is made when there is none. All miners share one body."""
        place, _, device = key.partition(":")
        if place == "miner" and device not in self._opened:
            self._opened.append(device)
        if key == self.front:
            return
        self.pane.leave()
        self.zoom(off=True)
        self.pane.display = False
        self.front = key
        if place not in self._panes:
            self.mount(self._make(place), before=self._key_bar)
        self.pane.display = True
        self._enter()

    @on(Pane.Ready)
    def _enter(self) -> None:
        """Once the body is mounted: whose it is, what it shows, where keys go."""
        pane, device = self.pane, self.front.partition(":")[2]
        if pane.ready:
            if device:
                pane.open(device)
            pane.show(self.picture)
            pane.enter()
        self.draw_frame()

    def close_tab(self) -> None:
        """Close the miner's tab in front; a pinned one stays a tab."""
        device = self.front.partition(":")[2]
        self.open_tab("fleet")
        self._opened = [name for name in self._opened if name != device]
        self.draw_frame()

    def step_tab(self, step: int) -> None:
        """Go ``step`` tabs to the right, round the end."""
        keys = [tab.key for tab in self.tabs]
        self.open_tab(keys[(keys.index(self.front) + step) % len(keys)])

    def nth_tab(self, number: int) -> bool:
        """Go to the tab with this number; False when there is none."""
        tabs = self.tabs
        if number <= len(tabs):
            self.open_tab(tabs[number - 1].key)
        return number <= len(tabs)

    def back(self) -> None:
        """One step back: zoom, what the pane has open, then the fleet."""
        if self.zoom(off=True) or self.pane.back():
            return
        self.open_tab("fleet")

    # one section over all

    def zoom(self, *, off: bool = False) -> bool:
        """The section with the focus alone in the tab, or all of them again; True when something changed."""
        zoomed = self.query(".-zoomed")
        if zoomed or off:
            self.remove_class("-zooming")
            changed = bool(zoomed)
            zoomed.remove_class("-zoomed")
            return changed
        section = self._section(self.focused)
        if section is not None:
            section.add_class("-zoomed")
            self.add_class("-zooming")
        return section is not None

    @staticmethod
    def _section(widget: Widget | None) -> Widget | None:
        if widget is None:
            return None
        return next((w for w in widget.ancestors_with_self if isinstance(w, Widget) and w.has_class("section")), None)

    # from the widgets

    @on(DeviceRows.Opened)
    def _row_opened(self, message: DeviceRows.Opened) -> None:
        self.open_tab(f"miner:{message.device}")

    @on(RigLines.Opened)
    def _rig_opened(self, message: RigLines.Opened) -> None:
        self.open_tab(f"rig:{message.rig}")

    @on(DeviceRows.Moved)
    def _row_moved(self) -> None:
        self.draw_keys()

    @on(TabBar.Chosen)
    def _tab_clicked(self, message: TabBar.Chosen) -> None:
        self.open_tab(message.key)

    @on(KeyBar.Pressed)
    async def _key_clicked(self, message: KeyBar.Pressed) -> None:
        action = message.action
        if action.startswith("focused.") and self.focused is not None:
            await self.app.run_action(action.removeprefix("focused."), self.focused)
        else:
            await self.app.run_action(action)

    def on_descendant_focus(self) -> None:
        """Other keys apply now."""
        self.call_after_refresh(self.draw_keys)

    def on_descendant_blur(self) -> None:
        """What had the focus is gone or hidden; maybe nothing else takes it."""
        self.call_after_refresh(self.draw_keys)
