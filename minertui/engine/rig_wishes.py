"""Which rigs a person wants to run, and with which boards: kept on disk, so that they go on after a restart.

A wish holds for the boards that the config had then; when the config has others, these count. What the disk does not
take, or tell, is tried again. An engine that ends with its command keeps none.
"""

from __future__ import annotations

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
_json = msgspec.json.encode


class RigWishes:
    """``lasting``: what a person started outlives this engine."""

    def __init__(self, records: Records, say: Callable[[str, str], None], *, lasting: bool) -> None:
        self._records, self._say, self._lasting = records, say, lasting
        self._owed: dict[str, RigWish | None] = {}  # what the disk did not take yet; None: it shall not run
        self.unread = False  # the disk did not tell when it was asked last

    async def started(self, wish: RigWish) -> None:
        """It shall run, like this."""
        if why := await self._keep(wish.rig, wish):
            self._say(f"relay:{wish.rig}", f"would not go on after an end of the engine now: {why}")

    async def stopped(self, rig: str) -> None:
        """A person does not want it any more."""
        if why := await self._keep(rig, None):
            self._say(f"relay:{rig}", f"would be back after an end of the engine now: {why}")

    async def keep(self) -> None:
        """Try again what the disk did not take."""
        for rig, wish in tuple(self._owed.items()):
            await self._keep(rig, wish)

    async def kept(self) -> dict[str, RigWish]:
        """By rig: what shall run. What cannot be read is said, once a disk that does not tell."""
        rows: list[tuple[str, bytes]] = []
        before, self.unread = self.unread, False
        if self._lasting:
            try:
                rows = await self._records.rigs()
            except StoreError as error:
                self.unread = True
                if not before:
                    text = f"the rigs that were started by hand cannot be read: {error}"
                    self._say("engine", f"{text}; they start as soon as they can be")
        wishes, unreadable = sound(_wish.decode, rows)
        for rig, why in unreadable.items():
            self._say(f"relay:{rig}", f"how it was started cannot be read by this version ({why}); start it anew")
        found = {**{wish.rig: wish for wish in wishes}, **self._owed}
        return {rig: wish for rig, wish in found.items() if wish is not None}

    async def _keep(self, rig: str, wish: RigWish | None) -> str:
        """Why the disk does not take it, and then it is owed."""
        if not self._lasting:
            return ""
        self._owed[rig] = wish
        try:
            await (self._records.unwant_rig(rig) if wish is None else self._records.want_rig(rig, _json(wish)))
        except StoreError as error:
            return str(error)
        if self._owed.get(rig) is wish:
            self._owed.pop(rig, None)
        return ""


def steered(boards: Sequence[BoardView]) -> tuple[BoardPlan, ...]:
    """The plans of boards as they stand: paused or not, with what is left of their limits."""
    return tuple(
        replace(board.plan, paused=board.state is BoardState.PAUSED or board.left == 0, jobs=board.left or None)
        for board in boards
    )
