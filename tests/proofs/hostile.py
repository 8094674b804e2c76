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
import os
import re
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from unittest import mock

import msgspec

from tests.proofs import hostile_looks as looks
from tests.proofs.hostile_world import SECRETS, World, environment, world
from tests.tui.pictures import PAYLOADS

_SEQUENCE = re.compile(
    r"\x1b(?:\[(?P<lead>[?<=>]?)[0-9;:]*(?P<mid>[ -/]?)(?P<end>[@-~])|\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\))"
)
_OWN = {("", "", "m"), ("", "", "H"), ("?", "", "h"), ("?", "", "l"), ("?", "$", "p"), (">", "", "u"), ("<", "", "u")}


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


SHOWN: Mapping[str, Sequence[str]] = {
    "the screen": ("Benchmark m", "Guard m", "Pools of m", "Discover miners", "jobs received", "total mDUCO", "Pace",
                   "miners of alice", "it refuses (400", *PAYLOADS[4:5], "Saved ", "the engine goes on"),
    "the alerts": ("minertui", *PAYLOADS[:1]),
    "discover at": ("Add 127.0.0.1",),
    "sweep at": ("[m2]", "MHz"),
    "sweep m3": ("[m3]", "[m4]", "MHz", "it refuses (400"),
    "guard": ("guarded", "reports an error (500"),
    "duco bench": ("answers right", *PAYLOADS[4:5]),
    "duco run": ("nano", "GOOD", "BAD"),
    "config check": ("all is well", "holds a character that cannot be shown"),
    "status, wrong": ("is not taken over",),
    "miners": ("127.0.0.1",),
}  # fmt: skip
"""What a whole run has to show somewhere, or it proves nothing: by the beginning of the name of what came out."""


class Held:
    """What came out of the program, by where it came out. ``open``: files of the state folder that others may read."""

    def __init__(self) -> None:
        self.terminals: dict[str, bytes] = {}
        self.texts: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.alerts: list[bytes] = []
        self.open: list[str] = []

    def wrong(self) -> Iterator[str]:
        """Each attack that got through and each secret that got out."""
        for name, written in self.terminals.items():
            yield from (f"{name}: {attack}" for attack in attacks(written))
        for name, text in {**self.texts, **self._text_files()}.items():
            yield from _unprintable(name, text)
            if name != "record.json":  # what a miner said, byte for byte, as escapes
                yield from (a for inner in looks.inner_texts(text) for a in _unprintable(f"{name}, in JSON", inner))
        for alert in self.alerts:
            told = msgspec.json.decode(alert) if alert else {}
            yield from _unprintable("an alert", str(told.get("title", "")) + str(told.get("message", "")))
        for name, data in self._everything().items():
            yield from (f"{name} tells the secret “{which}”" for which, s in SECRETS.items() if s.encode() in data)
            if "Traceback (most" in _SEQUENCE.sub("", data.decode("utf-8", "replace")):
                yield f"{name} holds a traceback"
        yield from (f"{name} is open to others" for name in self.open)

    def missing(self) -> Iterator[str]:
        """What a whole run has to show, or it proves nothing."""
        for name, words in SHOWN.items():
            said = b"\n".join(data for key, data in self._everything().items() if key.startswith(name))
            plain = _SEQUENCE.sub("", said.decode("utf-8", "surrogateescape"))
            yield from (f"{name}: nothing of “{word}” is seen" for word in words if word not in plain)

    def keep(self, folder: Path) -> None:
        """All of it as files, for a look."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in {**self._everything(), "alerts": b"\n".join(self.alerts)}.items():
            (folder / re.sub(r"[^a-zA-Z0-9.]+", "_", name)[:120]).write_bytes(data)

    def _everything(self) -> dict[str, bytes]:
        texts = {name: text.encode("utf-8", "surrogateescape") for name, text in self.texts.items()}
        return {**self.terminals, "the alerts": b"".join(self.alerts), **self.files, **texts}

    def _text_files(self) -> dict[str, str]:
        """Whatever a person may have shown on a terminal."""
        return {name: data.decode("utf-8", "surrogateescape") for name, data in self.files.items()
                if not name.endswith((".db", "-wal", "-shm", "title"))}  # fmt: skip


def _unprintable(name: str, text: str) -> Iterator[str]:
    yield from (f"{name}: {c!r}" for c in sorted(set(text)) if not (c.isprintable() or c in "\n\t"))


def _kept(folder: Path) -> dict[str, bytes]:
    """Every file that the program wrote, databases as text too."""
    own = {folder / "config.toml", folder / "password", folder / "tokens"}
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
             if path.is_file() and path not in own}  # fmt: skip
    for path in folder.rglob("*.db"):
        with contextlib.closing(sqlite3.connect(path)) as db:
            files[f"{path.name} as SQL"] = "\n".join(db.iterdump()).encode()
    return files


async def attacked(
    count: int, walk: Sequence[str], pause_s: float, watch_s: float, *, speed: float, whole: bool = False
) -> Held:
    """Run it all, look at every place, end it in order; what came out. ``whole``: with all that takes its time."""
    held = Held()
    with tempfile.TemporaryDirectory(prefix="minertui-hostile-") as name:
        folder, env = Path(name), environment(Path(name))
        async with world(count, speed, folder) as there:
            _write(folder / "config.toml", there.config(max(2.0, 0.4 * speed)))
            _write(folder / "tokens", f"read {SECRETS['read token']}\ncontrol {SECRETS['control token']}\n")
            async with _engine(folder, env, speed) as engine:
                stranger = there.miners[-1] if whole else ""
                looking = asyncio.create_task(asyncio.to_thread(looks.look, env, folder, walk, pause_s, stranger))
                await asyncio.sleep(watch_s)
                await there.read()
                with mock.patch.dict(os.environ, env):
                    await _commands(held, there, env, folder, speed, whole)
                held.terminals["the screen"] = await looking
                with mock.patch.dict(os.environ, env):
                    held.texts["logs"] = await asyncio.to_thread(looks.command, "logs", "-n", "2000")
                    held.texts |= {"status, wrong config": await _with_a_wrong_config(folder)}
                held.texts |= await asyncio.to_thread(looks.through_the_door, there.door)
                held.files["the process's title"] = Path(f"/proc/{engine.pid}/cmdline").read_bytes()
                engine.send_signal(signal.SIGTERM)
                held.texts["its end"] = f"code {await asyncio.wait_for(engine.wait(), 120)}"
        held.files |= _kept(folder)
        held.open = _open_to_others(folder / "state")
        held.alerts = there.alerts
    return held


@contextlib.asynccontextmanager
async def _engine(folder: Path, env: Mapping[str, str], speed: float) -> AsyncIterator[asyncio.subprocess.Process]:
    with (folder / "engine.err").open("wb") as errors:
        engine = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "minertui", "engine", f"--speed={speed:g}", env=dict(env), stdout=errors,
            stderr=errors, cwd=folder,
        )  # fmt: skip
    try:
        async with asyncio.timeout(120):
            while not (folder / "e.sock").exists():
                if engine.returncode is not None:
                    raise RuntimeError(f"the engine ended: {(folder / 'engine.err').read_text()[-2000:]}")
                await asyncio.sleep(0.05)
        yield engine
    finally:
        if engine.returncode is None:
            engine.kill()
            await engine.wait()


async def _commands(held: Held, there: World, env: Mapping[str, str], folder: Path, speed: float, whole: bool) -> None:
    held.texts |= await looks.short_commands(there, folder, speed)
    if whole:
        lasting = asyncio.create_task(looks.long_commands(there, env, folder, speed))
        for name, words, answers in (
            ("discover at a terminal", ("discover", there.miners[-2]), "\n"),
            ("sweep at a terminal", ("sweep", "m2", "--yes", "--speed", f"{speed:g}"), ""),
        ):
            held.terminals[name] = await asyncio.to_thread(looks.on_a_terminal, env, folder, words, answers, 60.0)
        held.texts |= await looks.hostile_configs(folder)
        held.texts |= await lasting


async def _with_a_wrong_config(folder: Path) -> str:
    """What the engine says about a config that turned into an attack while it ran."""
    config = folder / "config.toml"
    before, told = config.read_text(), ""
    looks.reload(config, PAYLOADS[7])
    for _ in range(100):
        told = await asyncio.to_thread(looks.command, "status", "--json")
        if "is not taken over" in told:
            break
        await asyncio.sleep(0.1)
    config.write_text(before)
    return told


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def _open_to_others(state: Path) -> list[str]:
    """What others may read or enter of the state folder."""
    return [str(path.name) for path in (state, *state.rglob("*")) if path.stat().st_mode & 0o077]


def main() -> int:
    """Print what came out, and what should not have; 1 where there is anything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--miners", type=int, default=6)
    parser.add_argument("--speed", type=float, default=12.0, help="of the engine's time")
    parser.add_argument("--pause", type=float, default=0.3, help="seconds at each place")
    parser.add_argument("--keep", type=Path, help="a folder for all that came out")
    args = parser.parse_args()
    began_s = time.monotonic()
    held = asyncio.run(attacked(args.miners, looks.LONG_WALK, args.pause, 5.0, speed=args.speed, whole=True))
    if args.keep:
        held.keep(args.keep)
    wrong = [*held.wrong(), *held.missing()]
    written, sent = sum(map(len, held.terminals.values())), sum(map(bool, held.alerts))
    took_s = time.monotonic() - began_s
    print(f"hostile: {len(looks.LONG_WALK)} places, {written:,} bytes to terminals, {len(held.texts)} texts, "
          f"{len(held.files)} files, {sent} messages out; wrong: {len(wrong)}; {took_s:.0f} s")  # fmt: skip
    for line in sorted(set(wrong))[:60]:
        print(f"  !! {line}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
