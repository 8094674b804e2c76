"""A miner is called otherwise, by a save or in the file: it is the one that it was. Whom its name means, who is parked,
the guard that a person wanted, its past and its way back go with it.

Each part may be told the same again: a disk that refused is asked anew by whoever sees the file change.
"""

from __future__ import annotations

import contextlib

from minertui import config_places
from minertui.config import Config
from minertui.engine.guards import Guards
from minertui.engine.history import History
from minertui.engine.recall import Recall
from minertui.engine.restoring import Restoring
from minertui.engine.store import StoreError


class Renaming:
    """Its lines are closed, or not open yet."""

    def __init__(self, recall: Recall, guards: Guards, history: History, restoring: Restoring) -> None:
        self._recall, self._guards, self._history, self._restoring = recall, guards, history, restoring

    async def one(self, old: str, new: str) -> None:
        """What is called ``old`` is called ``new`` from now on. Raises StoreError where the disk refused some of it;
        the rest is done."""
        self._recall.renamed(old, new)
        try:
            await self._guards.renamed(old, new)
        finally:
            await self._history.rename(old, new)

    async def follow(self, before: Config, config: Config) -> None:
        """Whoever has another name at the same address in ``config``."""
        for old, new in config_places.renamed(before, config):
            with contextlib.suppress(StoreError):  # the disk says so itself; what counts now is known
                await self.one(old, new)
            await self._restoring.follow(old, new)
