"""The AxeOS device against a small HTTP server of ours: what it sends, what it survives, what it says."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import logging
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from minertui.devices.axeos import ASIC, INFO, AxeosDevice, connect
from minertui.model.commands import Pause, Restart, SetFan, Tune
from minertui.model.errors import ConfigError, Garbled, NotSent, Refused, Unreachable, Unsupported
from minertui.model.seams import LogSource, Statistics
from tests.ports import held_port
from tests.proofs.wound import WoundLoop, run

TOLD = {
    "ASICModel": "BM1370",
    "boardVersion": "601",
    "frequency": 525,
    "coreVoltage": 1150,
    "hashRate": 1000.5,
    "isUsingFallbackStratum": 0,
    "macAddr": "02:00:00:00:00:01",
    "uptimeSeconds": 1000,
    "version": "v2.12.0",
}


def answer(body: bytes = b"", status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


class Board:
    """A miner's web server of a few lines. ``replies`` by path; a reply is bytes or a function that writes itself."""

    def __init__(self) -> None:
        self.told = dict(TOLD)
        self.replies: dict[str, bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]] = {
            "/api/system/restart": answer(b"System will restart shortly.")
        }
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.connections = self.open = self.most_open = self.in_flight = self.most_in_flight = 0
        self.hang_up_after = 10**9  # answers on one connection
        self.abort_from = 10**9  # this request on a connection, and it is cut off unanswered
        self.address = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            for n in range(self.hang_up_after):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.in_flight += 1
                self.most_in_flight = max(self.most_in_flight, self.in_flight)
                first, *lines = head.strip().split("\r\n")
                headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                method, path, _ = first.split()
                self.requests.append((method, path, headers, body))
                if n >= self.abort_from:
                    self.in_flight -= 1
                    writer.transport.abort()
                    return
                await self.reply(path, writer)
                self.in_flight -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def reply(self, path: str, writer: asyncio.StreamWriter) -> None:
        reply = self.replies.get(path) or (answer(json.dumps(self.told).encode()) if path == INFO else None)
        reply = reply or answer(b'{"error":"unknown route"}', "404 Not Found")
        if callable(reply):
            await reply(writer)
        else:
            writer.write(reply)
            await writer.drain()

    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.requests]


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[Board]:
    board = Board()
    server = await asyncio.start_server(board.serve, "127.0.0.1", 0)
    board.address = "{}:{}".format(*server.sockets[0].getsockname())
    yield board
    server.close()


@pytest.fixture
async def board() -> AsyncIterator[Board]:
    async with served() as board:
        yield board


def timed(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """A test of deadlines: ``board`` is reached without sockets, in virtual time."""

    def wound(**given: Any) -> None:
        async def whole(_: WoundLoop) -> None:
            async with served() as board:
                await test(board, **given)

        run(whole)

    _, *others = inspect.signature(test).parameters.values()
    wound.__signature__ = inspect.Signature(others)  # type: ignore[attr-defined]
    return wound


@pytest.fixture
async def device(board: Board) -> AsyncIterator[AxeosDevice]:
    device = connect(board.address, deadline_s=10)
    yield device
    await device.close()


@pytest.mark.parametrize("value", ["Bearer canary\n", " canary", "canar\u00ff", "a\r\nHost: canary"])
def test_a_header_that_cannot_be_sent_is_not_repeated(value: str):
    with pytest.raises(ConfigError, match="its headers cannot be sent") as wrong:
        connect("127.0.0.1:9", headers={"Authorization": value})
    told = "".join(traceback.format_exception(wrong.value))
    assert "canar" not in told.replace(__file__, "").partition("ConfigError: ")[2]
    assert "Illegal" not in told


async def test_read_gives_the_status_and_asks_for_nothing_but_it(board, device):
    status = await device.read()
    assert (status.hashrate_ghs, status.mac, status.model) == (1000.5, "02:00:00:00:00:01", "Gamma")
    method, path, headers, body = board.requests[0]
    assert (method, path, body) == ("GET", INFO, b"")
    assert headers["accept-encoding"] == "identity"
    assert "origin" not in headers
    assert device.address == board.address
    assert isinstance(device, LogSource)
    assert isinstance(device, Statistics)


async def test_one_connection_serves_all_polls_and_asic_is_asked_once(board, device):
    board.replies[ASIC] = answer(b'{"asicCount": 2, "deviceModel": "GammaTurbo"}')
    for _ in range(4):
        status = await device.read()
        assert (status.chip_count, status.model) == (2, "GammaTurbo")
    assert board.connections == 1
    assert board.paths() == [INFO, ASIC, INFO, INFO, INFO]


@pytest.mark.parametrize(
    "reply",
    [
        answer(b'{"error":"unknown route"}', "404 Not Found"),
        answer(b"", "302 Found", "Location: http://127.0.0.1:1/\r\n"),
        answer(b"<!DOCTYPE html><title>AxeOS</title>"),
        answer(b"", "200 OK", "Content-Encoding: gzip\r\n"),
    ],
)
async def test_firmware_without_asic_is_not_asked_again(board, device, reply):
    board.replies[ASIC] = reply
    for _ in range(3):
        assert (await device.read()).chip_count == 1  # from the board's version
    assert board.paths().count(ASIC) == 1


async def test_asic_is_asked_again_after_a_reboot_and_for_another_miner(board, device):
    await device.read()
    board.told["uptimeSeconds"] = 5
    await device.read()
    board.told["uptimeSeconds"] = 10
    board.told["macAddr"] = "02:00:00:00:00:02"
    await device.read()
    await device.read()
    assert board.paths().count(ASIC) == 3


NERD_ASIC = b'{"ASICModel": "BM1370", "absMaxFrequency": 700, "absMaxVoltage": 1300}'
FAILING = (
    answer(b"busy", "500 Internal Server Error"),
    answer(b"", "401 Unauthorized"),
    answer(b""),
    answer(b"{}"),
    answer(b'{"ASICModel": "BM1370", "absMaxFrequency": 70'),
    answer(b'{"ASICModel": "BM1370", "absMaxFrequency": null, "absMaxVoltage": 1300}'),
    answer(b"x" * (300 * 1024)),
)


@pytest.mark.parametrize("failing", FAILING)
async def test_maxima_that_were_told_outlast_an_answer_that_fails(board, device, failing):
    board.replies[ASIC] = answer(NERD_ASIC)
    assert ((await device.read()).cap_mhz, (await device.read()).cap_mv) == (700, 1300)
    board.told["uptimeSeconds"], board.replies[ASIC] = 5, failing
    for _ in range(3):
        status = await device.read()
        assert (status.cap_mhz, status.cap_mv) == (700, 1300)
    board.replies[ASIC] = answer(NERD_ASIC.replace(b"700", b"650"))
    assert {(await device.read()).cap_mhz for _ in range(4)} == {700, 650}  # asked again
    assert (await device.read()).cap_mhz == 650


async def test_a_regulator_that_vanishes_stays_a_sensor_that_cannot_be_believed(board, device):
    board.told |= {"vrTemp": 60, "version": "v2.15.0"}
    assert (await device.read()).vr_temp_c == 60
    for gone in (0, None):
        board.told["vrTemp"] = gone
        assert (await device.read()).vr_temp_c == -1
    del board.told["vrTemp"]
    assert (await device.read()).vr_temp_c == -1
    board.told["vrTemp"] = 61
    assert (await device.read()).vr_temp_c == 61


@timed
async def test_an_asic_that_hangs_is_given_up_and_the_reading_survives(board: Board):
    async def hang(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(10)

    board.replies[ASIC] = hang
    device = connect(board.address, deadline_s=0.3)
    for _ in range(5):
        assert (await device.read()).hashrate_ghs == 1000.5
    assert board.paths().count(ASIC) == 3
    await device.close()


async def test_requests_wait_for_each_other(board, device):
    await asyncio.gather(*(device.read() for _ in range(8)), device.apply(Restart()))
    assert board.most_in_flight == 1
    assert board.most_open == 1


async def test_a_connection_that_the_miner_closed_is_no_fault(board, device):
    board.hang_up_after = 1
    for _ in range(4):
        await device.read()
    assert board.connections == 5


async def test_a_poll_that_meets_the_closing_connection_is_asked_again_and_a_write_is_not(board, device):
    await device.read()
    board.abort_from = 1
    assert (await device.read()).hashrate_ghs == 1000.5
    assert board.paths() == [INFO, ASIC, INFO, INFO]
    with pytest.raises(Unreachable):
        await device.apply(Restart())
    assert board.paths().count("/api/system/restart") == 1


async def test_a_new_connection_that_is_cut_off_is_not_tried_again(board, device):
    board.abort_from = 0
    with pytest.raises(Unreachable):
        await device.read()
    assert board.paths() == [INFO]


@timed
async def test_waiting_for_another_request_is_no_part_of_the_deadline(board: Board):
    async def late(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(answer(json.dumps(TOLD).encode()))

    device = connect(board.address, deadline_s=0.7)
    await device.read()
    board.replies[INFO] = late
    statuses = await asyncio.gather(*(device.read() for _ in range(5)))
    assert [status.hashrate_ghs for status in statuses] == [1000.5] * 5
    await device.close()


async def test_an_endless_body_is_left_early(board, device):
    written = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" " * 65_536)
            written += 65_536
            await writer.drain()

    board.replies[INFO] = flood
    with pytest.raises(Garbled, match="larger than 256 KiB"):
        await device.read()
    assert written < 16 * 1024 * 1024


async def test_a_write_is_sent_once_whatever_happens(board, device):
    async def hang_up(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    await device.read()
    board.replies["/api/system"] = hang_up
    with pytest.raises(Unreachable):
        await device.apply(Tune(500, 1100))
    assert board.paths().count("/api/system") == 1
    assert (await device.read()).frequency_mhz == 525


async def test_a_command_that_never_left_says_so(board, device):
    """The miner was switched off since its last answer: nothing was written."""
    await device.read()
    await device.close()
    with held_port() as device._port, pytest.raises(NotSent, match=r"\(connection refused\)"):
        await device.apply(Tune(500, 1100))


async def test_apply_sends_the_firmware_s_spelling_and_takes_an_empty_200(board, device):
    board.replies["/api/system"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    board.told["autofanspeed"] = 1
    await device.apply(Tune(500.0, 1100))
    await device.apply(SetFan(auto=False, pct=70))
    writes = [(m, p, json.loads(b), h["content-type"]) for m, p, h, b in board.requests if m == "PATCH"]
    assert writes == [
        ("PATCH", "/api/system", {"frequency": 500, "coreVoltage": 1100}, "application/json"),
        ("PATCH", "/api/system", {"autofanspeed": 0, "fanspeed": 70}, "application/json"),
    ]


async def test_a_command_that_the_firmware_lacks_is_not_sent(board, device):
    with pytest.raises(Unsupported, match=rf"{board.address}: .*pause"):
        await device.apply(Pause())
    assert set(board.paths()) == {INFO, ASIC}


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (answer(b"Wrong API input", "400 Bad Request"), Refused, "400.*Wrong API input"),
        (answer(b"content too long", "500 Internal Server Error"), Refused, "500"),
        (answer(b"", "404 Not Found"), Unsupported, "no /api/system"),
        (answer(b"", "302 Found", "Location: /\r\n"), Unsupported, "no /api/system"),
        (answer(b"Unauthorized", "401 Unauthorized"), Refused, "Tailscale"),
        (answer(b"OTP/Session required", "401 Unauthorized"), Refused, "X-OTP-Session"),
        (answer(b"blocked for 5 minutes", "401 Unauthorized"), Refused, "X-OTP-Session.*blocked"),
    ],
)
async def test_a_refused_write_says_why(board, device, reply, error, words):
    board.replies["/api/system"] = reply
    with pytest.raises(error, match=words) as caught:
        await device.apply(Tune(500, 1100))
    assert getattr(caught.value, "auth", False) == (b"401" in reply)


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (answer(b""), Garbled, "empty"),
        (answer(b"null"), Garbled, "null"),
        (answer(b"{}"), Garbled, "not that of an AxeOS miner"),
        (answer(b"<html>router</html>"), Garbled, "web page"),
        (answer(b"<html>", "404 Not Found"), Garbled, "check the address"),
        (answer(b"", "302 Found", "Location: http://127.0.0.1:1/\r\n"), Garbled, "check the address"),
        (answer(b"boom", "500 Internal Server Error"), Garbled, '500: "boom"'),
        (answer(b"Unauthorized", "401 Unauthorized"), Refused, "private networks"),
        (answer(b"\x1f\x8b", "200 OK", "Content-Encoding: gzip\r\n"), Garbled, "compressed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b" " * 300_000, Garbled, "larger than 256 KiB"),
        (answer(b"[" * 100_000), Garbled, "nested"),
        (b"SSH-2.0-dropbear\r\n\r\n", Unreachable, "does not speak HTTP"),
    ],
)
async def test_bad_answers_are_named_and_the_next_poll_works(board, device, reply, error, words):
    board.replies[INFO] = reply
    with pytest.raises(error, match=words) as caught:
        await device.read()
    assert caught.value.device == board.address
    board.replies.clear()
    assert (await device.read()).hashrate_ghs == 1000.5


@timed
async def test_an_endless_drip_ends_at_the_deadline(board: Board):
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    board.replies[INFO] = drip
    device = connect(board.address, deadline_s=0.08)
    with pytest.raises(Unreachable, match=r"within 0.08 s"):
        await device.read()
    await device.close()


async def test_polls_cancelled_again_and_again_leave_a_working_client(board):
    async def late(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.003)
        writer.write(answer(json.dumps(TOLD).encode()))

    board.replies[INFO] = late
    device = connect(board.address, deadline_s=10)
    for n in range(60):
        poll = asyncio.create_task(device.read())
        await asyncio.sleep(0.0001 * n)
        poll.cancel()
        await asyncio.gather(poll, return_exceptions=True)
    assert (await device.read()).hashrate_ghs == 1000.5
    await device.close()


@pytest.mark.parametrize("late", [False, True])
@timed
async def test_an_answer_that_nobody_asked_for_is_never_taken_for_the_next_one(board: Board, late: bool):
    device = connect(board.address)
    old = answer(json.dumps(TOLD | {"hashRate": 1.0}).encode())

    async def twice(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(json.dumps(TOLD).encode()) + (b"" if late else old))
        await writer.drain()
        if late:
            await asyncio.sleep(0.02)
            writer.write(old)

    await device.read()
    board.replies[INFO] = twice
    assert (await device.read()).hashrate_ghs == 1000.5
    await asyncio.sleep(0.05)
    assert (await device.read()).hashrate_ghs == 1000.5
    assert board.connections == 2
    await device.close()


async def test_a_write_without_a_body_says_so(board, device):
    await device.apply(Restart())
    [(_, _, headers, body)] = [request for request in board.requests if request[0] == "POST"]
    assert (headers["content-length"], body) == ("0", b"")


def test_a_header_that_cannot_be_sent_is_a_config_error():
    with pytest.raises(ConfigError, match="headers"):
        connect("192.0.2.1", headers={"X-Token": "a\r\nX-Other: b"})


async def test_a_miner_may_set_no_cookie(board, device):
    board.replies[INFO] = answer(json.dumps(TOLD).encode(), headers="Set-Cookie: track=1\r\n")
    for _ in range(3):
        await device.read()
    assert all("cookie" not in headers for _, _, headers, _ in board.requests)


async def test_nobody_there_says_what_to_do():
    with held_port() as port:
        device = connect(f"127.0.0.1:{port}")
        with pytest.raises(Unreachable, match=r"check that the miner is on.*\(connection refused\)"):
            await device.read()
        with pytest.raises(Unreachable, match=r"its log cannot be opened \(connection refused\)"):
            await anext(device.log_lines())
        await device.close()


async def test_a_name_that_nobody_knows_is_said(monkeypatch):
    async def getaddrinfo(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    device = connect("no-such-miner.local")
    with pytest.raises(Unreachable, match=r"\(nobody knows that name\)"):
        await device.read()
    await device.close()


async def test_headers_go_with_every_request_and_into_no_log(board, caplog):
    caplog.set_level(logging.DEBUG)
    device = connect(board.address, headers={"X-OTP-Session": "canary-token"})
    await device.read()
    await device.apply(Restart())
    await device.close()
    assert {headers["x-otp-session"] for _, _, headers, _ in board.requests} == {"canary-token"}
    assert "canary-token" not in caplog.text
    assert "api/system" not in caplog.text


async def test_the_environment_s_proxy_is_not_asked(board, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")
    device = connect(board.address)
    assert (await device.read()).hashrate_ghs == 1000.5
    await device.close()


async def test_statistics(board, device):
    with pytest.raises(Unsupported, match=r"2\.8"):
        await device.statistics()
    body = {"currentTimestamp": 5000, "labels": ["power", "timestamp"], "statistics": [[12.5, 3000]]}
    board.replies["/api/system/statistics"] = answer(json.dumps(body).encode())
    assert await device.statistics() == [(2.0, {"power_w": 12.5})]
    board.replies["/api/system/statistics"] = answer(b"{}")
    with pytest.raises(Garbled, match=board.address):
        await device.statistics()


async def test_raw_answers_are_kept_even_when_they_cannot_be_read(board, device):
    board.replies[INFO] = answer(b"<html>")
    with pytest.raises(Garbled):
        await device.read()
    assert device.answers == {INFO: b"<html>"}


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://bitaxe",
        "bitaxe/path",
        "me:pw@bitaxe",
        "bitaxe:99999",
        "bitaxe:0",
        "bit axe",
        "http://",
        "[::1",
        "a\nb",
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ConfigError, match=r"is not the address of a miner|192\.168"):
        connect(address)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("bitaxe.local", "bitaxe.local"),
        ("http://10.0.0.5/", "10.0.0.5"),
        ("10.0.0.5:8080", "10.0.0.5:8080"),
        ("[fd00::5]:81", "[fd00::5]:81"),
    ],
)
def test_addresses_as_people_write_them(address, shown):
    assert connect(address).address == shown


class TestLog:
    """The log stream."""

    @pytest.fixture
    async def stream(self) -> AsyncIterator[Callable[[list[str | bytes]], Awaitable[str]]]:
        from websockets.asyncio.server import ServerConnection, serve

        servers = []

        async def start(messages: list[str | bytes]) -> str:
            async def talk(socket: ServerConnection) -> None:
                assert socket.request is not None
                assert socket.request.path == "/api/ws"
                assert "Origin" not in socket.request.headers
                for message in messages:
                    await socket.send(message)

            server = await serve(talk, "127.0.0.1", 0)
            servers.append(server)
            return f"127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"

        yield start
        for server in servers:
            server.close()

    async def test_lines_are_cleaned_until_the_miner_ends_them(self, stream):
        address = await stream(
            ["\x1b[0;32mI (12) stratum: ok\x1b[0m\n", "a\nb\n\n", b"c\x1b]52;c;QQ==\x07\xff", "d" * 900]
        )
        lines = [line async for line in connect(address).log_lines()]
        assert lines == ["I (12) stratum: ok", "a", "b", "c\ufffd]52;c;QQ==\ufffd\ufffd", "d" * 512]

    async def test_the_environment_s_proxy_is_not_asked(self, stream, monkeypatch):
        for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "socks_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        assert [line async for line in connect(await stream(["here"])).log_lines()] == ["here"]

    async def test_a_message_without_end_ends_the_stream(self, stream):
        address = await stream(["first", "x" * 100_000, "never"])
        assert [line async for line in connect(address).log_lines()] == ["first"]

    async def test_a_refused_stream_says_why(self, board, device):
        for reply, error, words in (
            (answer(b"Unauthorized", "401 Unauthorized"), Refused, "private networks"),
            (answer(b"Max WebSocket clients reached", "429 Too Many"), Refused, "close other log views"),
            (answer(b"", "302 Found", f"Location: ws://{board.address}/elsewhere\r\n"), Refused, "302"),
            (b"nonsense\r\n\r\n", Unreachable, "cannot be opened"),
        ):
            board.replies["/api/ws"] = reply
            with pytest.raises(error, match=words):
                await anext(device.log_lines())
        assert set(board.paths()) == {"/api/ws"}
