"""The demo's engine: an engine over boards of this process, whose faults a person may switch to see what happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from minertui.engine.engine import Engine
from minertui.engine.thinking import Beside
from minertui.model.errors import JobError
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_faults import FAULTS


def forget(state: Path) -> None:
    """Take away what an ended demo measured: its clock ran ahead, so that the next one would find a past that lies in
    its future, of miners that are gone."""
    for database in state.glob("*.db*"):
        database.unlink(missing_ok=True)


class DemoEngine(Engine):
    """An Engine that is a FaultConsole too. ``boards`` by their addresses: a person may rename the miners."""

    def __init__(self, *args: Any, boards: Mapping[str, Board], **options: Any) -> None:
        super().__init__(*args, demo=True, think=Beside(), **options)
        self._boards = boards

    async def faults(self) -> Mapping[str, str]:
        """What can go wrong, by name."""
        return FAULTS

    async def faults_on(self, device: str) -> Sequence[str]:
        """What goes wrong at this miner now."""
        return tuple(self._board(device).faults)

    async def fault(self, device: str, name: str, on: bool) -> None:
        """Let it go wrong at one board, or end it. Raises ConfigError for a fault that is not known."""
        board = self._board(device)
        if on:
            board.faults.add(name)
        else:
            board.faults.discard(name)
        self.say(device, f"fault “{name}” {'on: ' + FAULTS[name] if on else 'off'}")

    def _board(self, device: str) -> Board:
        board = self._boards.get(self._lines.named(device).options.address)
        if board is None:
            raise JobError(f"{device} is none of the demo's simulated miners; nothing goes wrong there on purpose")
        return board
