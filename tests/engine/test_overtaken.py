"""A write waits behind a poll in flight. What that poll finds counts: the reading that the write was decided on is then
not the newest any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from minertui.engine.stepping import Objection
from minertui.model.commands import Command, Rank, Resume, SetFan, Tune
from minertui.model.errors import Unreachable, Withheld
from minertui.model.fleet import Health
from minertui.model.plans import Limits
from minertui.model.status import MinerStatus
from tests.engine.bench import APPLIED, REFUSED, SWEEP, Bench

pytestmark = pytest.mark.looptime

STRANGER = "02:00:00:00:00:99"


def behind_a_slow_poll(bench: Bench, change: Callable[[], None], *, takes_s: float = 6.0) -> None:
    """The next write finds a poll in flight, which answers only then, with what there is after ``change``."""
    write, read = bench.line.write, bench.miner.read

    async def slow() -> MinerStatus:
        bench.miner.read = read  # type: ignore[method-assign]
        await asyncio.sleep(takes_s)
        change()
        return await read()

    async def behind(command: Command, objection: Objection) -> None:
        bench.line.write = write  # type: ignore[method-assign]
        bench.miner.read = slow  # type: ignore[method-assign]
        polling = asyncio.create_task(bench.line.refresh())
        await asyncio.sleep(0)
        await write(command, objection)
        await polling

    bench.line.write = behind  # type: ignore[method-assign,assignment]


async def test_another_device_that_the_line_knows_of_is_not_written(bench: Bench):
    await bench.line.refresh()
    behind_a_slow_poll(bench, lambda: bench.miner.set(mac=STRANGER))
    outcome = await bench.do(Tune(550))
    assert (outcome.state, bench.miner.writes) == (REFUSED, [])
    assert "another device answers" in outcome.reason


async def test_nor_is_it_lowered_by_a_safety_stop(bench: Bench):
    await bench.line.refresh()
    behind_a_slow_poll(bench, lambda: bench.miner.set(mac=STRANGER))
    assert (await bench.do(Tune(400), Rank.SAFETY, "guard:garage")).state is REFUSED
    assert bench.miner.writes == []


async def test_nothing_is_raised_that_the_newest_reading_shows_at_its_limit(bench: Bench):
    await bench.line.refresh()
    behind_a_slow_poll(bench, lambda: bench.miner.set(chip_temp_c=74.0, overheat=True))
    outcome = await bench.do(Tune(550))
    assert (outcome.state, bench.miner.writes) == (REFUSED, [])
    assert "73.9 °C" in outcome.reason


async def test_nothing_is_raised_on_the_reading_before_a_poll_that_failed(bench: Bench):
    await bench.line.refresh()

    def silent() -> None:
        raise Unreachable("garage", "no answer")

    behind_a_slow_poll(bench, silent)
    outcome = await bench.person(Tune(550))
    assert (outcome.state, bench.miner.writes) == (REFUSED, [])
    assert outcome.reason.startswith("it gave no answer")


async def test_a_newer_reading_that_is_as_good_is_decided_on(bench: Bench):
    await bench.line.refresh()
    behind_a_slow_poll(bench, lambda: None)
    reads: list[int] = []
    bench.miner.spy = lambda what: reads.append(bench.miner.reads) if what == "write" else None
    outcome = await bench.do(Tune(550))
    assert (outcome.state, bench.miner.writes) == (APPLIED, [Tune(550)])
    assert reads == [3], "the first one, the order's own look, and the poll's"


async def test_what_somebody_lowered_behind_that_poll_is_not_raised(bench: Bench):
    await bench.line.refresh()
    behind_a_slow_poll(bench, lambda: bench.miner.set(frequency_mhz=450.0, actual_mhz=450.0))
    outcome = await bench.person(Tune(550))
    assert (outcome.state, bench.miner.writes) == (REFUSED, [])
    assert "changed it to 450 MHz / 1150 mV" in outcome.reason


async def test_what_was_to_lower_does_not_raise_what_runs_lower_by_now(bench: Bench):
    await bench.line.refresh()
    behind_a_slow_poll(bench, lambda: bench.miner.set(frequency_mhz=400.0, actual_mhz=400.0))
    assert (await bench.person(Tune(450))).state is REFUSED
    assert bench.miner.writes == []


async def test_what_lowers_goes_through_hot_or_silent(bench: Bench):
    await bench.line.refresh()
    behind_a_slow_poll(bench, lambda: bench.miner.set(chip_temp_c=74.0, overheat=True))
    assert (await bench.do(Tune(500), Rank.SAFETY, "guard:garage")).state is APPLIED

    def silent() -> None:
        raise Unreachable("garage", "no answer")

    behind_a_slow_poll(bench, silent)
    assert (await bench.do(Tune(450), Rank.SAFETY, "guard:garage")).state is APPLIED
    assert bench.miner.writes == [Tune(500), Tune(450)]


async def test_a_limit_that_is_lowered_while_a_raise_waits_counts(bench: Bench):
    await bench.line.refresh()
    lower = replace(bench.line.options, limits=Limits(max_mhz=540))
    behind_a_slow_poll(bench, lambda: bench.line.change(lower))
    outcome = await bench.person(Tune(550))
    assert (outcome.state, bench.miner.writes) == (REFUSED, [])
    assert "above the limit in force, 540 MHz" in outcome.reason


async def test_a_closed_line_writes_nothing_and_reads_nothing(bench: Bench):
    await bench.line.refresh()
    await bench.line.close()
    reads = bench.miner.reads
    with pytest.raises(Withheld, match="left the config"):
        await bench.line.write(Tune(400))
    assert (await bench.line.refresh()).health is Health.STALE
    assert (bench.miner.writes, bench.miner.reads) == ([], reads)


async def test_a_fan_is_not_slowed_on_the_reading_before_it_got_hot(bench: Bench):
    bench.miner.set(fan_auto=False, fan_pct=80.0, fan_manual_pct=80.0)
    await bench.line.refresh()
    behind_a_slow_poll(bench, lambda: bench.miner.set(chip_temp_c=74.0))
    outcome = await bench.person(SetFan(auto=False, pct=30))
    assert (outcome.state, bench.miner.writes) == (REFUSED, [])
    assert "it is hot or not known to be cool" in outcome.reason


async def test_nor_does_it_hash_again_where_the_firmware_tells_of_an_overheat_by_then(bench: Bench):
    bench.miner.set(paused=True)
    await bench.line.refresh()
    behind_a_slow_poll(bench, lambda: bench.miner.set(overheat=True))
    outcome = await bench.person(Resume())
    assert (outcome.state, bench.miner.writes) == (REFUSED, [])
    assert "overheat mode" in outcome.reason


@pytest.mark.parametrize(
    ("rank", "by", "sent"),
    [(Rank.SWEEP, SWEEP, []), (Rank.SAFETY, "guard:garage", [Tune(500)]), (Rank.PERSON, "me", [Tune(500)])],
)
async def test_a_job_lowers_nothing_that_fell_silent_while_it_waited(
    bench: Bench, rank: Rank, by: str, sent: list[Tune]
):
    """What is lower than before may be higher than what its firmware went to in the silence."""
    await bench.line.refresh()

    def silent() -> None:
        raise Unreachable("garage", "no answer")

    behind_a_slow_poll(bench, silent)
    outcome = await bench.do(Tune(500), rank, by)
    assert (bench.miner.writes, outcome.ok) == (sent, bool(sent))
