"""Who may come in, and how much may be carried. Stands before every request, on both doors.

both    a request that a web page made (Origin, or Sec-Fetch-Site that is not our own) is refused
both    GET and HEAD change nothing; everything else must be application/json, at most 64 KiB, within 10 s
TCP     Host must be this host; a bearer token opens reading, or reading and control
Unix    the file's mode 0600 is the door: who can connect is the user

No CORS header is ever sent and no cookie ever read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from minertui.api.shapes import RequestError, problem_of
from minertui.api.tokens import Scope, Tokens

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

BODY_BYTES = 64 * 1024
HEAD_BYTES = 16 * 1024
RECEIVE_S = 10.0

_HERE = frozenset({"127.0.0.1", "localhost", "[::1]"})
_READING = frozenset({"GET", "HEAD"})


class Guard:
    """An ASGI application in front of another one. ``tokens`` None: the Unix socket."""

    def __init__(self, app: App, tokens: Tokens | None, *, receive_s: float = RECEIVE_S) -> None:
        self._app, self._tokens, self._receive_s = app, tokens, receive_s

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Let the request pass, with its body read, or answer for the application."""
        try:
            headers = _headers(scope)
            _no_web_page(headers)
            if self._tokens is not None:
                _this_host(headers)
                _authorised(scope["method"], headers, self._tokens)
            _json_only(scope["method"], headers)
            body = await self._body(headers, receive)
        except RequestError as error:
            await refuse(send, error)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _body(self, headers: dict[str, list[str]], receive: Receive) -> bytes:
        declared = headers.get("content-length", ["0"])[0]
        if not declared.isdigit() or int(declared) > BODY_BYTES:
            raise RequestError(f"the body is larger than {BODY_BYTES // 1024} KiB", 413)
        body: bytes = b""
        try:
            async with asyncio.timeout(self._receive_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RequestError("the caller went away")
                    body += bytes(message.get("body", b""))
                    if len(body) > BODY_BYTES:
                        raise RequestError(f"the body is larger than {BODY_BYTES // 1024} KiB", 413)
                    if not message.get("more_body", False):
                        return body
        except TimeoutError as error:
            raise RequestError(f"the body did not arrive within {self._receive_s:g} s", 408) from error


async def refuse(send: Send, error: RequestError) -> None:
    """Answer with the error and close the connection, for what is left of the request is not read."""
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode(problem_of(error))})


def _headers(scope: MutableMapping[str, Any]) -> dict[str, list[str]]:
    """By name. Raises RequestError for a head that is too large, however fast it came."""
    found: dict[str, list[str]] = {}
    address = len(scope.get("raw_path") or b"") + len(scope.get("query_string", b""))
    if address + sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD_BYTES:
        raise RequestError(f"the head is larger than {HEAD_BYTES // 1024} KiB", 431)
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _no_web_page(headers: dict[str, list[str]]) -> None:
    site = headers.get("sec-fetch-site", ["none"])
    if "origin" in headers or any(value not in ("none", "same-origin") for value in site):
        raise RequestError("requests from web pages are refused", 403)


def _this_host(headers: dict[str, list[str]]) -> None:
    hosts = headers.get("host", [])
    name, colon, port = hosts[0].rpartition(":") if len(hosts) == 1 else ("", "", "")
    host = name if colon and port.isdigit() else "".join(hosts[:1])
    if len(hosts) != 1 or host.lower() not in _HERE:
        raise RequestError("the Host header must name this host: 127.0.0.1, localhost or [::1]", 400)


def _authorised(method: str, headers: dict[str, list[str]], tokens: Tokens) -> None:
    given = headers.get("authorization", [])
    kind, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    scope = tokens.scope_of(token) if kind.lower() == "bearer" else None
    if scope is None:
        raise RequestError("send the header “Authorization: Bearer TOKEN”; the tokens are in the token file", 401)
    if scope is Scope.READ and method not in _READING:
        raise RequestError("this token may only read; use the control token", 403)


def _json_only(method: str, headers: dict[str, list[str]]) -> None:
    if "content-encoding" in headers:
        raise RequestError("compressed bodies are not accepted", 415)
    if method in _READING:
        return
    kinds = headers.get("content-type", [])
    if len(kinds) != 1 or kinds[0].partition(";")[0].strip().lower() != "application/json":
        raise RequestError("send the header “Content-Type: application/json”", 415)


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body that was read, once; then what the connection says next."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed
