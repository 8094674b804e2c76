"""The command line against an engine's API over a fake link, in places of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import struct
import termios
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from minertui.api.server import ApiServer, serve
from minertui.cli.main import main
from tests.api.fake_link import FakeLink

Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Config, state and socket in a folder of the test."""
    for name, file in (("CONFIG", "config.toml"), ("STATE", "state"), ("SOCKET", "e.sock")):
        monkeypatch.setenv(f"MINERTUI_{name}", str(tmp_path / file))
    return tmp_path


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
async def server(places: Path, link: FakeLink) -> AsyncIterator[ApiServer]:
    running = await serve(link, socket_path=places / "e.sock")
    yield running
    await running.close()


@pytest.fixture
def run(places: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """``await run("status")`` gives exit code, stdout and stderr; the command has its own loop in a thread."""

    async def ran(*argv: Any) -> tuple[int, str, str]:
        async with asyncio.timeout(120):
            code = await asyncio.to_thread(main, [str(arg) for arg in argv])
        out, err = capfd.readouterr()
        return code, out, err

    return ran


@contextlib.contextmanager
def terminal(name: str, columns: int) -> Iterator[list[str]]:
    """While this is entered ``sys.<name>`` is a terminal of so many columns (0: it does not tell); then the list holds
    the lines that it showed."""
    shown: list[str] = []
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with pytest.MonkeyPatch.context() as patch, os.fdopen(theirs, "w", encoding="utf-8") as stream:
        patch.setattr(f"sys.{name}", stream)
        yield shown
    data = b""
    with contextlib.suppress(OSError):  # EIO: nobody writes any more, and all was read
        while piece := os.read(mine, 4096):
            data += piece
    os.close(mine)
    shown += data.decode().splitlines()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A terminal at which somebody typed this."""

    def type_(text: str) -> None:
        class Terminal:
            def isatty(self) -> bool:
                return True

            def readline(self) -> str:
                return text

        monkeypatch.setattr("sys.stdin", Terminal())

    return type_
