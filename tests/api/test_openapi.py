"""What the document says is what the server answers."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2
import pytest
from openapi_schema_validator import OAS31Validator

from minertui.api.endpoints import ENDPOINTS, Endpoint
from minertui.api.openapi import document
from tests.api.fake_link import FakeLink

BODIES: dict[str, Any] = {
    "/v1/commands": {"id": "1", "device": "garage", "command": {"type": "tune", "frequency_mhz": 575}},
    "/v1/jobs": {"type": "sweep", "device": "garage"},
    "/v1/jobs/{id}/boards": {"type": "limit", "board": "pro mini 1", "jobs": 5},
    "/v1/devices/{name}/follow": {"on": True},
    "/v1/miners": {"name": "new", "address": "10.0.0.9"},
    "/v1/miners/{name}": {"name": "new", "address": "10.0.0.9", "limits": {"max_mv": 1200}},
    "/v1/devices/{name}/faults": {"name": "hang", "on": True},
    "/v1/discover": {"networks": ["10.0.0.0/24"]},
}
QUERIES = {"/v1/devices/{name}/history": {"metrics": "power_w,chip_temp_c", "since_s": "0", "until_s": "100"}}


@pytest.fixture(scope="module")
def doc() -> dict[str, Any]:
    return document()


def validator(doc: dict[str, Any], schema: dict[str, Any]) -> OAS31Validator:
    return OAS31Validator({**schema, "components": doc["components"]})


def test_every_schema_is_one(doc: dict[str, Any]) -> None:
    for name, schema in doc["components"]["schemas"].items():
        OAS31Validator.check_schema(schema)
        assert schema.get("description") or schema.get("enum"), f"{name} does not say what it is"


def test_every_reference_leads_somewhere(doc: dict[str, Any]) -> None:
    wanted = set(re.findall(r"#/components/schemas/(\w+)", str(doc)))
    assert wanted <= set(doc["components"]["schemas"])


def test_every_path_parameter_is_declared(doc: dict[str, Any]) -> None:
    for path, operations in doc["paths"].items():
        for operation in operations.values():
            declared = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path))
    ids = [operation["operationId"] for operations in doc["paths"].values() for operation in operations.values()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: f"{e.method} {e.path}")
async def test_answers_are_as_documented(http: httpx2.AsyncClient, doc: dict[str, Any], endpoint: Endpoint) -> None:
    operation = doc["paths"][endpoint.path][endpoint.method.lower()]
    body = BODIES.get(endpoint.path, {}) if endpoint.body is not None else None
    if body is not None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        validator(doc, schema).validate(body)
    path = endpoint.path.replace("{name}", "garage").replace("{id}", "sweep:garage")
    headers = {} if endpoint.method == "GET" else {"content-type": "application/json"}
    answer = await http.request(
        endpoint.method,
        path,
        params=QUERIES.get(endpoint.path, {}),
        headers=headers,
        **({"json": body} if body is not None else {}),
    )
    assert str(answer.status_code) in operation["responses"], answer.text
    if answer.status_code == 200:
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        validator(doc, schema).validate(answer.json())
    else:
        assert answer.content == b""


async def test_errors_and_events_are_as_documented(
    http: httpx2.AsyncClient, doc: dict[str, Any], link: FakeLink
) -> None:
    events = doc["paths"]["/v1/events"]["get"]["responses"]
    async with http.stream("GET", "/v1/events") as answer:
        line = await anext(answer.aiter_lines())
    schema = events["200"]["content"]["application/x-ndjson"]["schema"]
    validator(doc, schema).validate(json.loads(line))
    problem = (await http.get("/v1/commands?limit=0")).json()
    validator(doc, events["default"]["content"]["application/json"]["schema"]).validate(problem)
    assert not validator(doc, schema).is_valid({"type": "event", "version": 3}), "the validator looks at nothing"


async def test_the_server_hands_it_out(http: httpx2.AsyncClient, doc: dict[str, Any]) -> None:
    assert (await http.get("/v1/openapi.json")).json() == doc
