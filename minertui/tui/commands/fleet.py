"""What can be done with the list of miners: look at it differently, mark, open, and change which miners there are."""

from __future__ import annotations

import msgspec

from minertui.model.history import MinerEntry
from minertui.tui.commands.base import Action, At, Danger, Desk, DeviceAction, pane_of

_FLEET = frozenset({"fleet"})


class FilterFleet(Action):
    """Fewer rows."""

    id, key, footer, title, places = "filter", "slash", "Filter", "Filter the miners", _FLEET
    help = "Words must all be in name, kind, model, tag, health or job; a word after ! must not be."

    async def run(self, desk: Desk) -> None:
        """Open the line to type in."""
        pane_of(desk).start_filter()


class SortFleet(Action):
    """Another order."""

    id, key, footer, title, places = "sort", "s", "Sort", "Sort by the next column", _FLEET
    help = "Each press goes to the next column; S turns the order around. A click on a column title does both."

    async def run(self, desk: Desk) -> None:
        """Next column."""
        pane_of(desk).sort_next()


class ReverseFleet(Action):
    """The other way around."""

    id, key, title, places = "sort-reverse", "S", "Turn the order around", _FLEET

    async def run(self, desk: Desk) -> None:
        """Turn."""
        pane_of(desk).sort_reverse()


class GroupFleet(Action):
    """By tag, by kind, or not at all."""

    id, key, title, places = "group", "v", "Group by tag, by kind, by health, or not", _FLEET

    async def run(self, desk: Desk) -> None:
        """Next grouping."""
        pane_of(desk).group_next()


class HeatMapAction(Action):
    """The same miners as a map."""

    id, key, footer, title, places = "heat-map", "m", "Heat map", "Heat map, or back to the table", _FLEET
    help = "Every miner is a cell in the colour of one number; M takes the next number."

    async def run(self, desk: Desk) -> None:
        """Change the view."""
        pane_of(desk).toggle_map()


class HeatMetric(Action):
    """What the map colours."""

    id, key, title, places = "heat-metric", "M", "Next number of the heat map", _FLEET

    async def run(self, desk: Desk) -> None:
        """Next number."""
        pane_of(desk).next_map_metric()


class MarkMiner(Action):
    """Choose for actions on many."""

    id, key, footer, title, places = "mark", "space", "Mark", "Mark the miner, or unmark it", _FLEET
    help = "Actions go to all marked miners; without marks, to the one under the cursor."

    def applies(self, at: At) -> bool:
        """There is something to mark."""
        return super().applies(at) and bool(at.fleet.snapshots)

    async def run(self, desk: Desk) -> None:
        """Mark and go down one row."""
        pane_of(desk).mark()


class MarkAll(Action):
    """All that is shown."""

    id, key, title, places = "mark-all", "ctrl+a", "Mark all shown miners, or none", _FLEET

    async def run(self, desk: Desk) -> None:
        """Mark."""
        pane_of(desk).mark_all()


class OpenMiner(DeviceAction):
    """A tab of its own."""

    id, key, footer, title, places, writes = "open", "enter", "Open", "Open the miner", _FLEET, False
    waits = False

    async def run(self, desk: Desk) -> None:
        """Open the tab."""
        for snapshot in self.targets(desk)[:1]:
            desk.open_tab(f"miner:{snapshot.device}")


class CloseTab(Action):
    """Close the tab of a miner that is not pinned."""

    id, key, title, places = "close-tab", "x", "Close this miner's tab", frozenset({"miner"})

    async def run(self, desk: Desk) -> None:
        """Close."""
        desk.close_tab()


class AddMiner(Action):
    """One more."""

    id, key, title, places, writes = "add", "n", "Add a miner by its address", _FLEET, True
    waits = True
    help = "Writes the miner into the config file."

    async def run(self, desk: Desk) -> None:
        """Ask for it, save it."""
        from minertui.tui.dialogs.miner import MinerDialog

        entry = await desk.ask(MinerDialog(None))
        if entry is not None:
            await _save(desk, entry)


class EditMiner(DeviceAction):
    """Name, address, tags, limits."""

    id, key, title = "edit", "E", "Edit the miner's entry"
    places = frozenset({"fleet", "miner"})

    async def run(self, desk: Desk) -> None:
        """Show the entry as it stands in the file, save what comes back."""
        from minertui.tui.dialogs.miner import MinerDialog

        device = self.targets(desk)[0].device
        old = await _entry(desk, device)
        entry = await desk.ask(MinerDialog(old)) if old is not None else None
        if entry is not None:
            await _save(desk, entry, replaces=device)


class PinMiner(DeviceAction):
    """A tab that is always there."""

    id, key, title = "pin", "P", "Pin the miner as a tab, or unpin it"
    places = frozenset({"fleet", "miner"})

    async def run(self, desk: Desk) -> None:
        """Change the entry in the config."""
        device = self.targets(desk)[0].device
        entry = await _entry(desk, device)
        if entry is not None:
            changed = msgspec.structs.replace(entry, pinned=not entry.pinned)
            await desk.link.save_miner(changed, replaces=device)
            desk.say(f"{device}: {'pinned' if changed.pinned else 'unpinned'}")


class RemoveMiner(DeviceAction):
    """No longer watched."""

    id, key, title = "remove", "delete", "Remove the miner from the config"
    places = frozenset({"fleet", "miner"})
    danger = Danger.TYPE_NAME
    help = "The miner goes on as it is; nobody watches it any more."

    async def run(self, desk: Desk) -> None:
        """Let the name be typed, remove."""
        device = self.targets(desk)[0].device
        lines = [f"{device}: goes on mining as it is, and is no longer watched; its history stays"]
        if await desk.confirm(f"Remove {device}", lines, self.danger, device):
            await desk.link.remove_miner(device)
            desk.say(f"{device}: removed")


class Discover(Action):
    """Look for miners in the network."""

    id, key, title, places, writes = "discover", "d", "Discover miners in the network", _FLEET, True
    waits = True
    help = "Asks by mDNS, and scans the private networks you name."

    async def run(self, desk: Desk) -> None:
        """Let the dialog search and choose."""
        from minertui.tui.dialogs.discover import DiscoverDialog

        await desk.ask(DiscoverDialog(desk.link))


async def _entry(desk: Desk, device: str) -> MinerEntry | None:
    """As it stands in the config file; None is said."""
    found = next((entry for entry in await desk.link.miners() if entry.name == device), None)
    if found is None:
        desk.say(f"{device} is not in the config file", "warning")
    return found


async def _save(desk: Desk, entry: MinerEntry, replaces: str | None = None) -> None:
    await desk.link.save_miner(entry, replaces=replaces)
    desk.say(f"{entry.name}: saved")
