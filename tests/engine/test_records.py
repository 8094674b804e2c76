from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from minertui.engine.line import Identity
from minertui.engine.records import Records
from minertui.model.alerts import Alert, Severity
from minertui.model.commands import CommandRecord, Order, Outcome, OutcomeState, Pause
from minertui.model.plans import Phase, PointVerdict, SweepPlan, SweepPoint, SweepRecord, SweepSample
from tests.engine.fakes import LoopClock


async def opened(folder: Path) -> tuple[Records, int]:
    records = Records(folder / "r.db", LoopClock(), trouble=lambda _: None, damaged=lambda _: None)
    return records, await records.start()


def point(n: int) -> SweepPoint:
    return SweepPoint(n, 500.0, 1150, PointVerdict.PASSED, hashrate_ghs=1000.0)


SWEEP = SweepRecord("m1@1", "m1", "AA", "Gamma", SweepPlan("m1"), Phase.RUNNING, 1.0, points=(point(1),))


async def test_sweeps_of_a_board_are_found_by_its_mac_and_no_others_are_read(tmp_path: Path):
    told: list[str] = []
    records = Records(tmp_path / "r.db", LoopClock(), trouble=lambda _: None, damaged=told.append)
    await records.start()
    mac, other = 'A"\u00e4:1', "B"
    ours = [msgspec.structs.replace(SWEEP, id=f"m1@{n}", mac=mac, since_s=float(n), points=()) for n in range(3)]
    for sweep in (*ours, msgspec.structs.replace(SWEEP, id="m1@9", mac=other, since_s=9.0, points=())):
        await records.keep_sweep(sweep)
    await records._do("UPDATE sweep SET body = ? WHERE id = ?", b"not the form of a sweep", "m1@9")
    done = [msgspec.structs.replace(sweep, phase=Phase.DONE, points=(point(n),)) for n, sweep in enumerate(ours[:2], 1)]
    for sweep in done:
        await records.keep_sweep(sweep)
    assert await records.earlier(mac, "m1@2") == (point(2),), "the newest that ended well"
    assert await records.earlier(mac, "m1@1") == (point(1),)
    assert await records.earlier("A", "") == ()
    assert told == []
    await records.close()


async def test_sweeps_come_in_pages_of_bounded_size(tmp_path: Path):
    records, _ = await opened(tmp_path)
    for n in range(60):
        await records.keep_sweep(msgspec.structs.replace(SWEEP, id=f"m1@{n}", since_s=float(n)))
    first = await records.sweeps("m1")
    assert [sweep.since_s for sweep in first] == [float(n) for n in range(59, 9, -1)]
    rest = await records.sweeps("m1", before_s=first[-1].since_s)
    assert [sweep.since_s for sweep in rest] == [float(n) for n in range(9, -1, -1)]
    assert len(await records.sweeps(limit=7)) == 7
    await records.close()


async def test_every_start_has_a_higher_number(tmp_path: Path):
    epochs = []
    for _ in range(3):
        records, epoch = await opened(tmp_path)
        epochs.append(epoch)
        await records.close()
    assert epochs == [1, 2, 3]


async def test_sweeps_come_back_with_points_and_samples_and_only_unfinished_ones_go_on(tmp_path: Path):
    records, _ = await opened(tmp_path)
    await records.keep_sweep(SWEEP)
    grown = msgspec.structs.replace(SWEEP, points=(point(1), point(2)))
    await records.keep_sweep(grown)
    await records.keep_sample("m1@1", SweepSample(5.0, 1, 500.0, 1150, 1, 40, hashrate_ghs=990.0))
    done = msgspec.structs.replace(SWEEP, id="m2@2", device="m2", phase=Phase.DONE, since_s=2.0)
    await records.keep_sweep(done)
    await records.close()
    records, _ = await opened(tmp_path)
    assert await records.sweeps() == [done, grown]
    assert await records.sweeps("m1") == [grown]
    assert await records.unfinished() == ([grown], {})
    assert [s.hashrate_ghs for s in await records.samples("m1@1")] == [990.0]
    await records.close()


async def test_one_that_never_ended_does_not_go_on_when_another_began(tmp_path: Path):
    records, _ = await opened(tmp_path)
    other = msgspec.structs.replace(SWEEP, id="m2@1", device="m2")
    later = msgspec.structs.replace(SWEEP, id="m1@2", since_s=0.5)  # by a clock that was set back
    for sweep in (SWEEP, other, later):
        await records.begin_sweep(sweep)
    going, _ = await records.unfinished()
    assert {sweep.id for sweep in going} == {"m2@1", "m1@2"}
    await records.close()


async def test_an_order_met_before_gives_the_first_outcome_over_restarts(tmp_path: Path):
    records, _ = await opened(tmp_path)
    order = Order("o1", "m1", Pause())
    record = CommandRecord(order, 3.0, Outcome(OutcomeState.APPLIED))
    assert await records.intend(order, 3.0) is None
    await records.done(record)
    await records.close()
    records, _ = await opened(tmp_path)
    assert await records.intend(order, 9.0) == record
    assert await records.commands(10) == [record]
    await records.close()


async def test_an_order_whose_end_nobody_wrote_is_unknown(tmp_path: Path):
    records, _ = await opened(tmp_path)
    await records.intend(Order("o1", "m1", Pause()), 3.0)
    [found] = await records.commands(10)
    assert found.outcome.state is OutcomeState.UNKNOWN
    again = await records.intend(Order("o1", "m1", Pause()), 4.0)
    assert again is not None
    assert again.outcome.state is OutcomeState.UNKNOWN
    await records.close()


async def test_identities_and_alerts_are_kept_and_renaming_moves_them(tmp_path: Path):
    records, _ = await opened(tmp_path)
    await records.learn("m1", Identity("AA", 2, "too hot"))
    await records.learn("m2", Identity("BB"))
    await records.learn("m2", None)
    await records.keep_sweep(SWEEP)
    alert = Alert("lost:m1", "lost", "m1", Severity.WARNING, "gone", 1.0)
    await records.keep_alert(alert)
    await records.rename("m1", "garage")
    assert await records.identities() == {"garage": Identity("AA", 2, "too hot")}
    assert [s.device for s in await records.sweeps("garage")] == ["garage"]
    assert await records.alerts() == [alert]
    await records.close()


@pytest.mark.looptime
async def test_what_was_learned_of_a_room_is_kept_by_board_and_the_newest_counts(tmp_path: Path):
    records, _ = await opened(tmp_path)
    await records.keep_room("AA", 29.0)
    await records.keep_room("BB", 20.0)
    await asyncio.sleep(100)
    await records.keep_room("AA", 31.5)
    await records.close()
    records, _ = await opened(tmp_path)
    found = await records.room("AA")
    assert found is not None
    assert found == pytest.approx((31.5, LoopClock().wall()), abs=1)
    assert await records.room("CC") is None
    await records.close()
