"""The engine that is soaked: ``minertui engine`` as it is, and beside it a probe that tells what the process holds.

Started by ``tests.proofs.soak`` with its settings as JSON; says a sample a line on stdout. Nothing here is kept.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import threading
import time
from pathlib import Path

import msgspec

from minertui.cli.engine import allow_files, serve
from minertui.clock import SystemClock
from minertui.config import load
from minertui.engine.engine import Engine
from minertui.engine.loglines import KEPT_IN_ALL
from tests.proofs.lateness import Lateness, Looks

_SOURCES = 320  # of log lines: miners and their sweeps
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Settings(msgspec.Struct, frozen=True):
    """Where, how fast, and how many real seconds apart samples are. ``full``: its log is full from the start."""

    folder: str
    speed: float
    sample_s: float
    full: bool = False


class Sample(msgspec.Struct, frozen=True):
    """What the process holds at a moment (real seconds since it began); memory in MB. ``blocks``: pieces of memory that
    Python's own allocator has given out. ``malloc_mb``: what the C library has given out, ``free_mb``: what it keeps
    for later; ``sqlite_mb``: SQLite's part of it. Not known is 0. ``disk_kb``: the files of the state folder."""

    at_s: float
    memory_mb: float
    files: int
    tasks: int
    threads: int
    blocks: int
    malloc_mb: float
    free_mb: float
    sqlite_mb: float
    version: int
    looks: Looks
    disk_kb: dict[str, int]


class _Mallinfo(ctypes.Structure):
    """glibc's ``mallinfo2``; all arenas together."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
    ))  # fmt: skip


def _malloc_mb() -> tuple[float, float]:
    """Given out and kept; 0 where the C library has no such question."""
    ask = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if ask is None:
        return 0.0, 0.0
    ask.restype = _Mallinfo
    told = ask()
    return (told.uordblks + told.hblkhd) / 1e6, told.fordblks / 1e6


def _sqlite_mb() -> float:
    """What all connections hold; 0 where the library is not to be found."""
    try:
        used = ctypes.CDLL("libsqlite3.so.0").sqlite3_memory_used
    except OSError:
        return 0.0
    used.restype = ctypes.c_int64
    return float(used()) / 1e6


async def tell(engine: Engine, settings: Settings, lateness: Lateness) -> None:
    """A line a sample, until cancelled."""
    for n in range(KEPT_IN_ALL if settings.full else 0):
        engine.say(f"earlier {n % _SOURCES}", f"lost: no answer within 10 s ({n}); it is asked again in a while")
    began_s, state = time.monotonic(), Path(settings.folder) / "state"
    while True:
        await asyncio.sleep(settings.sample_s)
        given_mb, free_mb = _malloc_mb()
        sample = Sample(
            at_s=time.monotonic() - began_s,
            memory_mb=int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE / 1e6,
            files=sum(1 for _ in Path("/proc/self/fd").iterdir()),
            tasks=len(asyncio.all_tasks()),
            threads=threading.active_count(),
            blocks=sys.getallocatedblocks(),
            malloc_mb=given_mb,
            free_mb=free_mb,
            sqlite_mb=_sqlite_mb(),
            version=engine.hub.fleet.version & 0xFFFF_FFFF,
            looks=lateness.take(),
            disk_kb={path.name: path.stat().st_size // 1024 for path in state.glob("*.db*")},
        )
        print(msgspec.json.encode(sample).decode(), flush=True)


async def main() -> None:
    """Until SIGTERM."""
    settings = msgspec.json.decode(sys.argv[1], type=Settings)
    folder = Path(settings.folder)
    config = load(folder / "config.toml")
    engine = Engine(
        config, state=folder / "state", clock=SystemClock(settings.speed), config_path=folder / "config.toml"
    )
    lateness = Lateness()
    beside = [asyncio.create_task(lateness.watch()), asyncio.create_task(tell(engine, settings, lateness))]
    await serve(engine, folder / "engine.sock")
    for task in beside:
        task.cancel()
    await asyncio.wait(beside)
    for task in beside:
        if not task.cancelled():
            task.result()


if __name__ == "__main__":
    os.umask(0o077)
    allow_files()
    asyncio.run(main())
