"""What attacks: simulated miners, a rig's boards, its pool, its server and a place for alerts, which put the payloads
into every text they tell; and the config that leads the program to them, with a canary in every secret."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import tomli_w

from minertui.clock import SystemClock
from minertui.sim.axeos import _Served, fleet, serve
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_patch import Reply
from minertui.sim.axeos_payload import Payload
from minertui.sim.axeos_routes import Request
from minertui.sim.axeos_socket import LogLines
from minertui.sim.duco_boards import TextBoard
from minertui.sim.duco_bus import FakeBus
from minertui.sim.duco_pool import DucoPool
from minertui.sim.duco_remote import BusServer
from minertui.sim.duco_rest import Rest
from minertui.sim.duco_rules import Miner as Worker
from minertui.sim.duco_rules import OpenJob
from minertui.sim.duco_serial import SerialBench
from minertui.sim.duco_sketch import SketchBoard
from minertui.wire.duco.rest import MinerRow
from tests.ports import held_port
from tests.tui.pictures import PAYLOADS

SECRETS = {name: f"canary-{name}-5e1f" for name in (
    "header", "apprise", "apprise-path", "key", "pool", "stored", "wifi", "proxy", "otp", "stratum", "address",
)}  # fmt: skip
SECRETS |= {"read token": "5e1fca9a" * 8, "control token": "ca9a5e1f" * 8}
_TRUE = frozenset({"macAddr", "ASICModel", "boardVersion", "version"})  # so that it is known, and may be tuned
_USER = "alice"


class Attacker:
    """What the simulated hardware says; every turn moves on to the next payload."""

    def __init__(self) -> None:
        self._turn = 0

    def payload(self) -> str:
        """The next one."""
        self._turn += 1
        return PAYLOADS[self._turn % len(PAYLOADS)]

    def now_and_then(self, times: int) -> bool:
        """True once in so many turns."""
        self._turn += 1
        return self._turn % times == 0

    def twisted(self, value: Any) -> Any:
        """``value`` with a payload for every text in it."""
        if isinstance(value, str):
            return self.payload()
        if isinstance(value, dict):
            return {key: self.twisted(inner) for key, inner in value.items()}
        return [self.twisted(inner) for inner in value] if isinstance(value, list) else value

    def spelt(self, value: Any) -> bytes:
        """As JSON: in turn with escapes, and with all raw that JSON lets stand raw."""
        return json.dumps(value, ensure_ascii=self.now_and_then(2)).encode()

    def body(self, board: Board, info: dict[str, Any]) -> bytes:
        """``/api/system/info``, with the secrets that careless firmware tells; one board reports a fault."""
        told = {key: value if key in _TRUE else self.twisted(value) for key, value in info.items()}
        told |= {"stratumPassword": SECRETS["stored"], "wifiPass": SECRETS["wifi"], "otpSecret": SECRETS["otp"]}
        told |= {f"new{self.payload()}": self.payload(), "reset_reason": self.payload()}
        if board.name.endswith("1"):  # m0; its other pool stays at one place, so that the first can be changed
            told["pools"][1]["stratumURL"] = told["fallbackStratumURL"] = PAYLOADS[9]
            told["power_fault"] = f"{PAYLOADS[0]} {self.payload()}"
        if board.name.endswith("3"):
            told["stratumURL"] = f"stratum+tcp://{SECRETS['stratum']}:x@pool.example.org"
        return self.spelt(told)

    def answer(self, board: Board, request: Request, told: Reply) -> Reply:
        """``told``, unless the board says no in its own words: one to every third write, one to every fifth reading."""
        kind = {"PATCH": ("5", 3), "GET": ("6", 5)}.get(request.method, ("", 1))
        if board.name.endswith(kind[0]) and kind[0] and self.now_and_then(kind[1]):
            return Reply(400 if request.method == "PATCH" else 500, "text/plain", self.payload().encode())
        return told

    def lines(self, board: Board) -> list[str]:
        """The log stream."""
        return [f"I ({round(board.uptime_s)}) x: {self.payload()}"]

    async def outside(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, got: list[bytes]) -> None:
        """A place for alerts, and a Duino-Coin server that says no in its own way."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            got.append(await reader.readexactly(int(size[1]) if size else 0))
            answer = self.spelt({"success": False, "message": self.payload(), "result": self.payload()})
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(answer) + answer)
            await writer.drain()
        writer.close()


class LyingPool(DucoPool):
    """Judges shares rightly, and says no to every fourth in words of its own; every fifth greeting is an attack."""

    def __init__(self, attacker: Attacker, clock: SystemClock) -> None:
        super().__init__(clock=clock)
        self._attacker, self._told = attacker, 0
        self.rest_server = LyingServer(self, attacker)
        self.rest_server.users = {_USER: 100.0}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.rules.version = _raw(self._attacker.payload()) if len(self.miners) % 5 == 4 else "3.0"
        await super()._serve(reader, writer)

    def take(self, message: str, open_job: OpenJob, miner: Worker) -> str:
        """The verdict."""
        verdict = super().take(message, open_job, miner)
        self._told += 1
        return verdict if self._told % 4 else f"BAD,{_raw(self._attacker.payload())}\n"


class LyingServer(Rest):
    """Right where numbers are asked for, and attacks for every text; some numbers are of no use."""

    def __init__(self, pool: DucoPool, attacker: Attacker) -> None:
        super().__init__(pool)
        self._attacker, self._its_pool = attacker, pool

    def answer(self, target: str, method: str = "GET") -> Reply:
        """Answer one call."""
        words = [word for word in target.partition("?")[0].split("/") if word]
        told = {"getPool": self._where, "users": self._account, "mining_key": dict}.get(words[0] if words else "")
        said: dict[str, Any] = {"message": self._attacker.payload(), "server": self._attacker.payload()}
        said |= {"success": False} if told is None else {"success": True, "has_key": True, **told()}
        return Reply(200, "application/json", self._attacker.spelt(said))

    def _where(self) -> dict[str, Any]:
        host, port = self._its_pool.address
        return {"ip": host, "port": port, "name": self._attacker.payload()}

    def _account(self) -> dict[str, Any]:
        balance = {"balance": 100.0 + self._its_pool.paid(_USER), "username": self._attacker.payload(),
                   "verified": self._attacker.payload()}  # fmt: skip
        return {"result": {"balance": balance, "miners": [self._lie(n) for n in range(len(PAYLOADS))]}}

    def _lie(self, n: int) -> dict[str, Any]:
        odd = (218.0, 1e308, -1e308, 10**30, 0)[n % 5]
        numbers = dict.fromkeys(("hashrate", "sharetime", "accepted", "rejected", "diff", "ki", "pg"), odd)
        return {name: self._attacker.payload() for name in MinerRow.__struct_fields__} | numbers


class LoudSketch(SketchBoard):
    """A banner at every look, and an attack for its id."""

    def __init__(self, attacker: Attacker) -> None:
        super().__init__("4.3", seed=9)
        self._attacker = attacker

    def output(self, now_s: float) -> bytes:
        """What it says."""
        self.chip_id = self._attacker.payload()
        said = super().output(now_s)
        return said if said else f"{self._attacker.payload()}\n".encode() if self._attacker.now_and_then(40) else b""


class World:
    """Where the attackers are. ``miners``: addresses; the last two are in no config. ``boards``: name to place;
    ``spare``: places of boards that no rig has. ``door``: the port for the engine's API."""

    def __init__(self, boards: Sequence[Board], door: int) -> None:
        self._known = boards[:-2]
        self.miners: list[str] = []
        self.outside, self.door, self.rest = 0, door, ""
        self.boards: dict[str, str] = {}
        self.spare: list[str] = []
        self.alerts: list[bytes] = []

    async def read(self) -> None:
        """Wait until each miner of the config was read: the third question comes when ``info`` and ``asic`` are known.
        Raises TimeoutError."""
        async with asyncio.timeout(120):
            while any(board.judge.requests < 3 for board in self._known):
                await asyncio.sleep(0.05)

    def config(self, poll_s: float) -> str:
        """The config, secrets included; miners are asked every ``poll_s``."""
        alerts = f"json://user:{SECRETS['apprise']}@127.0.0.1:{self.outside}/{SECRETS['apprise-path']}"
        its_boards = [{"name": name, "at": at} for name, at in self.boards.items()]
        lying = {"name": "minis", "user": _USER, "mining_key": SECRETS["key"], "start": True, "rest": self.rest,
                 "log_shares": True, "board": its_boards}  # fmt: skip
        refused = {"name": "rig", "user": _USER, "mining_key": SECRETS["key"], "start": True,
                   "rest": f"http://127.0.0.1:{self.outside}",
                   "board": [{"name": "nano", "at": "serial:/nowhere/at/all"}]}  # fmt: skip
        return tomli_w.dumps({
            "api": {"tcp": f"127.0.0.1:{self.door}", "token_file": "tokens"},
            "engine": {"poll_s": poll_s, "log_level": "debug"},
            "alerts": {"urls": [alerts]},
            "sweep": {"strategy": "grid", "min_mhz": 500, "max_mhz": 550, "step_mhz": 25, "step_mv": 25,
                      "settle_s": 10, "measure_s": 60, "sample_s": 10, "max_chip_temp_c": 68, "max_vr_temp_c": 90,
                      "max_power_w": 40},
            "guard": {"max_chip_temp_c": 50},
            "miner": [_entry(n, address) for n, address in enumerate(self.miners[:-2])],
            "rig": [refused, lying],
        })  # fmt: skip


def _entry(n: int, address: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {SECRETS['header']}"}
    return {"name": f"m{n}", "address": address, "pinned": n < 4, "guarded": n == 1, "headers": headers}


@contextlib.asynccontextmanager
async def world(count: int, speed: float, folder: Path) -> AsyncIterator[World]:
    """Serve everything; ``count`` miners besides the two that are in no config."""
    attacker, clock = Attacker(), SystemClock(speed)
    boards = fleet(count + 2, seed=3, warm_s=600)
    for board in boards:
        board.faults.add("hostile-strings")
    obey = _Served._obey
    sketches: Sequence[SketchBoard] = (SketchBoard("4.3", seed=1), LoudSketch(attacker), LoudSketch(attacker))
    i2c = {8 + n: TextBoard("C", seed=n, chip=text) for n, text in enumerate((PAYLOADS[0], PAYLOADS[7], PAYLOADS[4]))}
    bus = BusServer(FakeBus(i2c, clock.mono))
    async with contextlib.AsyncExitStack() as stack:
        made = World(boards, stack.enter_context(held_port()))
        for patch in (
            mock.patch.object(Payload, "bytes_of", lambda _, board, info: attacker.body(board, info)),
            mock.patch.object(LogLines, "next", lambda _, board: attacker.lines(board)),
            mock.patch.object(
                _Served, "_obey", lambda self, asked: attacker.answer(self.board, asked, obey(self, asked))
            ),
        ):
            stack.enter_context(patch)
        sink = await asyncio.start_server(lambda r, w: attacker.outside(r, w, made.alerts), "127.0.0.1")
        stack.callback(sink.close)
        server = await serve(boards, clock=clock)
        stack.push_async_callback(server.close)
        pool = await stack.enter_async_context(LyingPool(attacker, clock))
        ports = (await stack.enter_async_context(SerialBench(sketches, folder, clock))).ports
        await bus.open()
        stack.push_async_callback(bus.close)
        made.miners, made.rest = list(server.addresses), pool.rest
        made.outside = int(sink.sockets[0].getsockname()[1])
        made.boards = {"nano": f"serial:{ports[0].path}", "loud [b +": f"serial:{ports[1].path}",
                       "text": bus.at(8), "odd": bus.at(9)}  # fmt: skip
        made.spare = [f"serial:{ports[2].path}", bus.at(10)]
        yield made


def environment(folder: Path) -> dict[str, str]:
    """For programs that live in ``folder`` and nowhere else."""
    places = {f"MINERTUI_{name}": str(folder / file)
              for name, file in (("CONFIG", "config.toml"), ("STATE", "state"), ("SOCKET", "e.sock"))}  # fmt: skip
    proxy = f"http://user:{SECRETS['proxy']}@127.0.0.1:9"
    return {**os.environ, **places, "HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": "127.0.0.1",
            "LANG": "C.UTF-8", "HOME": str(folder), "PYTHONPATH": str(Path(__file__).parents[2])}  # fmt: skip


def _raw(text: str) -> str:
    """What the simulated pool has to be given so that it sends ``text`` in UTF-8."""
    return text.encode().decode("latin-1")
