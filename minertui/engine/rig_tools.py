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
from minertui.jobs.duco_relay.speech import FIRST_ATTINY, Speech, listen
from minertui.model.account import AccountMiner, BalanceRow
from minertui.model.errors import ConfigError, DeviceError, Refused, Unreachable
from minertui.model.relay import BoardPlan, Dialect, Wire, place_of
from minertui.model.seams import Clock
from minertui.wire.duco import dialect, i2c_a, rest
from minertui.wire.duco.exchange import Detected, Solved
from minertui.wire.duco.hash import Job

_DIFFICULTY = 5
_RESTART_S = 1.0
_LAST = 99  # the command has two digits


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


async def readdress(at: str, new: int, clock: Clock, open_way: Way = way) -> str:
    """Give the board of dialect A at ``at`` another address, kept in its EEPROM; where it is now. Raises ConfigError
    for a place or address that cannot be meant, DeviceError when a board is there already, or this one cannot."""
    old = place_of(at)
    there = place_of(f"{old.wire}:{old.way}:{new}") if old.wire is Wire.I2C else None
    if there is None:
        raise ConfigError(f"{at}: only boards on an I2C bus of this computer can be told another address")
    buses = Buses(open_way, clock)
    watching = asyncio.ensure_future(buses.watch())
    bench = buses.take(old)
    try:
        found = await listen(bench, old, BoardPlan(at, at), afresh=False, sleep=clock.sleep)
        _may_have(found, at, new)
        if isinstance((await bench.do(new, dialect.detect())).outcome, Detected):
            raise Refused(at, f"another board answers at address {new} already")
        await bench.do(old.address, i2c_a.set_address(new))
        await clock.sleep(_RESTART_S)
        moved = await listen(bench, there, BoardPlan(at, at), afresh=False, sleep=clock.sleep)
        if moved.chip != found.chip:
            raise Refused(
                at, f"another board answers at address {new} now; give each board its address alone on the bus"
            )
        return f"{there.key}:{new}"
    finally:
        buses.release(old)
        watching.cancel()


def _may_have(found: Speech, at: str, new: int) -> None:
    tiny = "ATtiny" in found.what
    if found.dialect is not Dialect.A:
        raise Refused(at, f"a board of dialect {found.dialect.upper()} has its address in its sketch: change it there")
    if not (FIRST_ATTINY <= new <= _LAST if tiny else 1 <= new < FIRST_ATTINY):
        kind, range_ = (
            ("an ATtiny85", f"{FIRST_ATTINY} to {_LAST}") if tiny else ("a Pro Mini", f"1 to {FIRST_ATTINY - 1}")
        )
        raise Refused(at, f"{kind} has an address from {range_}: by its address the two are told apart")


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
