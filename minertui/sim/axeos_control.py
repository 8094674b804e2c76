"""The fault console over HTTP, on its own loopback port.

GET  /faults   {"faults": {name: what it does}, "boards": [{"board": 0, "address": …, "on": […]}]}
POST /faults   {"board": 0 | "127.0.0.1:40001" | "all", "fault": "drip", "on": true}  →  the boards again
GET  /truth    what is true at each board, and its judge's findings
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from minertui.model.errors import ConfigError
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_faults import FAULTS
from minertui.sim.axeos_line import HeadTooLong, encoded, read_request
from minertui.sim.axeos_patch import Reply
from minertui.sim.axeos_routes import Request

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def serve_control(boards: Sequence[Board], addresses: Sequence[str], touch: Callable[[], None]) -> Connected:
    """The handler of the console's connections; ``touch`` brings the boards up to now."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            came = await read_request(reader)
            if came is not None:
                touch()
                writer.write(encoded(control(boards, addresses, came[0]), keep=False))
                await writer.drain()
        except (ConnectionError, HeadTooLong):
            pass  # a client without patience or without measure
        finally:
            writer.close()

    return connected


def control(boards: Sequence[Board], addresses: Sequence[str], request: Request) -> Reply:
    """Answer one request of the console."""
    if "origin" in request.headers:
        return _error(401, "the console is not for web pages")
    if (request.method, request.path) == ("GET", "/faults"):
        return _json({"faults": FAULTS, "boards": _states(boards, addresses)})
    if (request.method, request.path) == ("GET", "/truth"):
        return _json({"boards": [_truth(board) for board in boards]})
    if (request.method, request.path) == ("POST", "/faults"):
        return _switch(boards, addresses, request.body)
    return _error(404, "the console knows GET /faults, POST /faults and GET /truth")


def chosen(boards: Sequence[Board], addresses: Sequence[str], which: object) -> list[Board]:
    """The boards that ``which`` means: an index, an address, a name, or ``all``. Raises ConfigError."""
    if which in (None, "all"):
        return list(boards)
    text = str(which)
    if text.isdecimal() and int(text) < len(boards):
        return [boards[int(text)]]
    found = [board for board, address in zip(boards, addresses, strict=False) if text in (address, board.name)]
    if found:
        return found
    raise ConfigError(f"no simulated board {text!r}; use 0 to {len(boards) - 1}, an address, a name, or all")


def _switch(boards: Sequence[Board], addresses: Sequence[str], body: bytes) -> Reply:
    try:
        wanted: dict[str, Any] = json.loads(body)
        name, on = wanted["fault"], wanted.get("on", True)
        for board in chosen(boards, addresses, wanted.get("board")):
            if on:
                board.faults.add(name)
            else:
                board.faults.discard(name)
    except ConfigError as error:
        return _error(400, str(error))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _error(400, 'send {"board": 0, "fault": "drip", "on": true}')
    return _json({"boards": _states(boards, addresses)})


def _states(boards: Sequence[Board], addresses: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"board": index, "address": address, "name": board.name, "family": board.family.name,
         "firmware": board.firmware, "on": list(board.faults)}
        for index, (board, address) in enumerate(zip(boards, addresses, strict=False))
    ]  # fmt: skip


def _truth(board: Board) -> dict[str, Any]:
    now = board.truth()
    truth = {field.name: getattr(now, field.name) for field in dataclasses.fields(now) if field.name != "silicon"}
    truth["need_mv"] = now.need_mv(board.nvs["frequency"])
    return {"name": board.name, "phase": board.phase.value, "truth": truth, "judge": dataclasses.asdict(board.judge)}


def _json(value: Any) -> Reply:
    return Reply(200, "application/json", msgspec.json.encode(value))


def _error(status: int, text: str) -> Reply:
    return Reply(status, "application/json", msgspec.json.encode({"error": text}))
