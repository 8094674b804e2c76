"""What a user action is: one class, and its key, footer, palette entry, help and protection follow from it.

The rules:
- ``danger`` is asked before anything happens: nothing, yes or no, or typing the name of what is at stake.
- An action that ``writes`` does not exist on a read-only screen: not in footer, palette or help; its key says so.
- ``applies`` decides by the place and the devices it would act upon; what does not apply is not offered. Its key says
  why when it is pressed all the same (``reason``).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import msgspec
from textual.binding import Binding

from minertui.model.fleet import Fleet, Snapshot
from minertui.model.seams import Link
from minertui.model.status import Ability
from minertui.tui.options import Options

if TYPE_CHECKING:
    from textual.screen import ModalScreen

    from minertui.tui.tabs.pane import Pane

R = TypeVar("R")
KeyOf = Callable[[str], str]
"""From the id of an action to its key as a person writes it."""


class Danger(enum.StrEnum):
    """What is asked before an action runs."""

    NONE = "none"
    YES_NO = "yes-no"
    TYPE_NAME = "type-name"


class At(msgspec.Struct, frozen=True):
    """Where the user is: the place, the devices that actions go to (marked ones, or the one under the cursor)."""

    place: str = "fleet"
    devices: tuple[str, ...] = ()
    fleet: Fleet = Fleet()
    readonly: bool = False

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """The newest of each device acted upon."""
        return tuple(self.fleet.snapshots[name] for name in self.devices if name in self.fleet.snapshots)

    @property
    def locked(self) -> str:
        """Why nothing may be written from here; empty when it may."""
        if self.fleet.readonly:
            return "the engine is read-only"
        return "this screen is read-only" if self.readonly else ""


class Desk(Protocol):
    """What an action may use: the app, seen from here."""

    @property
    def link(self) -> Link:
        """The engine."""
        ...

    @property
    def options(self) -> Options:
        """How the screen was asked to behave."""
        ...

    @property
    def at(self) -> At:
        """Where the user is."""
        ...

    @property
    def pane(self) -> Pane:
        """The tab's body in front."""
        ...

    async def ask(self, dialog: ModalScreen[R]) -> R | None:
        """Show a dialog and wait for its result; None: closed without one."""
        ...

    async def confirm(self, title: str, lines: Sequence[str], danger: Danger, name: str = "") -> bool:
        """Show exactly what would happen and ask; NONE is always yes."""
        ...

    def copy(self, text: str) -> None:
        """Text to the terminal's clipboard (OSC 52)."""
        ...

    def picture(self) -> str:
        """What is on the screen, as SVG."""
        ...

    def say(self, text: str, severity: str = "information") -> None:
        """A toast; never parsed as markup."""
        ...

    def open_tab(self, key: str) -> None:
        """Go to a tab, opening it when needed: a place, or ``miner:<device>``."""
        ...

    def close_tab(self) -> None:
        """Close the tab in front if it may be closed."""
        ...

    def step_tab(self, step: int) -> None:
        """Go ``step`` tabs to the right."""
        ...

    def nth_tab(self, number: int) -> None:
        """Go to a tab by its number, counted from 1."""
        ...

    def back(self) -> None:
        """One step back: what is open in the pane, then the fleet."""
        ...

    def freeze(self) -> None:
        """Hold the picture still, or let it go on."""
        ...

    def zoom(self) -> None:
        """The focused pane over all, or back."""
        ...

    def cycle_theme(self) -> None:
        """The next theme."""
        ...

    def show_help(self) -> None:
        """Help for this place."""
        ...

    def show_palette(self) -> None:
        """The palette."""
        ...

    def leave(self, text: str) -> None:
        """End the screen and print ``text`` on the terminal that comes back."""
        ...


class Action:
    """One thing a user can do. ``places`` empty: everywhere. ``footer`` empty: not in the footer."""

    id: ClassVar[str]
    key: ClassVar[str]
    title: ClassVar[str]
    help: ClassVar[str] = ""
    footer: ClassVar[str] = ""
    places: ClassVar[frozenset[str]] = frozenset()
    but: ClassVar[frozenset[str]] = frozenset()  # of those, places where the key means something else
    danger: ClassVar[Danger] = Danger.NONE
    writes: ClassVar[bool] = False
    waits: ClassVar[bool] = False  # for a dialog or the engine; others are done before the next key is read

    def applies(self, at: At) -> bool:
        """True when the action makes sense here; the ground rules, refined by subclasses."""
        return self.belongs(at) and not (self.writes and at.locked)

    def belongs(self, at: At) -> bool:
        """True in the places that the action is meant for."""
        return (not self.places or at.place in self.places) and at.place not in self.but

    def reason(self, at: At, key: KeyOf) -> str:
        """One short line: why it does not apply here, where it belongs; asked only then."""
        return at.locked if self.writes and at.locked else self.lack(at, key)

    def lack(self, at: At, key: KeyOf) -> str:
        """What it would need here; refined by subclasses that refine ``applies``."""
        return "there is nothing here to do it to"

    def label(self, at: At) -> str:
        """Its word in the footer, here."""
        return self.footer

    async def run(self, desk: Desk) -> None:
        """Do it. May wait for dialogs; a MinertuiError becomes a toast."""
        raise NotImplementedError

    def binding(self) -> Binding:
        """The key that Textual listens to; its id is the name for remapping."""
        return Binding(self.key, f"act({self.id!r})", self.footer or self.title, show=bool(self.footer), id=self.id)


class DeviceAction(Action):
    """Something done to devices. ``ability``: what a device must be able to do; one that can is enough to offer it."""

    places = frozenset({"fleet", "miner", "sweep"})
    ability: ClassVar[Ability | None] = None
    writes = True
    waits = True

    def applies(self, at: At) -> bool:
        """There is a device here that can do it."""
        return super().applies(at) and any(self.fits(snapshot, at.fleet) for snapshot in at.snapshots)

    def fits(self, snapshot: Snapshot, fleet: Fleet) -> bool:
        """Can this device be told this now?"""
        if self.ability is None:
            return True
        return snapshot.status is not None and self.ability in snapshot.status.abilities

    def lack(self, at: At, key: KeyOf) -> str:
        """There is no miner, or what these cannot; of several that cannot for different reasons, how many they are."""
        if not at.fleet.snapshots:
            return f"there is no miner yet; {key('add')} in the fleet adds one, {key('discover')} looks for some"
        if not at.snapshots:
            return "no miner is chosen here"
        whom = f"{len(at.snapshots)} miners" if len(at.snapshots) > 1 else at.snapshots[0].device
        reasons = {self.unfit(snapshot, at.fleet, key) for snapshot in at.snapshots}
        return f"{whom}: {reasons.pop() if len(reasons) == 1 else 'none of them can do this now'}"

    def unfit(self, snapshot: Snapshot, fleet: Fleet, key: KeyOf) -> str:
        """Why this device cannot be told this now, where ``fits`` says so."""
        if snapshot.status is None:
            return "no reading of it yet"
        return "its firmware offers no such order"

    def targets(self, desk: Desk) -> tuple[Snapshot, ...]:
        """The devices here that it goes to."""
        at = desk.at
        return tuple(snapshot for snapshot in at.snapshots if self.fits(snapshot, at.fleet))


def pane_of(desk: Desk) -> Any:
    """The pane in front, for actions whose ``places`` say which class it is."""
    return desk.pane
