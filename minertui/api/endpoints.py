"""Every address of the API: one row each, from which routing, checking and the OpenAPI document follow."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from minertui.api.shapes import (
    EngineHealth,
    Fault,
    Follow,
    HistoryQuery,
    LogQuery,
    Networks,
    Newest,
    Nothing,
    RequestError,
    SweepsQuery,
)
from minertui.model.alerts import Alert
from minertui.model.commands import CommandRecord, Order, Rank
from minertui.model.errors import LinkError, Unsupported
from minertui.model.events import LogLine, Whole
from minertui.model.fleet import Fleet
from minertui.model.history import Found, MinerEntry, Series, Templates
from minertui.model.plans import JobState, Plan, SweepRecord
from minertui.model.relay import BoardOrder
from minertui.model.seams import FaultConsole, Link

SHUTDOWN_S = 0.5
"""So long a shutdown may object before it counts as accepted."""


class Call(msgspec.Struct, frozen=True):
    """A checked request: path parameters, query and body in their types."""

    path: Mapping[str, str]
    query: Any
    body: Any


class Endpoint(msgspec.Struct, frozen=True):
    """One row. ``answer`` None: 204 without a body. ``body`` None: a GET or DELETE."""

    method: str
    path: str
    what: str
    run: Callable[[Link, Call], Awaitable[Any]]
    answer: Any = None
    body: Any = None
    query: type[msgspec.Struct] = Nothing

    @property
    def status(self) -> int:
        """The HTTP status when all went well."""
        return 200 if self.answer is not None else 204


async def _health(_: Link, __: Call) -> EngineHealth:
    return EngineHealth(pid=os.getpid())


async def _fleet(link: Link, _: Call) -> Fleet:
    async for message in link.watch():
        if isinstance(message, Whole):
            return message.fleet
    raise LinkError("the engine is going down")


async def _send(link: Link, call: Call) -> CommandRecord:
    order: Order = call.body
    if order.rank < Rank.PERSON:
        raise RequestError("the rank “safety” belongs to the engine; use 1 (person) or lower", 403)
    if not order.id:
        raise RequestError("give the order an id of your own; the same id twice is one order")
    return await link.send(order)


async def _commands(link: Link, call: Call) -> Sequence[CommandRecord]:
    return await link.commands(call.query.limit)


async def _start(link: Link, call: Call) -> JobState:
    return await link.start(call.body)


async def _stop(link: Link, call: Call) -> JobState:
    return await link.stop(call.path["id"])


async def _forget(link: Link, call: Call) -> None:
    await link.forget(call.path["id"])


async def _plans(link: Link, call: Call) -> Templates:
    return await link.plans(call.path["name"])


async def _steer(link: Link, call: Call) -> JobState:
    return await link.steer(call.path["id"], call.body)


async def _clear(link: Link, call: Call) -> None:
    await link.clear(call.path["name"])


async def _history(link: Link, call: Call) -> Series:
    query: HistoryQuery = call.query
    metrics = [name for name in query.metrics.split(",") if name]
    device = f"{call.path['name']}/{query.board}" if query.board else call.path["name"]
    return await link.history(device, metrics, query.since_s, query.until_s, query.points)


async def _sweeps(link: Link, call: Call) -> Sequence[SweepRecord]:
    query: SweepsQuery = call.query
    return await link.sweeps(query.device, query.limit, query.before_s)


async def _log(link: Link, call: Call) -> Sequence[LogLine]:
    return await link.log(call.query.source, call.query.limit)


async def _follow(link: Link, call: Call) -> None:
    await link.follow(call.path["name"], call.body.on)


async def _acknowledge(link: Link, call: Call) -> Alert:
    return await link.acknowledge(call.path["id"])


async def _miners(link: Link, _: Call) -> Sequence[MinerEntry]:
    return await link.miners()


async def _add_miner(link: Link, call: Call) -> None:
    await link.save_miner(call.body)


async def _change_miner(link: Link, call: Call) -> None:
    await link.save_miner(call.body, call.path["name"])


async def _remove_miner(link: Link, call: Call) -> None:
    await link.remove_miner(call.path["name"])


async def _discover(link: Link, call: Call) -> Sequence[Found]:
    return await link.discover(call.body.networks)


def _console(link: Link) -> FaultConsole:
    if not isinstance(link, FaultConsole):
        raise Unsupported("the engine", "its miners are real; faults are for the demo's simulated ones")
    return link


async def _faults(link: Link, _: Call) -> Mapping[str, str]:
    return await _console(link).faults()


async def _faults_on(link: Link, call: Call) -> Sequence[str]:
    return await _console(link).faults_on(call.path["name"])


async def _fault(link: Link, call: Call) -> None:
    await _console(link).fault(call.path["name"], call.body.name, call.body.on)


_ending: set[asyncio.Future[None]] = set()


async def _shutdown(link: Link, _: Call) -> None:
    """The answer goes out before the engine's door closes: restoring may take minutes and needs no listener."""
    ending = asyncio.ensure_future(link.shutdown())
    _ending.add(ending)
    ending.add_done_callback(_ending.discard)
    done, _waiting = await asyncio.wait([ending], timeout=SHUTDOWN_S)
    for future in done:
        future.result()


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/health", "Is the engine there?", _health, EngineHealth),
    Endpoint("GET", "/v1/fleet", "Everything known now", _fleet, Fleet),
    Endpoint("POST", "/v1/commands", "Tell a device something", _send, CommandRecord, Order),
    Endpoint(
        "GET", "/v1/commands", "The command log, newest first", _commands, tuple[CommandRecord, ...], query=Newest
    ),
    Endpoint("POST", "/v1/jobs", "Start a sweep, a guard or a rig", _start, JobState, Plan),
    Endpoint("DELETE", "/v1/jobs/{id}", "Ask a job to end; it restores in its own time", _stop, JobState),
    Endpoint("POST", "/v1/jobs/{id}/forget", "An ended job leaves the fleet", _forget, body=Nothing),
    Endpoint("GET", "/v1/devices/{name}/plans", "What a sweep and a guard start from", _plans, Templates),
    Endpoint("POST", "/v1/jobs/{id}/boards", "Tell a running rig about a board", _steer, JobState, BoardOrder),
    Endpoint("POST", "/v1/devices/{name}/clear", "A person clears a parked device", _clear, body=Nothing),
    Endpoint("GET", "/v1/devices/{name}/history", "Metrics over time", _history, Series, query=HistoryQuery),
    Endpoint("POST", "/v1/devices/{name}/follow", "Keep the miner's own log stream open", _follow, body=Follow),
    Endpoint("GET", "/v1/sweeps", "Sweeps kept, newest first", _sweeps, tuple[SweepRecord, ...], query=SweepsQuery),
    Endpoint("GET", "/v1/log", "The newest log lines, oldest first", _log, tuple[LogLine, ...], query=LogQuery),
    Endpoint("POST", "/v1/alerts/{id}/acknowledge", "Somebody has seen it", _acknowledge, Alert, Nothing),
    Endpoint("GET", "/v1/miners", "The miners of the config file", _miners, tuple[MinerEntry, ...]),
    Endpoint("POST", "/v1/miners", "Add a miner to the config file", _add_miner, body=MinerEntry),
    Endpoint("PUT", "/v1/miners/{name}", "Change a miner of the config file", _change_miner, body=MinerEntry),
    Endpoint("DELETE", "/v1/miners/{name}", "Take a miner out of the config file", _remove_miner),
    Endpoint(
        "POST", "/v1/discover", "Find miners: mDNS and the networks named", _discover, tuple[Found, ...], Networks
    ),
    Endpoint("GET", "/v1/faults", "What can go wrong with a demo's miners, by name", _faults, dict[str, str]),
    Endpoint("GET", "/v1/devices/{name}/faults", "What goes wrong at one miner of a demo", _faults_on, tuple[str, ...]),
    Endpoint("POST", "/v1/devices/{name}/faults", "Let something go wrong in a demo", _fault, body=Fault),
    Endpoint("POST", "/v1/shutdown", "Restore what must be restored, then end the engine", _shutdown, body=Nothing),
)
