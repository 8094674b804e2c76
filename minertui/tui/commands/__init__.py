"""Everything a user can do, one class each. This list is all there is: keys, footer, palette and help come from it.
What is wanted most often stands first: the footer of a narrow terminal shows no more."""

from __future__ import annotations

from collections.abc import Mapping

from minertui.tui.commands import everywhere, fleet, jobs, miner, reading, rigs
from minertui.tui.commands.base import Action, At

ACTIONS: tuple[Action, ...] = (
    everywhere.Help(),
    everywhere.Palette(),
    fleet.OpenMiner(),
    fleet.FilterFleet(),
    fleet.MarkMiner(),
    fleet.MarkAll(),
    jobs.StartBenchmark(),
    jobs.StopBenchmark(),
    miner.TuneMiner(),
    jobs.StartGuard(),
    jobs.StopGuard(),
    jobs.DismissJobs(),
    fleet.SortFleet(),
    fleet.ReverseFleet(),
    fleet.GroupFleet(),
    reading.LongerSpan(),
    reading.ShorterSpan(),
    reading.Earlier(),
    reading.Later(),
    reading.Now(),
    reading.Acknowledge(),
    reading.AcknowledgeAll(),
    reading.OpenAlertsMiner(),
    fleet.HeatMapAction(),
    fleet.HeatMetric(),
    miner.SetMinerFan(),
    miner.RestartMiner(),
    miner.SetMinerPools(),
    miner.PauseMiner(),
    miner.ResumeMiner(),
    miner.IdentifyMiner(),
    miner.ClearMinerOverheat(),
    miner.ClearParked(),
    miner.SimulateFault(),
    reading.ExportHistory(),
    reading.CopyPlace(),
    fleet.AddMiner(),
    fleet.Discover(),
    fleet.EditMiner(),
    fleet.PinMiner(),
    fleet.RemoveMiner(),
    fleet.CloseTab(),
    everywhere.OpenFleet(),
    everywhere.OpenSweeps(),
    everywhere.OpenAlerts(),
    everywhere.OpenLog(),
    everywhere.OpenCommands(),
    rigs.Overview(),
    rigs.Statistics(),
    rigs.RigChart(),
    rigs.Balance(),
    rigs.SortMiners(),
    rigs.ExportRig(),
    rigs.StartRig(),
    rigs.LoopRig(),
    rigs.CloseRig(),
    rigs.DropRigBoard(),
    rigs.PauseRigBoard(),
    rigs.ResumeRigBoard(),
    rigs.LimitRigBoard(),
    rigs.ConnectBoards(),
    rigs.ResetRig(),
    rigs.ResetBoard(),
    everywhere.Freeze(),
    everywhere.Zoom(),
    everywhere.NextTheme(),
    everywhere.SavePicture(),
    everywhere.NextTab(),
    everywhere.PreviousTab(),
    *everywhere.TABS,
    everywhere.Back(),
    everywhere.Detach(),
    everywhere.StopEngine(),
)
BY_ID: Mapping[str, Action] = {action.id: action for action in ACTIONS}


def offered(at: At) -> tuple[Action, ...]:
    """What can be done here, in the order of the footer."""
    return tuple(action for action in ACTIONS if action.applies(at))
