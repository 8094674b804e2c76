"""A raw HTTP client: sees every byte, believes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgspec


class Raw(msgspec.Struct, frozen=True):
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = address.rpartition(":")
    return await asyncio.open_connection(host.strip("[]"), int(port), limit=2**22)


def request(method: str, path: str, body: object = None, headers: str = "Connection: close\r\n") -> bytes:
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: miner\r\nContent-Length: {len(data)}\r\n{headers}\r\n"
    return head.encode() + data


async def ask(address: str, method: str, path: str, body: object = None, headers: str = "Connection: close\r\n") -> Raw:
    """One request on its own connection, read to the end. Raises ConnectionError when it is reset."""
    reader, writer = await connect(address)
    try:
        writer.write(request(method, path, body, headers))
        data = await reader.read()
        if not data:
            raise ConnectionResetError
        return parsed(data)
    finally:
        writer.close()


def parsed(data: bytes) -> Raw:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked" and body == b"0\r\n\r\n":
        body = b""
    return Raw(int(first.split()[1]), headers, body)


async def info(address: str) -> dict[str, Any]:
    """GET info as JSON."""
    answer = await ask(address, "GET", "/api/system/info")
    assert answer.status == 200
    data: dict[str, Any] = answer.json
    return data


async def until(true: Callable[[], bool]) -> None:
    """Wait until it is so. Raises TimeoutError."""
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.001)


class HandClock:
    """A clock that a test moves; waiting is real and short."""

    speed = 1.0

    def __init__(self) -> None:
        self.now = 0.0

    def mono(self) -> float:
        return self.now

    boot = wall = mono

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))
