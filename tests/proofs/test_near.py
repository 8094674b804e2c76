"""Loopback without sockets acts as sockets do where our clients and servers can tell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from minertui.sim.listener import reset
from tests.proofs.wound import WoundLoop, run

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connected(serve: Serve) -> Streams:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return await asyncio.open_connection(*server.sockets[0].getsockname())


def test_bytes_come_in_order_and_then_the_end():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readexactly(5)).upper())
        writer.write(b"!" * 1_000_000)
        writer.close()

    async def whole(loop: WoundLoop) -> None:
        reader, writer = await connected(serve)
        writer.write(b"hello")
        assert await reader.read() == b"HELLO" + b"!" * 1_000_000

    run(whole)


def test_a_reset_is_an_error_for_the_other_end():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reset(writer)

    async def whole(loop: WoundLoop) -> None:
        reader, _ = await connected(serve)
        with pytest.raises(ConnectionResetError):
            await reader.read()

    run(whole)


def test_a_client_that_went_is_the_end_for_the_server_and_breaks_its_writing():
    seen: list[object] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read())
        writer.write(b"too late")
        try:
            await asyncio.sleep(1)
            await writer.drain()
        except ConnectionError as error:
            seen.append(type(error))

    async def whole(loop: WoundLoop) -> None:
        _, writer = await connected(serve)
        writer.transport.abort()
        await asyncio.sleep(5)
        assert seen == [b"", BrokenPipeError]

    run(whole)


def test_nobody_listens_any_more():
    async def whole(loop: WoundLoop) -> None:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        place = server.sockets[0].getsockname()
        server.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*place)

    run(whole)
