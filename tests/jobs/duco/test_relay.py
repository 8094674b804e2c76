"""Whole rigs in memory: every kind of board, pools that fail, orders while the rest runs."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from minertui.jobs.duco_relay.relay import Relay
from minertui.model.errors import JobError
from minertui.model.relay import (
    AddBoard,
    BoardPlan,
    BoardState,
    DropBoard,
    KeyCheck,
    LimitBoard,
    PauseBoard,
    ResetStats,
    ResumeBoard,
)
from minertui.sim.duco_boards import board
from minertui.sim.duco_bus import FakeBus
from minertui.sim.duco_rules import Rules, Tier
from minertui.sim.duco_sketch import VERSIONS, SketchBoard
from tests.jobs.duco.world import LoopClock, World

pytestmark = pytest.mark.looptime


def bus(*only: int, **faults: str) -> FakeBus:
    """Boards A, A85, B, C and D at 20, 50, 2, 8 and 1, or some of them; ``faults`` as ``b20="wrong-nonce"``."""
    kinds = {20: "A", 50: "A85", 2: "B", 8: "C", 1: "D"}
    boards = {address: board(kinds[address], seed=address) for address in only or kinds}
    for name, fault in faults.items():
        boards[int(name[1:])].faults.add(fault)
    return FakeBus(boards, LoopClock().mono)


def serial(version: str = "4.3", seed: int = 0) -> dict[str, SketchBoard]:
    return {f"serial:/dev/by-id/{version}": SketchBoard(version, seed=seed)}


async def test_every_dialect_mines_on_one_bus() -> None:
    world = World({"i2c:1": bus()})
    async with world.mining() as relay:
        await asyncio.sleep(45)
        boards = {b.name: b for b in relay.view().boards}
    assert {name: str(b.dialect) for name, b in boards.items()} == {
        "b20": "a", "b50": "a", "b2": "b", "b8": "c", "b1": "d",
    }  # fmt: skip
    for b in boards.values():
        assert b.stats.good > 5
        assert (b.stats.bad, b.stats.wrong, b.stats.lost, b.stats.connects) == (0, 0, 0, 1)
        assert b.now_hs == pytest.approx({"b20": 208, "b50": 160, "b2": 208, "b8": 334, "b1": 334}[b.name], rel=0.03)
    assert len({b.chip for b in boards.values()}) == 5
    assert sum(m.rejected for m in world.pool.miners) == 0
    assert world.pool.duplicates == 0


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_sketch_mines(version: str) -> None:
    world = World(serial(version))
    async with world.mining() as relay:
        await asyncio.sleep(60)
        (b,) = relay.view().boards
        assert b.stats.good > 10
        assert (b.stats.bad, b.stats.wrong) == (0, 0)
        old = tuple(map(int, version.split("."))) < (2, 6, 5)
        assert b.what == ("sketch 2.4 to 2.6.4" if old else "sketch 2.6.5 to 4.3")


async def test_sums_are_the_pools_waits() -> None:
    world = World({"i2c:1": FakeBus({20: board("A")}, LoopClock().mono)}, rules=Rules(882, 799))
    async with world.mining() as relay:
        await asyncio.sleep(120)
        stats = relay.view().boards[0].stats
    assert stats.request_wait_mean_s == pytest.approx(0.882, abs=0.01)
    assert stats.verdict_wait_mean_s == pytest.approx(0.799, abs=0.01)
    assert stats.calc_mean_s == pytest.approx(501 / 208, rel=0.25)
    assert stats.busy_polls > 0
    parts = stats.request_wait_s + stats.verdict_wait_s + stats.handover_s + stats.turn_s
    assert stats.share_s == pytest.approx(parts, rel=0.05)


async def test_a_board_with_wrong_answers_sends_none_and_the_others_go_on() -> None:
    world = World({"i2c:1": bus(20, 8, b8="wrong-nonce")})
    async with world.mining() as relay:
        await asyncio.sleep(150)
        bad, well = world.board(relay, "b8"), world.board(relay, "b20")
    assert sum(m.rejected for m in world.pool.miners) == 0
    assert bad.state is BoardState.STOPPED
    assert bad.stats.wrong >= 9
    assert bad.stats.shares == 0
    assert well.stats.good > 20


@pytest.mark.parametrize("fault", ["not-found", "silent", "unplugged", "stuck-busy"])
async def test_a_board_that_fails_hinders_nobody(fault: str) -> None:
    world = World({"i2c:1": bus(20, 1, b1=fault)})
    async with world.mining() as relay:
        await asyncio.sleep(150)
        failing = world.board(relay, "b1")
        assert failing.state in (BoardState.AWAY, BoardState.STOPPED)
        assert failing.why
        assert failing.stats.good == 0
        assert world.board(relay, "b20").stats.good > 20
        assert any("b1 does not mine" in words for words in relay.view().words)


@pytest.mark.parametrize("fault", ["bit-flip", "lost-byte", "no-ack", "stretch"])
async def test_noise_on_the_bus_costs_time_and_no_share(fault: str) -> None:
    world = World({"i2c:1": bus(20, 8, b20=fault, b8=fault)})
    async with world.mining() as relay:
        await asyncio.sleep(150)
        for name in ("b20", "b8"):
            # a job in text is 87 bytes: with bytes lost at random it seldom arrives whole, and only a whole one counts
            least = -1 if (name, fault) == ("b8", "lost-byte") else 5
            stats = world.board(relay, name).stats
            assert stats.good > least, stats
            # a job that lost a byte unnoticed is another job, without a nonce
            assert stats.bus_errors + stats.retries + stats.not_found > 0
    assert sum(m.rejected for m in world.pool.miners) == 0


async def test_three_refusals_in_a_row_stop_the_board() -> None:
    world = World(serial())
    world.pool.faults.add("bad")
    async with world.mining() as relay:
        await asyncio.sleep(60)
        (b,) = relay.view().boards
    assert b.state is BoardState.STOPPED
    assert (b.stats.bad, b.stats.good) == (3, 0)
    assert any("refused 3 shares in a row" in line for line in world.site.lines)


async def test_too_hard_jobs_are_refused() -> None:
    world = World(serial())
    world.pool.faults.add("hard-job")
    async with world.mining() as relay:
        await asyncio.sleep(60)
        (b,) = relay.view().boards
        assert b.state is BoardState.STOPPED
        assert "difficulty 1000000" in b.why
    assert world.pool.results == 0


async def test_a_tier_moved_too_high_is_left_by_a_new_connection() -> None:
    tiers = {"AVR": Tier(10, 0, 100, up="ESP"), "ESP": Tier(1500, 0, 1e9)}
    world = World(serial(), rules=Rules(tiers=tiers))
    async with world.mining() as relay:
        await asyncio.sleep(20)
        (b,) = relay.view().boards
        assert b.stats.bad >= 1
        assert b.stats.connects >= 2


class TestKey:
    async def test_a_wrong_one_mines_nothing(self) -> None:
        world = World(serial())
        world.pool.rules.keys["alice"] = "right"
        world.site.mining_key = "wrong"
        relay = Relay(world.plan(), world.site, world.servers, world)
        with pytest.raises(JobError, match="mining key of alice is wrong or missing"):
            await relay.run()
        assert world.servers.dialled == []
        assert world.site.views[-1].key is KeyCheck.WRONG
        assert "wrong" not in str(world.servers.asked)

    async def test_a_right_one_goes_to_the_pool(self) -> None:
        world = World(serial())
        world.pool.rules.keys["alice"] = "canary"
        world.site.mining_key = "canary"
        async with world.mining():
            await asyncio.sleep(10)
        assert world.servers.lines[0].sent[0] == b"JOB,alice,AVR,canary"
        assert "canary" not in str(world.site.views) + str(world.site.lines)

    async def test_one_that_is_not_needed_stays_here(self) -> None:
        world = World(serial())
        world.site.mining_key = "secret"
        async with world.mining():
            await asyncio.sleep(10)
        assert world.servers.lines[0].sent[0] == b"JOB,alice,AVR,None"

    async def test_nothing_mines_before_it_is_checked(self) -> None:
        world = World(serial())
        world.servers.rest_down = True
        async with world.mining() as relay:
            await asyncio.sleep(100)
            assert world.servers.dialled == []
            assert any("not checked yet" in words for words in relay.view().words)
            world.servers.rest_down = False
            await asyncio.sleep(100)
            assert relay.view().boards[0].stats.good > 5


class TestPool:
    async def test_dead_then_another_one(self) -> None:
        world = World(serial(), pools=2)
        first, second = world.pools
        async with world.mining() as relay:
            await asyncio.sleep(30)
            before = relay.view().boards[0].stats.good
            world.servers.down.add(first)
            world.servers.told = second
            world.servers.kick()
            died_s = asyncio.get_running_loop().time()
            while len(world.pools[second].miners) == 0:
                await asyncio.sleep(0.1)
            assert asyncio.get_running_loop().time() - died_s <= 30
            await asyncio.sleep(20)
            assert relay.view().boards[0].stats.good > before
            assert "7002" in relay.view().pool

    async def test_that_stalls_is_left(self) -> None:
        world = World(serial(), pools=2)
        first, second = world.pools
        async with world.mining():
            await asyncio.sleep(30)
            world.pools[first].faults.add("stall")
            world.servers.told = second
            began_s = asyncio.get_running_loop().time()
            while len(world.pools[second].miners) == 0:
                await asyncio.sleep(0.1)
            assert asyncio.get_running_loop().time() - began_s <= 30

    async def test_the_one_that_answers_is_chosen_though_the_server_names_the_dead_one(self) -> None:
        world = World(serial(), pools=2)
        first, second = world.pools
        async with world.mining() as relay:
            await asyncio.sleep(10)
            world.servers.told = second
            world.servers.down.add(first)
            world.servers.kick()
            await asyncio.sleep(40)
            assert "7002" in relay.view().pool
            world.servers.down = {second}
            world.servers.kick()
            await asyncio.sleep(60)
            assert "7001" in relay.view().pool

    async def test_no_tight_loop_when_nothing_answers(self) -> None:
        world = World(serial())
        world.servers.down.add(("127.0.0.1", 7001))
        async with world.mining():
            await asyncio.sleep(3600)
        times = [at for at, _, _ in world.servers.dialled]
        assert len(times) < 40
        assert min(b - a for a, b in itertools.pairwise(times)) >= 1.0
        assert world.servers.asked.count("/getPool") < 40

    @pytest.mark.parametrize(
        "fault", ["garbage", "endless", "half-job", "cut-verdict", "half-verdict", "refuse", "glued"]
    )
    async def test_that_breaks_the_protocol_costs_connections_only(self, fault: str) -> None:
        world = World(serial())
        world.pool.faults.add(fault)
        async with world.mining() as relay:
            await asyncio.sleep(120)
            world.pool.faults.clear()
            await asyncio.sleep(400)
            (b,) = relay.view().boards
            assert b.stats.good > 10
            assert b.stats.jobs == b.stats.shares + b.stats.lost + (b.job_s is not None)
        assert world.pool.duplicates == 0

    async def test_disconnects_lose_and_double_nothing(self) -> None:
        world = World(serial(), rules=Rules(5, 5, tiers={"AVR": Tier(1, 0, 1e6)}))
        async with world.mining(apart_s=0.6) as relay:
            for n in range(100):
                await asyncio.sleep(2.5 + 0.013 * (n % 40))
                world.servers.kick()
            await asyncio.sleep(5)
            (b,) = relay.view().boards
            stats = b.stats
            assert stats.jobs == stats.shares + stats.lost + (b.job_s is not None)
            assert stats.good > 50
            assert stats.connects > 90
        results = [
            line.sent[n] for line in world.servers.lines for n in range(len(line.sent)) if line.sent[n][:1] != b"J"
        ]
        assert len(results) == len(set(results)) or world.pool.duplicates == 0
        assert sum(m.rejected for m in world.pool.miners) == 0
        assert sum(m.accepted for m in world.pool.miners) >= stats.good


class TestSafety:
    async def test_simulated_boards_never_leave_loopback(self) -> None:
        world = World(serial())
        world.servers.told = ("198.51.100.20", 6043)
        world.pool.rest_server.told_pool = ("198.51.100.20", 6043)
        async with world.mining() as relay:
            await asyncio.sleep(60)
            (b,) = relay.view().boards
            assert b.state is BoardState.STOPPED
            assert "simulated boards mine on this computer" in b.why
        assert world.servers.dialled == []

    async def test_a_fixed_pool_is_no_way_around(self) -> None:
        world = World(serial())
        async with world.mining(pool="pool.example.org:6000") as relay:
            await asyncio.sleep(30)
            assert relay.view().boards[0].state is BoardState.STOPPED
        assert world.servers.dialled == []


class TestUnplugged:
    async def test_replugged_it_mines_within_ten_seconds_on_its_old_connection(self) -> None:
        world = World(serial())
        (bench,) = world.benches.values()
        async with world.mining() as relay:
            await asyncio.sleep(31)
            bench.plugged = False
            await asyncio.sleep(15)
            assert world.board(relay, "4.3").state is BoardState.AWAY
            assert "not plugged in" in world.board(relay, "4.3").why
            good = world.board(relay, "4.3").stats.good
            bench.plugged = True
            await asyncio.sleep(10)
            b = world.board(relay, "4.3")
            assert b.state.mining
            assert b.stats.good > good
            assert b.stats.connects == 1, "the board's fault costs no connection"
            assert b.stats.lost == 0


class TestOrders:
    async def test_boards_come_and_go_while_the_rest_runs(self) -> None:
        things = bus()
        world = World({"i2c:1": things})
        only = tuple(b for b in world.plan().board if b.name != "b8")
        async with world.mining(board=only) as relay:
            await asyncio.sleep(30)
            relay.steer(AddBoard(BoardPlan("late", "i2c:1:8")))
            relay.steer(DropBoard("b2"))
            relay.steer(PauseBoard("b20"))
            relay.steer(LimitBoard("b1", 3))
            done = world.board(relay, "b1").stats.shares
            await asyncio.sleep(60)
            assert world.board(relay, "late").stats.good > 5
            assert "b2" not in [b.name for b in relay.view().boards]
            assert world.board(relay, "b20").state is BoardState.PAUSED
            assert world.board(relay, "b1").state is BoardState.LIMIT
            assert world.board(relay, "b1").stats.shares - done == 3
            assert world.board(relay, "b50").stats.connects == 1
            assert relay.view().workers == 2
            paused = world.board(relay, "b20").stats.good
            relay.steer(ResumeBoard("b20"))
            relay.steer(ResetStats("b50"))
            assert world.board(relay, "b50").stats.shares == 0
            await asyncio.sleep(30)
            assert world.board(relay, "b20").stats.good > paused
            assert world.board(relay, "late").stats.since_s < world.board(relay, "b50").stats.since_s

    @pytest.mark.parametrize(
        ("order", "said"),
        [
            (DropBoard("x"), "has no board 'x'; there are: 4.3"),
            (AddBoard(BoardPlan("4.3", "i2c:1:8")), "has a board '4.3' already"),
            (AddBoard(BoardPlan("new", "serial:/dev/by-id/4.3")), "is taken by 4.3"),
            (LimitBoard("4.3", -1), "0 or more"),
        ],
    )
    async def test_what_cannot_be_is_said(self, order: DropBoard, said: str) -> None:
        world = World(serial())
        async with world.mining() as relay:
            with pytest.raises(JobError, match=said):
                relay.steer(order)

    async def test_the_limit_of_workers_is_said_before_it_costs(self) -> None:
        world = World(serial())
        async with world.mining(workers_elsewhere=4, worker_limit=5) as relay:
            await asyncio.sleep(40)
            (b,) = relay.view().boards
            assert b.worker == 5
            assert b.words[0] == "as worker 5 it is paid 96% (kolka: full pay up to 4)"
            assert any("5 of 5 workers are in use" in words for words in relay.view().words)
            assert any("one more would earn 92%" in words for words in relay.view().words)
            with pytest.raises(JobError, match="pools take 5 workers"):
                relay.steer(AddBoard(BoardPlan("new", "i2c:1:8")))

    async def test_a_pause_is_heard_while_a_board_is_away(self) -> None:
        world = World({"i2c:1": bus(1, b1="unplugged")})
        async with world.mining() as relay:
            await asyncio.sleep(250)
            relay.steer(PauseBoard("b1"))
            await asyncio.sleep(0.1)
            assert world.board(relay, "b1").state is BoardState.PAUSED


async def test_shares_under_way_are_judged_at_the_end() -> None:
    world = World(serial())
    async with world.mining():
        await asyncio.sleep(31)
    stats = world.site.views[-1].boards[0].stats
    assert stats.jobs == stats.shares
    assert world.taken == [], "ports are given back"


async def test_clones_with_one_chip_id_get_their_own() -> None:
    world = World({"serial:/dev/a": SketchBoard(seed=1), "serial:/dev/b": SketchBoard(seed=1)})
    async with world.mining() as relay:
        await asyncio.sleep(40)
        chips = [b.chip for b in relay.view().boards]
    assert len(set(chips)) == 2
    assert len({m.chip_id for m in world.pool.miners}) == 2


async def test_the_balance_is_read_within_the_servers_limits() -> None:
    world = World(serial())
    async with world.mining() as relay:
        await asyncio.sleep(600)
        rows = relay.view().balance
    assert 38 <= world.servers.asked.count("/users/alice") <= 41
    assert rows[-1].minute_mduco is not None
    assert rows[-1].minute_mduco > 0
    assert rows[-1].miners == 1
    assert world.pool.rest_server.strikes == 0


async def test_a_user_that_does_not_exist_is_asked_once() -> None:
    world = World(serial())
    async with world.mining(user="malice") as relay:
        await asyncio.sleep(600)
        assert world.servers.asked.count("/users/malice") == 1
        assert any("balance is not shown" in words for words in relay.view().words)
