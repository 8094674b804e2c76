"""What a sweep computes long is computed beside the loop where time is real, one thing at a time; elsewhere at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from minertui.cli import engine as command
from minertui.config import Config
from minertui.engine.config_watch import mark
from minertui.engine.thinking import Beside, at_once
from minertui.jobs.sweep import brain, run
from minertui.model.plans import Phase
from tests.engine.house import PLAN, House, job, until
from tests.jobs.sweep_board import Board, FakeSite, plan

T = TypeVar("T")


async def test_the_loop_goes_on_meanwhile():
    """In the loop's own thread this would wait for what only the loop can bring about."""
    goes_on = threading.Event()

    def long() -> bool:
        return goes_on.wait(30)

    thinking = asyncio.create_task(Beside()(long))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(goes_on.set)
    assert await thinking


async def test_one_thing_at_a_time_in_the_order_of_asking():
    think, at_work, done = Beside(), threading.Semaphore(1), list[int]()

    def alone(n: int) -> int:
        assert at_work.acquire(blocking=False), "two at once"
        time.sleep(0.005)  # long enough for another to come in
        done.append(n)
        at_work.release()
        return n

    asked = list(range(8))
    assert await asyncio.gather(*(think(lambda n=n: alone(n)) for n in asked)) == asked  # type: ignore[misc]
    assert done == asked


async def test_what_goes_wrong_is_the_askers_and_the_next_one_has_its_turn():
    think = Beside()
    with pytest.raises(ZeroDivisionError):
        await think(lambda: 1 / 0)
    assert await think(lambda: 7) == 7


async def test_who_does_not_wait_any_more_keeps_nobody_waiting():
    think, go_on = Beside(), threading.Event()
    first = asyncio.create_task(think(lambda: go_on.wait(30)))
    second = asyncio.create_task(think(lambda: 2))
    await asyncio.sleep(0)
    second.cancel()
    go_on.set()
    assert await first
    assert await think(lambda: 3) == 3
    assert second.cancelled()


async def test_a_sweep_decides_in_the_thread_and_comes_to_the_same(monkeypatch: pytest.MonkeyPatch):
    where: list[threading.Thread] = []
    for name in ("begin", "step"):
        real = getattr(brain, name)

        def spied(*args: Any, real: Callable[..., Any] = real) -> Any:
            where.append(threading.current_thread())
            return real(*args)

        monkeypatch.setattr(brain, name, spied)
    here, beside = FakeSite(Board()), FakeSite(Board())
    monkeypatch.setattr(beside, "think", Beside())
    for site in (here, beside):
        where.clear()
        await run(site, plan(max_mhz=510, max_mv=1150, measure_s=60), ())
    assert where
    assert threading.main_thread() not in where
    assert beside.points == here.points
    assert beside.concluded == here.concluded


@pytest.mark.looptime
async def test_an_engine_gives_its_sweeps_what_it_was_given(house: House):
    thought = 0

    async def counted(work: Callable[[], T]) -> T:
        nonlocal thought
        thought += 1
        return await at_once(work)

    engine = house.engine(think=counted)
    await engine.open()
    await asyncio.sleep(6)
    await engine.start(PLAN)
    await until(lambda: thought > 10, 20_000)
    assert job(engine, "sweep:m1").phase is Phase.RUNNING
    await engine.close()


async def test_the_engine_of_real_miners_thinks_beside_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made: list[Any] = []

    async def serve(engine: Any, _: Path) -> None:
        made.append(engine.think)

    monkeypatch.setattr(command, "serve", serve)
    file = tmp_path / "config.toml"
    await command._serve(Config(), mark(file), file, tmp_path / "state", tmp_path / "socket", 1.0)
    assert isinstance(made[0], Beside)
