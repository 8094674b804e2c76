"""Who comes in, and how much may be carried."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from minertui.api.guard import BODY_BYTES, Guard
from minertui.api.server import ApiServer, serve
from minertui.api.shapes import Problem
from minertui.api.tokens import Scope, tokens_from
from minertui.model.errors import ConfigError, LinkError
from tests.api.fake_link import FakeLink

JSON = {"content-type": "application/json"}
ORDER = b'{"id":"1","device":"garage","command":{"type":"restart"},"confirmed":true}'


def said(answer: httpx2.Response) -> str:
    return msgspec.json.decode(answer.content, type=Problem).error


class TestWebPages:
    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "http://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ],
    )
    async def test_are_refused(self, http: httpx2.AsyncClient, link: FakeLink, headers: dict[str, str]) -> None:
        for answer in (
            await http.get("/v1/fleet", headers=headers),
            await http.post("/v1/commands", content=ORDER, headers={**JSON, **headers}),
        ):
            assert answer.status_code == 403
            assert not [name for name in answer.headers if name.startswith("access-control")]
        assert link.calls == []

    @pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    async def test_forms_cannot_order(self, http: httpx2.AsyncClient, link: FakeLink, kind: str | None) -> None:
        answer = await http.post("/v1/commands", content=ORDER, headers={"content-type": kind} if kind else {})
        assert answer.status_code == 415
        assert link.calls == []

    async def test_get_changes_nothing(self, http: httpx2.AsyncClient, link: FakeLink) -> None:
        for path in ("/v1/shutdown", "/v1/discover", "/v1/devices/garage/clear"):
            answer = await http.get(path)
            assert answer.status_code == 405, path
            assert "does not take GET" in said(answer)
        assert link.calls == []


class TestSizes:
    @pytest.mark.parametrize("chunked", [False, True])
    async def test_a_big_body_is_not_read(self, http: httpx2.AsyncClient, link: FakeLink, chunked: bool) -> None:
        body = b" " * (BODY_BYTES + 1)

        async def chunks() -> AsyncIterator[bytes]:
            yield body

        answer = await http.post("/v1/commands", content=chunks() if chunked else body, headers=JSON)
        assert answer.status_code == 413
        assert "64 KiB" in said(answer)
        assert link.calls == []

    async def test_the_largest_body_is(self, http: httpx2.AsyncClient, link: FakeLink) -> None:
        answer = await http.post("/v1/commands", content=ORDER.ljust(BODY_BYTES), headers=JSON)
        assert answer.status_code == 200

    async def test_compression_is_refused(self, http: httpx2.AsyncClient) -> None:
        headers = {**JSON, "content-encoding": "gzip"}
        assert (await http.post("/v1/commands", content=ORDER, headers=headers)).status_code == 415

    @pytest.mark.parametrize("where", ["header", "address"])
    async def test_a_large_head_is_refused_however_fast_it_comes(self, http: httpx2.AsyncClient, where: str) -> None:
        long = "x" * 40_000
        path, headers = ("/v1/health", {"a": long}) if where == "header" else (f"/v1/log?source={long}", {})
        answer = await http.get(path, headers=headers)
        assert (answer.status_code, said(answer)) == (431, "the head is larger than 16 KiB")

    async def test_half_a_body_is_not_waited_for(self) -> None:
        half = [{"type": "http.request", "body": b"{", "more_body": True}]
        sent: list[Any] = []

        async def receive() -> Any:
            return half.pop() if half else await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        async def never(*_):
            raise AssertionError("the application was called")

        headers = [(b"content-type", b"application/json")]
        guard = Guard(never, None, receive_s=0.02)
        await guard({"type": "http", "method": "POST", "headers": headers}, receive, send)
        assert sent[0]["status"] == 408

    async def test_half_a_head_is_not_waited_for(
        self, link: FakeLink, socket_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("minertui.api.server.RECEIVE_S", 0.05)
        server = await serve(link, socket_path=socket_path)
        reader, writer = await asyncio.open_unix_connection(socket_path)
        writer.write(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n")
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.close()
        await server.close()


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "status", "text"),
        [
            (b"", 400, "not JSON"),
            (b"{", 400, "not JSON"),
            (b"[" * 20_000, 400, "nested too deeply"),
            (b'{"id":"\xff"}', 400, "not UTF-8"),
            (b'{"id":"1"}', 422, "missing required field `device`"),
            (ORDER.replace(b"restart", b"explode"), 422, "explode"),
            (b'{"id":"1","device":"g","command":{"type":"tune","core_mv":1150.5}}', 422, "core_mv"),
            (b'{"id":"1","device":"g","command":{"type":"tune","frequency_mhz":NaN}}', 400, "not JSON"),
            (b'{"id":"1","device":"g","command":{"type":"tune","frequency_mhz":1e999}}', 422, "out of range"),
            (b'{"id":"1","device":"\\u001b[2J","command":{"type":"restart"}}', 400, "printable"),
            (b'{"id":"1","device":"' + b"x" * 1025 + b'","command":{"type":"restart"}}', 400, "1024"),
            (b'{"id":"","device":"g","command":{"type":"restart"}}', 400, "id of your own"),
            (b'{"id":"1","device":"g","command":{"type":"restart"},"rank":0}', 403, "belongs to the engine"),
        ],
    )
    async def test_bad_ones_are_explained(
        self, http: httpx2.AsyncClient, link: FakeLink, body: bytes, status: int, text: str
    ) -> None:
        answer = await http.post("/v1/commands", content=body, headers=JSON)
        assert (answer.status_code, link.calls) == (status, [])
        assert text in said(answer)

    @pytest.mark.parametrize(
        ("path", "status", "text"),
        [
            ("/v1/nothing", 404, "there is no"),
            ("/v1/commands?limit=0", 400, ">= 1"),
            ("/v1/commands?limit=x", 400, "limit"),
            ("/v1/commands?limt=3", 400, "limt"),
            ("/v1/events?after=-1", 400, ">= 0"),
            ("/v1/log?source=%1b%5b2J", 400, "printable"),
            ("/v1/devices/garage/history", 400, "metrics"),
        ],
    )
    async def test_bad_addresses_too(
        self, http: httpx2.AsyncClient, link: FakeLink, path: str, status: int, text: str
    ) -> None:
        answer = await http.get(path)
        assert (answer.status_code, link.calls) == (status, [])
        assert text in said(answer)

    async def test_an_error_of_our_own_tells_no_secrets(
        self, http: httpx2.AsyncClient, link: FakeLink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def broken() -> None:
            raise RuntimeError("canary-3")

        monkeypatch.setattr(link, "miners", broken)
        answer = await http.get("/v1/miners")
        assert answer.status_code == 500
        assert "canary" not in answer.text


class TestTcp:
    @pytest.fixture
    async def tcp(self, server: ApiServer):
        assert server.tcp
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.tcp[1]}", trust_env=False) as raw:
            yield raw

    @pytest.fixture
    def tokens(self, server: ApiServer, tmp_path: Path) -> dict[str, dict[str, str]]:
        lines = (line.split() for line in (tmp_path / "tokens").read_text().splitlines())
        return {scope: {"authorization": f"Bearer {token}"} for scope, token in lines}

    @pytest.mark.parametrize("header", [None, "Bearer", "Bearer wrong", "Basic abc", "Bearer \xff"])
    async def test_without_the_token_nothing_is_told(self, tcp, link: FakeLink, header: str | None) -> None:
        headers = [("authorization", header.encode("latin-1"))] if header else []
        for path in ("/v1/health", "/v1/fleet", "/v1/openapi.json", "/v1/nothing"):
            answer = await tcp.get(path, headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert link.calls == []

    async def test_one_token_reads_one_controls(self, tcp, tokens, link: FakeLink) -> None:
        assert (await tcp.get("/v1/miners", headers=tokens["read"])).status_code == 200
        refused = await tcp.post("/v1/commands", content=ORDER, headers={**tokens["read"], **JSON})
        assert (refused.status_code, said(refused)) == (403, "this token may only read; use the control token")
        assert [call[0] for call in link.calls] == ["miners"]
        done = await tcp.post("/v1/commands", content=ORDER, headers={**tokens["control"], **JSON})
        assert done.status_code == 200

    async def test_a_token_in_the_address_does_not_count(self, tcp, tokens) -> None:
        token = tokens["control"]["authorization"].split()[1]
        assert (await tcp.get(f"/v1/fleet?token={token}")).status_code == 401

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("localhost:1", 200),
            ("127.0.0.1", 200),
            ("[::1]:8337", 200),
            ("evil.example", 400),
            ("localhost.evil.example:1", 400),
            ("", 400),
        ],
    )
    async def test_another_name_for_this_host_is_refused(self, tcp, tokens, host: str, status: int) -> None:
        answer = await tcp.get("/v1/health", headers={**tokens["read"], "host": host})
        assert answer.status_code == status

    @pytest.mark.parametrize("where", ["0.0.0.0:0", "192.168.1.2:80", "8337", "127.0.0.1:x", "127.0.0.1:99999", ":80"])
    async def test_only_this_host_is_listened_on(self, link: FakeLink, tmp_path: Path, where: str) -> None:
        with pytest.raises(ConfigError, match=r"api.tcp: must be 127\.0\.0\.1:PORT"):
            await serve(link, socket_path=tmp_path / "x.sock", tcp=where, token_file=tmp_path / "tokens")
        assert not (tmp_path / "x.sock").exists()

    async def test_a_token_file_is_needed(self, link: FakeLink, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="token_file"):
            await serve(link, socket_path=tmp_path / "x.sock", tcp="127.0.0.1:0")


class TestTokens:
    def test_are_made_once_and_private(self, tmp_path: Path) -> None:
        path = tmp_path / "new" / "tokens"
        tokens_from(path)
        text = path.read_text()
        assert path.stat().st_mode & 0o777 == 0o600
        read, control = (line.split()[1] for line in text.splitlines())
        tokens = tokens_from(path)
        assert path.read_text() == text
        assert (tokens.scope_of(read), tokens.scope_of(control)) == (Scope.READ, Scope.CONTROL)
        assert tokens.scope_of(control[:-1]) is tokens.scope_of("") is tokens.scope_of("\udcff") is None
        assert control not in repr(tokens)

    def test_a_file_that_others_read_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "tokens"
        tokens_from(path)
        path.chmod(0o640)
        with pytest.raises(ConfigError, match="chmod 600"):
            tokens_from(path)

    @pytest.mark.parametrize("text", ["", "read short\ncontrol short2\n", "read " + "a" * 64 + "\ncontrol " + "a" * 64])
    def test_weak_ones_are_refused(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "tokens"
        path.write_text(text)
        path.chmod(0o600)
        with pytest.raises(ConfigError, match="two different tokens"):
            tokens_from(path)


class TestUnixDoor:
    async def test_is_open_to_its_user_alone(self, server: ApiServer, socket_path: Path) -> None:
        assert socket_path.stat().st_mode & 0o777 == 0o600

    async def test_a_second_engine_is_told(
        self, server: ApiServer, socket_path: Path, http: httpx2.AsyncClient
    ) -> None:
        with pytest.raises(LinkError, match="an engine is running already"):
            await serve(FakeLink(), socket_path=socket_path)
        assert (await http.get("/v1/health")).status_code == 200

    async def test_a_dead_engines_socket_is_replaced(self, link: FakeLink, socket_path: Path) -> None:
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(str(socket_path))
        dead.close()
        server = await serve(link, socket_path=socket_path)
        await server.close()
        assert not socket_path.exists()

    async def test_somebody_elses_socket_is_left_alone(self, link: FakeLink, socket_path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(socket_path))
            other.listen()
            with pytest.raises(LinkError, match="running already"):
                await serve(link, socket_path=socket_path)
        assert socket_path.exists()

    async def test_a_file_is_left_alone(self, link: FakeLink, socket_path: Path) -> None:
        socket_path.write_text("precious")
        with pytest.raises(ConfigError, match="is not a socket"):
            await serve(link, socket_path=socket_path)
        assert socket_path.read_text() == "precious"

    async def test_a_path_that_is_too_long_is_explained(self, link: FakeLink, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="longer than 107 bytes"):
            await serve(link, socket_path=tmp_path / ("x" * 108))

    async def test_it_can_be_opened_again(self, link: FakeLink, socket_path: Path) -> None:
        for _ in range(2):
            server = await serve(link, socket_path=socket_path)
            await server.close()
