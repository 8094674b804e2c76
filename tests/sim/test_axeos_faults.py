"""Each fault of line and payload, seen through a raw client."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from minertui.sim.axeos import SimServer, serve
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_faults import FAULTS, FIRMWARE, HARDWARE, LINE, PAYLOAD
from tests.sim.raw import HandClock, ask, connect, info, request, until


@pytest.fixture
async def server() -> AsyncIterator[SimServer]:
    board = Board("gamma", seed=3)
    board.settle()
    one = await serve([board], clock=HandClock())
    yield one
    await one.close()


async def raw_bytes(server: SimServer, limit: int, within_s: float = 0.15) -> bytes:
    """What arrives of an answer within a short time."""
    reader, writer = await connect(server.addresses[0])
    writer.write(request("GET", "/api/system/info"))
    data = b""
    try:
        async with asyncio.timeout(within_s):
            while len(data) < limit and (more := await reader.read(65_536)):
                data += more
    except TimeoutError:
        pass
    finally:
        writer.close()
    return data


def test_the_groups_are_all_faults() -> None:
    assert set(FAULTS) == set(HARDWARE) | set(FIRMWARE) | set(LINE) | set(PAYLOAD)
    assert all(FAULTS.values())


async def test_hang_and_wifi_lost_accept_and_never_answer(server: SimServer) -> None:
    for fault in ("hang", "wifi-lost"):
        server.boards[0].faults.add(fault)
        assert await raw_bytes(server, 1, within_s=0.1) == b""
        server.boards[0].faults.clear()
    assert (await info(server.addresses[0]))["hashRate"] > 0
    await until(lambda: server.boards[0].judge.in_flight == 0)


async def test_reset(server: SimServer) -> None:
    server.boards[0].faults.add("reset")
    with pytest.raises(ConnectionResetError):
        await ask(server.addresses[0], "PATCH", "/api/system", {"frequency": 500})
    assert server.boards[0].nvs["frequency"] == 525


async def test_drip_sends_one_byte_at_a_time() -> None:
    ticks = asyncio.Semaphore(0)

    class TickingClock(HandClock):
        async def sleep(self, seconds: float) -> None:
            assert seconds == 0.5
            await ticks.acquire()

    board = Board("gamma")
    board.faults.add("drip")
    server = await serve([board], clock=TickingClock())
    reader, writer = await connect(server.addresses[0])
    writer.write(request("GET", "/api/system/info"))
    got = []
    async with asyncio.timeout(20):
        for _ in range(4):
            got.append(await reader.read(65_536))
            ticks.release()
    writer.close()
    await server.close()
    assert got == [b"H", b"T", b"T", b"P"]


async def test_cut_answer_obeys_writes_and_loses_the_answer(server: SimServer) -> None:
    server.boards[0].faults.add("cut-answer")
    with pytest.raises(ConnectionResetError):
        await ask(server.addresses[0], "PATCH", "/api/system", {"frequency": 500})
    assert (await info(server.addresses[0]))["frequency"] == 500


async def test_auth_and_busy(server: SimServer) -> None:
    address, faults = server.addresses[0], server.boards[0].faults
    faults.add("auth")
    answer = await ask(address, "GET", "/api/system/info")
    assert (answer.status, answer.body) == (401, b"Unauthorized")
    assert (await ask(address, "PATCH", "/api/system", {"frequency": 500})).status == 401
    assert server.boards[0].nvs["frequency"] == 525
    faults.clear()
    faults.add("busy")
    assert {(await ask(address, "GET", "/api/system/info")).status for _ in range(2)} == {429, 500}


@pytest.mark.parametrize(("fault", "body"), [("empty", b""), ("empty-json", b"{}"), ("null", b"null")])
async def test_swapped_bodies(server: SimServer, fault: str, body: bytes) -> None:
    server.boards[0].faults.add(fault)
    answer = await ask(server.addresses[0], "GET", "/api/system/info")
    assert (answer.status, answer.body) == (200, body)


async def test_html_deep_json_huge_header_and_gzip_bomb(server: SimServer) -> None:
    address, faults = server.addresses[0], server.boards[0].faults

    async def only(fault: str) -> Any:
        faults.clear()
        faults.add(fault)
        return await ask(address, "GET", "/api/system/info")

    assert (await only("html")).body.startswith(b"<!doctype html>")
    with pytest.raises(RecursionError):
        json.loads((await only("deep-json")).body)
    assert len((await only("huge-header")).headers["x-filler"]) == 1_048_576
    bomb = await only("gzip-bomb")
    assert bomb.headers["content-encoding"] == "gzip"
    assert len(bomb.body) < 100_000
    assert len(gzip.decompress(bomb.body)) == 64 * 1_048_576


async def test_endless_never_ends(server: SimServer) -> None:
    server.boards[0].faults.add("endless")
    assert len(await raw_bytes(server, 1_500_000, within_s=30)) >= 1_500_000


async def test_nan_puts_every_kind_of_nonsense_into_numbers(server: SimServer) -> None:
    server.boards[0].faults.add("nan")
    seen = []
    for _ in range(8):
        answer = await ask(server.addresses[0], "GET", "/api/system/info")
        seen.append(answer.json["temp"])
        assert b"1e999" in answer.body
    assert None in seen
    assert "NaNundefined" in seen
    assert any(isinstance(value, float) and math.isnan(value) for value in seen)
    assert math.inf in seen


@pytest.mark.parametrize(("fault", "value"), [("temp-minus-one", -1), ("temp-zero", 0), ("temp-127", 127)])
async def test_temperatures(server: SimServer, fault: str, value: int) -> None:
    server.boards[0].faults.add(fault)
    answer = await info(server.addresses[0])
    assert (answer["temp"], answer["temp2"], answer["vrTemp"]) == (value, value, value)


async def test_freeze_stands_still_while_uptime_runs(server: SimServer) -> None:
    board = server.boards[0]
    board.faults.add("freeze")
    before = await info(server.addresses[0])
    board.advance(120)
    after = await info(server.addresses[0])
    for key in ("hashRate", "sharesAccepted", "totalHashes", "temp", "power"):
        assert after[key] == before[key]
    assert after["uptimeSeconds"] >= before["uptimeSeconds"] + 120
    board.faults.discard("freeze")
    assert (await info(server.addresses[0]))["totalHashes"] > before["totalHashes"]


async def test_wrong_averages_mac_swap_missing_and_duplicates(server: SimServer) -> None:
    address, faults = server.addresses[0], server.boards[0].faults
    right = await info(address)
    faults.add("wrong-averages")
    assert (await info(address))["hashRate_1h"] > 1.4 * right["hashRate_1h"]
    faults.clear()
    faults.add("mac-swap")
    assert (await info(address))["macAddr"] != right["macAddr"]
    faults.clear()
    faults.add("missing-fields")
    assert not {"temp", "vrTemp", "hashRate", "power", "macAddr", "uptimeSeconds"} & set(await info(address))
    faults.clear()
    faults.add("duplicate-keys")
    body = (await ask(address, "GET", "/api/system/info")).body
    assert body.count(b'"temp":') == 2
    assert json.loads(body)["macAddr"] == "02:00:00:FF:FF:FF"


async def test_hostile_strings_are_in_every_text(server: SimServer) -> None:
    server.boards[0].faults.add("hostile-strings")
    answer = await info(server.addresses[0])
    texts = "".join(answer[key] for key in ("hostname", "version", "ASICModel", "stratumURL", "ssid", "macAddr"))
    texts += "".join(str(value) for value in answer.values())
    for sign in ("\x1b]52;", "[@click=app.quit]", "[/nope]", "\u202e", "\x9b31m"):
        assert sign in texts
    assert answer["version"] != "v2.15.3"


async def test_a_faulty_board_does_not_slow_the_others() -> None:
    bad, good = Board("gamma", seed=1), Board("gamma", seed=2)
    for fault in ("hang", "endless"):
        bad.faults.add(fault)
    server = await serve([bad, good], clock=HandClock())
    reader, writer = await connect(server.addresses[0])
    writer.write(request("GET", "/api/system/info"))
    start_s = time.process_time()  # the processor's: others may keep this one waiting
    async with asyncio.timeout(20):
        for _ in range(10):
            await info(server.addresses[1])
    assert time.process_time() - start_s < 1
    writer.close()
    await server.close()
    assert not await reader.read()
