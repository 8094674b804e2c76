"""The event stream as any program sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import msgspec
import pytest

from minertui.api import stream as stream_module
from minertui.api.server import ApiServer
from minertui.api.shapes import Heartbeat, StreamLine
from minertui.api.stream import EventStream, messages
from minertui.model.errors import LinkError
from minertui.model.events import LogLine, Message, Numbered, Whole
from tests.api.fake_link import FakeLink

LINE = LogLine("garage", "hello", 1.0)


def parsed(text: str | bytes) -> StreamLine:
    line: StreamLine = msgspec.json.decode(text, type=StreamLine)
    return line


async def test_lines_of_json(http: httpx2.AsyncClient, link: FakeLink) -> None:
    async with http.stream("GET", "/v1/events") as answer:
        assert answer.headers["content-type"] == "application/x-ndjson"
        lines = answer.aiter_lines()
        assert parsed(await anext(lines)) == Whole(link.fleet)
        await link.push(LINE)
        assert parsed(await anext(lines)) == Numbered(8, LINE)


async def test_after_says_where_to_go_on(http: httpx2.AsyncClient, link: FakeLink) -> None:
    await link.push(LINE)
    async with http.stream("GET", "/v1/events?after=7") as answer:
        assert parsed(await anext(answer.aiter_lines())) == Numbered(8, LINE)


async def test_a_caller_that_is_up_to_date_hears_a_heartbeat_at_once(http: httpx2.AsyncClient) -> None:
    async with asyncio.timeout(20), http.stream("GET", "/v1/events?after=7") as answer:
        assert parsed(await anext(answer.aiter_lines())) == Heartbeat()


async def test_an_engine_that_goes_down_ends_the_stream(
    http: httpx2.AsyncClient, server: ApiServer, link: FakeLink
) -> None:
    async with http.stream("GET", "/v1/events") as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        async with asyncio.timeout(20):
            await server.close()
        assert await anext(lines, "the end") == "the end"
    assert link.watchers == 0


async def test_an_engine_that_says_no_says_why(http: httpx2.AsyncClient, link: FakeLink) -> None:
    link.fails = LinkError("the engine is going down")
    answer = await http.get("/v1/events")
    assert answer.status_code == 503
    assert answer.json() == {"error": "the engine is going down", "kind": "LinkError"}


def test_a_link_that_cannot_resume_starts_with_the_whole() -> None:
    class Plain:
        def watch(self) -> str:
            return "from the start"

    assert messages(Plain(), 7) == "from the start"  # type: ignore[arg-type,comparison-overlap]


class Reader:
    """An ASGI caller. ``slow``: it takes the start and then nothing."""

    def __init__(self, slow: bool = False) -> None:
        self.got: list[dict[str, Any]] = []
        self.slow, self.left = slow, asyncio.Event()

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message) -> None:
        self.got.append(message)
        if self.slow and len(self.got) > 1:
            await asyncio.Event().wait()


async def source(*given: Message, closed: list[str] | None = None) -> AsyncIterator[Message]:
    try:
        for message in given:
            yield message
        await asyncio.Event().wait()
    finally:
        if closed is not None:
            closed.append("closed")


@pytest.fixture
def whole() -> Whole:
    return Whole(FakeLink().fleet)


async def test_silence_is_filled_with_heartbeats(whole: Whole) -> None:
    reader = Reader()
    stream = EventStream(source(whole), asyncio.Event(), heartbeat_s=0.01)
    task = asyncio.ensure_future(stream({}, reader.receive, reader.send))
    async with asyncio.timeout(20):
        while len(reader.got) < 5:
            await asyncio.sleep(0.005)
    reader.left.set()
    await task
    assert [parsed(m["body"]) for m in reader.got[2:5]] == [Heartbeat()] * 3


async def test_a_slow_reader_is_dropped(whole: Whole) -> None:
    reader = Reader(slow=True)
    stream = EventStream(source(whole), asyncio.Event(), send_s=0.02)
    async with asyncio.timeout(20):
        await stream({}, reader.receive, reader.send)
    assert len(reader.got) == 2, "no end is told: the connection is cut"


@pytest.mark.looptime
async def test_the_whole_of_a_large_fleet_may_take_its_time(whole: Whole) -> None:
    class Phone(Reader):
        async def send(self, message) -> None:
            await super().send(message)
            await asyncio.sleep(30)

    reader = Phone()
    task = asyncio.ensure_future(EventStream(source(whole), asyncio.Event())({}, reader.receive, reader.send))
    await asyncio.sleep(120)
    assert len(reader.got) > 2, "it would be asked for anew, and never be through"
    reader.left.set()
    await task


async def test_what_happens_together_travels_together(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "GATHER_S", 0.0)
    many = [Numbered(n, LINE) for n in range(8, 88)]
    reader = Reader()
    task = asyncio.ensure_future(EventStream(source(whole, *many), asyncio.Event())({}, reader.receive, reader.send))
    async with asyncio.timeout(20):
        while len(reader.got) < 2:
            await asyncio.sleep(0.005)
    reader.left.set()
    await task
    assert [parsed(line) for line in reader.got[1]["body"].splitlines()] == [whole, *many]
    assert [m["body"] for m in reader.got[2:]] == [b""]


async def test_after_news_the_caller_rests_a_little(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "GATHER_S", 0.04)
    taken_s: list[float] = []
    more = asyncio.Event()

    async def three() -> AsyncIterator[Message]:
        yield whole
        await more.wait()
        yield Numbered(8, LINE)
        await asyncio.sleep(0)
        yield Numbered(9, LINE)

    class Timed(Reader):
        async def send(self, message) -> None:
            await super().send(message)
            taken_s.append(asyncio.get_running_loop().time())
            more.set()

    reader = Timed()
    async with asyncio.timeout(20):
        await EventStream(three(), asyncio.Event())({}, reader.receive, reader.send)
    start, first, rest, end = reader.got
    assert parsed(first["body"]) == whole
    assert [parsed(line) for line in rest["body"].splitlines()] == [Numbered(8, LINE), Numbered(9, LINE)]
    assert taken_s[2] - taken_s[1] >= 0.04
    assert (start["status"], end["body"]) == (200, b"")


async def test_a_link_is_not_emptied_for_a_caller_who_does_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "AHEAD", 4)
    asked = 0

    async def endless() -> AsyncIterator[Message]:
        nonlocal asked
        while True:
            asked += 1
            yield Numbered(asked, LINE)

    reader = Reader(slow=True)
    async with asyncio.timeout(20):
        await EventStream(endless(), asyncio.Event(), send_s=0.02)({}, reader.receive, reader.send)
    assert len(reader.got[1]["body"].splitlines()) == 4
    assert asked == 8, "as many again wait behind those that are being sent"


async def test_a_link_that_fails_midway_cuts_the_connection(whole: Whole) -> None:
    async def breaks() -> AsyncIterator[Message]:
        yield whole
        raise LinkError("the engine is going down")

    reader = Reader()
    async with asyncio.timeout(20):
        await EventStream(breaks(), asyncio.Event())({}, reader.receive, reader.send)
    assert [parsed(m["body"]) for m in reader.got[1:]] == [whole], "what was known is sent, and no end"


async def test_the_last_words_of_an_engine_that_ends_arrive(whole: Whole) -> None:
    """How the jobs ended is published the moment before the doors close."""
    closing, more = asyncio.Event(), asyncio.Event()

    async def ends() -> AsyncIterator[Message]:
        yield whole
        await more.wait()
        yield Numbered(8, LINE)
        await asyncio.Event().wait()

    reader = Reader()
    task = asyncio.ensure_future(EventStream(ends(), closing)({}, reader.receive, reader.send))
    async with asyncio.timeout(20):
        while len(reader.got) < 2:
            await asyncio.sleep(0.001)
        more.set()
        closing.set()
        await task
    _, first, last, end = reader.got
    assert [parsed(m["body"]) for m in (first, last)] == [whole, Numbered(8, LINE)]
    assert end["body"] == b""


async def test_a_caller_that_leaves_is_let_go(whole: Whole) -> None:
    reader, closed = Reader(), list[str]()
    task = asyncio.ensure_future(
        EventStream(source(whole, closed=closed), asyncio.Event())({}, reader.receive, reader.send)
    )
    async with asyncio.timeout(20):
        while len(reader.got) < 2:
            await asyncio.sleep(0.005)
        reader.left.set()
        await task
        while not closed:
            await asyncio.sleep(0.005)
