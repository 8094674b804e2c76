"""What a miner can be told from the screen. Every one of these ends in an Order through the link."""

from __future__ import annotations

from typing import ClassVar

from minertui.model.commands import ClearOverheat, Command, Identify, Pause, Restart, Resume
from minertui.model.fleet import Fleet, Health, Snapshot
from minertui.model.seams import FaultConsole
from minertui.model.status import Ability
from minertui.tui.commands.base import At, Danger, Desk, DeviceAction, KeyOf
from minertui.tui.commands.jobs import job_of
from minertui.tui.commands.orders import rehearse_and_send, send
from minertui.tui.widgets.wording import whom


class PlainOrder(DeviceAction):
    """An action that sends the same command to every device here, after its question."""

    command: ClassVar[Command]
    does: ClassVar[str]  # what happens, for the question

    async def run(self, desk: Desk) -> None:
        """Ask, with what a rehearsal warns of, then send one by one. What is harmless on an idle miner is just sent."""
        devices = [snapshot.device for snapshot in self.targets(desk)]
        fleet = desk.at.fleet
        idle = all(job.phase.over for device in devices for job in fleet.jobs_of(device))
        if self.danger is Danger.NONE and idle:
            for device in devices:
                await send(desk, device, self.command)
            return
        title = f"{self.title}: {whom(devices)}"
        await rehearse_and_send(desk, devices, self.command, title, self.does, self.danger)


class TuneMiner(DeviceAction):
    """Frequency and core voltage."""

    id, key, footer, title = "tune", "t", "Tune", "Tune frequency and voltage"
    help = "Set frequency and core voltage; shows the exact steps first."
    ability = Ability.TUNE
    danger = Danger.YES_NO

    async def run(self, desk: Desk) -> None:
        """Ask for values, rehearse them, show what would change, send."""
        from minertui.tui.dialogs.tune import TuneDialog

        targets = self.targets(desk)
        devices = [snapshot.device for snapshot in targets]
        sweeps = [job_of(desk.at.fleet, device, "sweep") for device in devices]
        command = await desk.ask(TuneDialog(targets, sweeps))
        if command is not None:
            await rehearse_and_send(desk, devices, command, f"Tune {whom(devices)}")


class SetMinerFan(DeviceAction):
    """Fan automatic or fixed."""

    id, key, footer, title = "fan", "f", "Fan", "Set the fan"
    help = "Automatic towards a target temperature, or a fixed speed."
    ability = Ability.FAN
    danger = Danger.YES_NO

    async def run(self, desk: Desk) -> None:
        """Ask for values, rehearse, show, send."""
        from minertui.tui.dialogs.fan import FanDialog

        targets = self.targets(desk)
        devices = [snapshot.device for snapshot in targets]
        command = await desk.ask(FanDialog(targets))
        if command is not None:
            await rehearse_and_send(desk, devices, command, f"Fan of {whom(devices)}")


class SetMinerPools(DeviceAction):
    """Where the shares go. The most expensive mistake of all, so the name is typed."""

    id, key, title = "pools", "o", "Set the pools"
    help = "Primary and fallback pool; whoever owns the pool user gets the money, so you type the miner's name."
    ability = Ability.POOLS
    danger = Danger.TYPE_NAME

    async def run(self, desk: Desk) -> None:
        """Ask for pools, show old and new, let the name be typed, send."""
        from minertui.tui.dialogs.pools import PoolsDialog, for_another

        targets = self.targets(desk)
        command = await desk.ask(PoolsDialog(targets))
        if command is None:
            return
        devices = [snapshot.device for snapshot in targets]
        lines = [
            f"{device}: pool {n} becomes {pool.url}:{pool.port} as {pool.user}"
            for device in devices
            for n, pool in enumerate(command.pools, 1)
        ]
        name = devices[0] if len(devices) == 1 else str(len(devices))
        if await desk.confirm(f"Pools of {whom(devices)}", lines, self.danger, name):
            for n, device in enumerate(devices):
                await send(desk, device, for_another(command) if n else command, confirmed=True)


class RestartMiner(PlainOrder):
    """Restart the controller of the miner."""

    id, key, footer, title = "restart", "r", "Restart", "Restart the miner"
    help = "Restarts the miner's controller; it hashes again after about a minute."
    ability = Ability.RESTART
    danger = Danger.YES_NO
    command = Restart()
    does = "restarts now; no hashing for about a minute"


class PauseMiner(PlainOrder):
    """Stop hashing."""

    id, key, title = "pause", "u", "Pause mining"
    help = "Stops hashing until resumed or rebooted."
    ability = Ability.PAUSE
    danger = Danger.YES_NO
    command = Pause()
    does = "stops hashing until resumed"

    def fits(self, snapshot: Snapshot, fleet: Fleet) -> bool:
        """It is not paused yet."""
        return super().fits(snapshot, fleet) and not (snapshot.status and snapshot.status.paused)

    def unfit(self, snapshot: Snapshot, fleet: Fleet, key: KeyOf) -> str:
        """It rests already, or never can."""
        if snapshot.status and snapshot.status.paused:
            return f"paused already; {key('resume')} resumes"
        return super().unfit(snapshot, fleet, key)


class ResumeMiner(PlainOrder):
    """Hash again."""

    id, key, title = "resume", "U", "Resume mining"
    help = "Hashes again after a pause."
    ability = Ability.PAUSE
    command = Resume()
    does = "hashes again"

    def fits(self, snapshot: Snapshot, fleet: Fleet) -> bool:
        """It is paused."""
        return super().fits(snapshot, fleet) and bool(snapshot.status and snapshot.status.paused)

    def unfit(self, snapshot: Snapshot, fleet: Fleet, key: KeyOf) -> str:
        """It hashes, or never can be paused."""
        return (
            f"not paused; {key('pause')} pauses"
            if super().fits(snapshot, fleet)
            else super().unfit(snapshot, fleet, key)
        )


class IdentifyMiner(PlainOrder):
    """Which one is it?"""

    id, key, title = "identify", "i", "Identify on its own display"
    help = "The miner greets on its own display for 30 seconds."
    ability = Ability.IDENTIFY
    command = Identify()
    does = "greets on its display"


class ClearMinerOverheat(PlainOrder):
    """Clear the firmware's stored overheat flag."""

    id, key, title = "clear-overheat", "O", "Clear the overheat flag"
    help = "Clears what the firmware stored after an overheat; look for the cause first."
    danger = Danger.YES_NO
    command = ClearOverheat()
    does = "forgets its overheat; it may heat up again if the cause is still there"

    def fits(self, snapshot: Snapshot, fleet: Fleet) -> bool:
        """The firmware says it overheated."""
        return bool(snapshot.status and snapshot.status.overheat)

    def unfit(self, snapshot: Snapshot, fleet: Fleet, key: KeyOf) -> str:
        """It did not."""
        return "its firmware does not say that it overheated"


class SimulateFault(DeviceAction):
    """Make a simulated miner go wrong. Only where all miners are simulated."""

    id, key, title = "simulate-fault", "X", "Simulate a fault…"
    help = "The demo's miners can lose their fan, their Wi-Fi, their supply …; see what the program does then."
    places = frozenset({"fleet", "miner"})

    def applies(self, at: At) -> bool:
        """In the demo alone."""
        return at.fleet.demo and super().applies(at)

    def lack(self, at: At, key: KeyOf) -> str:
        """Real miners are left alone."""
        return super().lack(at, key) if at.fleet.demo else "only the miners of a demo can simulate a fault"

    async def run(self, desk: Desk) -> None:
        """List the faults of the first miner here."""
        from minertui.tui.dialogs.faults import FaultDialog

        console, device = desk.link, self.targets(desk)[0].device
        if not isinstance(console, FaultConsole):
            desk.say("this engine has no simulated miners", "warning")
            return
        faults, on = await console.faults(), await console.faults_on(device)
        await desk.ask(FaultDialog(console, device, faults, on))


class ClearParked(DeviceAction):
    """A person lets the program act on a parked device again."""

    id, key, title = "clear-parked", "C", "Clear a parked miner"
    help = "A parked miner gets no automatic action until a person looked at it and clears it."
    danger = Danger.YES_NO

    def fits(self, snapshot: Snapshot, fleet: Fleet) -> bool:
        """It is parked."""
        return snapshot.health is Health.PARKED

    def unfit(self, snapshot: Snapshot, fleet: Fleet, key: KeyOf) -> str:
        """It is not."""
        return "not parked"

    async def run(self, desk: Desk) -> None:
        """Show why it was parked, ask, clear."""
        targets = self.targets(desk)
        lines = [f"{s.device}: parked because {s.why or 'of repeated trouble'}" for s in targets]
        if await desk.confirm("Clear parked miners", lines, self.danger):
            for snapshot in targets:
                await desk.link.clear(snapshot.device)
                desk.say(f"{snapshot.device}: cleared")
