"""The engine from afar: a Link over the API. A screen cannot tell it from the engine itself.

``watch`` goes on by itself after a break, with what it missed. A question that got no answer raises LinkError, whose
text says what to do; an order is never sent twice.
"""

from __future__ import annotations

import asyncio
import importlib
import ssl
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

import msgspec

from minertui.api.connection import BROKEN, Connection
from minertui.api.shapes import (
    HEARTBEAT_S,
    EngineHealth,
    Fault,
    Follow,
    Heartbeat,
    Networks,
    Problem,
    StreamLine,
    error_of,
)
from minertui.clock import SystemClock
from minertui.model.alerts import Alert
from minertui.model.commands import CommandRecord, Order
from minertui.model.errors import LinkError, OtherVersion, Unanswered
from minertui.model.events import LogLine, Message, Numbered
from minertui.model.fleet import Fleet
from minertui.model.history import Found, MinerEntry, Series, Templates
from minertui.model.plans import SWEEPS_SHOWN, JobState, Plan, SweepRecord
from minertui.model.relay import BoardOrder
from minertui.model.seams import Clock

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")

ANSWER_S = 30.0
LONG_S = 600.0
"""Orders and discovery take their time: a voltage is walked in steps, each read back; a /22 is 1,022 addresses."""
RETRIES_S = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Waits between attempts to reconnect; after the last one the engine counts as away."""

_SILENCE_S = 2.5 * HEARTBEAT_S
_line = msgspec.json.Decoder(StreamLine)


class ApiClient:
    """A Link to the engine at a Unix socket, or at ``url`` with a ``token``."""

    def __init__(
        self,
        socket_path: Path | None = None,
        *,
        url: str = "http://localhost",
        token: str | None = None,
        clock: Clock | None = None,
        silence_s: float = _SILENCE_S,
        demo: bool = False,
    ) -> None:
        """``clock`` times the waits between reconnects; ``silence_s``: a stream silent for so long is broken;
        ``demo``: it is the demo's engine, which no other command starts or asks. Raises LinkError for a ``token`` that
        can be none."""
        if token and not (token.isascii() and token.isprintable() and " " not in token):
            raise LinkError("the token holds a character that no token has; copy it anew from the engine's token file")
        self._place, self._socket_path, self._url = str(socket_path or url), socket_path, url
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._clock = clock or SystemClock()
        self._silence_s = silence_s
        self._demo = demo
        self._http: httpx2.AsyncClient | None = None
        self._tell_break: Callable[[LinkError], None] = lambda error: None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def health(self) -> EngineHealth:
        """Who answers there. Raises LinkError when nobody does."""
        async with self._answer("/v1/health", ANSWER_S) as answer, asyncio.timeout(ANSWER_S):
            return self._decoded(await answer.body(), EngineHealth)

    async def fleet(self) -> Fleet:
        """Everything known now, once."""
        return await self._ask("GET", "/v1/fleet", Fleet)

    async def watch(self, after: int | None = None) -> AsyncGenerator[Message, None]:
        """The whole fleet (or, with ``after``, what came after that version), then every change; breaks are bridged.
        Raises LinkError when the engine stays away."""
        seen, attempt = after, len(RETRIES_S)  # nobody there at first: say so at once
        while True:
            try:
                async for message in self._stream(seen):
                    attempt = 0
                    if isinstance(message, Numbered) and seen is not None and message.version != seen + 1:
                        seen = None  # something is missing: ask for the whole fleet
                        break
                    seen = message.version if isinstance(message, Numbered) else message.fleet.version
                    yield message
            except LinkError as error:
                if attempt == len(RETRIES_S):
                    raise
                self._tell_break(error)
            await self._clock.sleep(RETRIES_S[attempt] * self._clock.speed)
            attempt += 1

    def on_break(self, tell: Callable[[LinkError], None]) -> None:
        """See Bridging."""
        self._tell_break = tell

    async def send(self, order: Order) -> CommandRecord:
        """See Link."""
        return await self._ask("POST", "/v1/commands", CommandRecord, order, within_s=LONG_S)

    async def commands(self, limit: int = 200) -> Sequence[CommandRecord]:
        """See Link."""
        return await self._ask("GET", "/v1/commands", tuple[CommandRecord, ...], query={"limit": limit})

    async def start(self, plan: Plan) -> JobState:
        """See Link."""
        return await self._ask("POST", "/v1/jobs", JobState, plan)

    async def stop(self, job_id: str) -> JobState:
        """See Link."""
        return await self._ask("DELETE", f"/v1/jobs/{_part(job_id)}", JobState)

    async def forget(self, job_id: str) -> None:
        """See Link."""
        await self._tell("POST", f"/v1/jobs/{_part(job_id)}/forget", {})

    async def plans(self, device: str) -> Templates:
        """See Link."""
        return await self._ask("GET", f"/v1/devices/{_part(device)}/plans", Templates)

    async def steer(self, job_id: str, order: BoardOrder) -> JobState:
        """See Link."""
        return await self._ask("POST", f"/v1/jobs/{_part(job_id)}/boards", JobState, order)

    async def clear(self, device: str) -> None:
        """See Link."""
        await self._tell("POST", f"/v1/devices/{_part(device)}/clear", {})

    async def history(
        self, device: str, metrics: Sequence[str], since_s: float, until_s: float, points: int = 500
    ) -> Series:
        """See Link."""
        name, _, board = device.partition("/")  # a rig's board
        query = {"metrics": ",".join(metrics), "since_s": since_s, "until_s": until_s, "points": points}
        query |= {"board": board} if board else {}
        return await self._ask("GET", f"/v1/devices/{_part(name)}/history", Series, query=query)

    async def sweeps(
        self, device: str | None = None, limit: int = SWEEPS_SHOWN, before_s: float | None = None
    ) -> Sequence[SweepRecord]:
        """See Link."""
        query = {"device": device, "limit": limit, "before_s": before_s}
        return await self._ask("GET", "/v1/sweeps", tuple[SweepRecord, ...], query=query)

    async def log(self, source: str | None = None, limit: int = 500) -> Sequence[LogLine]:
        """See Link."""
        return await self._ask("GET", "/v1/log", tuple[LogLine, ...], query={"source": source, "limit": limit})

    async def follow(self, device: str, on: bool) -> None:
        """See Link."""
        await self._tell("POST", f"/v1/devices/{_part(device)}/follow", Follow(on))

    async def acknowledge(self, alert_id: str) -> Alert:
        """See Link."""
        return await self._ask("POST", f"/v1/alerts/{_part(alert_id)}/acknowledge", Alert, {})

    async def save_miner(self, entry: MinerEntry, replaces: str | None = None) -> None:
        """See Link."""
        if replaces is None:
            await self._tell("POST", "/v1/miners", entry)
        else:
            await self._tell("PUT", f"/v1/miners/{_part(replaces)}", entry)

    async def remove_miner(self, name: str) -> None:
        """See Link."""
        await self._tell("DELETE", f"/v1/miners/{_part(name)}")

    async def miners(self) -> Sequence[MinerEntry]:
        """See Link."""
        return await self._ask("GET", "/v1/miners", tuple[MinerEntry, ...])

    async def discover(self, networks: Sequence[str]) -> Sequence[Found]:
        """See Link."""
        body = Networks(tuple(networks))
        return await self._ask("POST", "/v1/discover", tuple[Found, ...], body, within_s=LONG_S)

    async def faults(self) -> Mapping[str, str]:
        """See FaultConsole."""
        return await self._ask("GET", "/v1/faults", dict[str, str])

    async def faults_on(self, device: str) -> Sequence[str]:
        """See FaultConsole."""
        return await self._ask("GET", f"/v1/devices/{_part(device)}/faults", tuple[str, ...])

    async def fault(self, device: str, name: str, on: bool) -> None:
        """See FaultConsole."""
        await self._tell("POST", f"/v1/devices/{_part(device)}/faults", Fault(name, on))

    async def shutdown(self) -> None:
        """See Link. Returns when the engine has begun to go down."""
        await self._tell("POST", "/v1/shutdown", {})

    async def close(self) -> None:
        """Close the connections; the engine goes on."""
        if self._http is not None:
            await self._http.aclose()

    async def _ask(
        self,
        method: str,
        path: str,
        kind: type[T],
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        within_s: float = ANSWER_S,
    ) -> T:
        return self._decoded(await self._exchange(method, path, body, query, within_s), kind)

    def _decoded(self, content: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(content, type=kind)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._strange(error) from error

    async def _tell(self, method: str, path: str, body: Any = None) -> None:
        await self._exchange(method, path, body, None, ANSWER_S)

    async def _exchange(
        self, method: str, path: str, body: Any, query: Mapping[str, Any] | None, within_s: float
    ) -> bytes:
        http = await self._library()
        import httpx2

        content = b"" if body is None else msgspec.json.encode(body)
        headers = {} if method == "GET" else {"content-type": "application/json"}
        params = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            async with asyncio.timeout(within_s):
                answer = await http.request(method, path, content=content, headers=headers, params=params)
        except httpx2.ConnectError as error:
            raise self._nobody(_root(error)) from error
        except (httpx2.HTTPError, OSError) as error:  # TimeoutError is an OSError
            raise self._unanswered(method) from error
        if answer.is_success:
            return answer.content
        raise self._refused(answer.content, answer.status_code)

    async def _library(self) -> httpx2.AsyncClient:
        """The HTTP client for questions and orders, made for the first of them: a screen is painted without it."""
        if "httpx2" not in sys.modules:
            # a tenth of a second, in which a screen goes on
            await asyncio.to_thread(importlib.import_module, "httpx2")
        import httpx2

        if self._http is None:
            transport = httpx2.AsyncHTTPTransport(
                uds=str(self._socket_path) if self._socket_path else None,
                limits=httpx2.Limits(max_connections=20, max_keepalive_connections=0),
                trust_env=False,
                verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # trusts nobody: engines speak plain HTTP on this host
            )
            self._http = httpx2.AsyncClient(
                base_url=self._url,
                transport=transport,
                headers=self._headers,
                timeout=httpx2.Timeout(None),
                trust_env=False,
            )
        return self._http

    async def _stream(self, after: int | None) -> AsyncIterator[Message]:
        target = "/v1/events" if after is None else f"/v1/events?after={after}"
        async with self._answer(target, self._silence_s) as answer:
            pieces, rest = answer.pieces(), b""
            while True:
                async with asyncio.timeout(self._silence_s):
                    piece = await anext(pieces, None)
                if piece is None:
                    raise LinkError(f"the engine at {self._place} ended the stream")
                *lines, rest = (rest + piece).split(b"\n")  # at line feeds only: texts may hold other line breaks
                for line in lines:
                    message = _line.decode(line)
                    if not isinstance(message, Heartbeat):
                        yield message

    @asynccontextmanager
    async def _answer(self, target: str, within_s: float) -> AsyncIterator[Connection]:
        """The answer to a GET without the HTTP client; errors inside the block are translated."""
        connection: Connection | None = None
        try:
            async with asyncio.timeout(within_s):
                connection = await self._connected()
                status = await connection.get(target, self._headers)
                if status != 200:
                    raise self._refused(await connection.body(), status)
            yield connection
        except BROKEN as error:  # TimeoutError is an OSError
            raise self._unanswered("GET") from error
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._strange(error) from error
        finally:
            if connection is not None:
                connection.close()

    async def _connected(self) -> Connection:
        try:
            return await Connection.open(self._socket_path, self._url)
        except OSError as error:
            raise self._nobody(error) from error

    def _nobody(self, error: BaseException) -> LinkError:
        if isinstance(error, PermissionError):
            return LinkError(f"the engine at {self._place} belongs to another user; run as that user, or name your own")
        how = "“minertui demo”" if self._demo else "“minertui” or “minertui engine”"
        return LinkError(f"no engine is running at {self._place}; start it with {how}")

    def _unanswered(self, method: str) -> LinkError:
        if method == "GET":
            then = "leave and start “minertui demo” anew" if self._demo else "see its log with “minertui logs engine”"
            return LinkError(f"the engine at {self._place} does not answer; {then}")
        return Unanswered(
            f"the engine at {self._place} took the request and gave no answer: it may have been done or not; "
            "look into the command log before you try again"
        )

    def _refused(self, content: bytes, status: int) -> Exception:
        try:
            return error_of(msgspec.json.decode(content, type=Problem))
        except msgspec.DecodeError:
            if status == 503:
                return LinkError(f"the engine at {self._place} has too many connections; close a screen or a script")
            return LinkError(f"{self._place} answers HTTP {status}, not like a minertui engine; check the address")

    def _strange(self, error: Exception) -> OtherVersion:
        return OtherVersion(
            f"the engine at {self._place} speaks another version ({error}); end it with “minertui stop” and start again"
        )


def _part(text: str) -> str:
    return quote(text, safe="")


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__ or error
    return error
