"""The arbiter against a miner that minds its physics."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from minertui.model.commands import (
    Change,
    Command,
    Order,
    Pause,
    Rank,
    Restart,
    SetFan,
    Tune,
)
from minertui.model.errors import DeviceError, NotSent
from minertui.model.fleet import Health
from minertui.model.plans import Limits
from minertui.model.status import Ability
from tests.engine.bench import APPLIED, DRY, REFUSED, SWEEP, UNKNOWN, Bench

pytestmark = pytest.mark.looptime


async def test_a_raise_goes_up_in_steps_voltage_first_and_is_proven(bench: Bench):
    outcome = await bench.do(Tune(600, 1210))
    assert outcome.state is APPLIED, outcome
    assert outcome.changes == (
        Change("frequency", "525 MHz", "600 MHz"),
        Change("core voltage", "1150 mV", "1210 mV"),
    )
    assert bench.miner.writes == [
        Tune(core_mv=1175),
        Tune(core_mv=1200),
        Tune(core_mv=1210),
        Tune(frequency_mhz=550),
        Tune(frequency_mhz=575),
        Tune(frequency_mhz=600),
    ]
    assert bench.miner.low == []


async def test_lowering_goes_at_once_frequency_first(bench: Bench):
    assert (await bench.do(Tune(425, 1050))).ok
    assert bench.miner.writes == [Tune(frequency_mhz=425), Tune(core_mv=1050)]
    assert bench.miner.low == []


async def test_the_baseline_is_on_disk_before_the_first_write(bench: Bench):
    seen: list[object] = []
    bench.miner.spy = lambda what: seen.append(bench.journal.entries()) if what == "write" else None
    await bench.do(Tune(530, 1150))
    entries = seen[0]
    assert isinstance(entries, tuple)
    assert entries[0].baseline.frequency_mhz == 525
    assert entries[0].ours[-1].frequency_mhz == 530
    assert entries[0].ours[0].frequency_mhz == 525


async def test_the_same_id_is_done_once_even_while_it_runs(bench: Bench):
    order = Order("once", "garage", Tune(530), SWEEP, Rank.SWEEP)
    first, second = await asyncio.gather(bench.arbiter.execute(order), bench.arbiter.execute(order))
    assert first is second
    assert await bench.arbiter.execute(order) is first
    assert bench.miner.writes == [Tune(frequency_mhz=530)]


async def test_a_cancelled_caller_does_not_cut_the_order_short(bench: Bench):
    caller = asyncio.create_task(bench.do(Tune(600, 1210)))
    await asyncio.sleep(1.0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await bench.arbiter.drain()
    assert bench.at == (600, 1210)


async def test_a_dry_run_tells_and_writes_nothing(bench: Bench):
    outcome = await bench.do(Tune(600, 1210), dry=True)
    assert outcome.state is DRY
    assert outcome.changes[0] == Change("frequency", "525 MHz", "600 MHz")
    assert bench.miner.writes == []
    assert bench.journal.entries() == ()


async def test_what_is_so_already_is_not_written(bench: Bench):
    outcome = await bench.do(Tune(525, 1150))
    assert (outcome.state, outcome.reason) == (APPLIED, "it is so already")
    assert bench.miner.writes == []


async def test_above_the_users_cap_is_refused(tmp_path: Path):
    bench = Bench(tmp_path, limits=Limits(max_mv=1200))
    outcome = await bench.do(Tune(core_mv=1210))
    assert outcome.state is REFUSED
    assert "1210 mV is above the limit in force, 1200 mV" in outcome.reason
    assert bench.miner.writes == []


async def test_another_mac_is_never_written(bench: Bench):
    bench.miner.set(mac="02:00:00:00:00:99")
    for command in (Tune(400, 1000), Pause(), Restart()):
        outcome = await bench.do(command)
        assert outcome.state is REFUSED
        assert "another device answers" in outcome.reason
    assert bench.miner.writes == []
    assert bench.line.snapshot().health is Health.STRANGER


async def test_a_device_swapped_in_the_middle_of_a_climb_gets_no_further_write(bench: Bench):
    def swap(what: str) -> None:
        if what == "written" and len(bench.miner.writes) == 2:
            bench.miner.set(mac="02:00:00:00:00:99")

    bench.miner.spy = swap
    outcome = await bench.do(Tune(600, 1210))
    assert not outcome.ok
    assert len(bench.miner.writes) == 2


async def test_a_lost_answer_is_read_back_and_not_sent_again(bench: Bench):
    bench.miner.cut_after = True
    outcome = await bench.do(Tune(530))
    assert outcome.state is APPLIED
    assert bench.miner.writes == [Tune(frequency_mhz=530)]


async def test_a_lost_question_is_refused_by_the_read_back(bench: Bench):
    bench.miner.cut_before = True
    outcome = await bench.do(Tune(530))
    assert outcome.state is REFUSED
    assert "reads back 525 MHz" in outcome.reason
    assert bench.miner.writes == []


async def test_a_command_that_never_left_is_refused_and_leaves_no_way_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    """A sweep later would take what this order was to do for what we did, and lead the miner to it."""

    async def gone(command: Command) -> None:
        raise NotSent("fake", "check that the miner is on")

    monkeypatch.setattr(bench.miner, "apply", gone)
    outcome = await bench.person(Tune(450, 1100))
    assert outcome.state is REFUSED
    assert outcome.reason == "not sent, so nothing changed: check that the miner is on"
    assert bench.journal.entries() == ()


async def test_no_answer_after_a_write_is_unknown(bench: Bench):
    bench.miner.spy = lambda what: setattr(bench.miner, "dead", True) if what == "written" else None
    outcome = await bench.do(Tune(530))
    assert outcome.state is UNKNOWN
    assert bench.miner.writes == [Tune(frequency_mhz=530)]


async def test_an_ignored_write_is_refused_with_what_reads_back(bench: Bench):
    bench.miner.ignore = True
    outcome = await bench.do(Tune(core_mv=1160))
    assert outcome.state is REFUSED
    assert "it reads back 525 MHz / 1150 mV" in outcome.reason


async def test_a_clamped_write_is_refused_with_what_reads_back(bench: Bench):
    bench.miner.clamp_mhz = 540
    outcome = await bench.do(Tune(550))
    assert outcome.state is REFUSED
    assert "540 MHz" in outcome.reason
    assert outcome.changes == (Change("frequency", "525 MHz", "540 MHz"),)


async def test_a_regulator_that_does_not_follow_stops_the_climb_before_the_frequency(bench: Bench):
    bench.miner.lag = True
    outcome = await bench.do(Tune(560, 1180))
    assert outcome.state is REFUSED
    assert "the hardware is at 525 MHz / 1150 mV" in outcome.reason
    assert bench.at == (525, 1175)


async def test_a_device_that_says_no_is_refused_in_its_words(bench: Bench):
    bench.miner.refuse = "Wrong API input"
    outcome = await bench.do(Tune(530))
    assert (outcome.state, outcome.reason) == (REFUSED, "Wrong API input")


async def test_getting_hot_on_the_way_stops_the_climb(bench: Bench):
    bench.miner.spy = lambda what: bench.miner.set(chip_temp_c=71.0) if what == "written" else None
    outcome = await bench.do(Tune(575))
    assert outcome.state is REFUSED
    assert "stopped on the way" in outcome.reason
    assert "70 °C" in outcome.reason
    assert bench.miner.writes == [Tune(frequency_mhz=550)]


async def test_a_dead_miner_is_not_raised_but_lowered_blindly(bench: Bench):
    await bench.line.refresh()
    bench.miner.dead = True
    assert "not fresh" in (await bench.do(Tune(530))).reason
    assert "does not answer now" in (await bench.do(Tune(400))).reason
    assert (await bench.do(Tune(400), Rank.SAFETY, "guard")).state is UNKNOWN


async def test_a_third_partys_change_stops_raises_and_allows_lowering(bench: Bench):
    assert (await bench.do(Tune(550))).ok
    bench.miner.set(frequency_mhz=450.0, actual_mhz=450.0, core_mv=1050, core_actual_mv=1050)
    outcome = await bench.do(Tune(575))
    assert outcome.state is REFUSED
    assert "somebody else or its firmware changed it to 450 MHz / 1050 mV; we left it at 550 MHz" in outcome.reason
    assert (await bench.do(Tune(425))).ok


async def test_readonly_is_never_written(tmp_path: Path):
    bench = Bench(tmp_path, readonly=True)
    assert "read-only" in (await bench.do(Tune(400))).reason
    assert bench.miner.writes == []


async def test_no_journal_no_raise_but_lowering(bench: Bench, tmp_path: Path):
    (tmp_path / "journal").write_text("a file where the folder should be")
    assert "cannot be read: Not a directory; mend the state folder" in (await bench.do(Tune(530))).reason
    assert (await bench.do(Tune(500))).ok


async def test_after_suspend_the_old_reading_is_not_believed(bench: Bench):
    await bench.line.refresh()
    real = bench.line.refresh
    calls = 0

    async def suspended():
        nonlocal calls
        calls += 1
        snapshot = await real()
        if calls == 1:
            bench.clock.skipped_s += 3600
        return snapshot

    bench.line.refresh = suspended  # type: ignore[method-assign]
    outcome = await bench.do(Tune(530))
    assert outcome.state is REFUSED
    assert "not fresh" in outcome.reason or "grew old" in outcome.reason
    assert bench.miner.writes == []


async def test_an_unknown_miner_is_one_sentence(bench: Bench):
    with pytest.raises(DeviceError, match="no miner of this name"):
        await bench.arbiter.execute(Order("x", "attic", Pause()))


async def test_orders_are_forgotten_after_a_thousand(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("minertui.engine.arbiter._REMEMBERED", 3)
    for _ in range(6):
        await bench.do(Tune(525, 1150))
    assert len(bench.arbiter._orders) <= 4


async def test_firmware_without_live_changes_stores_and_says_so(bench: Bench):
    bench.miner.set(abilities=frozenset({Ability.TUNE}))
    bench.miner.lag = True
    outcome = await bench.do(Tune(550, 1160))
    assert outcome.state is APPLIED
    assert "at the next restart" in outcome.reason
    assert bench.at == (550, 1160)


async def test_an_ignored_fan_or_pause_says_what_reads_back(bench: Bench):
    bench.miner.ignore = True
    assert (await bench.person(SetFan(auto=False, pct=100))).reason.endswith("its fan reads back automatic, 60 %")
    outcome = await bench.person(Pause())
    assert (outcome.state, outcome.reason) == (REFUSED, "it did not take it")


async def test_a_refused_login_is_told_in_the_devices_words(bench: Bench):
    await bench.line.refresh()
    bench.miner.refuse = "it asks for a one-time password"
    outcome = await bench.person(SetFan(auto=True, target_c=55))
    assert (outcome.state, outcome.reason) == (REFUSED, "it asks for a one-time password")


async def test_a_reading_that_grew_old_while_the_disk_was_slow_raises_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    real = bench.journal.note_write

    def slow(*args: Any) -> Any:
        bench.clock.skipped_s += 60
        return real(*args)

    monkeypatch.setattr(bench.journal, "note_write", slow)
    outcome = await bench.do(Tune(550))
    assert outcome.state is REFUSED
    assert "grew old" in outcome.reason
    assert bench.miner.writes == []
    assert (await bench.do(Tune(500))).ok  # going down needs no fresh reading once the order was granted
