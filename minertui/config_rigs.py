"""[[rig]] and [[rig.board]]: Duino-Coin rigs in the config.

A rig is what its relay's plan says plus what no plan may hold: the mining key, and whether it starts with the engine.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import msgspec

from minertui.model.errors import ConfigError
from minertui.model.relay import REST, WORKER_LIMIT, BoardPlan, RelayPlan, is_name, place_of
from minertui.paths import expanded
from minertui.secret import Secret
from minertui.toml_place import Where
from minertui.wire.duco.messages import encode_job

RANGES: dict[str, tuple[float, float]] = {
    "balance_s": (15, 3600),
    "progress_s": (10, 85),
    "apart_s": (0.6, 60),
    "worker_limit": (1, 125),
    "workers_elsewhere": (0, 124),
    "max_difficulty": (1, 655),
    "max_temp_c": (20, 120),
    "jobs": (1, 1_000_000_000),
}
_POOL = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\]):[1-9][0-9]{0,4}")
_REST = re.compile(r"https?://[^\s/?#@]+")


class RigConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rig; the keys are those of RelayPlan. ``name`` goes to the pool as rig id. ``start``: mine when the engine
    starts. ``balance_log``: folder of log files of the balance."""

    name: str
    user: str
    mining_key: Secret | None = None
    start: bool = False
    tier: str = "AVR"
    rest: str = REST
    pool: str | None = None
    software: str = "minertui AVR"
    send_hashrate: bool = True
    balance_s: float = 15
    progress_s: float = 20
    apart_s: float = 1
    worker_limit: int = WORKER_LIMIT
    workers_elsewhere: int = 0
    log_shares: bool = False
    balance_log: str | None = None
    board: tuple[BoardPlan, ...] = ()

    @property
    def plan(self) -> RelayPlan:
        """What its relay is asked."""
        same = {name: getattr(self, name) for name in self.__struct_fields__ if name in RelayPlan.__struct_fields__}
        return RelayPlan(device=self.name, **same)


def problem(rig: RigConfig) -> tuple[Where, str] | None:
    """Where a rig is wrong, and what; None when it is fine."""
    try:
        encode_job(rig.user, rig.tier, rig.mining_key.reveal() if rig.mining_key else None)
    except ValueError as error:
        return ("tier" if "tier" in str(error) else "mining_key" if "key" in str(error) else "user",), str(error)
    if ":" in rig.name:
        return ("name",), "a pool takes what follows a colon for a mining key; leave the colon out"
    if rig.pool is not None and not _POOL.fullmatch(rig.pool):
        return ("pool",), "write host:port, or leave it out so that the server names one"
    if not _is_server(rig.rest):
        return ("rest",), f"write an address like {REST}, without a path"
    return _log_problem(rig.balance_log) or _boards(rig)


def _log_problem(folder: str | None) -> tuple[Where, str] | None:
    try:
        if folder is None or expanded(folder).is_absolute():
            return None
    except ConfigError as error:
        return ("balance_log",), error.message
    return ("balance_log",), "write the folder with its whole path, or beginning with ~"


def _is_server(address: str) -> bool:
    """An address as ``_REST`` says, with brackets and a port that are right."""
    try:
        return bool(_REST.fullmatch(address) and urlsplit(address).hostname and urlsplit(address).port != 0)
    except ValueError:
        return False


def _boards(rig: RigConfig) -> tuple[Where, str] | None:
    seen: dict[tuple[str, object], int] = {}
    for index, board in enumerate(rig.board):
        where = ("board", index)
        try:
            place = place_of(board.at)
        except ConfigError as error:
            return (*where, "at"), error.message
        if not is_name(board.name):
            return (*where, "name"), "1 to 64 printable characters, no slash"
        for key, value in (("name", board.name.casefold()), ("at", place)):
            first = seen.setdefault((key, value), index)
            if first != index:
                return (*where, key), f"is the {key} of board[{first + 1}] too"
    if len(rig.board) + rig.workers_elsewhere > rig.worker_limit:
        return ("board",), f"more boards than worker_limit ({rig.worker_limit}), those elsewhere included"
    return None
