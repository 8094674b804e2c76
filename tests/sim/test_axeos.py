from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as ws_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from minertui.clock import SystemClock
from minertui.model.errors import ConfigError
from minertui.sim.axeos import MIX, fleet, serve
from minertui.sim.axeos_board import Board
from tests.ports import held_port
from tests.sim.raw import HandClock, ask, connect, info, parsed, request, until


async def test_200_boards_of_all_kinds_are_served_at_once() -> None:
    boards = fleet(200, seed=7)
    server = await serve(boards, clock=HandClock())
    try:
        assert len(set(server.addresses)) == 200
        answers = await asyncio.gather(*(info(address) for address in server.addresses))
    finally:
        await server.close()
    assert [answer["version"] for answer in answers] == [board.firmware for board in boards]
    assert {(board.family.name, board.firmware) for board in boards} == set(MIX)
    assert all(board.judge.requests == 1 for board in boards)


async def test_physics_moves_only_with_the_clock_given() -> None:
    clock = HandClock()
    server = await serve([Board("gamma", seed=3)], clock=clock)
    first = await info(server.addresses[0])
    clock.now += 600
    second = await info(server.addresses[0])
    await server.close()
    assert (first["uptimeSeconds"], second["uptimeSeconds"]) == (0, 600)
    assert second["temp"] > 50
    assert second["sharesAccepted"] > 50


async def test_settings_survive_a_restart_and_the_board_is_away_meanwhile() -> None:
    clock = HandClock()
    server = await serve([Board("gamma")], clock=clock)
    address = server.addresses[0]
    patched = await ask(address, "PATCH", "/api/system", {"frequency": 550, "coreVoltage": 1160})
    assert (patched.status, patched.body) == (200, b"")
    assert patched.headers["transfer-encoding"] == "chunked"
    assert (await ask(address, "POST", "/api/system/restart")).json["message"]
    clock.now += 3
    with pytest.raises(ConnectionResetError):
        await info(address)
    clock.now += 60
    after = await info(address)
    await server.close()
    assert (after["frequency"], after["coreVoltage"]) == (550, 1160)
    assert after["uptimeSeconds"] < 60
    assert server.boards[0].judge.writes == 2


async def test_pages_by_firmware() -> None:
    new, old, nerd = Board("gamma"), Board("gamma", firmware="v2.8.1"), Board("nerdqaxe++")
    server = await serve([new, old, nerd], clock=HandClock())
    at_new, at_old, at_nerd = server.addresses
    unknown = await ask(at_new, "GET", "/api/nonsense")
    assert (unknown.status, unknown.json) == (404, {"error": "unknown route"})
    redirected = await ask(at_old, "GET", "/api/nonsense")
    assert (redirected.status, redirected.headers["location"]) == (302, "/")
    assert b"<title>AxeOS</title>" in (await ask(at_old, "GET", "/")).body
    assert (await ask(at_new, "POST", "/api/system/pause")).status == 200
    assert (await info(at_new))["miningPaused"] is True
    assert (await ask(at_new, "POST", "/api/system/resume")).status == 200
    assert (await ask(at_new, "POST", "/api/system/identify")).status == 200
    assert (await ask(at_old, "POST", "/api/system/pause")).status == 302
    assert (await ask(at_nerd, "GET", "/api/system/statistics")).status == 404
    assert (await ask(at_nerd, "POST", "/api/system/shutdown")).status == 200
    slot = {"stratumURL": "p.example", "stratumPort": 1, "stratumUser": "u"}
    assert (await ask(at_new, "PUT", "/api/system/pools/3", slot)).status == 200
    assert (await ask(at_new, "DELETE", "/api/system/pools/3")).status == 200
    assert (await ask(at_new, "DELETE", "/api/system/pools/0")).status == 400
    await server.close()


async def test_browsers_from_outside_are_refused() -> None:
    server = await serve([Board("gamma")], clock=HandClock())
    for origin, status in (("http://evil.example", 401), ("http://192.168.1.5", 200), ("http://miner.local", 200)):
        answer = await ask(
            server.addresses[0], "GET", "/api/system/info", headers=f"Origin: {origin}\r\nConnection: close\r\n"
        )
        assert answer.status == status
    await server.close()


async def test_a_connection_serves_many_requests_and_the_21st_drops_the_oldest() -> None:
    server = await serve([Board("gamma")], clock=HandClock())
    reader, writer = await connect(server.addresses[0])
    for _ in range(3):
        writer.write(request("GET", "/api/system/info", headers=""))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(parsed(head).headers["content-length"])
        assert json.loads(await reader.readexactly(length))["version"] == "v2.15.3"
    others = [await connect(server.addresses[0]) for _ in range(20)]
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    writer.close()
    for _, other in others:
        other.close()
    await server.close()


async def test_requests_in_flight_are_counted() -> None:
    board = Board("gamma")
    server = await serve([board], clock=HandClock())
    for _ in range(3):
        await info(server.addresses[0])
    assert board.judge.max_in_flight == 1
    board.faults.add("hang")
    pairs = [await connect(server.addresses[0]) for _ in range(2)]
    for _, writer in pairs:
        writer.write(request("GET", "/api/system/info"))
    await until(lambda: board.judge.max_in_flight == 2)
    for _, writer in pairs:
        writer.close()
    await server.close()


@pytest.mark.parametrize("fault", ["hang", "drip", "endless"])
async def test_a_request_that_the_client_gave_up_is_not_in_flight(fault: str) -> None:
    board = Board("gamma")
    board.faults.add(fault)
    server = await serve([board], clock=HandClock())
    for asked in range(5):
        _, writer = await connect(server.addresses[0])
        writer.write(request("GET", "/api/system/info"))
        await until(lambda before=asked: board.judge.requests > before)  # type: ignore[misc]
        writer.close()
    assert board.judge.requests == 5
    assert board.judge.max_in_flight == 1
    await server.close()


async def test_log_lines_and_live_changes_over_websockets() -> None:
    board = Board("gamma", seed=3)
    board.settle()
    server = await serve([board], clock=HandClock())
    async with ws_connect(f"ws://{server.addresses[0]}/api/ws", proxy=None) as log:
        assert re.match(r"I \(\d+\) asic_result: Nonce", str(await log.recv()))
    async with ws_connect(f"ws://{server.addresses[0]}/api/ws/live", proxy=None) as live:
        first, second = json.loads(await live.recv()), json.loads(await live.recv())
    await server.close()
    assert first["event"] == "update"
    assert "hostname" in first["data"]
    assert "fullHostname" not in first["data"]
    assert "hostname" not in second["data"]
    assert "power" in second["data"]


async def test_ports_run_on_from_the_one_given_and_a_taken_one_is_named() -> None:
    with held_port() as port:
        server = await serve([Board("gamma")], port=port, clock=HandClock())
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}.*choose another port"):
            await serve([Board("gamma")], port=port, clock=HandClock())
        await server.close()
        again = await serve([Board("gamma")], port=port, clock=HandClock())
        assert server.addresses == again.addresses == [f"127.0.0.1:{port}"]
        await again.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org", ""])
async def test_only_loopback(host: str) -> None:
    with pytest.raises(ConfigError, match="loopback only"):
        await serve([Board("gamma")], host=host, clock=HandClock())


async def test_a_monster_request_gets_413_and_harms_nobody() -> None:
    server = await serve([Board("gamma")], clock=HandClock())
    reader, writer = await connect(server.addresses[0])
    writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000)
    assert b" 413 " in await reader.readline()
    writer.close()
    assert (await info(server.addresses[0]))["version"] == "v2.15.3"
    await server.close()


async def test_the_console_lists_switches_and_tells_the_truth() -> None:
    server = await serve(fleet(3, seed=1), clock=HandClock(), control_port=0)
    listed = (await ask(server.control, "GET", "/faults")).json
    assert "drip" in listed["faults"]
    assert [board["address"] for board in listed["boards"]] == server.addresses
    for which in (1, server.addresses[1], server.boards[1].name):
        state = (await ask(server.control, "POST", "/faults", {"board": which, "fault": "auth", "on": True})).json
        assert [board["on"] for board in state["boards"]] == [[], ["auth"], []]
        await ask(server.control, "POST", "/faults", {"board": which, "fault": "auth", "on": False})
    assert len(server.boards[1].faults) == 0
    await ask(server.control, "POST", "/faults", {"board": "all", "fault": "null"})
    assert all("null" in board.faults for board in server.boards)
    wrong = await ask(server.control, "POST", "/faults", {"board": 9, "fault": "null"})
    assert (wrong.status, "no simulated board '9'" in wrong.json["error"]) == (400, True)
    assert (await ask(server.control, "POST", "/faults", {"board": 0, "fault": "gremlin"})).status == 400
    assert (await ask(server.control, "POST", "/faults", b"nonsense")).status == 400
    web = await ask(server.control, "GET", "/faults", headers="Origin: http://192.168.1.5\r\nConnection: close\r\n")
    assert web.status == 401
    truth = (await ask(server.control, "GET", "/truth")).json["boards"][0]
    assert truth["judge"]["max_mhz"] == 525
    await server.close()


async def test_a_fast_clock_makes_the_boards_live_faster() -> None:
    server = await serve([Board("gamma", seed=3)], clock=SystemClock(speed=1000))
    await asyncio.sleep(0.05)
    uptime = (await info(server.addresses[0]))["uptimeSeconds"]
    await server.close()
    assert uptime >= 50


async def _until_closed(log: ClientConnection) -> AsyncIterator[str]:
    while True:
        yield str(await log.recv())


async def test_websockets_end_when_the_board_reboots_and_suffer_from_the_line() -> None:
    board = Board("gamma", seed=3)
    board.settle()
    server = await serve([board], clock=HandClock())
    async with ws_connect(f"ws://{server.addresses[0]}/api/ws", proxy=None) as log:
        await log.recv()
        board.restart()
        board.advance(1)
        with pytest.raises(ConnectionClosed):
            [line async for line in _until_closed(log)]
    board.advance(100)
    board.faults.add("auth")
    with pytest.raises(InvalidStatus):
        await ws_connect(f"ws://{server.addresses[0]}/api/ws", proxy=None)
    await server.close()
