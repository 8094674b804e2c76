"""The real program on miners that attack the terminal, with a canary in every secret: engine, commands and screen.

    python -m tests.proofs.hostile               every place of the screen, every payload in every text field

Simulated boards put the payloads into every text of their answers and logs, and into the alerts by a fault they report;
a master server does it for a Duino-Coin rig. What the screen writes to its pseudo terminal has to be printable text and
sequences of Textual's own kinds; what commands, logs, recordings, exports, alerts and the state folder hold has to be
printable too, and none of it may hold a secret.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import io
import json
import os
import re
import signal
import socket
import sqlite3
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec

from minertui.cli import main as cli
from minertui.clock import SystemClock
from minertui.sim.axeos import fleet, serve
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_payload import Payload
from minertui.sim.axeos_socket import LogLines
from tests.bench.terminal import terminal
from tests.tui.pictures import PAYLOADS

SECRETS = {name: f"canary-{name}-5e1f" for name in ("header", "apprise", "apprise-path", "key", "pool", "stored",
                                                     "wifi", "proxy", "otp")}  # fmt: skip
SECRETS |= {"read token": "5e1fca9a" * 8, "control token": "ca9a5e1f" * 8}
_TRUE = frozenset({"macAddr", "ASICModel", "boardVersion", "version"})  # so that it is known, and may be tuned
_SEQUENCE = re.compile(
    r"\x1b(?:\[(?P<lead>[?<=>]?)[0-9;:]*(?P<mid>[ -/]?)(?P<end>[@-~])|\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\))"
)
_OWN = {("", "", "m"), ("", "", "H"), ("?", "", "h"), ("?", "", "l"), ("?", "$", "p"), (">", "", "u"), ("<", "", "u")}
WALK = ("m", "2", "t\x1b", "f\x1b", "o\x1b", "b\x1b", "E\x1b", "r\x1b", "?\x1b", ":open\x1b", "z", "]", "]", "]", "w",
        "a", "c", "l", "y")  # fmt: skip
LONG_WALK = (*WALK, "1", "s", "v", "/x\x1b", "M", " ", "\r", "g\x1b", "P", "x", "n\x1b", "\x1b", "+", "<", "e", "T",
             "]", "o", "i", "]", "]", "w", "o", "u", "c", "e", "a", " ", "A", "l", "w", "p", "p", "/nope\r", "&mock\r",
             "\x13\x1b", "c", "e")  # fmt: skip


def attacks(written: bytes) -> list[str]:
    """What in these bytes for a terminal is neither printable text nor a sequence that the screen itself sends."""
    text = written.decode("utf-8", errors="surrogateescape")
    found = []
    for match in _SEQUENCE.finditer(text):
        if match["osc"] is not None:
            found += [] if _copied(match["osc"]) else [match[0]]
        elif (match["lead"], match["mid"], match["end"]) not in _OWN:
            found.append(match[0])
    rest = _SEQUENCE.sub("", text)
    return found + [repr(c) for c in rest if not (c.isprintable() or c in "\r\n\t")]


def _copied(osc: str) -> bool:
    """The screen shapes the pointer, and copies an address on its user's key: lines of printable text, never what a
    miner wrote."""
    if re.fullmatch(r"22;[a-z-]+", osc):
        return True  # the shape of the pointer
    kind, _, data = osc.partition(";c;")
    copied = base64.b64decode(data).decode() if kind == "52" else "evil"
    return "evil" not in copied and copied.replace("\n", "").isprintable()


class Attacker:
    """What the simulated hardware says; every turn moves on to the next payload."""

    def __init__(self) -> None:
        self._turn = 0

    def payload(self) -> str:
        """The next one."""
        self._turn += 1
        return PAYLOADS[self._turn % len(PAYLOADS)]

    def twisted(self, value: Any) -> Any:
        """``value`` with a payload for every text in it."""
        if isinstance(value, str):
            return self.payload()
        if isinstance(value, dict):
            return {key: self.twisted(inner) for key, inner in value.items()}
        return [self.twisted(inner) for inner in value] if isinstance(value, list) else value

    def body(self, board: Board, info: dict[str, Any]) -> bytes:
        """``/api/system/info``, with the secrets that careless firmware tells; one board reports a fault."""
        told = {key: value if key in _TRUE else self.twisted(value) for key, value in info.items()}
        told |= {"stratumPassword": SECRETS["stored"], "wifiPass": SECRETS["wifi"], "otpSecret": SECRETS["otp"]}
        told |= {f"new{self.payload()}": self.payload(), "reset_reason": self.payload()}
        if board.name.endswith("1"):
            told["power_fault"] = f"{PAYLOADS[0]} {self.payload()}"
        return json.dumps(told).encode()

    def lines(self, board: Board) -> list[str]:
        """The log stream."""
        return [f"I ({round(board.uptime_s)}) x: {self.payload()}" for _ in range(4)]

    async def outside(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, got: list[bytes]) -> None:
        """A place for alerts, and a Duino-Coin server that says no in its own way."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            got.append(await reader.readexactly(int(size[1]) if size else 0))
            answer = json.dumps({"success": False, "message": self.payload(), "result": self.payload()}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(answer) + answer)
            await writer.drain()
        writer.close()


def _config(addresses: Sequence[str], outside: int, door: int) -> str:
    miners = "".join(
        f'[[miner]]\nname = "m{n}"\naddress = "{address}"\npinned = true\n'
        f'headers = {{ Authorization = "Bearer {SECRETS["header"]}" }}\n'
        for n, address in enumerate(addresses)
    )
    alerts = f"json://user:{SECRETS['apprise']}@127.0.0.1:{outside}/{SECRETS['apprise-path']}"
    return (
        f'[api]\ntcp = "127.0.0.1:{door}"\ntoken_file = "tokens"\n'
        f'[engine]\npoll_s = 2.0\nlog_level = "debug"\n[alerts]\nurls = ["{alerts}"]\n{miners}'
        f'[[rig]]\nname = "rig"\nuser = "alice"\nmining_key = "{SECRETS["key"]}"\nstart = true\n'
        f'rest = "http://127.0.0.1:{outside}"\n[[rig.board]]\nname = "nano"\nat = "serial:/nowhere/at/all"\n'
    )


def _environment(folder: Path) -> dict[str, str]:
    places = {f"MINERTUI_{name}": str(folder / file)
              for name, file in (("CONFIG", "config.toml"), ("STATE", "state"), ("SOCKET", "e.sock"))}  # fmt: skip
    proxy = f"http://user:{SECRETS['proxy']}@127.0.0.1:9"
    return {**os.environ, **places, "HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": "127.0.0.1",
            "LANG": "C.UTF-8", "HOME": str(folder)}  # fmt: skip


class Held:
    """What came out of the program, by where it came out."""

    def __init__(self) -> None:
        self.screen = b""
        self.texts: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.alerts: list[bytes] = []

    def wrong(self) -> Iterator[str]:
        """Each attack that got through and each secret that got out."""
        yield from (f"the screen: {attack}" for attack in attacks(self.screen))
        for name, text in self.texts.items():
            yield from (f"{name}: {c!r}" for c in sorted(set(text)) if not (c.isprintable() or c in "\n\t"))
        for alert in self.alerts:
            told = msgspec.json.decode(alert) if alert else {}
            words = str(told.get("title", "")) + str(told.get("message", ""))
            yield from (f"an alert: {c!r}" for c in sorted(set(words)) if not (c.isprintable() or c == "\n"))
        everything = {"the screen": self.screen, "the alerts": b"".join(self.alerts), **self.files}
        everything |= {name: text.encode() for name, text in self.texts.items()}
        for name, data in everything.items():
            yield from (f"{name} tells the secret “{which}”" for which, s in SECRETS.items() if s.encode() in data)


def _command(*words: str) -> str:
    """What a command prints, without the gate before the terminal: what enters is clean already."""
    out = io.StringIO()
    with (
        mock.patch("minertui.cli.terminal.shown", str),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
    ):
        try:
            cli.main(list(words))
        except SystemExit as end:
            out.write(f"exit {end.code}")
    return out.getvalue()


async def _commands(held: Held, folder: Path, address: str, outside: int) -> None:
    (folder / "password").write_text(SECRETS["pool"])
    for words in (
        ("status",), ("status", "--json"), ("probe", "m0", "--record", str(folder / "record.json")),
        ("config", "check"),
        ("pools", "m0", "--url", "pool.example.org:3333", "--user", "x", "--password-file", str(folder / "password"),
         "--yes"),
        ("tune", "m0", "-f", "500", "--dry-run"), ("discover", address),
        ("sweep", "m1", "--dry-run"), ("restart", "m2", "--yes"), ("guard", "--help"),
        ("duco", "balance", "alice", "--rest", f"http://127.0.0.1:{outside}", "--count", "1"),
    ):  # fmt: skip
        held.texts[" ".join(words[:2])] = await asyncio.to_thread(_command, *words)


def _look(held: Held, env: Mapping[str, str], walk: Sequence[str], pause_s: float) -> None:
    with terminal([sys.executable, "-m", "minertui"], env, columns=140, lines=45) as seen:
        seen.until("m0", "Detach")
        for keys in walk:
            for key in keys:
                seen.type(key)
                seen.take(0.02 if len(keys) > 1 and key != keys[-2] else pause_s)
            seen.take(1.5 if keys == "2" else 0.0)  # the first miner's tab: its log stream is opened and says something
        with contextlib.suppress(RuntimeError):  # it ended: all that it wrote is here, no sequence is cut in two
            for _ in range(40):
                for key in ("\x1b", "q"):  # apart: together they are another key
                    seen.type(key)
                    seen.take(0.5)
        held.screen = seen.said


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _through_the_door(door: int) -> dict[str, str]:
    """What the API over TCP answers to the right token, to one in the address, and to none."""
    answers, right = {}, SECRETS["read token"]
    for name, path, told in (
        ("right", "/v1/fleet", right), ("wrong", "/v1/fleet", right[::-1]), ("shown", f"/v1/fleet?token={right}", ""),
        ("none", "/v1/nope", ""),
    ):  # fmt: skip
        request = urllib.request.Request(f"http://127.0.0.1:{door}{path}", headers={"Authorization": f"Bearer {told}"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=20) as answer:
                answers[f"{name} token"] = answer.read().decode()
        except urllib.error.HTTPError as error:
            answers[f"{name} token"] = f"{error.code} {error.read().decode()}"
    return answers


def _kept(folder: Path) -> dict[str, bytes]:
    """Every file that the program wrote, databases as text too."""
    own = {folder / "config.toml", folder / "password", folder / "tokens"}
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
             if path.is_file() and path not in own}  # fmt: skip
    for path in folder.rglob("*.db"):
        with contextlib.closing(sqlite3.connect(path)) as db:
            files[f"{path.name} as SQL"] = "\n".join(db.iterdump()).encode()
    return files


@contextlib.asynccontextmanager
async def _world(count: int, held: Held) -> AsyncIterator[tuple[list[str], int]]:
    attacker = Attacker()
    boards = fleet(count, seed=3, warm_s=600)
    for board in boards:
        board.faults.add("hostile-strings")
    with (
        mock.patch.object(Payload, "bytes_of", lambda _, board, info: attacker.body(board, info)),
        mock.patch.object(LogLines, "next", lambda _, board: attacker.lines(board)),
    ):
        sink = await asyncio.start_server(lambda r, w: attacker.outside(r, w, held.alerts), "127.0.0.1")
        server = await serve(boards, clock=SystemClock(1.0))
        try:
            yield list(server.addresses), int(sink.sockets[0].getsockname()[1])
        finally:
            await server.close()
            sink.close()


async def attacked(count: int, walk: Sequence[str], pause_s: float, watch_s: float) -> Held:
    """Run it all, look at every place, end it in order; what came out."""
    held = Held()
    with tempfile.TemporaryDirectory(prefix="minertui-hostile-") as name:
        folder, env = Path(name), _environment(Path(name))
        async with _world(count, held) as (addresses, outside):
            door = _free_port()
            (folder / "config.toml").write_text(_config(addresses, outside, door))
            (folder / "tokens").write_text(f"read {SECRETS['read token']}\ncontrol {SECRETS['control token']}\n")
            (folder / "tokens").chmod(0o600)
            (folder / "config.toml").chmod(0o600)
            with (folder / "engine.err").open("wb") as errors:
                engine = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "minertui", "engine", env=env, stdout=errors, stderr=errors, cwd=folder
                )
            try:
                async with asyncio.timeout(30):
                    while not (folder / "e.sock").exists():
                        await asyncio.sleep(0.05)
                looking = asyncio.create_task(asyncio.to_thread(_look, held, env, walk, pause_s))
                await asyncio.sleep(watch_s)
                with mock.patch.dict(os.environ, env):
                    await _commands(held, folder, addresses[0], outside)
                await looking
                with mock.patch.dict(os.environ, env):
                    held.texts["logs"] = await asyncio.to_thread(_command, "logs", "-n", "2000")
                held.texts |= await asyncio.to_thread(_through_the_door, door)
                held.files["the process's title"] = Path(f"/proc/{engine.pid}/cmdline").read_bytes()
                engine.send_signal(signal.SIGTERM)
                code = await asyncio.wait_for(engine.wait(), 30)
            finally:
                if engine.returncode is None:
                    engine.kill()
                    await engine.wait()
        held.files |= _kept(folder)
        held.texts["the engine's log"] = held.files.pop("engine.err").decode()
    held.texts["its end"] = f"code {code}"
    return held


def main() -> int:
    """Print what came out, and what should not have; 1 where there is anything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--miners", type=int, default=6)
    parser.add_argument("--pause", type=float, default=1.5, help="seconds at each place")
    args = parser.parse_args()
    held = asyncio.run(attacked(args.miners, LONG_WALK, args.pause, 30.0))
    wrong = list(held.wrong())
    print(f"hostile: {len(LONG_WALK)} places, {len(held.screen):,} bytes to the terminal, {len(held.texts)} texts, "
          f"{len(held.files)} files, {len(held.alerts)} messages out; wrong: {len(wrong)}")  # fmt: skip
    for line in sorted(set(wrong))[:40]:
        print(f"  !! {line}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
