"""What this process holds, told apart: what is in use, what the allocators keep beside it, and what comes and goes.

    resident   all of it; pages of files too, which the kernel takes and gives back as it likes
    anonymous  what is no file's: after garbage was collected and free memory given back, by the kernel's own count
    in use     what Python's allocator and the C library have given out, to the byte; no page, gap or garbage in it

What is in use and grows is a leak, or fills. What is anonymous and grows beside it is a heap that falls to pieces.
Linux and glibc; what cannot be known is 0.
"""

from __future__ import annotations

import collections
import ctypes
import gc
import os
import re
import sys
import tempfile
from pathlib import Path

import msgspec

_PAGE = os.sysconf("SC_PAGE_SIZE")
_COUNTED = ("minertui.", "_asyncio.", "asyncio.", "h11.", "uvicorn.", "starlette.", "socket.", "sqlite3.", "threading.",
            "builtins.coroutine", "builtins.frame", "builtins.traceback", "_contextvars.")  # fmt: skip


class Held(msgspec.Struct, frozen=True):
    """Memory in MB. ``memory_mb``: resident, before anything was collected. ``sqlite_mb``: SQLite's part of what is in
    use. ``blocks``: pieces that Python's allocator has given out. ``objects``: by type, of ours and of what we stand
    on."""

    memory_mb: float = 0.0
    anonymous_mb: float = 0.0
    in_use_mb: float = 0.0
    sqlite_mb: float = 0.0
    blocks: int = 0
    objects: dict[str, int] = {}


class _Mallinfo(ctypes.Structure):
    """glibc's ``mallinfo2``; all arenas together."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
    ))  # fmt: skip


def held() -> Held:
    """Collect, give back what is free, and look; takes a tenth of a second."""
    memory_mb = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE / 1e6
    gc.collect()
    objects = _objects()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
    in_use_mb = _malloc_mb(libc) + _python_mb()
    return Held(memory_mb, _anonymous_mb(), in_use_mb, _sqlite_mb(), sys.getallocatedblocks(), objects)


def _objects() -> dict[str, int]:
    found = collections.Counter[str]()
    for kind, n in collections.Counter(map(type, gc.get_objects())).items():
        name = f"{kind.__module__}.{kind.__qualname__}"
        if name.startswith(_COUNTED):
            found[name] += n
    return dict(found)


def _anonymous_mb() -> float:
    """Counted page by page; what ``status`` says is off by up to a quarter of a megabyte."""
    try:
        told = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = re.search(r"^Anonymous: +(\d+) kB", told, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def _malloc_mb(libc: ctypes.CDLL) -> float:
    ask = getattr(libc, "mallinfo2", None)
    if ask is None:
        return 0.0
    ask.restype = _Mallinfo
    told = ask()
    return float(told.uordblks + told.hblkhd) / 1e6


def _python_mb() -> float:
    """Of Python's own allocator, which takes its memory from the kernel and not from the C library. It tells this to
    the error output alone."""
    with tempfile.TemporaryFile() as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            sys._debugmallocstats()
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        file.seek(0)
        found = re.search(rb"# bytes in allocated blocks +=\s+([\d,]+)", file.read())
    return int(found[1].replace(b",", b"")) / 1e6 if found else 0.0


def _sqlite_mb() -> float:
    """What all connections hold: pages, and questions that were prepared."""
    try:
        used = ctypes.CDLL("libsqlite3.so.0").sqlite3_memory_used
    except OSError:
        return 0.0
    used.restype = ctypes.c_int64
    return float(used()) / 1e6
