"""A running API over a fake link."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from minertui.api.client import ApiClient
from minertui.api.server import ApiServer, serve
from tests.api.fake_link import FakeLink


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    return tmp_path / "e.sock"


@pytest.fixture
async def server(link: FakeLink, socket_path: Path, tmp_path: Path) -> AsyncIterator[ApiServer]:
    running = await serve(link, socket_path=socket_path, tcp="127.0.0.1:0", token_file=tmp_path / "tokens")
    yield running
    await running.close()


@pytest.fixture
async def client(server: ApiServer, socket_path: Path) -> AsyncIterator[ApiClient]:
    there = ApiClient(socket_path)
    yield there
    await there.close()


@pytest.fixture
async def http(server: ApiServer, socket_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """Raw requests through the Unix socket."""
    transport = httpx2.AsyncHTTPTransport(uds=str(socket_path))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", trust_env=False) as raw:
        yield raw
