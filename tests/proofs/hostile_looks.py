"""How the program is looked at while it is attacked: the screen in a terminal, every command, and the API as any other
program sees it. Commands run without the gate before the terminal, because what enters has to be clean already."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import signal
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from unittest import mock

import tomli_w

from minertui.cli import main as cli
from minertui.model.text import clean
from tests.bench.terminal import terminal
from tests.proofs.hostile_world import SECRETS, World
from tests.tui.pictures import PAYLOADS

WALK = ("m", "2", "t\x1b", "f\x1b", "o\x1b", "b\x1b", "E\x1b", "r\x1b", "?\x1b", ":open\x1b", "z", "]", "]", "]", "w",
        "a", "c", "l", "y")  # fmt: skip
FLEET = ("F", "s", "v", "/x\x1b", "\x1b", "M", " ", "b\x1b", "g\x1b", "n\x1b", "\r")
MINER = ("2", "g\x1b", "+", "<", "e", "P", "z", "z", "i\x1b", "T", ":rig\x1b", "\x13\x1b")
READING = ("a", " ", "A", "\r", "l", "p", "p", "/nope\r", "/&mock\r", "c", "e", "w", "\r", "e", "o")
RIGS = ("w[", "?\x1b", "w[[", "i", "v", "v", "b", "S", "S", "e", "o", "P\x1b", "n\x1b")
LONG_WALK = (*WALK, *FLEET, *MINER, *READING, *RIGS, "F", "2", "e", "w")
_ALONE_S = 0.2
"""Escape and what follows at once is another key."""
_SEARCH_S = 6.0
_END_S = 30.0
"""Nothing is typed while the screen ends: its terminal would show it in the middle of something."""
_SHOWN = ("\ufffd", *(clean(payload, 6) for payload in PAYLOADS))
"""What is left of the payloads where they are shown: how each begins, also in a narrow column."""
UNGATED = """
import sys
from unittest import mock
from minertui.cli import main, terminal
with mock.patch.object(terminal, "shown", str):
    sys.exit(main.main())
"""


def look(env: Mapping[str, str], folder: Path, walk: Sequence[str], pause_s: float, stranger: str = "") -> bytes:
    """Go to every place of the screen, and search for the ``stranger`` (then each key waits until the one before it is
    done with); what it wrote to its terminal."""
    with terminal([sys.executable, "-m", "minertui"], env, columns=140, lines=45, cwd=folder) as seen:
        with contextlib.suppress(RuntimeError):  # it ended: all that it wrote is here, no sequence is cut in two
            seen.until("m0", "Detach", within_s=120)
            for keys in walk:
                for n, key in enumerate(keys, 1):
                    hurry = n < len(keys) and keys[n] != "\x1b" and len(keys) > 2
                    seen.type(key)
                    seen.take(_ALONE_S if key == "\x1b" else 0.02 if hurry else pause_s)
                    if stranger and not hurry:
                        seen.settle()
                seen.take(1.5 if keys == "2" else 0.0)  # the first miner's tab: its log stream opens and says something
            for keys, wait_s in _search(stranger) if stranger else ():
                seen.type(keys)
                seen.take(wait_s)
                seen.settle()
            for _ in range(20):  # a dialog may be open over another one
                seen.type("\x1b")
                seen.take(_ALONE_S)
                seen.settle()
                seen.type("q")
                seen.take(_END_S)
        return seen.said


def _search(stranger: str) -> Sequence[tuple[str, float]]:
    return ("F", 0.5), ("d", 1.0), (stranger, 0.5), ("\r", _SEARCH_S), (" ", 0.5), (" ", 0.5), ("\r", 3.0)


def on_a_terminal(env: Mapping[str, str], folder: Path, words: Sequence[str], answers: str, within_s: float) -> bytes:
    """A command at a terminal, gate and all, which is given ``answers`` and ends by itself."""
    with terminal([sys.executable, "-m", "minertui", *words], env, columns=140, lines=45, cwd=folder) as seen:
        with contextlib.suppress(RuntimeError):
            for _ in range(int(within_s / 2)):
                seen.take(2.0)
                seen.type(answers)
        return seen.said


def command(*words: str) -> str:
    """What a command prints that ends by itself."""
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


async def lasting(env: Mapping[str, str], folder: Path, words: Sequence[str], seconds: float) -> str:
    """What a command prints until it ends, or is asked to after ``seconds``."""
    asked = await asyncio.create_subprocess_exec(
        sys.executable, "-c", UNGATED, *words, env=dict(env), cwd=folder, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert asked.stdout is not None
    out = b""
    try:
        with contextlib.suppress(TimeoutError):
            out = await asyncio.wait_for(asked.stdout.readline(), 120)  # its time counts from its first word on
        rest = asyncio.ensure_future(asked.stdout.read())
        await asyncio.wait([rest], timeout=seconds)
        if asked.returncode is None:
            asked.send_signal(signal.SIGINT)
        out += await asyncio.wait_for(rest, 120)
    finally:
        if asked.returncode is None:
            asked.kill()
        await asked.wait()
    return out.decode("utf-8", errors="surrogateescape")


async def short_commands(world: World, folder: Path, speed: float) -> dict[str, str]:
    """Those that end by themselves: what each printed, by its first two words."""
    (folder / "password").write_text(SECRETS["pool"])
    told = {}
    for words in (
        ("status",), ("status", "--json"), ("probe", "m0", "--record", str(folder / "record.json")),
        ("config", "check"),
        ("pools", "m0", "--url", "pool.example.org:3333", "--user", "x", "--password-file", str(folder / "password"),
         "--yes"),
        ("pools", "m1", "--url", f"stratum+tcp://x:{SECRETS['address']}@pool.example.org:3333", "--user", "x"),
        ("tune", "m0", "-f", "500", "--dry-run"), ("discover", *world.miners[-2:]),
        ("sweep", "m1", "--dry-run", "--speed", f"{speed:g}"), ("restart", "m2", "--yes"), ("guard", "--help"),
        ("duco", "balance", "alice", "--rest", f"http://127.0.0.1:{world.outside}", "--count", "1"),
    ):  # fmt: skip
        told[" ".join(words[:2])] = await asyncio.to_thread(command, *words)
    return told


async def long_commands(world: World, env: Mapping[str, str], folder: Path, speed: float) -> dict[str, str]:
    """Those that go on until they are told to end, and those that take their time."""
    there = ["--speed", f"{speed:g}"]
    results = folder / "results"
    groups: tuple[tuple[tuple[Sequence[str], float], ...], ...] = (
        ((("sweep", "m3", "m4", *there, "--yes", "--output", str(results)), 90), (("guard", "m5", *there), 25),
         (("status", "--watch"), 12), (("logs", "-f"), 12)),
        ((("status", "--json", "--watch"), 8), (("logs", "m2", "-f"), 10),
         (("duco", "run", "minis", "--every", "1"), 10),
         (("duco", "balance", "alice", "--rest", world.rest, "--count", "2", "--miners", "--log", str(folder)), 30)),
        tuple((("duco", "bench", place, "--jobs", "2"), 30.0) for place in world.spare),
    )  # fmt: skip
    told: dict[str, str] = {}
    for group in groups:
        said = await asyncio.gather(*(lasting(env, folder, words, seconds) for words, seconds in group))
        told |= {f"{' '.join(words[:3])}, lasting": text for (words, _), text in zip(group, said, strict=True)}
    return told


async def hostile_configs(folder: Path) -> dict[str, str]:
    """What ``config check`` says to a payload in each place where a config has a text or a name of one."""
    told = {}
    for n, payload in enumerate(PAYLOADS):
        for place, table in _attacked(payload).items():
            file = folder / f"hostile-{place}-{n}.toml"
            file.write_text(tomli_w.dumps(table))
            file.chmod(0o600)
            said = await asyncio.to_thread(command, "--config", str(file), "config", "check")
            told[f"config check, {place} {n}"] = said
            file.unlink()
    return told


def _attacked(payload: str) -> dict[str, dict[str, object]]:
    miner = {"name": "a", "address": "192.168.1.2"}
    return {
        "table": {payload: {}},
        "key": {"engine": {payload: 1}},
        "value": {"engine": {"log_level": payload}},
        "name": {"miner": [{**miner, "name": payload}]},
        "address": {"miner": [{**miner, "address": payload}]},
        "tag": {"miner": [{**miner, "tags": [payload]}]},
        "header": {"miner": [{**miner, "headers": {payload: payload}}]},
        "theme": {"screen": {"theme": payload, "keys": {payload: payload}}},
        "rig": {"rig": [{"name": payload, "user": payload, "board": [{"name": payload, "at": payload}]}]},
        "software": {"rig": [{"name": "r", "user": "u", "software": payload}]},
    }


def reload(config: Path, payload: str) -> None:
    """The config of a running engine, with an attack in it."""
    table = tomllib.loads(config.read_text())
    table["miner"][0] |= {payload: payload}
    config.write_text(tomli_w.dumps(table))


def through_the_door(door: int) -> dict[str, str]:
    """What the API over TCP answers to the right token, to one in the address, and to none."""
    right = SECRETS["read token"]
    paths = {"right token": "/v1/fleet", "log": "/v1/log?limit=500", "commands": "/v1/commands",
             "sweeps": "/v1/sweeps", "miners": "/v1/miners", "health": "/v1/health", "document": "/v1/openapi.json",
             "events": "/v1/events"}  # fmt: skip
    answers = {name: _asked(door, path, right) for name, path in paths.items()}
    answers["wrong token"] = _asked(door, "/v1/fleet", right[::-1])
    answers["shown token"] = _asked(door, f"/v1/fleet?token={right}", "")
    answers["none token"] = _asked(door, "/v1/nope", "")
    return answers


def _asked(door: int, path: str, token: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{door}{path}", headers={"Authorization": f"Bearer {token}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            if path == "/v1/events":  # without an end: the fleet, and what happens next
                return "".join(answer.readline().decode() for _ in range(12))
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode()}"


def inner_texts(text: str) -> list[str]:
    """The texts in JSON (one object, or one a line), as a program that reads it gets them; none in anything else."""
    found: list[str] = []
    for part in [text] if text.startswith("{\n") else text.splitlines():
        with contextlib.suppress(ValueError):
            _collect(json.loads(part), found)
    return found


def _collect(value: object, found: list[str]) -> None:
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            found.append(key)
            _collect(inner, found)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, found)


def is_attack_seen(text: str) -> bool:
    """An attack took place and is shown as the harmless text that it is, or that is left of it."""
    return any(shown in text for shown in _SHOWN)
