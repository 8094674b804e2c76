"""The websockets of AxeOS: ``/api/ws`` streams log lines, ``/api/ws/live`` (v2.14 and later) what changed in info."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from websockets.http11 import Request as Handshake
from websockets.protocol import State
from websockets.server import ServerProtocol

from minertui.model.seams import Clock
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_fields import info
from minertui.sim.axeos_models import Phase

MAX_CLIENTS = 10
_ONLY_IN_GET = ("fullHostname", "mdnsHostname")


def wants_socket(headers: dict[str, str], path: str, board: Board) -> bool:
    """True when this request opens a websocket that the board's firmware has."""
    if headers.get("upgrade", "").lower() != "websocket":
        return False
    return path == "/api/ws" or (path == "/api/ws/live" and not board.family.nerd and board.version >= (2, 14, 0))


class LogLines:
    """What the firmware says while it works."""

    def next(self, board: Board) -> list[str]:
        """A line or two of this second."""
        stamp = f"({round(1000 * board.uptime_s)})"
        dice, lines = board.dice, []
        if board.hashing:
            diff = board.mining.pool_diff / (1 - dice.random())
            nonce = dice.getrandbits(32)
            lines.append(f"I {stamp} asic_result: Nonce {nonce:08X} diff {diff:.1f} of {board.mining.pool_diff}")
            if dice.random() < 0.2:
                lines.append(f"I {stamp} stratum_task: message result accepted")
        elif board.phase is Phase.COOLING:
            lines.append(f"E {stamp} power_management: OVERHEAT! VR: {board.cooler.vr_c:.0f}C ASIC off, cooling")
        elif not board.pool_ok:
            lines.append(f"W {stamp} stratum_task: connection lost, trying again")
        else:
            lines.append(f"I {stamp} power_management: mining is stopped")
        return lines


class LiveChanges:
    """The info object, first whole, then what changed."""

    def __init__(self) -> None:
        self._last: dict[str, Any] = {}

    def next(self, board: Board) -> list[str]:
        """At most one message."""
        now = {key: value for key, value in info(board).items() if key not in _ONLY_IN_GET}
        changed = {key: value for key, value in now.items() if self._last.get(key) != value}
        self._last = now
        return [msgspec.json.encode({"event": "update", "data": changed}).decode()] if changed else []


class Socket:
    """One open websocket."""

    def __init__(self, board: Board, clock: Clock, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._board, self._clock, self._reader, self._writer = board, clock, reader, writer
        self._protocol = ServerProtocol()

    async def run(self, head: bytes, touch: Callable[[], None], *, live: bool) -> None:
        """Answer the handshake in ``head`` and send until either side ends. ``touch`` brings the board up to now."""
        self._protocol.receive_data(head)
        handshake = next((e for e in self._protocol.events_received() if isinstance(e, Handshake)), None)
        if handshake is None:
            return
        self._protocol.send_response(self._protocol.accept(handshake))
        await self._flush()
        if self._protocol.state is not State.OPEN:
            return
        listener = asyncio.create_task(self._listen())
        try:
            await self._speak(listener, LiveChanges() if live else LogLines(), touch)
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    async def _speak(
        self, listener: asyncio.Task[None], source: LiveChanges | LogLines, touch: Callable[[], None]
    ) -> None:
        while not listener.done():
            touch()
            if not self._board.online or "wifi-lost" in self._board.faults:
                self._writer.transport.abort()
                return
            for text in source.next(self._board):
                self._protocol.send_text(text.encode())
            await self._flush()
            await self._clock.sleep(max(1.0, 0.2 * self._clock.speed))

    async def _listen(self) -> None:
        while data := await self._reader.read(4096):
            self._protocol.receive_data(data)
            self._protocol.events_received()
            await self._flush()
            if self._protocol.state is not State.OPEN:
                return

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            self._writer.write(data)
        await self._writer.drain()
