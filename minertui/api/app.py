"""The API as an ASGI application over any Link: checks what comes in, encodes what goes out, translates errors.

An order that has begun is never cut off: when its caller goes away, or the door closes, it runs to its end.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from minertui.api import openapi
from minertui.api.endpoints import ENDPOINTS, Call, Endpoint
from minertui.api.shapes import After, Nothing, Problem, RequestError, problem_of, status_of
from minertui.api.stream import EventStream, messages
from minertui.model.errors import MinertuiError
from minertui.model.seams import Link
from minertui.model.text import clean

MAX_TEXT = 1024
"""The longest text in a request, in characters."""

_log = logging.getLogger(__name__)
_running: set[asyncio.Future[Any]] = set()


def application(link: Link, closing: asyncio.Event) -> ASGIApp:
    """The API over ``link``; setting ``closing`` ends the event streams."""

    async def events(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer: ASGIApp
        try:
            after = _query(request, After).after
        except MinertuiError as error:
            answer = _problem(error)
        else:
            answer = EventStream(messages(link, after), closing)
        await answer(scope, receive, send)

    async def document(_: Request) -> Response:
        return _json(openapi.document())

    routes: list[BaseRoute] = [Route(_matched(e), _served(link, e), methods=[e.method]) for e in ENDPOINTS]
    routes.append(Route("/v1/events", _Asgi(events), methods=["GET"]))
    routes.append(Route("/v1/openapi.json", document, methods=["GET"]))
    handlers: dict[Any, Any] = {HTTPException: _unknown_address, Exception: _unexpected}
    return Starlette(routes=routes, exception_handlers=handlers)


class _Asgi:
    """Starlette serves an object as ASGI where it would call a function with a Request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _matched(endpoint: Endpoint) -> str:
    """An alert of a rig's board has a slash in its id: ``board-away:attic/one``."""
    return endpoint.path.replace("/alerts/{id}/", "/alerts/{id:path}/")


def _served(link: Link, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            body = await request.body()
            call = Call(_path(request), _query(request, endpoint.query), _body(body, endpoint))
            answer = await _to_its_end(endpoint.run(link, call))
        except MinertuiError as error:
            return _problem(error)
        return Response(status_code=204) if endpoint.answer is None else _json(answer)

    return serve


async def _to_its_end(work: Awaitable[Any]) -> Any:
    task = asyncio.ensure_future(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return await asyncio.shield(task)


def _path(request: Request) -> dict[str, str]:
    found = {name: str(value) for name, value in request.path_params.items()}
    _only_clean(found)
    return found


def _query(request: Request, kind: type[msgspec.Struct]) -> Any:
    found = dict(request.query_params.multi_items())
    _only_clean(found)
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError as error:
        raise RequestError(f"the address's parameters: {error}") from error


def _body(body: bytes, endpoint: Endpoint) -> Any:
    if endpoint.body is None:
        return None
    if not body and endpoint.body is Nothing:
        return Nothing()
    try:
        plain = msgspec.json.decode(body)
        _only_clean(plain)
        return msgspec.json.decode(body, type=endpoint.body)
    except RecursionError as error:
        raise RequestError("the body is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise RequestError("the body is not UTF-8 text") from error
    except msgspec.ValidationError as error:
        raise RequestError(f"the body: {error}", 422) from error
    except msgspec.DecodeError as error:
        raise RequestError(f"the body is not JSON: {error}") from error


def _only_clean(value: Any) -> None:
    """Text that would be altered by cleaning is refused, not altered: nobody should get another name than he said."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT or clean(value, MAX_TEXT) != value:
            raise RequestError("texts must be printable, in Unicode form NFC and at most 1024 characters long")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _only_clean(key)
            _only_clean(inner)
    elif isinstance(value, list):
        for inner in value:
            _only_clean(inner)


def _json(value: Any, status: int = 200) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


def _problem(error: MinertuiError) -> Response:
    return _json(problem_of(error), status_of(error))


async def _unknown_address(request: Request, error: HTTPException) -> Response:
    where = json.dumps(clean(request.url.path, 100))
    text = {404: f"there is no {where}", 405: f"{where} does not take {request.method}"}.get(error.status_code)
    answer = _json(Problem(f"{text or error.detail}; see /v1/openapi.json", "RequestError"), error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("the API met an error at %s %s: %s", request.method, request.url.path, type(error).__name__)
    return _json(Problem("the engine met an error of its own; its log says more", "InternalError"), 500)
