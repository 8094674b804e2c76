"""A Bitaxe or NerdQAxe over HTTP: one client, one connection and one request at a time for each miner.

Their web servers are small and die when pressed (ESP-Miner #70, #356, #773), so nothing here is done twice: ``info`` is
read at each poll, ``asic`` once, and again after a reboot or when another miner answers; what was learned is kept in a
``Memory``. What comes back is bounded in bytes and in time before anybody looks at it: a server that drips, floods or
redirects costs one deadline and no more.

A retry happens in one place: a GET on a connection that the miner had closed meanwhile. A write is never sent twice.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import re
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING

import h11

from minertui.model.commands import Command
from minertui.model.errors import ConfigError, DeviceError, Garbled, NotSent, Refused, Unreachable, Unsupported
from minertui.model.status import MinerStatus
from minertui.model.text import clean
from minertui.wire import axeos as wire
from minertui.wire.axeos.address import authority, host_port
from minertui.wire.json import MAX_BYTES

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

INFO, ASIC, STATISTICS, LOG = "/api/system/info", "/api/system/asic", "/api/system/statistics", "/api/ws"
DEADLINE_S = 10.0  # for a whole exchange; real seconds, whatever the program's clock says

_ASIC_SHARE = 0.4  # of the deadline, so that the reading it comes with stays in time
_MAX_LOG_MESSAGE = 16 * 1024
_MAX_LOG_LINE = 512
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_OFF = "no answer; check that the miner is on, that the address is right and that this computer is in its network"
_SLOW = (
    "no complete answer within {:g} s; the miner is off, its Wi-Fi is weak, or its web server hangs"
    " (then restart it at the plug)"
)
_STRANGER_ADDRESS = (
    "it refuses this computer (401); AxeOS only answers addresses of private networks (10.*, 172.16-31.*, 192.168.*),"
    " not a VPN such as Tailscale: run minertui in the miner's own network"
)
_NEEDS_OTP = (
    "it asks for a one-time password (401); put a session token as header X-OTP-Session into this miner's headers in"
    " the config, or turn OTP off in the miner"
)


def connect(address: str, *, headers: Mapping[str, str] | None = None, deadline_s: float = DEADLINE_S) -> AxeosDevice:
    """A miner at ``address`` (``host`` or ``host:port``); nothing is sent yet. ``headers`` go with every request, for
    firmware that wants authentication. Raises ConfigError for an address or header that cannot be one."""
    logging.getLogger("websockets.client").setLevel(logging.WARNING)  # it would log addresses and tokens
    return AxeosDevice(address, headers or {}, deadline_s)


class _Compressed(Garbled):
    """Nobody asked for that."""


class AxeosDevice:
    """The ``Device``, ``LogSource`` and ``Statistics`` of an AxeOS miner. Made by ``connect``.

    ``answers`` holds the bytes of the newest reading by path, readable or not, for ``minertui probe``.
    """

    def __init__(self, address: str, headers: Mapping[str, str], deadline_s: float) -> None:
        self._host, self._port = host_port(address)
        self._address = authority(self._host, self._port)
        self._headers = dict(headers)
        self._deadline_s = deadline_s
        self._busy, self._asked = asyncio.Lock(), False  # asked: something went out in the exchange at hand
        self._connection: _Connection | None = None
        self._polls = {path: self._request("GET", path) for path in (INFO, ASIC, STATISTICS)}
        self._last: MinerStatus | None = None
        self._memory = wire.Memory()
        self.answers: dict[str, bytes] = {}

    @property
    def address(self) -> str:
        """``host`` or ``host:port``."""
        return self._address

    async def read(self) -> MinerStatus:
        """The newest status. Raises DeviceError."""
        code, info = await self._exchange("GET", INFO)
        self.answers = {INFO: info}
        self._check_read(code, info)
        known = self._memory.asic
        status = self._parsed(info, known)
        if self._memory.note(status):
            await self._read_asic()
        if (asic := self._memory.asic) is not None:
            self.answers[ASIC] = asic
        if asic is not known:
            status = self._parsed(info, asic)
        self._last = self._memory.whole(status)
        return self._last

    async def apply(self, command: Command) -> None:
        """Sends ``command`` once; returns when the miner accepted it (200, usually with an empty body). Raises
        DeviceError; Unreachable means that nobody knows whether it took effect, but NotSent that it did not."""
        status = self._last or await self.read()
        try:
            request = wire.encode(command, status)
        except Unsupported as error:
            raise Unsupported(self._address, error.message) from error
        code, body = await self._exchange(request.method, request.path, request.body or b"")
        if code in (404, 405) or 300 <= code < 400:
            raise Unsupported(self._address, f"this miner's firmware has no {request.path}")
        if not 200 <= code < 300:
            raise self._refusal(code, body)

    async def statistics(self) -> Sequence[tuple[float, dict[str, float]]]:
        """The miner's own history; empty while its recording is off. Raises DeviceError; Unsupported before 2.8."""
        code, body = await self._exchange("GET", STATISTICS)
        if code == 404 or 300 <= code < 400:
            raise Unsupported(self._address, "this miner's firmware keeps no statistics (AxeOS does from 2.8)")
        self._check_read(code, body)
        self.answers[STATISTICS] = body
        try:
            return wire.parse_statistics(body)
        except Garbled as error:
            raise Garbled(self._address, error.message) from error

    async def log_lines(self) -> AsyncIterator[str]:
        """The miner's log until the connection ends; the caller connects again. Raises DeviceError when it cannot be
        opened."""
        from websockets.exceptions import ConnectionClosed

        stream = await self._open_log()
        try:
            async for message in stream:
                text = message if isinstance(message, str) else message.decode("utf-8", errors="replace")
                for line in _COLOUR.sub("", text).splitlines():
                    if line.strip():
                        yield clean(line.rstrip(), _MAX_LOG_LINE)
        except ConnectionClosed:
            return
        finally:
            await stream.close()

    async def close(self) -> None:
        """Gives the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # One exchange -----------------------------------------------------------------------------------------------

    async def _exchange(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status code and whole body, within the deadline. Raises Unreachable or Garbled."""
        async with self._busy:
            self._asked = False
            try:
                async with asyncio.timeout(self._deadline_s):
                    return await self._send(method, path, body)
            except TimeoutError as error:
                raise self._silent(_SLOW.format(self._deadline_s)) from error
            except h11.RemoteProtocolError as error:
                raise Unreachable(self._address, f"it broke off or does not speak HTTP ({_said(error)})") from error
            except (OSError, UnicodeError) as error:
                raise self._silent(f"{_OFF} ({_said(error)})") from error

    def _silent(self, why: str) -> Unreachable:
        return (Unreachable if self._asked else NotSent)(self._address, why)

    async def _send(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """On the connection that is open, unless the miner has closed it meanwhile; else on a new one."""
        connection, request = self._connection, self._polls.get(path) or self._request(method, path, body)
        if connection is not None and connection.idle:
            try:
                return await self._answer(connection, request, body)
            except (h11.RemoteProtocolError, ConnectionError):
                if method != "GET" or connection.answered:
                    raise
        await self.close()
        self._connection = await _Connection.open(self._host, self._port)
        return await self._answer(self._connection, request, body)

    async def _answer(self, connection: _Connection, request: h11.Request, body: bytes) -> tuple[int, bytes]:
        self._asked = True
        try:
            response = await connection.ask(request, body)
            encoding = dict(response.headers).get(b"content-encoding", b"identity").decode("latin-1").lower()
            if encoding != "identity":
                raise _Compressed(self._address, f"it sends a compressed answer ({clean(encoding, 32)}), unasked")
            return response.status_code, await self._body(connection)
        finally:
            if not connection.idle:
                connection.close()

    async def _body(self, connection: _Connection) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in connection.body():
            size += len(chunk)
            if size > MAX_BYTES:
                raise Garbled(self._address, f"its answer is larger than {MAX_BYTES // 1024} KiB")
            chunks.append(chunk)
        return b"".join(chunks)

    def _request(self, method: str, path: str, body: bytes = b"") -> h11.Request:
        headers = {"Host": self._address, **_HEADERS, **(_JSON if body else {}), **self._headers}
        if method != "GET":
            headers["Content-Length"] = str(len(body))
        try:
            return h11.Request(method=method, target=path, headers=list(headers.items()))
        except (h11.LocalProtocolError, UnicodeError):
            raise ConfigError(  # without the library's words: they repeat the header, which may be a password
                f"{self._address}: its headers cannot be sent; names are letters, digits and -, values are plain ASCII "
                "without a space or a line end around them"
            ) from None

    # What an answer means ---------------------------------------------------------------------------------------

    def _parsed(self, info: bytes, asic: bytes | None) -> MinerStatus:
        try:
            return wire.parse_info(info, asic)
        except Garbled as error:
            raise Garbled(self._address, error.message) from error

    async def _read_asic(self) -> None:
        """Asks for ``asic``. Firmware before 2.7 has none and answers 404 or its web page."""
        try:
            async with asyncio.timeout(self._deadline_s * _ASIC_SHARE):
                self._memory.heard(*await self._exchange("GET", ASIC))
        except _Compressed:
            self._memory.heard(200, b"<")  # as firmware keeps its web page
        except (Garbled, Unreachable, TimeoutError):
            return

    def _check_read(self, code: int, body: bytes) -> None:
        if code == 401:
            raise self._refusal(code, body)
        if code in (404, 405) or 300 <= code < 400:
            raise Garbled(self._address, f"something answers, but not as an AxeOS miner ({code}); check the address")
        if code != 200:
            raise Garbled(self._address, f"its web server reports an error ({code}{_quoted(body)})")

    def _refusal(self, code: int, body: bytes) -> DeviceError:
        if code == 401:
            text = body[:200].lower()
            otp = b"otp" in text or b"blocked" in text
            return Refused(self._address, (_NEEDS_OTP if otp else _STRANGER_ADDRESS) + _quoted(body), auth=True)
        return Refused(self._address, f"it refuses ({code}{_quoted(body)})")

    async def _open_log(self) -> ClientConnection:
        from websockets.asyncio.client import connect as open_socket
        from websockets.exceptions import InvalidStatus, WebSocketException

        class OpenOnce(open_socket):
            """Goes where it was sent and nowhere else."""

            def process_redirect(self, exc: Exception) -> Exception:
                return exc

        try:
            async with asyncio.timeout(self._deadline_s):
                return await OpenOnce(
                    f"ws://{self._address}{LOG}",
                    additional_headers=self._headers,
                    user_agent_header="minertui",
                    compression=None,
                    proxy=None,
                    max_size=_MAX_LOG_MESSAGE,
                    close_timeout=1,
                    open_timeout=None,
                )
        except InvalidStatus as error:
            code = error.response.status_code
            if code == 401:
                raise self._refusal(code, bytes(error.response.body or b"")) from error
            hint = "; close other log views of it" if code == 429 else ""
            raise Refused(self._address, f"it does not open its log ({code}){hint}") from error
        except (OSError, TimeoutError, WebSocketException) as error:
            raise Unreachable(self._address, f"its log cannot be opened ({_said(error)})") from error


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with a miner: h11 knows the protocol, asyncio carries the bytes. No cookies, no redirects, no proxies by
    construction, and a third of what a whole client library costs, which a thousand miners feel.

    Bytes that nobody asked for end it, so that no answer is ever taken for the next one's. ``answered``: the answer to
    the newest request has begun.
    """

    _transport: asyncio.Transport
    _lost: Exception | None = None

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        self._news: asyncio.Future[None] | None = None
        self.answered = False

    @classmethod
    async def open(cls, host: str, port: int) -> _Connection:
        """Raises OSError."""
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(cls, host, port, happy_eyeballs_delay=_NEXT_ADDRESS_S))[1]

    @property
    def idle(self) -> bool:
        """True when it is open and may be asked."""
        unasked, _ = self._http.trailing_data
        return self._http.our_state is h11.IDLE and not unasked and not self._transport.is_closing()

    async def ask(self, request: h11.Request, body: bytes) -> h11.Response:
        """The head of the answer. Raises OSError, or RemoteProtocolError for what is none."""
        self.answered = False
        events = (request, h11.Data(body), h11.EndOfMessage()) if body else (request, h11.EndOfMessage())
        self._transport.write(b"".join(self._http.send(event) or b"" for event in events))
        while not isinstance(event := await self._next(), h11.Response):
            pass  # 1xx: the answer is still to come
        self.answered = True
        return event

    async def body(self) -> AsyncIterator[bytes]:
        """The pieces of its body; afterwards it is idle, if the miner keeps it open."""
        while not isinstance(event := await self._next(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                yield bytes(event.data)
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()

    def close(self) -> None:
        """Drop it; nothing is waited for."""
        self._transport.abort()

    async def _next(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._lost is not None:
                raise self._lost
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        return event

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """The miner said something."""
        if self._http.our_state is h11.IDLE:
            self.close()
        else:
            self._http.receive_data(data)
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The miner closed it, or it broke."""
        self._lost = exc or ConnectionResetError(errno.ECONNRESET, "the miner closed the connection")
        if exc is None:
            self._http.receive_data(b"")  # which may be how an answer ends
        self._wake()


_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "minertui"}
_JSON = {"Content-Type": "application/json"}
_MAX_HEAD = 64 * 1024
_NEXT_ADDRESS_S = 0.25  # a name with several addresses: how long until the next one is tried as well


def _said(error: BaseException) -> str:
    """The reason that the system gave, where a library has wrapped it: "connection refused" says more than "all
    connection attempts failed"."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BaseExceptionGroup):
            return _said(cause.exceptions[0])
        if isinstance(cause, socket.gaierror):
            return "nobody knows that name"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
        cause = cause.__cause__ or cause.__context__
    return clean(str(error) or type(error).__name__, 120)


def _quoted(body: bytes) -> str:
    text = clean(body[:400].decode("utf-8", errors="replace").strip(), 100)
    return f': "{text}"' if text and not text.startswith("<") else ""
