"""What the benchmarks start and look at: processes of their own, measured from outside in /proc (Linux only)."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from minertui.api.client import ApiClient
from minertui.model.errors import LinkError

_TICKS_S = 1 / os.sysconf("SC_CLK_TCK")
_STARTS_WITHIN_S = 60.0


class Usage(msgspec.Struct, frozen=True):
    """What a process has used up to a moment; monotonic and CPU seconds."""

    at_s: float
    cpu_s: float

    def pct_until(self, later: Usage) -> float:
        """Share of one core in between, per cent."""
        return 100 * (later.cpu_s - self.cpu_s) / (later.at_s - self.at_s)


def usage(pid: int) -> Usage:
    """User and system time of all threads of ``pid``."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Usage(time.monotonic(), (int(fields[11]) + int(fields[12])) * _TICKS_S)


def rss_mb(pid: int) -> float:
    """Resident memory, MB of 10^6 bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"process {pid} has no memory any more")


def minertui(*args: object) -> list[str]:
    """The command line of the program under test."""
    return [sys.executable, "-m", "minertui", *map(str, args)]


def environment(folder: Path) -> dict[str, str]:
    """The places of the program, all in ``folder``; nothing of whoever runs the benchmark is touched.

    Python may keep what it compiled, as an installed program's modules are compiled by the installer.
    """
    own = {"CONFIG": "config.toml", "STATE": "state", "SOCKET": "engine.sock"}
    env = {**os.environ, **{f"MINERTUI_{name}": str(folder / file) for name, file in own.items()}}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return env


def start(command: Sequence[str], folder: Path, log: str) -> subprocess.Popen[bytes]:
    """A process whose output goes to ``log``; ``end`` it."""
    with (folder / log).open("ab") as out:
        return subprocess.Popen(
            command, env=environment(folder), stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=_ROOT
        )


@contextlib.contextmanager
def running(command: Sequence[str], folder: Path, log: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose output goes to ``log``; it is ended when the block is."""
    process = start(command, folder, log)
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
    """Send a signal and wait; a process that does not mind is killed."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Simulator(msgspec.Struct, frozen=True):
    """A running ``minertui sim``: miners as (name, address), and its fault console."""

    miners: tuple[tuple[str, str], ...]
    control: str
    pid: int


@contextlib.contextmanager
def simulator(folder: Path, count: int, *options: object) -> Iterator[Simulator]:
    """``count`` warm boards in a process of their own."""
    with running(minertui("sim", "axeos", "--count", count, *options), folder, "sim.log") as process:
        said = folder / "sim.log"
        deadline_s = time.monotonic() + _STARTS_WITHIN_S
        while "Ctrl+C ends" not in said.read_text():
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise SystemExit(f"the simulator did not start:\n{said.read_text()}")
            time.sleep(0.05)
        text = said.read_text()
        head, _, rest = text.partition("\n\n")
        miners = tuple((line.split()[-1], line.split()[0]) for line in head.splitlines())
        yield Simulator(miners, rest.partition("http://")[2].partition("/faults")[0], process.pid)


def write_config(folder: Path, miners: Sequence[tuple[str, str]], more: str = "", each: str = "") -> None:
    """The config of an engine for these ``(name, address)``."""
    tables = (f'[[miner]]\nname = "{name}"\naddress = "{address}"\n{each}' for name, address in miners)
    (folder / "config.toml").write_text(more + "\n" + "\n".join(tables))


def engine(folder: Path, *options: object) -> subprocess.Popen[bytes]:
    """``minertui engine`` with everything in ``folder``; it does not answer yet, and is to be ended."""
    return start(minertui("engine", *options), folder, "engine.log")


def client(folder: Path) -> ApiClient:
    """A client of the engine whose places are in ``folder``."""
    return ApiClient(folder / "engine.sock")


async def answers(link: ApiClient, process: subprocess.Popen[bytes], folder: Path) -> float:
    """Wait until the engine answers; returns the monotonic time of it."""
    while True:
        try:
            await link.health()
        except LinkError:
            if process.poll() is not None:
                raise SystemExit(f"the engine ended:\n{(folder / 'engine.log').read_text()[-2000:]}") from None
            await asyncio.sleep(0.02)
        else:
            return time.monotonic()


def machine() -> str:
    """What all this was measured on."""
    model = next(
        (line.partition(":")[2].strip() for line in _cpuinfo().splitlines() if line.startswith("model name")), "CPU"
    )
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    python = platform.python_version()
    host = f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {python}"
    return f"{host}; load {load}, a million additions take {yardstick_ms():.0f} ms"


def yardstick_ms() -> float:
    """CPU time of a fixed piece of Python, the best of five: how fast a core is now, beside whatever else it does."""
    best_s = math.inf
    for _ in range(5):
        begin_s, total = time.process_time(), 0
        for n in range(1_000_000):
            total += n
        best_s = min(best_s, time.process_time() - begin_s)
    return 1000 * best_s


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except FileNotFoundError:
        return ""


_ROOT = Path(__file__).parents[2]
