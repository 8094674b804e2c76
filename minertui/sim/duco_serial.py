"""Simulated boards on serial ports: a pty each, under a name that stays, as /dev/serial/by-id does.

    async with SerialBench([SketchBoard("4.3")], folder, clock) as bench:
        bench.ports[0].path         # folder/usb-minertui_sim_0, a link to /dev/pts/7
        bench.ports[0].unplug()     # the host's file is hung up, the name is gone
        bench.ports[0].plug()       # the name is back, behind it another pts

Opening a pty is not told to its other end, so a board looks every 10 ms whether somebody has it open; the first time it
starts anew, as DTR makes it. (Who closes and opens again within 10 ms is taken to have stayed.)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import tty
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from minertui.model.seams import Clock
from minertui.sim.duco_faults import Faults

_LOOK_S = 0.01  # real seconds
_CHUNK = 4096


class SerialDevice(Protocol):
    """What can be at a port: a board, or an adaptor."""

    faults: Faults

    def reset(self, now_s: float) -> None: ...  # noqa: D102 - the host opened the port
    def feed(self, data: bytes, now_s: float) -> None: ...  # noqa: D102 - bytes from the host
    def output(self, now_s: float) -> bytes: ...  # noqa: D102 - bytes to the host


class SerialPort:
    """One board on one pty."""

    def __init__(self, board: SerialDevice, path: Path, clock: Clock) -> None:
        self.board, self.path, self._clock = board, path, clock
        self._fd: int | None = None
        self._open = False  # by the host
        self.opened = 0  # how often the host opened it

    def plug(self) -> None:
        """Plug it in: it gets a pty, and its name leads there."""
        self.board.faults.discard("unplugged")
        self._appear()

    def unplug(self) -> None:
        """Pull it out: the host's file is hung up and the name is gone."""
        self.board.faults.add("unplugged")
        self._vanish()

    def _appear(self) -> None:
        if self._fd is not None:
            return
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(theirs))
        os.close(theirs)
        self._fd, self._open = ours, False

    def _vanish(self) -> None:
        if self._fd is None:
            return
        self.path.unlink(missing_ok=True)
        os.close(self._fd)
        self._fd, self._open = None, False

    async def run(self) -> None:
        """Carry bytes until cancelled."""
        while True:
            if "unplugged" in self.board.faults:
                self._vanish()
            else:
                self._appear()
                with contextlib.suppress(OSError):  # closed by the host between the look and the act: seen next time
                    self._carry()
            await self._clock.sleep(_LOOK_S * self._clock.speed)

    def _carry(self) -> None:
        assert self._fd is not None
        now_s = self._clock.mono()
        came, held = self._came(self._fd)
        if held and not self._open:
            self.opened += 1
            self.board.reset(now_s)
        self._open = held
        if not held:
            return
        if came:
            self.board.feed(came, now_s)
        if reply := self.board.output(now_s):
            with contextlib.suppress(BlockingIOError):  # the host does not read: lost, as in a real line
                os.write(self._fd, reply)

    def _came(self, fd: int) -> tuple[bytes, bool]:
        """What the host wrote, and whether it has the port open."""
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        found = poll.poll(0)
        events = found[0][1] if found else 0
        came = os.read(fd, _CHUNK) if events & select.POLLIN else b""
        return came, not events & select.POLLHUP


class SerialBench:
    """Several boards, plugged in."""

    def __init__(self, boards: Sequence[SerialDevice], folder: Path, clock: Clock) -> None:
        self.ports = [
            SerialPort(board, folder / f"usb-minertui_sim_{index}", clock) for index, board in enumerate(boards)
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> SerialBench:
        for port in self.ports:
            if "unplugged" not in port.board.faults:
                port.plug()
        self._tasks = [asyncio.create_task(port.run()) for port in self.ports]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for port in self.ports:
            port.unplug()
