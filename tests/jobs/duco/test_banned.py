"""Ten error answers of the master server in an hour ban this address for an hour: it is left alone for so long."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from minertui.jobs.duco_relay.account import Account
from minertui.jobs.duco_relay.pools import Pools
from minertui.model.errors import MinertuiError
from minertui.model.relay import RelayPlan
from tests.jobs.duco.world import Site

pytestmark = pytest.mark.looptime

PLAN = RelayPlan("rig", user="alice", rest="http://127.0.0.1:1", balance_s=900)


class Refusing:
    """A master server that answers everything with this status; ``asked_s``: when it was asked."""

    def __init__(self, status: int) -> None:
        self.status, self.asked_s = status, list[float]()

    async def ask(self, url: str, *, loopback: bool) -> tuple[int, bytes]:
        self.asked_s.append(asyncio.get_running_loop().time())
        return self.status, b""

    async def dial(self, host: str, port: int, *, loopback: bool) -> None:
        raise AssertionError

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("status", [403, 429])
async def test_who_is_banned_says_for_how_long_it_waits_and_asks_for_no_pool_meanwhile(status: int):
    server = Refusing(status)
    account = Account(PLAN, Site(), server)  # type: ignore[arg-type]
    checking = asyncio.ensure_future(account.check_key(lambda: False, lambda: None))
    await asyncio.sleep(1)
    assert account.words[0].endswith("asked again in 3600 s")
    await asyncio.sleep(3500)
    assert len(server.asked_s) == 1
    checking.cancel()

    server = Refusing(status)
    pools = Pools(PLAN, Site(), server)  # type: ignore[arg-type]
    for _ in range(3):
        with pytest.raises(MinertuiError):
            await pools.connect(loopback=False)
    assert [round(later - first) for first, later in pairwise(server.asked_s)] == [3600, 3600]


async def test_a_balance_that_is_seldom_read_is_not_asked_for_more_often_when_that_fails():
    server = Refusing(200)
    account = Account(PLAN, Site(), server)  # type: ignore[arg-type]
    watching = asyncio.ensure_future(account.watch(lambda: False, lambda: None))
    await asyncio.sleep(3500)
    watching.cancel()
    assert len(server.asked_s) <= 4
