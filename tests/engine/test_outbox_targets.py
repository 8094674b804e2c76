"""Several addresses to send to, of which one does not work."""

from __future__ import annotations

import asyncio
from pathlib import Path

from minertui.engine.outbox import Outbox
from tests.engine.test_alerts import Clocked, Sink, alert, run_until


class Patient(Clocked):
    """A minute never ends."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if seconds >= 60:
            await asyncio.Event().wait()


async def test_a_dead_target_costs_the_others_no_second_message(tmp_path: Path):
    well, dead, clock = Sink(), Sink(works=False), Clocked()
    outbox = Outbox(tmp_path / "o.json", clock, dead, well)
    outbox.put(alert(1))
    await run_until(outbox, lambda: len(clock.slept) >= 8)
    assert [title for title, _ in well.got] == ["! m1: does not answer"]
    dead.works = True
    outbox.put(alert(2))
    await run_until(outbox, lambda: bool(dead.got) and len(well.got) > 1)
    assert [title for title, _ in dead.got] == ["minertui: 2 alerts"], "kept for it"
    assert [title for title, _ in well.got][1:] == ["! m2: does not answer"]


async def test_nor_any_time(tmp_path: Path):
    well, clock = Sink(), Patient()
    outbox = Outbox(tmp_path / "o.json", clock, Sink(works=False), well)
    outbox.put(alert(1))
    working = asyncio.create_task(run_until(outbox, lambda: len(well.got) > 1))
    while 60.0 not in clock.slept:
        await asyncio.sleep(0.002)
    outbox.put(alert(2))
    await working
    assert [title for title, _ in well.got] == ["! m1: does not answer", "! m2: does not answer"]


async def test_what_waits_while_nobody_is_named_any_more_is_kept(tmp_path: Path):
    clock, sink = Clocked(), Sink()
    outbox, real = Outbox(tmp_path / "o.json", clock, Sink()), clock.sleep

    async def sleep(seconds: float) -> None:
        outbox.aim(per_hour=20)
        await real(seconds)

    clock.sleep = sleep  # type: ignore[method-assign]
    outbox.put(alert(1))
    await run_until(outbox, lambda: (tmp_path / "o.json").exists())
    clock.sleep = real  # type: ignore[method-assign]
    outbox.aim(sink, per_hour=20)
    await run_until(outbox, lambda: bool(sink.got))
    assert [title for title, _ in sink.got] == ["! m1: does not answer"]
