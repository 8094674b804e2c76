"""What can be done while reading: charts, alerts, logs and export."""

from __future__ import annotations

from minertui.tui.commands.base import Action, At, Desk, DeviceAction, pane_of

_CHARTED = frozenset({"miner", "rig"})


class LongerSpan(Action):
    """More time in the chart."""

    id, key, footer, title, places = "span-longer", "plus,equals_sign", "Longer", "Longer chart span", _CHARTED
    help = "From one minute to 90 days."

    async def run(self, desk: Desk) -> None:
        """Next span."""
        pane_of(desk).span(1)


class ShorterSpan(Action):
    """Less time in the chart."""

    id, key, title, places = "span-shorter", "minus", "Shorter chart span", _CHARTED

    async def run(self, desk: Desk) -> None:
        """Previous span."""
        pane_of(desk).span(-1)


class Earlier(Action):
    """Back in time."""

    id, key, title, places = "earlier", "less_than_sign", "Scroll the charts back", _CHARTED

    async def run(self, desk: Desk) -> None:
        """Half a span back."""
        pane_of(desk).scroll_time(-1)


class Later(Action):
    """Forward in time."""

    id, key, title, places = "later", "greater_than_sign", "Scroll the charts forward", _CHARTED

    async def run(self, desk: Desk) -> None:
        """Half a span forward, now at most."""
        pane_of(desk).scroll_time(1)


class Now(Action):
    """Follow the present again."""

    id, key, title, places = "now", "0", "Charts back to now", _CHARTED

    async def run(self, desk: Desk) -> None:
        """Now."""
        pane_of(desk).back_to_now()


class Acknowledge(Action):
    """I have seen it."""

    id, key, footer, title = "acknowledge", "space", "Acknowledge", "Acknowledge the alert"
    places = frozenset({"alerts"})
    writes = True
    waits = True

    async def run(self, desk: Desk) -> None:
        """Acknowledge the one under the cursor."""
        alert = pane_of(desk).alert
        if alert is None:
            desk.say("there is no alert to acknowledge")
        elif alert.acknowledged:
            desk.say("acknowledged already")
        else:
            await desk.link.acknowledge(alert.id)


class AcknowledgeAll(Action):
    """I have seen them all."""

    id, key, footer, title = "acknowledge-all", "A", "All", "Acknowledge all alerts"
    places = frozenset({"alerts"})
    writes = True
    waits = True

    async def run(self, desk: Desk) -> None:
        """One by one."""
        new = [alert for alert in desk.at.fleet.alerts.values() if not alert.acknowledged]
        for alert in new:
            await desk.link.acknowledge(alert.id)
        if not new:
            desk.say("there is no alert to acknowledge")


class OpenAlertsMiner(Action):
    """From the alert to its miner, or to the rig of its board."""

    id, key, footer, title, places = (
        "alert-open",
        "enter",
        "Open miner",
        "Open the alert's miner or rig",
        frozenset({"alerts"}),
    )

    def label(self, at: At) -> str:
        """What enter opens here."""
        return "Open rig" if self._tab(at).startswith("rig:") else self.footer

    async def run(self, desk: Desk) -> None:
        """Open its tab."""
        if tab := self._tab(desk.at):
            desk.open_tab(tab)
        else:
            desk.say("this alert is of nothing that has a tab" if desk.at.devices else "there is no alert to open")

    def _tab(self, at: At) -> str:
        device = next(iter(at.devices), "")
        rig = device.partition("/")[0]
        if device in at.fleet.snapshots:
            return f"miner:{device}"
        return f"rig:{rig}" if f"relay:{rig}" in at.fleet.jobs else ""


class ExportHistory(DeviceAction):
    """Take the numbers with you."""

    id, key, footer, title = "export", "e", "Export", "Export history to files"
    help = "Writes the last day of the miner as CSV and JSON into the current folder, and says where."
    places = frozenset({"fleet", "miner"})
    writes = False

    async def run(self, desk: Desk) -> None:
        """Write the files, say their paths, copy the path."""
        from minertui.tui.export import export_history, told

        for snapshot in self.targets(desk):
            paths = await export_history(desk.link, snapshot.device, desk.at.fleet.at_s)
            desk.say(told(paths))


class CopyPlace(Action):
    """The address of what you see, for other programs."""

    id, key, title = "copy", "y", "Copy the miner's address (OSC 52) and save it to a file"
    help = "Not every terminal passes a copy on (tmux needs set-clipboard on), so it is saved to a file as well."
    places = frozenset({"fleet", "miner"})

    def applies(self, at: At) -> bool:
        """There is a miner here."""
        return super().applies(at) and bool(at.snapshots)

    async def run(self, desk: Desk) -> None:
        """Copy and save."""
        from minertui.tui.export import save_text, told

        text = "\n".join(f"{s.device} {s.address}" for s in desk.at.snapshots)
        desk.copy(text)
        desk.say(f"Copied. {told([save_text(text, 'minertui-copy.txt')])}")
