from __future__ import annotations

import asyncio
import random

import pytest

from minertui.engine.line import READ_DEADLINE_S, Identity, Line, LineOptions
from minertui.engine.poller import poll
from minertui.model.commands import Command, Identify, SetFan, Tune
from minertui.model.errors import Garbled, Refused, Unreachable
from minertui.model.fleet import Health
from minertui.model.plans import Limits
from tests.engine.fakes import MAC, START_S, FakeDevice, Heard, LoopClock, dead, line_to, status

pytestmark = pytest.mark.looptime


async def test_the_first_answer_is_shown_and_teaches_the_mac():
    heard, device = Heard(), FakeDevice()
    line = line_to(device, heard, LoopClock())
    assert line.snapshot().health is Health.UNKNOWN
    snapshot = await line.refresh()
    assert (snapshot.health, snapshot.status, snapshot.at_s) == (Health.OK, device.answer, START_S)
    assert heard.identities == [Identity(mac=MAC)]
    assert heard.snapshots == [(snapshot, True)]
    assert line.expected_mac == MAC


async def test_one_miss_is_stale_three_are_lost_and_each_is_said_once():
    heard, device = Heard(), FakeDevice()
    line = line_to(device, heard, LoopClock())
    await line.refresh()
    device.answer = dead()
    seen = [(await line.refresh()).health for _ in range(5)]
    assert seen == [Health.STALE, Health.STALE, Health.LOST, Health.LOST, Health.LOST]
    assert line.snapshot().status is not None
    device.answer = status()
    assert (await line.refresh()).health is Health.OK
    assert heard.sentences == ["m1: lost: m1: no answer", "m1: answers again"]


async def test_a_bad_answer_is_a_miss_like_silence():
    heard, device = Heard(), FakeDevice()
    line = line_to(device, heard, LoopClock())
    await line.refresh()
    device.answer = Garbled("m1", "an HTML page instead of JSON")
    snapshot = await line.refresh()
    assert (snapshot.health, snapshot.misses) == (Health.STALE, 1)
    assert "HTML" in snapshot.why


async def test_a_device_that_never_answered_stays_unknown():
    line = line_to(FakeDevice(dead()), Heard(), LoopClock())
    for _ in range(6):
        snapshot = await line.refresh()
    assert (snapshot.health, snapshot.misses) == (Health.UNKNOWN, 6)


async def test_a_refusal_is_auth_and_is_asked_once_a_minute():
    device = FakeDevice(Refused("m1", "401", auth=True))
    line = line_to(device, Heard(), LoopClock())
    assert (await line.refresh()).health is Health.AUTH
    assert line.due_s == pytest.approx(60)


async def test_another_mac_is_a_stranger_whose_reading_is_not_shown_until_a_person_accepts_it():
    heard, device = Heard(), FakeDevice()
    line = line_to(device, heard, LoopClock())
    await line.refresh()
    device.answer = status(mac="AA:BB:CC:DD:EE:02", chip_temp_c=99.0)
    snapshot = await line.refresh()
    assert snapshot.health is Health.STRANGER
    assert snapshot.status is not None
    assert snapshot.status.mac == MAC
    assert heard.snapshots[-1][1] is False
    line.unpark()
    assert (await line.refresh()).health is Health.OK
    assert line.expected_mac == "AA:BB:CC:DD:EE:02"


async def test_a_stranger_that_falls_silent_stays_one_until_the_right_one_answers():
    device = FakeDevice()
    line = line_to(device, Heard(), LoopClock())
    await line.refresh()
    device.answer = status(mac="AA:BB:CC:DD:EE:02")
    await line.refresh()
    device.answer = dead()
    for _ in range(4):
        snapshot = await line.refresh()
        assert snapshot.health is Health.STRANGER
        assert "another device answers here, AA:BB:CC:DD:EE:02" in snapshot.why
    device.answer = status()
    assert (await line.refresh()).health is Health.OK


async def test_parked_holds_over_polls_and_losses_until_cleared():
    heard, device = Heard(), FakeDevice()
    line = line_to(device, heard, LoopClock())
    await line.refresh()
    line.park("too hot twice")
    assert (await line.refresh()).health is Health.PARKED
    device.answer = dead()
    assert (await line.refresh()).health is Health.STALE
    device.answer = status()
    snapshot = await line.refresh()
    assert (snapshot.health, snapshot.why) == (Health.PARKED, "too hot twice")
    assert heard.identities[-1].parked == "too hot twice"
    line.unpark()
    assert line.snapshot().health is Health.OK
    assert heard.identities[-1] == Identity(mac=MAC)


async def test_overheats_are_counted_when_they_begin():
    heard, device, clock = Heard(), FakeDevice(status(overheat=False)), LoopClock()
    line = line_to(device, heard, clock)
    for hot in (False, True, True, False, True):
        device.answer = status(overheat=hot)
        await line.refresh()
        await clock.sleep(150)
    assert line.snapshot().incidents == 2
    assert heard.identities[-1].incidents == 2


HANDLED = (  # an overheat incident as firmware from 2.11 shows it: never the flag
    {"fan_auto": True},
    {"fan_auto": False, "fan_manual_pct": 100.0, "fan_pct": 100.0},
    {"fan_auto": False, "fan_manual_pct": 100.0, "fan_pct": 100.0, "hashrate_ghs": 0.0, "chip_temp_c": -1.0},
    {"fan_auto": False, "fan_manual_pct": 100.0, "fan_pct": 100.0, "frequency_mhz": 425.0, "core_mv": 1050.0},
)


async def test_an_incident_that_never_shows_the_flag_is_counted_once_for_all_its_signs():
    heard, device, clock = Heard(), FakeDevice(), LoopClock()
    line = line_to(device, heard, clock)
    for shown in HANDLED:
        device.answer = status(**shown)
        await line.refresh()
        await clock.sleep(60)
    assert line.snapshot().incidents == 1
    assert "manual 100 %" in heard.sentences[-1]


async def test_each_sign_alone_is_an_incident():
    for n in (1, 3):
        device = FakeDevice(status(**HANDLED[0]))
        line = line_to(device, Heard(), LoopClock())
        await line.refresh()
        device.answer = status(**HANDLED[n])
        assert (await line.refresh()).incidents == 1
    rewritten = FakeDevice()
    line = line_to(rewritten, Heard(), LoopClock())
    await line.refresh()
    rewritten.answer = status(frequency_mhz=425.0, core_mv=1050.0)
    assert (await line.refresh()).incidents == 1


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (SetFan(auto=False, pct=100), {"fan_auto": False, "fan_manual_pct": 100.0}),
        (Tune(425.0, 1050), {"frequency_mhz": 425.0, "core_mv": 1050.0}),
    ],
)
async def test_what_was_ordered_is_no_incident_but_later_it_is(command: Command, shown: dict[str, object]):
    device, clock = FakeDevice(status(fan_auto=True)), LoopClock()
    line = line_to(device, Heard(), clock)
    await line.refresh()
    await line.write(command)
    device.answer = status(**shown)
    assert (await line.refresh()).incidents == 0
    device.answer = status(fan_auto=True)
    await clock.sleep(60)
    await line.refresh()
    device.answer = status(**shown)
    assert (await line.refresh()).incidents == 1


async def test_a_fault_of_the_board_and_another_device_are_no_overheat_incidents():
    device = FakeDevice()
    line = line_to(device, Heard(), LoopClock())
    await line.refresh()
    device.answer = status(power_fault="input low")
    assert (await line.refresh()).incidents == 0
    device.answer = status(mac="AA:BB:CC:DD:EE:02", frequency_mhz=425.0, core_mv=1050.0)
    await line.refresh()
    line.unpark()
    assert (await line.refresh()).incidents == 0


async def test_a_miner_that_repeats_itself_for_ten_polls_is_stale_until_it_moves():
    heard, device, clock = Heard(), FakeDevice(), LoopClock()
    line = line_to(device, heard, clock)
    for _ in range(9):
        assert (await line.refresh()).health is Health.OK
        await clock.sleep(5)
    snapshot = await line.refresh()
    assert (snapshot.health, snapshot.stuck, snapshot.misses) == (Health.STALE, True, 0)
    assert "have not moved for 10 polls" in snapshot.why
    assert heard.snapshots[-1][1] is False, "what stands still is not history"
    await clock.sleep(5)
    device.answer = status(power_w=18.0, uptime_s=200.0)
    assert (await line.refresh()).health is Health.OK
    assert [s.partition(":")[2][:7] for s in heard.sentences] == [" stale:", " moves "]


async def test_looks_in_quick_succession_are_not_polls_that_repeat_themselves():
    device, clock = FakeDevice(), LoopClock()
    line = line_to(device, Heard(), clock)
    for _ in range(30):
        await line.refresh()
        await clock.sleep(0.5)
    assert line.snapshot().health is Health.OK


async def test_limits_in_force_are_the_stricter_of_user_and_model():
    line = line_to(FakeDevice(), Heard(), LoopClock(), limits=Limits(max_chip_temp_c=60.0))
    limits = (await line.refresh()).limits
    assert limits.max_chip_temp_c == 60.0
    assert limits.max_mv == 1400


async def test_an_answer_that_does_not_tell_the_model_loosens_no_limit():
    device = FakeDevice()
    line = line_to(device, Heard(), LoopClock(), limits=Limits(max_mv=1200))
    before = (await line.refresh()).limits
    assert before.max_chip_temp_c == 70.0
    device.answer = status(chip=None)
    assert (await line.refresh()).limits == before
    device.answer = status(mac="02:00:00:00:00:99", chip=None)  # another board, and a person accepts it
    await line.refresh()
    line.unpark()
    assert (await line.refresh()).limits == Limits(max_mv=1200)


async def test_the_spark_holds_whole_minutes():
    heard, device = Heard(), FakeDevice()
    clock = LoopClock()
    line = line_to(device, heard, clock)
    for rate in (900.0, 1100.0, 2000.0):
        device.answer = status(hashrate_ghs=rate)
        await line.refresh()
        await clock.sleep(30)
    assert line.snapshot().recent_ghs == (1000.0,)


async def test_one_request_in_flight_and_a_hung_device_ends_at_the_deadline():
    heard, device = Heard(), FakeDevice()
    device.takes_s = 100.0
    line = line_to(device, heard, LoopClock())
    loop = asyncio.get_running_loop()
    await asyncio.gather(line.refresh(), line.refresh())
    assert loop.time() == pytest.approx(2 * READ_DEADLINE_S)
    assert device.most_in_flight == 1
    assert "no whole answer" in line.snapshot().why


async def test_a_write_that_hangs_is_unreachable():
    device = FakeDevice()

    async def never(_: object) -> None:
        await asyncio.sleep(1000)

    device.apply = never  # type: ignore[method-assign,assignment]
    with pytest.raises(Unreachable, match="no answer to the command"):
        await line_to(device, Heard(), LoopClock()).write(Identify())


async def test_doubt_makes_a_good_reading_stale_and_nothing_else_better():
    device = FakeDevice()
    line = line_to(device, Heard(), LoopClock())
    line.doubt("the engine stood still for 60 s")
    assert line.snapshot().health is Health.UNKNOWN
    await line.refresh()
    line.doubt("the engine stood still for 60 s")
    assert line.snapshot().health is Health.STALE
    assert (await line.refresh()).health is Health.OK


async def test_a_closed_line_says_nothing_more():
    heard, device = Heard(), FakeDevice()
    device.takes_s = 1.0
    line = line_to(device, heard, LoopClock())
    reading = asyncio.create_task(line.refresh())
    await asyncio.sleep(0.5)
    await line.close()
    await reading
    assert heard.snapshots == []
    assert device.closed


async def test_whoever_polls_a_closed_line_all_the_same_does_not_hold_up_everybody():
    clock, device = LoopClock(), FakeDevice()
    line = line_to(device, Heard(), clock)
    task = asyncio.create_task(poll(line, clock, random.Random(1)))
    await asyncio.sleep(12)
    await line.close()
    read = len(device.reads)
    await asyncio.sleep(60)  # it would never come to an end
    task.cancel()
    assert len(device.reads) == read


async def test_a_waiter_gets_the_next_poll_even_a_failed_one():
    device = FakeDevice(dead())
    line = line_to(device, Heard(), LoopClock())
    waiting = asyncio.create_task(line.next())
    await asyncio.sleep(0)
    await line.refresh()
    assert (await waiting).misses == 1


# -- the poller ---------------------------------------------------------------------------------------------------


async def polled(device: FakeDevice, clock: LoopClock, for_s: float, heard: Heard | None = None, seed: int = 1) -> Line:
    line = line_to(device, heard or Heard(), clock)
    task = asyncio.create_task(poll(line, clock, random.Random(seed)))
    await asyncio.sleep(for_s)
    task.cancel()
    return line


async def test_polls_keep_their_second():
    device = FakeDevice()
    device.takes_s = 0.7
    await polled(device, LoopClock(), 600)
    gaps = [b - a for a, b in zip(device.reads, device.reads[1:], strict=False)]
    assert 0 <= device.reads[0] < 5
    assert gaps == pytest.approx([5.0] * len(gaps), abs=0.01)
    assert len(gaps) == 119


async def test_a_thousand_devices_start_spread_over_the_period():
    clock, devices = LoopClock(), [FakeDevice() for _ in range(1000)]
    rng = random.Random(7)
    tasks = [asyncio.create_task(poll(line_to(d, Heard(), clock), clock, rng)) for d in devices]
    await asyncio.sleep(5.01)
    for task in tasks:
        task.cancel()
    tenths = [0] * 51
    for device in devices:
        tenths[int(device.reads[0] * 10)] += 1
    assert max(tenths) < 50  # 20 on average


async def test_a_lost_device_is_asked_less_and_less_and_at_once_normally_when_back():
    device = FakeDevice(dead())
    clock = LoopClock()
    line = line_to(device, Heard(), clock)
    task = asyncio.create_task(poll(line, clock, random.Random(1)))
    await asyncio.sleep(600)
    gaps = [round(b - a) for a, b in zip(device.reads, device.reads[1:], strict=False)]
    assert gaps[:8] == [5, 5, 5, 10, 20, 40, 60, 60]
    device.answer = status()
    await asyncio.sleep(60)
    count = len(device.reads)
    await asyncio.sleep(50)
    assert len(device.reads) - count == 10
    task.cancel()


async def test_one_hung_device_delays_nobody():
    clock, hung, well = LoopClock(), FakeDevice(), FakeDevice()
    hung.takes_s = 1e6
    tasks = [asyncio.create_task(poll(line_to(d, Heard(), clock), clock, random.Random(3))) for d in (hung, well)]
    await asyncio.sleep(300)
    for task in tasks:
        task.cancel()
    assert len(well.reads) == 60
    assert 5 <= len(hung.reads) <= 30


async def test_after_a_standstill_readings_are_stale_and_are_taken_anew_within_a_period():
    heard, device, clock = Heard(), FakeDevice(), LoopClock()
    line = line_to(device, heard, clock)
    task = asyncio.create_task(poll(line, clock, random.Random(1)))
    await asyncio.sleep(20)
    clock.slept_s = 3600.0  # the host was suspended: boot time went on, monotonic time did not
    await asyncio.sleep(5)
    stale = [s for s, _ in heard.snapshots if s.health is Health.STALE]
    assert "stood still for 36" in stale[0].why
    await asyncio.sleep(5)
    assert line.snapshot().health is Health.OK
    task.cancel()


async def test_somebody_elses_reading_counts_as_the_poll():
    device, clock = FakeDevice(), LoopClock()
    line = line_to(device, Heard(), clock)
    task = asyncio.create_task(poll(line, clock, random.Random(1)))
    for _ in range(30):
        await asyncio.sleep(2)
        await line.refresh()
    task.cancel()
    assert len(device.reads) <= 32


async def test_change_keeps_the_reading():
    line = line_to(FakeDevice(), Heard(), LoopClock())
    await line.refresh()
    line.change(LineOptions("m1", "127.0.0.1:1", tags=("garage",), limits=Limits(max_mv=1200)))
    snapshot = line.snapshot()
    assert (snapshot.tags, snapshot.limits.max_mv, snapshot.health) == (("garage",), 1200, Health.OK)
