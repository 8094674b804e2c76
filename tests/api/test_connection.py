"""What cannot be said over HTTP is one sentence, and repeats no secret."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import h11
import pytest

from minertui.api.client import ApiClient
from minertui.api.connection import BROKEN, Connection
from minertui.api.server import ApiServer
from minertui.model.errors import LinkError


@pytest.fixture
async def connection(server: ApiServer, socket_path: Path) -> AsyncIterator[Connection]:
    found = await Connection.open(socket_path, "http://localhost")
    yield found
    found.close()


@pytest.mark.parametrize(
    ("target", "headers"),
    [("/v1/fleet", {"x": "a\nb"}), ("/v1/fleet", {"x": "€"}), ("/v1/a b", {}), ("/v1/fleet", {"bad name": "x"})],
    ids=["a line break", "not ASCII", "a space in the target", "a space in a name"],
)
async def test_what_cannot_be_sent_is_one_of_broken(connection: Connection, target: str, headers: dict[str, str]):
    with pytest.raises(BROKEN):
        await connection.get(target, headers)


async def test_a_connection_that_was_used_up_is_one_of_broken(connection: Connection):
    assert await connection.get("/v1/nothing", {}) == 404
    await connection.body()
    with pytest.raises(BROKEN) as raised:
        await connection.get("/v1/nothing", {})
    assert raised.type is h11.LocalProtocolError


@pytest.mark.parametrize("token", ["secret\nxyz", "secret€", "secret ", "\x7fsecret"])
def test_a_token_that_can_be_none_is_said_and_not_repeated(token: str):
    with pytest.raises(LinkError, match="copy it anew") as raised:
        ApiClient(url="http://127.0.0.1:1", token=token)
    assert "secret" not in str(raised.value)
