"""Stops a child at each of its system calls, as a debugger does, to kill it there or to see what is safely on disk.

Killed at the entry of call n, the call does not happen: the world is as calls 1 … n−1 left it, which is each state that
a killed program can leave. Needs Linux (5.3 or newer) and leave to trace one's own children, as strace does.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

_TRACEME, _SYSCALL, _SETOPTIONS, _GET_CALL = 0, 24, 0x4200, 0x420E
_OPTIONS = 1 | 0x100000  # mark the stops of calls; kill the child when we die
_NAMES: dict[int, str] = {
    "x86_64": {
        0: "read", 1: "write", 3: "close", 4: "stat", 5: "fstat", 6: "lstat", 8: "lseek", 9: "mmap", 11: "munmap",
        12: "brk", 16: "ioctl", 17: "pread64", 18: "pwrite64", 20: "writev", 21: "access", 39: "getpid", 44: "sendto",
        45: "recvfrom", 72: "fcntl", 73: "flock", 74: "fsync", 75: "fdatasync", 76: "truncate", 77: "ftruncate",
        79: "getcwd", 82: "rename", 83: "mkdir", 87: "unlink", 91: "fchmod", 93: "fchown", 102: "getuid",
        107: "geteuid", 110: "getppid", 217: "getdents64", 228: "clock_gettime", 231: "exit_group", 257: "openat",
        262: "newfstatat", 263: "unlinkat", 264: "renameat", 318: "getrandom", 332: "statx",
    },
    "aarch64": {
        25: "fcntl", 29: "ioctl", 32: "flock", 34: "mkdirat", 35: "unlinkat", 38: "renameat", 46: "ftruncate",
        52: "fchmod", 55: "fchown", 56: "openat", 57: "close", 61: "getdents64", 62: "lseek", 63: "read", 64: "write",
        66: "writev", 67: "pread64", 68: "pwrite64", 79: "newfstatat", 80: "fstat", 82: "fsync", 83: "fdatasync",
        94: "exit_group", 172: "getpid", 173: "getppid", 206: "sendto", 207: "recvfrom", 214: "brk", 215: "munmap",
        222: "mmap", 276: "renameat2", 278: "getrandom",
    },
}.get(platform.machine(), {})  # fmt: skip
CHANGING = frozenset({
    "write", "pwrite64", "writev", "fsync", "fdatasync", "truncate", "ftruncate", "rename", "renameat", "renameat2",
    "mkdir", "mkdirat", "unlink", "unlinkat", "openat", "flock", "fchmod", "fchown", "getppid", "sendto", "exit_group",
})  # fmt: skip
"""Calls that may change the world: a kill before any other one leaves what a kill before the next of these leaves."""


class _CallInfo(ctypes.Structure):
    _fields_ = (
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("instruction", ctypes.c_uint64),
        ("stack", ctypes.c_uint64),
        ("nr", ctypes.c_uint64),
        ("args", ctypes.c_uint64 * 6),
    )


class Call(msgspec.Struct, frozen=True):
    """A system call of the child, ``n``-th of its life (from 1); ``fd`` is its first argument."""

    n: int
    name: str
    fd: int


class Ended(msgspec.Struct, frozen=True):
    """How the child ended: ``killed_at`` None when it came to its own end, with exit code ``code``."""

    killed_at: Call | None
    code: int
    calls: int


_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


def _ptrace(request: int, pid: int, address: int = 0, data: object = None) -> int:
    result: int = _libc.ptrace(request, pid, address, data)
    if result < 0:
        errno = ctypes.get_errno()
        raise OSError(errno, f"ptrace {request:#x}: {os.strerror(errno)}")
    return result


def traced(
    work: Callable[[], None],
    kill_at: int | None,
    entered: Callable[[int, Call], None] | None = None,
    left: Callable[[int, Call], None] | None = None,
) -> Ended:
    """Run ``work`` in a child and kill it at the entry of its ``kill_at``-th system call (None: never).

    ``entered(pid, call)`` and ``left(pid, call)`` are called while the child stands still before and after each call.
    """
    with _one_processor():
        pid = os.fork()
        if pid == 0:
            _child(work)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSTOPPED(status)
        _ptrace(_SETOPTIONS, pid, 0, _OPTIONS)
        return _follow(pid, kill_at, entered, left)


@contextmanager
def _one_processor() -> Iterator[None]:
    """Parent and child stay on the processor this runs on: only one of them ever runs, and to wake the other at each
    stop costs twice the time across processors (one crash test: 67 s of processor time, on one processor 33)."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {_libc.sched_getcpu()})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _child(work: Callable[[], None]) -> None:
    code = 3
    try:
        _ptrace(_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        work()
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _follow(
    pid: int,
    kill_at: int | None,
    entered: Callable[[int, Call], None] | None,
    left: Callable[[int, Call], None] | None,
) -> Ended:
    calls, call = 0, Call(0, "", -1)
    while (code := _next_stop(pid)) is None:
        calls += 1
        if entered or left or calls == kill_at:
            call = _call(pid, calls)
        if calls == kill_at:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return Ended(call, -signal.SIGKILL, calls)
        if entered:
            entered(pid, call)
        if (code := _next_stop(pid)) is not None:
            break
        if left:
            left(pid, call)
    return Ended(None, code, calls)


def _next_stop(pid: int) -> int | None:
    """Let it run to the entry or the end of a system call; its exit code when it ended instead."""
    pass_on = 0
    while True:
        _ptrace(_SYSCALL, pid, 0, pass_on or None)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return os.waitstatus_to_exitcode(status)
        stop = os.WSTOPSIG(status)
        if stop == signal.SIGTRAP | 0x80:
            return None
        pass_on = stop


def _call(pid: int, n: int) -> Call:
    info = _CallInfo()
    _ptrace(_GET_CALL, pid, ctypes.sizeof(info), ctypes.byref(info))
    return Call(n, _NAMES.get(info.nr, f"call {info.nr}"), info.args[0] & 0xFFFFFFFF)


def possible() -> str:
    """Why children cannot be traced here; empty when they can."""
    try:
        ended = traced(lambda: None, None)
    except (OSError, AssertionError) as error:
        return f"children cannot be traced here ({error})"
    return "" if ended.code == 0 and ended.calls else "children cannot be traced here"
