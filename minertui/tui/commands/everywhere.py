"""What can be done wherever you are."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding

from minertui.model.fleet import Fleet
from minertui.tui.commands.base import Action, Danger, Desk
from minertui.tui.widgets.wording import whom

GOES_ON = "Miners get their own settings back; what runs goes on when the engine starts again."


class Help(Action):
    """What the keys do, in this place."""

    id, key, footer, title = "help", "question_mark", "Help", "Help for this place"
    help = "Explains the place you are in and its keys."

    async def run(self, desk: Desk) -> None:
        """Show it."""
        desk.show_help()


class Palette(Action):
    """Find everything by name."""

    id, key, footer, title = "palette", "colon,ctrl+p", "Find", "Find a command or a miner"
    help = "Type a part of the name of any command, miner or theme."

    async def run(self, desk: Desk) -> None:
        """Open it."""
        desk.show_palette()


class Detach(Action):
    """Leave the screen, not the work."""

    id, key, footer, title = "detach", "q", "Detach", "Detach; the engine goes on"
    help = "Closes this screen. Sweeps, guards and alerts go on in the engine; come back with: minertui"

    async def run(self, desk: Desk) -> None:
        """End the screen and say what goes on."""
        if desk.at.fleet.demo:  # it ends with its screen, and says so itself
            desk.leave("")
            return
        going = "; ".join(_running(desk.at.fleet))
        with_ = f", with {going}" if going else ""
        desk.leave(f"Detached; the engine goes on{with_}. Come back: minertui. End it: minertui stop.")


def _running(fleet: Fleet) -> list[str]:
    """What is under way, by kind: on whom, or on how many where that are more than a line has room for."""
    on: dict[str, list[str]] = {}
    for job in fleet.jobs.values():
        if not job.phase.over:
            on.setdefault(job.kind, []).append(job.device)
    return [f"{kind} on {whom(sorted(devices))}" for kind, devices in sorted(on.items())]


class StopEngine(Action):
    """End everything, in good order."""

    id, key, title = "stop-engine", "Q", "Stop the engine"
    help = "Ends all jobs, restores what must be restored, then ends the engine. Nobody watches the miners then."
    danger = Danger.YES_NO
    writes = True
    waits = True

    async def run(self, desk: Desk) -> None:
        """Say what runs, ask, stop."""
        fleet = desk.at.fleet
        running = [job for job in fleet.jobs.values() if not job.phase.over]
        lines = [f"{job.kind} on {job.device}: {job.note or job.phase.value}" for job in running]
        lines += [GOES_ON] if running else ["No job is running."]
        lines.append(f"{len(fleet.snapshots)} miner(s) are no longer watched; no alerts are sent.")
        if await desk.confirm("Stop the engine", lines, self.danger):
            await desk.link.shutdown()
            desk.leave("The engine restores what must be restored and ends.")


class Back(Action):
    """One step back."""

    id, key, title = "back", "escape", "Back"
    help = "Closes what is open: a filter, marks, a zoomed pane, then the tab."

    async def run(self, desk: Desk) -> None:
        """Go."""
        desk.back()


class GoToTab(Action):
    """The nth tab."""

    number: ClassVar[int]

    async def run(self, desk: Desk) -> None:
        """Go, if there is one."""
        desk.nth_tab(self.number)


TABS: tuple[Action, ...] = tuple(
    type(f"GoToTab{n}", (GoToTab,), {"id": f"tab-{n}", "key": str(n), "title": f"Go to tab {n}", "number": n})()
    for n in range(1, 10)
)


class NextTab(Action):
    """The tab to the right."""

    id, key, title = "next-tab", "right_square_bracket", "Next tab"

    async def run(self, desk: Desk) -> None:
        """Go."""
        desk.step_tab(1)


class PreviousTab(Action):
    """The tab to the left."""

    id, key, title = "previous-tab", "left_square_bracket", "Previous tab"

    async def run(self, desk: Desk) -> None:
        """Go."""
        desk.step_tab(-1)


class OpenPlace(Action):
    """Go to one of the fixed tabs."""

    place: ClassVar[str]

    async def run(self, desk: Desk) -> None:
        """Go."""
        desk.open_tab(self.place)


class OpenFleet(OpenPlace):
    """All devices."""

    id, key, title, place = "fleet", "home,F", "Show the fleet", "fleet"


class OpenSweeps(OpenPlace):
    """Benchmarks."""

    id, key, title, place = "sweeps", "w", "Show the sweeps", "sweep"


class OpenAlerts(OpenPlace):
    """What needs attention."""

    id, key, footer, title, place = "alerts", "a", "Alerts", "Show the alerts", "alerts"


class OpenLog(OpenPlace):
    """What everybody says."""

    id, key, footer, title, place = "log", "l", "Log", "Show the merged log", "log"
    but = frozenset({"rig"})


class OpenCommands(OpenPlace):
    """What was sent."""

    id, key, title, place = "commands", "c", "Show the command log", "commands"


class Freeze(Action):
    """Hold the picture still to read it."""

    id, key, title = "freeze", "p", "Freeze the picture, or let it go on"
    help = "The picture stands still and says so; the engine goes on."

    async def run(self, desk: Desk) -> None:
        """Freeze or thaw."""
        desk.freeze()


class Zoom(Action):
    """One pane over all."""

    id, key, title = "zoom", "z", "Zoom the focused pane, or back"

    async def run(self, desk: Desk) -> None:
        """Zoom."""
        desk.zoom()


class NextTheme(Action):
    """Other colours."""

    id, key, title = "theme", "T", "Next colour theme"

    async def run(self, desk: Desk) -> None:
        """Change them."""
        desk.cycle_theme()


class SavePicture(Action):
    """For a forum, a bug report, a wall."""

    id, key, title = "picture", "f12", "Save the screen as a picture (SVG)"
    help = "Writes what is on the screen into the current folder as SVG, which a web browser shows, and says where."
    waits = True  # until the palette, which it may come from, is gone

    async def run(self, desk: Desk) -> None:
        """Save it, and say where."""
        from minertui.tui.export import save_picture, told

        at = desk.at
        of = at.devices[0] if at.place == "miner" and at.devices else at.place
        desk.say(told([save_picture(desk.picture(), of, at.fleet.at_s)]))


class Focus(Action):
    """Between the panes of a tab. Textual moves the focus; this makes the key known and remappable."""

    id, key, title = "focus-next", "tab", "Next pane"

    def binding(self) -> Binding:
        """Textual's own action."""
        return Binding(self.key, "app.focus_next", self.title, show=False, id=self.id)
