"""The client meets things that are not a healthy engine; the server meets bodies that nobody foresaw."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from minertui.api.app import _body
from minertui.api.client import ApiClient
from minertui.api.endpoints import ENDPOINTS, Endpoint
from minertui.api.server import serve
from minertui.api.shapes import RequestError
from minertui.model.errors import LinkError
from minertui.model.events import Message, Whole
from tests.api.fake_link import FakeLink

OK = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"


@asynccontextmanager
async def speaker(path: Path, answer: bytes) -> AsyncIterator[ApiClient]:
    """Something at the socket that says this to everybody, and a client of it."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(speak, path)
    client = ApiClient(path)
    yield client
    await client.close()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (OK % (3, b"{}\n"), "speaks another version"),
        (OK % (10, b"not json!\n"), "speaks another version"),
        (OK % (20_001, b"[" * 20_000 + b"\n"), "speaks another version"),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\noops", "answers HTTP 404, not like a minertui engine"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not answer"),
        (b"", "does not answer"),
    ],
    ids=["other values", "no JSON", "deep JSON", "other server", "other protocol", "nothing"],
)
@pytest.mark.parametrize("ask", [lambda c: c.health(), lambda c: anext(c.watch())], ids=["ask", "watch"])
async def test_strangers_are_named(
    socket_path: Path, answer: bytes, said: str, ask: Callable[[ApiClient], Awaitable[object]]
) -> None:
    async with speaker(socket_path, answer) as client:
        with pytest.raises(LinkError, match=said):
            await ask(client)


async def test_too_many_connections(link: FakeLink, socket_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minertui.api.server.CONNECTIONS", 2)
    server = await serve(link, socket_path=socket_path)
    client = ApiClient(socket_path)
    stream = client.watch()
    await anext(stream)
    with pytest.raises(LinkError, match="too many connections"):
        await client.health()
    await stream.aclose()
    await client.close()
    await server.close()


class Talkative(FakeLink):
    """Never stops."""

    async def watch(self, after: int | None = None) -> AsyncIterator[Message]:
        while True:
            yield Whole(self.fleet)
            await asyncio.sleep(0)


async def test_who_takes_an_answer_slowly_gets_all_of_it(
    link: FakeLink, socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minertui.api.server.SEND_S", 0.05)
    link.fleet = replace(link.fleet, notice="x" * 3_000_000)
    server = await serve(link, socket_path=socket_path)
    reader, writer = await asyncio.open_unix_connection(socket_path, limit=1024)
    writer.write(b"GET /v1/fleet HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    got = 0
    async with asyncio.timeout(20):
        while piece := await reader.read(150_000):
            got += len(piece)
            await asyncio.sleep(0.01)
    assert got > 3_000_000
    writer.close()
    await server.close()


async def test_who_takes_nothing_holds_no_place(socket_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minertui.api.server.SEND_S", 0.05)
    server = await serve(Talkative(), socket_path=socket_path)
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.connect(str(socket_path))
        stuck.send(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        places = server._servers[0].server_state.connections
        async with asyncio.timeout(20):
            while not places:
                await asyncio.sleep(0.01)
            while places:
                await asyncio.sleep(0.01)
    await server.close()


@pytest.mark.parametrize("ask", [lambda c: c.health(), lambda c: anext(c.watch()), lambda c: c.miners()])
async def test_another_users_engine(
    socket_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[[ApiClient], Awaitable[object]]
) -> None:
    def closed(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", closed)
    client = ApiClient(socket_path)
    with pytest.raises(LinkError, match="belongs to another user"):
        await ask(client)
    await client.close()


NAMES = ("id", "device", "command", "type", "on", "networks", "name", "limits", "pools")
KEYS = st.sampled_from(NAMES) | st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=12,
)
WITH_BODY = [endpoint for endpoint in ENDPOINTS if endpoint.body is not None]


@given(body=st.binary(max_size=64) | JSON.map(msgspec.json.encode), endpoint=st.sampled_from(WITH_BODY))
@example(body=b"[" * 60_000, endpoint=WITH_BODY[0])
@example(body=b'{"a":' * 10_000, endpoint=WITH_BODY[0])
@example(body=b"9" * 60_000, endpoint=WITH_BODY[0])
def test_a_body_is_taken_or_refused_and_nothing_else(body: bytes, endpoint: Endpoint) -> None:
    status = 200
    try:
        assert msgspec.convert(_body(body, endpoint), endpoint.body) is not None
    except RequestError as error:
        status = error.status
    assert status in (200, 400, 422)
