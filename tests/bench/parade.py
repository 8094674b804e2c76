"""An engine without miners behind the real hub and the real API: its fleet changes as one line on stdin says.

    still         nothing happens
    burst         once a second all miners were read, all values differ
    spread        each miner is read every 5 s at a moment of its own, all values differ
    same          as ``spread``, but every value is what it was

``python -m tests.bench.parade SOCKET MINERS``
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from minertui.api.server import serve
from minertui.clock import SystemClock
from minertui.engine.hub import Hub
from minertui.model.events import Message, SnapshotTaken
from minertui.model.fleet import Fleet
from tests.api.fake_link import FakeLink
from tests.bench.bench_screen_table import fleet

PERIOD_S = 5
POLL_S = 60.0
"""As the snapshots call it: no reading may turn stale for as long as nothing happens."""


class Parade(FakeLink):
    """A Link whose stream is a real hub's."""

    def __init__(self, miners: int) -> None:
        super().__init__()
        self.clock = SystemClock()
        self.mode, self._tick, self._miners = "still", 0, miners
        self._values = fleet(miners, 0, 1)
        at_s = self.clock.wall()
        self.fleet = Fleet(
            engine="bench",
            at_s=at_s,
            snapshots={
                name: msgspec.structs.replace(snapshot, at_s=at_s, poll_s=POLL_S)
                for name, snapshot in self._values.snapshots.items()
            },
        )
        self.hub = Hub(self.fleet, self.clock)

    def watch(self, after: int | None = None) -> AsyncIterator[Message]:
        return self.hub.watch(after)

    async def march(self) -> None:
        """A step a tenth of a second, for ever."""
        while True:
            await self.clock.sleep(0.1)
            self._tick += 1
            if self._tick % 10 == 0 and self.mode != "same":
                self._values = fleet(self._miners, self._tick // 10, 1, self._values)
            if self.mode == "burst" and self._tick % 10 == 0:
                self._read(range(self._miners))
            elif self.mode in ("spread", "same"):
                self._read(range(self._tick % (10 * PERIOD_S), self._miners, 10 * PERIOD_S))

    def _read(self, which: range) -> None:
        names = list(self._values.snapshots)
        at_s = self.clock.wall()
        for n in which:
            old = self.hub.fleet.snapshots[names[n]]
            status = self._values.snapshots[names[n]].status if self.mode != "same" else old.status
            self.hub.publish(SnapshotTaken(msgspec.structs.replace(old, status=status, at_s=at_s)))


async def main() -> None:
    link = Parade(int(sys.argv[2]))
    server = await serve(link, socket_path=Path(sys.argv[1]))
    marching = asyncio.create_task(link.march())
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("ready", flush=True)
    while line := await reader.readline():
        link.mode = line.decode().strip()
    marching.cancel()
    await server.close()


if __name__ == "__main__":
    asyncio.run(main())
