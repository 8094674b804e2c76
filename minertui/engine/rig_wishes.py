"""Which rigs a person wants to run, and with which boards: kept on disk, so that they go on after a restart.

A wish holds for the boards that the config had then; when the config has others, these count. An engine that ends with
its command keeps none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from minertui.engine.records import Records
from minertui.engine.store import StoreError
from minertui.engine.unreadable import sound
from minertui.model.relay import BoardPlan, BoardState, BoardView


class RigWish(msgspec.Struct, frozen=True):
    """``of``: the boards that the config had; ``boards``: those that shall mine, as they were steered."""

    rig: str
    of: tuple[BoardPlan, ...]
    boards: tuple[BoardPlan, ...]


_wish = msgspec.json.Decoder(RigWish)


class RigWishes:
    """``lasting``: what a person started outlives this engine."""

    def __init__(self, records: Records, say: Callable[[str, str], None], *, lasting: bool) -> None:
        self._records, self._say, self._lasting = records, say, lasting

    async def started(self, wish: RigWish) -> None:
        """It shall run, like this."""
        if self._lasting:
            try:
                await self._records.want_rig(wish.rig, msgspec.json.encode(wish))
            except StoreError as error:
                self._say(f"relay:{wish.rig}", f"will not go on after a restart of the engine: {error}")

    async def stopped(self, rig: str) -> None:
        """A person does not want it any more."""
        if self._lasting:
            try:
                await self._records.unwant_rig(rig)
            except StoreError as error:
                self._say(f"relay:{rig}", f"may be back after a restart of the engine: {error}")

    async def kept(self) -> dict[str, RigWish]:
        """By rig: what shall run. What cannot be read is said."""
        rows: list[tuple[str, bytes]] = []
        if self._lasting:
            with contextlib.suppress(StoreError):
                rows = await self._records.rigs()
        wishes, unreadable = sound(_wish.decode, rows)
        for rig, why in unreadable.items():
            self._say(f"relay:{rig}", f"how it was started cannot be read by this version ({why}); start it anew")
        return {wish.rig: wish for wish in wishes}


def steered(boards: Sequence[BoardView]) -> tuple[BoardPlan, ...]:
    """The plans of boards as they stand: paused or not, with what is left of their limits."""
    return tuple(
        replace(board.plan, paused=board.state is BoardState.PAUSED or board.left == 0, jobs=board.left or None)
        for board in boards
    )
