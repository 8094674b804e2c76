"""The OpenAPI 3.1 document, made from the endpoints and the model's own types."""

from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec

from minertui import __version__
from minertui.api.endpoints import ENDPOINTS, Endpoint
from minertui.api.shapes import After, Nothing, Problem, StreamLine

_REF = "#/components/schemas/{name}"


def document() -> dict[str, Any]:
    """The whole document as plain values."""
    types: list[Any] = [
        Problem,
        StreamLine,
        *(kind for e in ENDPOINTS for kind in (e.answer, e.body) if kind is not None),
    ]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    for schema in components.values():
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"])
    named = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, named)
    paths["/v1/events"] = {"get": _events(named)}
    paths["/v1/openapi.json"] = {"get": _own()}
    plain = {
        "openapi": "3.1.0",
        "info": {"title": "minertui", "version": __version__, "description": "The engine's API; see docs/api.md."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "TCP only"}},
        },
        "security": [{}, {"token": []}],
    }
    as_json: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(plain))
    return as_json


def _operation(endpoint: Endpoint, named: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": endpoint.what,
        "operationId": endpoint.run.__name__.strip("_"),
        "parameters": _parameters(endpoint.path, endpoint.query),
        "responses": {"default": _answer("What went wrong", named[repr(Problem)])},
    }
    if endpoint.answer is None:
        operation["responses"]["204"] = {"description": "Done"}
    else:
        operation["responses"]["200"] = _answer(endpoint.what, named[repr(endpoint.answer)])
    if endpoint.body is not None:
        content = {"application/json": {"schema": named[repr(endpoint.body)]}}
        operation["requestBody"] = {"required": endpoint.body is not Nothing, "content": content}
    return operation


def _events(named: dict[str, Any]) -> dict[str, Any]:
    line = {"application/x-ndjson": {"schema": named[repr(StreamLine)]}}
    return {
        "summary": "The whole fleet, then every change, one JSON value a line; a heartbeat every 15 s of silence",
        "operationId": "events",
        "parameters": _parameters("", After),
        "responses": {
            "200": {"description": "Endless lines", "content": line},
            "default": _answer("What went wrong", named[repr(Problem)]),
        },
    }


def _own() -> dict[str, Any]:
    return {
        "summary": "This document",
        "operationId": "openapi",
        "parameters": [],
        "responses": {"200": _answer("The document", {"type": "object"})},
    }


def _answer(what: str, schema: Any) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": schema}}}


def _parameters(path: str, query: type[msgspec.Struct]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    shape = msgspec.json.schema(query)["$defs"][query.__name__]
    for name, schema in shape["properties"].items():
        required = name in shape.get("required", ())
        found.append({"name": name, "in": "query", "required": required, "schema": schema})
    return found
