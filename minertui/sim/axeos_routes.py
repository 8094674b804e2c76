"""Which page a firmware has at which path, and what it answers there. Pure: a request and a board in, a reply out."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from minertui.sim.axeos_board import Board
from minertui.sim.axeos_fields import asic, info
from minertui.sim.axeos_models import Phase, Version
from minertui.sim.axeos_patch import EMPTY, INVALID_JSON, WRONG_INPUT, Reply, checked_pool, patch
from minertui.sim.axeos_statistics import dashboard, statistics

WRITES = frozenset({"PATCH", "POST", "PUT", "DELETE"})
UNAUTHORIZED = Reply(401, "text/plain", b"Unauthorized")
_PAGE = Reply(200, "text/html", b"<!doctype html><html><head><title>AxeOS</title></head><body>simulated</body></html>")
_UNKNOWN = Reply(404, "application/json", b'{"error":"unknown route"}')
_TO_START = Reply(302, "text/html", b"")  # the transport adds Location: /
_NEVER: Version = (99, 0, 0)


class Request(msgspec.Struct, frozen=True):
    """A request as it came: ``target`` is path and query; header names are lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path alone."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        """The query's parameters."""
        return parse_qs(urlsplit(self.target).query)


def answer(board: Board, request: Request) -> Reply:
    """What this board's firmware answers. Writes are obeyed here and counted by the board's judge."""
    if request.method in WRITES:
        board.judge.writes += 1
    if not _origin_allowed(request.headers.get("origin")):
        return UNAUTHORIZED
    route = _ROUTES.get((request.method, request.path))
    if route is None and request.path.startswith("/api/system/pools/"):
        route = (_pool_slot, (2, 15, 0), _NEVER)
    if route is not None:
        page, first, nerd_first = route
        if board.version >= (nerd_first if board.family.nerd else first):
            reply = page(board, request)
            if reply is not None:
                return reply
    if not request.path.startswith("/api"):
        return _PAGE
    return _UNKNOWN if board.family.nerd or board.version >= (2, 9, 0) else _TO_START


def _origin_allowed(origin: str | None) -> bool:
    """The firmware's network rule for browsers; the rule for peers cannot hold on loopback."""
    if origin is None:
        return True
    host = urlsplit(origin).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host.endswith(".local") or "." not in host


Page = Callable[[Board, Request], Reply | None]


def _json(value: Any) -> Reply | None:
    return None if value is None else Reply(200, "application/json", msgspec.json.encode(value))


def _message(text: str) -> Reply:
    return Reply(200, "application/json", msgspec.json.encode({"message": text}))


def _info(board: Board, request: Request) -> Reply | None:
    return _json(info(board))


def _asic(board: Board, request: Request) -> Reply | None:
    return _json(asic(board))


def _statistics(board: Board, request: Request) -> Reply | None:
    return _json(statistics(board, ",".join(request.query.get("columns", []))))


def _dashboard(board: Board, request: Request) -> Reply | None:
    return _json(dashboard(board))


def _patch(board: Board, request: Request) -> Reply | None:
    return patch(board, request.body)


def _restart(board: Board, request: Request) -> Reply | None:
    board.restart(after_s=1.0)
    if board.version >= (2, 13, 0) and not board.family.nerd:
        return _message("System will restart shortly.")
    return Reply(200, "text/plain", b"System will restart shortly.")


def _pause(board: Board, request: Request) -> Reply | None:
    board.paused = True
    return _message("Mining paused")


def _resume(board: Board, request: Request) -> Reply | None:
    board.paused = False
    return _message("Mining resumed")


def _identify(board: Board, request: Request) -> Reply | None:
    return _message("The device says hi!")


def _dismiss(board: Board, request: Request) -> Reply | None:
    return _json({"blockFound": 0, "showNewBlock": False, "message": "Block found notification dismissed"})


def _scoreboard(board: Board, request: Request) -> Reply | None:
    return _json([{"difficulty": int(board.mining.best_diff)}])


def _logs(board: Board, request: Request) -> Reply | None:
    return Reply(200, "text/plain", f"I (1) system: {board.family.model} {board.firmware}\n".encode())


def _shutdown(board: Board, request: Request) -> Reply | None:
    if board.phase is Phase.RUNNING:
        board.shut_down()
    return EMPTY


def _pool_slot(board: Board, request: Request) -> Reply | None:
    slot_text = request.path.rsplit("/", 1)[-1]
    if slot_text not in "01234567" or len(slot_text) != 1 or request.method not in ("PUT", "DELETE"):
        return WRONG_INPUT
    slot, pools = int(slot_text), board.nvs["pools"]
    if request.method == "DELETE":
        if slot in (board.nvs["primaryPoolIndex"], board.nvs["secondaryPoolIndex"]):
            return WRONG_INPUT
        board.store("pools", {index: pool for index, pool in pools.items() if index != slot})
        return EMPTY
    try:
        record = json.loads(request.body)
    except (ValueError, RecursionError):
        return INVALID_JSON
    pool = checked_pool(record, pools.get(slot)) if isinstance(record, dict) else None
    if pool is None:
        return WRONG_INPUT
    board.store("pools", {**pools, slot: pool})
    return EMPTY


# (method, path) → (page, first firmware that has it, first NerdQAxe firmware that has it)
_ROUTES: dict[tuple[str, str], tuple[Page, Version, Version]] = {
    ("GET", "/api/system/info"): (_info, (2, 0, 0), (1, 0, 0)),
    ("PATCH", "/api/system"): (_patch, (2, 0, 0), (1, 0, 0)),
    ("POST", "/api/system/restart"): (_restart, (2, 0, 0), (1, 0, 0)),
    ("GET", "/api/system/asic"): (_asic, (2, 7, 0), (1, 0, 0)),
    ("GET", "/api/system/statistics"): (_statistics, (2, 8, 0), _NEVER),
    ("GET", "/api/system/statistics/dashboard"): (_dashboard, (2, 8, 0), _NEVER),
    ("POST", "/api/system/identify"): (_identify, (2, 12, 0), _NEVER),
    ("POST", "/api/system/blockFound/dismiss"): (_dismiss, (2, 13, 0), _NEVER),
    ("GET", "/api/system/logs"): (_logs, (2, 14, 0), _NEVER),
    ("GET", "/api/system/scoreboard"): (_scoreboard, (2, 14, 0), _NEVER),
    ("POST", "/api/system/pause"): (_pause, (2, 14, 0), _NEVER),
    ("POST", "/api/system/resume"): (_resume, (2, 14, 0), _NEVER),
    ("POST", "/api/system/shutdown"): (_shutdown, _NEVER, (1, 0, 0)),
}
