"""What can be done with a Duino-Coin rig, in its tab."""

from __future__ import annotations

from typing import ClassVar

from minertui.model.plans import JobState
from minertui.model.relay import (
    AddBoard,
    BoardPlan,
    BoardState,
    BoardView,
    DropBoard,
    LimitBoard,
    PauseBoard,
    RelayPlan,
    RelayView,
    ResetStats,
    ResumeBoard,
)
from minertui.tui.commands.base import Action, At, Danger, Desk, KeyOf, pane_of

_RIG = frozenset({"rig"})
_RESTING = frozenset({BoardState.PAUSED, BoardState.LIMIT, BoardState.STOPPED})


def relay(at: At) -> JobState | None:
    """The relay of the rig in front."""
    return at.fleet.jobs.get(f"relay:{at.devices[0]}") if at.place == "rig" and at.devices else None


class Overview(Action):
    """Board by board."""

    id, key, footer, title, places = "rig-overview", "o", "Overview", "Overview of the boards", _RIG

    async def run(self, desk: Desk) -> None:
        """Show it."""
        pane_of(desk).turn("boards")


class Statistics(Action):
    """All sums and means."""

    id, key, footer, title, places = "rig-statistics", "i", "Statistics", "Statistics of the boards", _RIG

    async def run(self, desk: Desk) -> None:
        """Show them."""
        pane_of(desk).turn("statistics")


class RigChart(Action):
    """How it was."""

    id, key, footer, title, places = "rig-charts", "v", "Charts", "Charts of the rig and its boards", _RIG
    help = "Hashrate, where a share's time went, shares a minute. Again: the next board."

    async def run(self, desk: Desk) -> None:
        """Show them, or the next board's."""
        pane_of(desk).turn("charts")


class Balance(Action):
    """What it earns."""

    id, key, footer, title, places = "rig-balance", "b", "Balance", "Balance and all miners of the user", _RIG

    async def run(self, desk: Desk) -> None:
        """Show it."""
        pane_of(desk).turn("account")


class SortMiners(Action):
    """Another order."""

    id, key, title, places = "rig-sort", "S", "Sort the user's miners by the next column", _RIG

    async def run(self, desk: Desk) -> None:
        """The next column."""
        pane_of(desk).sort()


class ExportRig(Action):
    """Take the numbers with you."""

    id, key, footer, title, places = "rig-export", "e", "Export", "Export the rig's history to files", _RIG
    help = "Writes the last day of the rig and of each board as CSV and JSON into the current folder, and says where."

    def applies(self, at: At) -> bool:
        """There is a rig here."""
        return super().applies(at) and bool(at.devices)

    async def run(self, desk: Desk) -> None:
        """Write the files, say their paths."""
        from minertui.tui.export import export_rig, told

        job = relay(desk.at)
        if job is not None:
            names = [job.device, *(f"{job.device}/{board.name}" for board in _boards(job))]
            paths = await export_rig(desk.link, names, desk.at.fleet.at_s)
            desk.say(told(paths))


class RigAction(Action):
    """Something a rig is told. ``running``: only while its relay runs, or only while it does not."""

    places = _RIG
    writes = True
    waits = True
    running: ClassVar[bool] = True

    def applies(self, at: At) -> bool:
        """The relay runs, or does not, as the action needs it."""
        job = relay(at)
        return super().applies(at) and (job is not None and not job.phase.over) is self.running

    def lack(self, at: At, key: KeyOf) -> str:
        """It runs, or does not."""
        rig = at.devices[0] if at.devices else "the rig"
        if self.running:
            return f"{rig} does not run; {key('rig-start')} starts it"
        return f"{rig} runs already; {key('rig-close')} closes it"


class StartRig(RigAction):
    """Connect the boards and mine."""

    id, key, footer, title, running = "rig-start", "s", "Start", "Start the rig", False
    help = "Connects the boards of the config to the pool and mines."

    async def run(self, desk: Desk) -> None:
        """Start it."""
        rig = desk.at.devices[0]
        await desk.link.start(RelayPlan(device=rig))
        desk.say(f"{rig}: started")


class LoopRig(RigAction):
    """Mine on and on."""

    id, key, footer, title = "rig-loop", "l", "Loop", "All boards mine without end"
    help = "Resumes what rests and lifts all limits; starts a rig that does not run."

    def applies(self, at: At) -> bool:
        """In every rig's tab."""
        return Action.applies(self, at) and bool(at.devices)

    async def run(self, desk: Desk) -> None:
        """Start, or lift limits and resume."""
        job = relay(desk.at)
        if job is None or job.phase.over:
            await StartRig().run(desk)
            return
        for board in _boards(job):
            if board.left is not None:
                await desk.link.steer(job.id, LimitBoard(board.name, None))
            if board.state in _RESTING:
                await desk.link.steer(job.id, ResumeBoard(board.name))
        desk.say(f"{job.device}: all boards mine without end")


class CloseRig(RigAction):
    """End it."""

    id, key, footer, title = "rig-close", "x", "Close", "Close the rig"
    help = "Closes all connections; present jobs of the boards are lost."
    danger = Danger.YES_NO

    async def run(self, desk: Desk) -> None:
        """Ask, stop."""
        job = relay(desk.at)
        if job is not None and await desk.confirm(
            f"Close {job.device}",
            [f"{len(_boards(job))} boards stop mining; their connections are closed"],
            self.danger,
        ):
            await desk.link.stop(job.id)
            desk.say(f"{job.device}: closing")


class BoardAction(RigAction):
    """Something the board under the cursor is told."""

    async def tell(self, desk: Desk, job: JobState, board: BoardView) -> None:
        """Tell it."""
        raise NotImplementedError

    async def run(self, desk: Desk) -> None:
        """To the board under the cursor, if there is one."""
        job, board = relay(desk.at), pane_of(desk).board
        if job is not None and board is not None:
            await self.tell(desk, job, board)
        else:
            desk.say(f"“{self.title}”: no board is under the cursor", "warning")


class DropRigBoard(BoardAction):
    """Close one connection."""

    id, key, footer, title = "rig-drop", "d", "Drop", "Drop the board"
    help = "Closes its connection; the others go on. C connects dropped boards again."
    danger = Danger.YES_NO

    async def tell(self, desk: Desk, job: JobState, board: BoardView) -> None:
        """Ask, drop."""
        lines = [f"{board.name}: its connection is closed, its present job and its statistics are gone"]
        if await desk.confirm(f"Drop {board.name}", lines, self.danger):
            await desk.link.steer(job.id, DropBoard(board.name))
            desk.say(f"{board.name}: dropped")


class ConnectBoards(RigAction):
    """Bring dropped boards back."""

    id, key, title = "rig-connect", "C", "Connect dropped boards again"
    help = "Boards of the config that were dropped."

    def applies(self, at: At) -> bool:
        """One is missing."""
        return super().applies(at) and bool(_missing(relay(at)))

    def lack(self, at: At, key: KeyOf) -> str:
        """Nothing is missing, or nothing runs."""
        return f"no board of {at.devices[0]} was dropped" if super().applies(at) else super().lack(at, key)

    async def run(self, desk: Desk) -> None:
        """All that miss."""
        job = relay(desk.at)
        if job is not None:
            for plan in _missing(job):
                await desk.link.steer(job.id, AddBoard(plan))
                desk.say(f"{plan.name}: connecting")


class PauseRigBoard(BoardAction):
    """No new job after the present one."""

    id, key, footer, title = "rig-pause", "P", "Pause", "Pause the board"

    async def tell(self, desk: Desk, job: JobState, board: BoardView) -> None:
        """Pause."""
        await desk.link.steer(job.id, PauseBoard(board.name))
        desk.say(f"{board.name}: pauses after its present job")


class ResumeRigBoard(BoardAction):
    """Mine again."""

    id, key, title = "rig-resume", "R", "Resume the board"

    async def tell(self, desk: Desk, job: JobState, board: BoardView) -> None:
        """Resume."""
        await desk.link.steer(job.id, ResumeBoard(board.name))
        desk.say(f"{board.name}: mines again")


class LimitRigBoard(BoardAction):
    """So many jobs, then rest."""

    id, key, title = "rig-limit", "n", "Let the board do n jobs, then rest"

    async def tell(self, desk: Desk, job: JobState, board: BoardView) -> None:
        """Ask how many."""
        from minertui.tui.dialogs.limit import LimitDialog

        order = await desk.ask(LimitDialog(board))
        if order is not None:
            await desk.link.steer(job.id, order)
            desk.say(f"{board.name}: {'no limit' if order.jobs is None else f'{order.jobs} jobs more'}")


class ResetRig(RigAction):
    """Count anew."""

    id, key, footer, title = "rig-reset", "u", "Reset", "Reset the statistics of the rig"
    danger = Danger.YES_NO

    async def run(self, desk: Desk) -> None:
        """Ask, reset all."""
        job = relay(desk.at)
        if job is not None and await desk.confirm(
            f"Reset {job.device}", ["the statistics of all its boards begin anew"], self.danger
        ):
            await desk.link.steer(job.id, ResetStats())
            desk.say(f"{job.device}: counts anew")


class ResetBoard(BoardAction):
    """Count one board anew."""

    id, key, title = "rig-reset-board", "U", "Reset the statistics of the board"

    async def tell(self, desk: Desk, job: JobState, board: BoardView) -> None:
        """Reset."""
        await desk.link.steer(job.id, ResetStats(board.name))
        desk.say(f"{board.name}: counts anew")


def _boards(job: JobState) -> tuple[BoardView, ...]:
    return job.view.boards if isinstance(job.view, RelayView) else ()


def _missing(job: JobState | None) -> list[BoardPlan]:
    if job is None or not isinstance(job.view, RelayView):
        return []
    here = {board.name for board in job.view.boards}
    return [plan for plan in job.view.plan.board if plan.name not in here]
