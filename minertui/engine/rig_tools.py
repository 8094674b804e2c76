"""What can be done with boards and accounts without a rig: measure a board, read a balance, find boards."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable

import msgspec

from minertui.engine.rig_ways import servers, way
from minertui.jobs.duco_relay import Buses, Way
from minertui.jobs.duco_relay.account import told
from minertui.jobs.duco_relay.balance import Performance
from minertui.jobs.duco_relay.seams import Outside
from minertui.jobs.duco_relay.speech import Speech, listen
from minertui.model.account import AccountMiner, BalanceRow
from minertui.model.errors import DeviceError, Unreachable
from minertui.model.relay import BoardPlan, place_of
from minertui.model.seams import Clock
from minertui.wire.duco import rest
from minertui.wire.duco.exchange import Solved
from minertui.wire.duco.hash import Job

_DIFFICULTY = 5


class Measured(msgspec.Struct, frozen=True):
    """How a board did. ``handover_s``: mean; ``errors``: on the wire, all jobs."""

    what: str
    chip: str | None
    right: int
    rate_hs: float | None
    handover_s: float
    errors: int


async def measure(at: str, jobs: int, clock: Clock, open_way: Way = way) -> Measured:
    """Give the board at ``at`` so many jobs of difficulty 5. Raises ConfigError for a place that is none, DeviceError
    for a board that does not answer. No pool is asked."""
    place = place_of(at)
    buses = Buses(open_way, clock)
    watching = asyncio.ensure_future(buses.watch())
    bench = buses.take(place)
    try:
        speech = await listen(bench, place, BoardPlan(at, at), afresh=False, sleep=clock.sleep)
        right = nonces = errors = 0
        calc_s = handover_s = 0.0
        for n in range(jobs):
            done = await bench.do(place.address, speech.solve(_job(n), nonces / calc_s if calc_s else None, True))
            errors += done.tally.bus_errors + done.tally.bad_answers
            handover_s += done.handover_s
            if isinstance(done.outcome, Solved):
                right += 1
                nonces += done.outcome.nonce
                calc_s += (done.outcome.elapsed_us or 0) / 1e6
        return Measured(speech.what, speech.chip, right, nonces / calc_s if calc_s else None, handover_s / jobs, errors)
    except Unreachable as error:
        raise Unreachable(at, error.message) from error
    finally:
        buses.release(place)
        watching.cancel()


async def identify(at: str, clock: Clock, open_way: Way = way) -> Speech:
    """What sits at ``at``. Raises DeviceError."""
    place = place_of(at)
    buses = Buses(open_way, clock)
    watching = asyncio.ensure_future(buses.watch())
    bench = buses.take(place)
    try:
        return await listen(bench, place, BoardPlan(at, at), afresh=False, sleep=clock.sleep)
    finally:
        buses.release(place)
        watching.cancel()


async def balances(
    user: str, server: str, every_s: float, clock: Clock, outside: Callable[[], Outside] = servers
) -> AsyncIterator[tuple[BalanceRow, tuple[AccountMiner, ...]]]:
    """The user's balance and miners, again and again. Raises DeviceError at the first "no": each is a strike at the
    server."""
    performance, asking = Performance(), outside()
    with contextlib.suppress(asyncio.CancelledError):
        try:
            while True:
                began_s = clock.mono()
                try:
                    status, body = await asking.ask(server + rest.users_path(user), loopback=False)
                    account = rest.parse_users(body, status)
                except DeviceError as error:
                    raise type(error)(user, error.message) from error
                now_s = clock.mono()
                yield performance.take(now_s, clock.wall(), account, now_s - began_s), told(account)
                await clock.sleep(every_s)
        finally:
            await asking.close()


def _job(n: int) -> Job:
    """Job number ``n``: nonces spread over the whole range."""
    last = hashlib.sha1(f"bench {n}".encode(), usedforsecurity=False).hexdigest()
    nonce = 1 + (n * 197 + 250) % (100 * _DIFFICULTY)
    return Job(last, hashlib.sha1(f"{last}{nonce}".encode(), usedforsecurity=False).hexdigest(), _DIFFICULTY)
