"""The master server's REST, simulated: its caches, its limits, and the strikes that end in a ban of an hour."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from minertui.sim.axeos_line import HeadTooLong, encoded, read_request
from minertui.sim.axeos_patch import Reply

if TYPE_CHECKING:
    from minertui.sim.duco_pool import DucoPool
    from minertui.sim.duco_rules import Miner

_SERVER = "duino-master-sim"
_STRIKES = 10
_BAN_S = 3600.0
_DAY_S = 86_400.0
_CACHE_S = {"users": 10.0, "balances": 10.0, "miners": 15.0}
_LIMITS: dict[str, tuple[tuple[int, float], ...]] = {
    "users": ((60, 60.0),),
    "mining_key": ((20, 300.0),),
    "": ((5, 1.0), (5000, _DAY_S)),
}
_SHOWN_AFTER = 2  # accepted shares


class Rest:
    """Answers of a server whose only pool is ``pool``. All programs of this machine are one address to it.

    ``users``: those that exist, with their balance in DUCO; what the pool pays is added. ``told_pool`` replaces the
    pool's own address in ``/getPool``. ``requests`` counts calls by their first word.
    """

    def __init__(self, pool: DucoPool) -> None:
        self._pool = pool
        self.users: dict[str, float] = {"alice": 100.0}
        self.told_pool: tuple[str, int] | None = None
        self.proxied = False  # getPool says "You're using a proxy or VPN"
        self.requests: Counter[str] = Counter()
        self.strikes = 0
        self._banned_until_s = 0.0
        self._asked: dict[str, list[float]] = {}
        self._cache: dict[str, tuple[float, Reply]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while came := await read_request(reader):
                request = came[0]
                keep = request.headers.get("connection", "").lower() != "close"
                writer.write(encoded(self.answer(request.target, request.method), keep=keep))
                await writer.drain()
                if not keep:
                    break
        except (ConnectionError, HeadTooLong):
            pass  # a client without patience or without measure

    def answer(self, target: str, method: str = "GET") -> Reply:
        """Answer one call."""
        url = urlsplit(target)
        words = [unquote(word) for word in url.path.split("/") if word]
        words = words[1:] if words[:1] in (["v2"], ["v3"]) else words
        kind = words[0] if words else ""
        self.requests[kind] += 1
        if self._pool.now_s < self._banned_until_s:
            return _page(403, "Forbidden")
        if self._over_limit(kind):
            return self._strike(_page(429, "Too Many Requests"))
        reply = self._cached(kind, target, lambda: self._told(kind, words[1:], parse_qs(url.query), method))
        failed = reply.status != 200 or (b'"success": false' in reply.body and kind != "mining_key")
        return self._strike(reply) if failed else reply

    def _told(self, kind: str, words: list[str], query: dict[str, list[str]], method: str) -> Reply:
        name = words[0] if words else ""
        calls: dict[str, Callable[[], Reply]] = {
            "getPool": self._get_pool,
            "mining_key": lambda: self._mining_key((query.get("u") or [""])[0], (query.get("k") or [""])[0]),
            "users": lambda: self._user(name),
            "balances": lambda: self._balance_reply(name),
            "miners": lambda: self._miners_reply(name),
        }
        if method != "GET" or kind not in calls:
            return _page(404, "Not Found")
        return calls[kind]()

    def _get_pool(self) -> Reply:
        if self.proxied:
            return _failure("You're using a proxy or VPN")
        ip, port = self.told_pool or self._pool.address
        return _json(
            {"client": "127.0.0.1", "ip": ip, "name": "sim-pool", "port": port, "server": _SERVER, "success": True}
        )

    def _mining_key(self, user: str, key: str) -> Reply:
        wanted = self._pool.rules.keys.get(user)
        return _json({"success": wanted in (None, key), "has_key": wanted is not None})

    def _user(self, user: str) -> Reply:
        if user not in self.users:
            return _failure("This user doesn't exist")
        return _result({"balance": self._balance(user), "miners": self._rows(user), "transactions": []})

    def _balance_reply(self, user: str) -> Reply:
        return _result(self._balance(user)) if user in self.users else _failure("This user doesn't exist")

    def _miners_reply(self, user: str) -> Reply:
        rows = self._rows(user)
        return _result(rows) if rows else _failure(f"No miners detected for: {user}")

    def _balance(self, user: str) -> dict[str, Any]:
        balance = self.users[user] + self._pool.paid(user)
        return {"balance": balance, "created": "before 28/04/2021", "last_login": 0, "stake_amount": 0,
                "stake_date": 0, "username": user, "verified": "yes"}  # fmt: skip

    def _rows(self, user: str) -> list[dict[str, Any]]:
        return [self._row(m) for m in self._pool.connected(user) if m.accepted >= _SHOWN_AFTER]

    def _row(self, miner: Miner) -> dict[str, Any]:
        difficulty = self._pool.rules.tiers[miner.tier].difficulty
        return {"accepted": miner.accepted, "algorithm": "DUCO-S1", "diff": difficulty, "hashrate": miner.rate_hs,
                "identifier": miner.rig_id, "it": miner.iot or None, "ki": miner.ki, "pool": "sim-pool",
                "rejected": miner.rejected, "sharetime": miner.share_s, "software": miner.software,
                "threadid": f"{miner.number:08x}", "username": miner.user, "wd": None}  # fmt: skip

    def _over_limit(self, kind: str) -> bool:
        kind = kind if kind in _LIMITS else ""
        limits, now_s = _LIMITS[kind], self._pool.now_s
        longest = max(window_s for _, window_s in limits)
        asked = [at for at in self._asked.get(kind, ()) if now_s - at < longest] + [now_s]
        self._asked[kind] = asked
        return any(sum(now_s - at < window_s for at in asked) > most for most, window_s in limits)

    def _strike(self, reply: Reply) -> Reply:
        self.strikes += 1
        if self.strikes >= _STRIKES:
            self._banned_until_s, self.strikes = self._pool.now_s + _BAN_S, 0
        return reply

    def _cached(self, kind: str, target: str, fresh: Callable[[], Reply]) -> Reply:
        now_s = self._pool.now_s
        kept = self._cache.get(target)
        if kept is None or now_s - kept[0] >= _CACHE_S.get(kind, 0.0):
            kept = self._cache[target] = (now_s, fresh())
        return kept[1]


def _result(value: object) -> Reply:
    return _json({"result": value, "server": _SERVER, "success": True})


def _failure(message: str) -> Reply:
    return _json({"message": message, "server": _SERVER, "success": False})


def _json(value: object) -> Reply:
    return Reply(200, "application/json", json.dumps(value).encode())


def _page(status: int, title: str) -> Reply:
    return Reply(status, "text/html", f"<!doctype html><html><body><h1>{title}</h1></body></html>".encode())
