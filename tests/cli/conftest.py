"""The command line against an engine's API over a fake link, in places of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
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
        async with asyncio.timeout(20):
            code = await asyncio.to_thread(main, [str(arg) for arg in argv])
        out, err = capfd.readouterr()
        return code, out, err

    return ran


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
