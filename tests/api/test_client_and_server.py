"""The client is the same Link as what stands behind the server."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from minertui.api import client as client_module
from minertui.api.client import ApiClient
from minertui.api.server import ApiServer, serve
from minertui.model.commands import (
    ClearOverheat,
    Command,
    Identify,
    Order,
    OutcomeState,
    Pause,
    Rank,
    Restart,
    Resume,
    SetFan,
    SetPools,
    Tune,
)
from minertui.model.errors import (
    ConfigError,
    DeviceError,
    JobError,
    LinkError,
    MinertuiError,
    Preempted,
    Refused,
    Unreachable,
    Unsupported,
)
from minertui.model.events import LogLine, Numbered, Whole
from minertui.model.history import MinerEntry
from minertui.model.plans import GuardPlan, Limits, SweepPlan
from minertui.model.relay import (
    AddBoard,
    BoardPlan,
    Dialect,
    DropBoard,
    LimitBoard,
    PauseBoard,
    RelayPlan,
    ResetStats,
    ResumeBoard,
)
from minertui.model.seams import FaultConsole, Link
from minertui.model.status import PoolSetting
from tests.api.fake_link import FakeLink

ODD = "a b?c#d%2é"
CALLS: list[tuple[str, Callable[[Any], Awaitable[Any]]]] = [
    ("send", lambda link: link.send(Order("1", ODD, Tune(575, 1150), confirmed=True))),
    ("commands", lambda link: link.commands(5)),
    ("start", lambda link: link.start(SweepPlan(ODD, step_mv=10))),
    ("start", lambda link: link.start(GuardPlan(ODD, low_mhz=410))),
    ("start", lambda link: link.start(RelayPlan(ODD))),
    ("stop", lambda link: link.stop(f"sweep:{ODD}")),
    ("forget", lambda link: link.forget(f"sweep:{ODD}")),
    ("plans", lambda link: link.plans(ODD)),
    ("steer", lambda link: link.steer(f"relay:{ODD}", AddBoard(BoardPlan(ODD, "i2c:1:20", Dialect.A)))),
    ("steer", lambda link: link.steer(f"relay:{ODD}", DropBoard(ODD))),
    ("steer", lambda link: link.steer(f"relay:{ODD}", PauseBoard(ODD))),
    ("steer", lambda link: link.steer(f"relay:{ODD}", ResumeBoard(ODD))),
    ("steer", lambda link: link.steer(f"relay:{ODD}", LimitBoard(ODD, None))),
    ("steer", lambda link: link.steer(f"relay:{ODD}", ResetStats())),
    ("clear", lambda link: link.clear(ODD)),
    ("history", lambda link: link.history(ODD, ["power_w", "chip_temp_c"], 1.5, 2.5, 50)),
    ("history", lambda link: link.history("attic/pro mini 1 % ?", ["board_hs"], 1.5, 2.5, 50)),
    ("sweeps", lambda link: link.sweeps()),
    ("sweeps", lambda link: link.sweeps(ODD)),
    ("sweeps", lambda link: link.sweeps(ODD, 7, 1_700_000_000.125)),
    ("log", lambda link: link.log()),
    ("log", lambda link: link.log(f"sweep:{ODD}", 3)),
    ("follow", lambda link: link.follow(ODD, True)),
    ("acknowledge", lambda link: link.acknowledge(f"lost:{ODD}")),
    ("acknowledge", lambda link: link.acknowledge("board-away:attic/pro mini 1 % ?")),
    ("save_miner", lambda link: link.save_miner(MinerEntry(ODD, "10.0.0.1", limits=Limits(max_mv=1200)))),
    ("save_miner", lambda link: link.save_miner(MinerEntry("new", "10.0.0.1"), ODD)),
    ("remove_miner", lambda link: link.remove_miner(ODD)),
    ("miners", lambda link: link.miners()),
    ("discover", lambda link: link.discover(["10.0.0.0/24"])),
    ("faults", lambda link: link.faults()),
    ("faults_on", lambda link: link.faults_on("garage")),
    ("fault", lambda link: link.fault(ODD, "hang", False)),
    ("shutdown", lambda link: link.shutdown()),
]


@pytest.mark.parametrize(("name", "call"), CALLS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(CALLS)])
async def test_every_call_arrives_and_answers_as_if_direct(
    client: ApiClient, link: FakeLink, name: str, call: Callable[[Link], Awaitable[Any]]
) -> None:
    direct = FakeLink()
    expected = await call(direct)
    answer = await call(client)
    assert (list(answer) if isinstance(answer, tuple) else answer) == expected
    assert link.calls == direct.calls
    assert link.calls[0][0] == name


async def test_an_engine_of_real_miners_has_no_faults_to_switch(socket_path: Path) -> None:
    class Real:
        """Every call of a Link, and no more."""

        def __init__(self, fake: FakeLink) -> None:
            for name in [*_calls(Link)]:
                setattr(self, name, getattr(fake, name))

    fake = FakeLink()
    server = await serve(Real(fake), socket_path=socket_path)  # type: ignore[arg-type]
    client = ApiClient(socket_path)
    for asked in (client.faults(), client.fault("garage", "hang", True)):
        with pytest.raises(Unsupported, match="its miners are real"):
            await asked
    assert fake.calls == []
    await client.close()
    await server.close()


def _calls(seam: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(seam, inspect.isfunction) if not name.startswith("_")}


def test_no_call_of_the_link_is_missing_here() -> None:
    wanted = _calls(Link) | _calls(FaultConsole)
    assert wanted - {name for name, _ in CALLS} == {"watch", "close"}


@pytest.mark.parametrize(
    "command",
    [
        Tune(),
        SetFan(auto=True, target_c=60),
        SetPools((PoolSetting("p", 1, "u", "secret", extra={"a": 1}),)),
        Restart(),
        Pause(),
        Resume(),
        Identify(),
        ClearOverheat(),
    ],
)
async def test_every_command_arrives(client: ApiClient, link: FakeLink, command: Command) -> None:
    order = Order("1", "garage", command, by="test", rank=Rank.CURTAILMENT, dry_run=True)
    record = await client.send(order)
    assert record.order == order
    assert record.outcome.state is OutcomeState.DRY_RUN
    assert link.calls == [("send", order)]


@pytest.mark.parametrize(
    "error",
    [
        MinertuiError("no miner named “x”; there are garage, attic"),
        ConfigError("miner[1].name: taken"),
        DeviceError("garage", "odd"),
        Unreachable("garage", "no answer within 5 s"),
        Refused("garage", "says no"),
        Unsupported("garage", "cannot pause"),
        JobError("a sweep runs already"),
        Preempted("a person took garage"),
        LinkError("the engine is going down"),
    ],
)
async def test_errors_arrive_as_they_were(client: ApiClient, link: FakeLink, error: MinertuiError) -> None:
    link.fails = error
    with pytest.raises(type(error)) as caught:
        await client.miners()
    assert type(caught.value) is type(error)
    assert str(caught.value) == str(error)


class TestWatch:
    async def test_whole_then_changes(self, client: ApiClient, link: FakeLink) -> None:
        stream = client.watch()
        assert await anext(stream) == Whole(link.fleet)
        line = LogLine("garage", "one\u2028two", 1.0)
        await link.push(line)
        assert await anext(stream) == Numbered(8, line)
        await stream.aclose()
        await _until(lambda: link.watchers == 0)

    async def test_goes_on_after_a_break(self, link: FakeLink, socket_path: Path, quick: None) -> None:
        first = await serve(link, socket_path=socket_path)
        client = ApiClient(socket_path)
        breaks: list[str] = []
        client.on_break(lambda error: breaks.append(str(error)))
        stream = client.watch()
        assert isinstance(await anext(stream), Whole)
        assert breaks == []
        await first.close()
        await link.push(LogLine("garage", "in the gap", 1.0))
        second = await serve(link, socket_path=socket_path)
        message = await anext(stream)
        assert isinstance(message, Numbered)
        assert message.version == 8
        assert link.calls == [("watch", None), ("watch", 7)]
        assert "ended the stream" in breaks[0]  # who shows a fleet knows it before the attempts are over
        await stream.aclose()
        await client.close()
        await second.close()

    async def test_asks_for_the_whole_when_something_is_missing(
        self, client: ApiClient, link: FakeLink, quick: None
    ) -> None:
        stream = client.watch()
        await anext(stream)
        await link.push(LogLine("garage", "lost", 1.0))
        link.events.clear()
        await link.push(LogLine("garage", "seen", 1.0))
        assert await anext(stream) == Whole(link.fleet)
        await stream.aclose()

    async def test_says_so_when_the_engine_stays_away(self, link: FakeLink, socket_path: Path, quick: None) -> None:
        server = await serve(link, socket_path=socket_path)
        client = ApiClient(socket_path)
        stream = client.watch()
        await anext(stream)
        await server.close()
        with pytest.raises(LinkError, match="no engine is running"):
            await anext(stream)
        await client.close()

    async def test_silence_is_a_broken_connection(
        self, server: ApiServer, socket_path: Path, link: FakeLink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client_module, "RETRIES_S", (0.01,) * 1000)
        client = ApiClient(socket_path)
        stream = client.watch()
        await anext(stream)
        client._silence_s = 0.05  # from now on
        waiting = asyncio.ensure_future(anext(stream))
        await _until(lambda: len(link.calls) > 2)  # it connects anew, again and again
        waiting.cancel()
        await asyncio.wait([waiting])
        await _until(lambda: link.watchers == 0)
        await client.close()


async def test_no_engine_at_all(socket_path: Path) -> None:
    client = ApiClient(socket_path)
    with pytest.raises(LinkError, match=r"no engine is running at .*e\.sock; start it with"):
        await client.health()
    with pytest.raises(LinkError, match="no engine is running"):
        await anext(client.watch())
    await client.close()


async def test_an_order_without_an_answer_is_not_sent_again(
    client: ApiClient, link: FakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    link.gate = asyncio.Event()
    timeout, patience = asyncio.timeout, asyncio.timeout(None)
    monkeypatch.setattr(asyncio, "timeout", lambda s: patience if s == client_module.LONG_S else timeout(s))
    sending = asyncio.create_task(client.send(Order("1", "garage", Restart())))
    await _until(lambda: bool(link.calls))
    patience.reschedule(0.0)  # it has run out
    with pytest.raises(LinkError, match="look into the command log"):
        await sending
    link.gate.set()
    await _until(lambda: link.done == ["1"])
    assert len(link.calls) == 1


async def test_an_order_that_has_begun_survives_the_closing_door(
    link: FakeLink, socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minertui.api.server._CLOSE_S", 0)
    server = await serve(link, socket_path=socket_path)
    client = ApiClient(socket_path)
    link.gate = asyncio.Event()
    sending = asyncio.create_task(client.send(Order("1", "garage", Restart())))
    await _until(lambda: bool(link.calls))
    await server.close()
    link.gate.set()
    await _until(lambda: link.done == ["1"])
    with pytest.raises(LinkError):
        await sending
    await client.close()


async def test_health_and_fleet(client: ApiClient, link: FakeLink) -> None:
    assert (await client.health()).api == 1
    assert await client.fleet() == link.fleet
    await _until(lambda: link.watchers == 0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "RETRIES_S", (0.01,) * 5)


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)
