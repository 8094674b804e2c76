"""The simulated pool and REST: as recorded pools talk, on loopback and nowhere else."""

from __future__ import annotations

import ast
import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import looptime
import pytest

from minertui.model.errors import ConfigError, Refused
from minertui.sim.duco_pool import DucoPool
from minertui.sim.duco_rules import Rules, Tier
from minertui.wire.duco import rest
from minertui.wire.duco.hash import solve
from minertui.wire.duco.pool import Conversation, Desync, Event, JobCame, Kind, Refusal, State, Verdict

ID = "DUCOID000C948900948900"


class LoopClock:
    """The loop's time; looptime makes it virtual."""

    speed = 1.0

    def mono(self) -> float:
        return asyncio.get_running_loop().time()

    boot = wall = mono

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Miner:
    """A client of the pool, through the program's own Conversation."""

    def __init__(self, pool: DucoPool, user: str = "alice", tier: str = "AVR", chip_id: str = ID) -> None:
        self.talk = Conversation(user, tier, chip_id=chip_id, software="Official AVR Miner 4.3", rig_id="rig1")
        self._pool = pool

    async def __aenter__(self) -> Miner:
        self._reader, self._writer = await asyncio.open_connection(*self._pool.address)
        await self.heard()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def heard(self) -> list[Event]:
        events: list[Event] = []
        while not events:
            data = await self._reader.read(4096)
            events = self.talk.received(data) if data else self.talk.closed()
        return events

    async def send(self, data: bytes) -> list[Event]:
        self._writer.write(data)
        return await self.heard()

    async def job(self) -> JobCame:
        (job,) = await self.send(self.talk.request_job())
        assert isinstance(job, JobCame)
        return job

    async def share(self, rate_hs: float = 220.0, *, wrong: int = 0) -> Event:
        job = await self.job()
        nonce = solve(job.job)
        assert nonce
        (verdict,) = await self.send(self.talk.submit(nonce + wrong, rate_hs))
        return verdict


@pytest.fixture
async def pool() -> AsyncIterator[DucoPool]:
    async with DucoPool(clock=LoopClock()) as pool:
        yield pool


def virtual(test: Any) -> Any:
    return pytest.mark.looptime(test)


assert looptime  # the plugin behind the mark


def test_the_pool_itself_listens_on_loopback_only() -> None:
    with pytest.raises(ConfigError, match="loopback only"):
        DucoPool(clock=LoopClock(), host="0.0.0.0")


@virtual
async def test_recorded_dialogues(recorded: Path) -> None:
    """What the recorded clients sent gets the kind of answers they got."""
    tiers = {"AVR": Tier(10, 0, 400, up="MEGA"), "MEGA": Tier(32, 100, 700, down="AVR"), "NET": Tier(400_000, 0, 1e12)}
    text = (recorded / "duco" / "pool_dialogue.txt").read_text()
    async with DucoPool(clock=LoopClock(), rules=Rules(tiers=tiers, motd="Loopback test pool\n")) as pool:
        clients: dict[str, Recorded] = {}
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            number, way, told = line.split(" ", 2)
            client = clients.setdefault(number, Recorded(pool))
            await (client.sends if way == ">" else client.hears)(ast.literal_eval(told))
        for client in clients.values():
            client.writer.close()


class Recorded:
    """A recorded client: its nonces are replaced by right ones for the jobs it gets here, save the wrong one."""

    _WRONG = b"708"

    def __init__(self, pool: DucoPool) -> None:
        self._pool = pool
        self._nonce = b""
        self._reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter

    async def sends(self, data: bytes) -> None:
        nonce, comma, tail = data.partition(b",")
        if nonce.isdigit():
            data = (nonce if nonce == self._WRONG else self._nonce) + comma + tail
        self.writer.write(data)

    async def hears(self, recorded: bytes) -> None:
        if self._reader is None:
            self._reader, self.writer = await asyncio.open_connection(*self._pool.address)
        came = await self._reader.read(4096)
        if recorded.count(b",") < 2:
            assert came == recorded
            return
        assert came.count(b",") == 2
        assert came.rpartition(b",")[2] == recorded.rpartition(b",")[2]  # the difficulty
        newest = self._pool._issuer.newest
        assert newest is not None
        self._nonce = b"%d" % newest.nonce


@virtual
async def test_shares_are_paid_after_ten_and_with_one_id(pool: DucoPool) -> None:
    async with Miner(pool) as miner:
        for _ in range(12):
            assert await miner.share() == Verdict(Kind.GOOD)
        assert await miner.share(wrong=1) == Verdict(Kind.BAD, "Incorrect result")
    seen = pool.miners[0]
    assert (seen.accepted, seen.rejected, seen.unpaid) == (12, 1, 10)
    assert pool.paid("alice") > 0
    async with Miner(pool) as miner:
        await miner.share()
    assert pool.miners[1].unpaid == 1


@virtual
async def test_another_chip_id_is_good_and_not_paid(pool: DucoPool) -> None:
    async with Miner(pool) as miner:
        for _ in range(10):
            await miner.share()
        miner.talk._chip_id = "DUCOIDOTHER"
        assert await miner.share() == Verdict(Kind.GOOD)
    assert pool.paid("alice") == 0


@virtual
async def test_tiers_move_and_stay(pool: DucoPool) -> None:
    async with Miner(pool) as miner:
        assert await miner.share(1000) == Verdict(Kind.BAD, "Too low starting difficulty")
        assert (await miner.job()).job.difficulty == 32
        (verdict,) = await miner.send(miner.talk.submit(1, 60))
        assert verdict == Verdict(Kind.BAD, "Too high starting difficulty")
        assert (await miner.job()).job.difficulty == 10


@virtual
async def test_waits_are_those_set(pool: DucoPool) -> None:
    pool.rules.job_wait_ms, pool.rules.verdict_wait_ms = 882, 799
    loop = asyncio.get_running_loop()
    async with Miner(pool) as miner:
        started = loop.time()
        job = await miner.job()
        assert loop.time() - started == pytest.approx(0.882, abs=0.01)
        nonce = solve(job.job)
        assert nonce
        started = loop.time()
        await miner.send(miner.talk.submit(nonce, 220))
        assert loop.time() - started == pytest.approx(0.799, abs=0.01)


@virtual
async def test_silence_is_closed_without_a_word(pool: DucoPool) -> None:
    loop = asyncio.get_running_loop()
    async with Miner(pool) as miner:
        started = loop.time()
        assert await miner.heard()
        assert loop.time() - started == pytest.approx(30, abs=0.1)
    async with Miner(pool) as miner:
        await miner.job()
        started = loop.time()
        assert await miner.heard()
        assert loop.time() - started == pytest.approx(90, abs=0.1)
        assert miner.talk.over


@virtual
async def test_refusals(pool: DucoPool) -> None:
    pool.ban("mallory")
    async with Miner(pool, "mallory") as miner:
        assert await miner.send(miner.talk.request_job()) == [Refusal("User banned")]
    pool.rules.workers = 0
    async with Miner(pool) as miner:
        assert await miner.share() == Verdict(Kind.BAD, "Too many workers")
    pool.rules.workers, pool.rules.shares_per_minute = 50, 2
    async with Miner(pool) as miner:
        assert [await miner.share() for _ in range(3)][-1] == Verdict(Kind.BAD, "Too low difficulty")


@virtual
async def test_kick_ends_every_connection(pool: DucoPool) -> None:
    async with Miner(pool) as miner:
        await miner.share()
        assert len(pool.connected("alice")) == 1
        pool.kick()
        with pytest.raises(ConnectionResetError):
            await miner.heard()
    await asyncio.sleep(0.1)
    assert pool.connected() == []


@virtual
@pytest.mark.parametrize("fault", ["glued", "garbage", "endless"])
async def test_nonsense_is_out_of_step(pool: DucoPool, fault: str) -> None:
    async with Miner(pool) as miner:
        pool.faults.add(fault)
        events = await miner.send(miner.talk.request_job())
        assert isinstance(events[-1], Desync)


@virtual
@pytest.mark.parametrize(("fault", "state"), [("half-job", State.ASKED), ("cut-verdict", State.JUDGED),
                                              ("half-verdict", State.JUDGED)])  # fmt: skip
async def test_half_answers(pool: DucoPool, fault: str, state: State) -> None:
    pool.faults.add(fault)
    async with Miner(pool) as miner:
        if state is State.JUDGED:
            job = await miner.job()
            nonce = solve(job.job)
            assert nonce
            (closed,) = await miner.send(miner.talk.submit(nonce, 220))
            assert pool.miners[0].accepted == 1
        else:
            (closed,) = await miner.send(miner.talk.request_job())
        assert getattr(closed, "during", None) is state


@virtual
async def test_stall_bad_split_and_hard(pool: DucoPool) -> None:
    async with Miner(pool) as miner:
        pool.faults.add("split")
        assert await miner.share() == Verdict(Kind.GOOD)
        pool.faults.add("bad")
        assert await miner.share() == Verdict(Kind.BAD)
        pool.faults.clear()
        pool.faults.add("hard-job")
        assert (await miner.job()).job.difficulty == 1_000_000
        pool.faults.add("stall")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(20):
                await miner.send(miner.talk.submit(1, 220))


@virtual
async def test_a_share_sent_again_on_a_new_connection_is_counted(pool: DucoPool) -> None:
    async with Miner(pool) as miner:
        job = await miner.job()
        nonce = solve(job.job)
        assert nonce
        await miner.send(miner.talk.submit(nonce, 220))
    async with Miner(pool) as miner:
        await miner.job()
        assert await miner.send(miner.talk.submit(nonce, 220)) == [Verdict(Kind.BAD, "Incorrect result")]
    assert pool.duplicates == 1


@virtual
async def test_pay_shrinks_from_the_fifth_worker(pool: DucoPool) -> None:
    miners = [Miner(pool, chip_id=f"DUCOID{n}") for n in range(6)]
    for miner in miners:
        await miner.__aenter__()
        await miner.job()
    assert [seen.place for seen in pool.miners] == [1, 2, 3, 4, 5, 6]
    assert [seen.ki for seen in pool.miners] == [1, 1, 1, 1, 2, 3]
    for miner in miners:
        await miner.__aexit__()


async def get(pool: DucoPool, path: str) -> tuple[int, bytes]:
    """One call over HTTP, as it is on the wire."""
    host, _, port = pool.rest.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


@virtual
async def test_rest_tells_pool_balance_and_miners(pool: DucoPool) -> None:
    status, body = await get(pool, "/getPool")
    told = rest.parse_get_pool(body, status)
    assert (told.ip, told.port) == pool.address
    async with Miner(pool) as miner:
        for _ in range(3):
            await miner.share()
        status, body = await get(pool, rest.users_path("alice"))
        account = rest.parse_users(body, status)
        (row,) = account.miners
        assert (row.accepted, row.identifier, row.hashrate) == (3, "rig1", 220.0)
        for _ in range(10):
            await miner.share()
        assert (await get(pool, rest.users_path("alice")))[1] == body  # kept for ten seconds
        await asyncio.sleep(10)
        status, body = await get(pool, rest.users_path("alice"))
        assert rest.parse_users(body, status).balance.balance > account.balance.balance
    with pytest.raises(Refused, match="This user doesn't exist"):
        rest.parse_users(*reversed(await get(pool, "/users/nobody")))  # type: ignore[arg-type]


@virtual
async def test_rest_says_what_the_recorded_server_says(pool: DucoPool, recorded: Path) -> None:
    pool.rest_server.proxied = True
    pool.rules.keys = {"bob": "secret"}
    for path, name in {"/getPool": "rest_getPool_error.json", "/miners/alice": "rest_miners_none_error.json"}.items():
        told, was = json.loads((await get(pool, path))[1]), json.loads((recorded / "duco" / name).read_bytes())
        assert told.keys() == was.keys()
        assert told["message"] == was["message"]
    keys = json.loads((recorded / "duco" / "rest_mining_key.json").read_bytes())
    assert json.loads((await get(pool, rest.mining_key_path("alice", None)))[1]) == keys["no_key_set"]
    assert json.loads((await get(pool, rest.mining_key_path("bob", "secret")))[1]) == keys["right_key"]
    assert json.loads((await get(pool, rest.mining_key_path("bob", "guess")))[1]) == keys["wrong_or_missing_key"]


@virtual
async def test_ten_strikes_ban_for_an_hour(pool: DucoPool) -> None:
    for _ in range(10):
        assert (await get(pool, "/miners/alice"))[0] == 200
        await asyncio.sleep(16)
    assert (await get(pool, "/users/alice"))[0] == 403
    await asyncio.sleep(3600)
    assert (await get(pool, "/users/alice"))[0] == 200


@virtual
async def test_rest_limits(pool: DucoPool) -> None:
    statuses = [(await get(pool, "/getPool"))[0] for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    statuses = [(await get(pool, "/users/alice"))[0] for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    assert pool.rest_server.strikes == 2
    assert (await get(pool, "/nonsense"))[0] in (404, 429)
