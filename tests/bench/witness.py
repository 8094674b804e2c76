"""Simulated boards in this process, with a witness at each: what was asked and answered there, and when."""

from __future__ import annotations

import contextlib
import json
import time
import unittest.mock
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from minertui.clock import SystemClock
from minertui.sim import axeos
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_patch import Reply
from minertui.sim.axeos_routes import Request
from minertui.sim.axeos_routes import answer as obey

INFO = "/api/system/info"


class Seen(msgspec.Struct, frozen=True):
    """One exchange at a board. ``asked_s`` and ``answered_s`` are monotonic; ``asked`` is a write's JSON."""

    board: Board
    asked_s: float
    answered_s: float
    method: str
    path: str
    asked: dict[str, object]
    set_mhz: float  # before it was obeyed

    @property
    def lowers(self) -> bool:
        """True when this write asks for a lower frequency than was set."""
        wanted = self.asked.get("frequency")
        return isinstance(wanted, int | float) and wanted < self.set_mhz


Witness = Callable[[Seen], None]


@contextlib.asynccontextmanager
async def witnessed(
    boards: Sequence[Board], speed: float, witness: Witness, before: Callable[[Board], None] = lambda _: None
) -> AsyncIterator[list[tuple[str, str]]]:
    """Serve ``boards``; gives their (name, address). ``before`` may change a board before it answers."""

    def answer(board: Board, request: Request) -> Reply:
        asked_s, set_mhz = time.monotonic(), float(board.nvs["frequency"])
        before(board)
        reply = obey(board, request)
        written = json.loads(request.body) if request.method == "PATCH" else {}
        witness(Seen(board, asked_s, time.monotonic(), request.method, request.path, written, set_mhz))
        return reply

    with unittest.mock.patch.object(axeos, "answer", answer):
        server = await axeos.serve(boards, clock=SystemClock(speed))
        try:
            yield [(board.name, address) for board, address in zip(server.boards, server.addresses, strict=True)]
        finally:
            await server.close()
