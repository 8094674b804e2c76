"""Whether a reading may be believed, and what it tells."""

from __future__ import annotations

import msgspec
import pytest

from minertui.model.commands import Tune
from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import Limits
from minertui.model.status import MinerStatus
from minertui.safety.limits import effective
from minertui.safety.samples import (
    Stuck,
    current,
    dark,
    fresh,
    hashing,
    hot,
    incident,
    overheated,
    overloaded,
    problems,
    rebooted,
    scorches,
    starved,
    stuck,
    valid_temp,
)
from minertui.safety.settings import Settings
from tests.safety.values import GAMMA, INF, NAN, gamma, snap

LIMITS = effective(Limits(), GAMMA) or Limits()


@pytest.mark.parametrize(
    ("snapshot", "is_fresh"),
    [
        (snap(), True),
        (snap(age_s=10.0), True),
        (snap(age_s=10.01), False),
        (snap(age_s=-0.01), False),
        (snap(age_s=NAN), False),
        (snap(health=Health.STALE), False),
        (snap(health=Health.PARKED), False),
        (snap(None), False),
        (msgspec.structs.replace(snap(), boot_s=None), False),
        (msgspec.structs.replace(snap(age_s=4.9), poll_s=1.0), True),
        (msgspec.structs.replace(snap(age_s=5.1), poll_s=1.0), False),
    ],
)
def test_fresh(snapshot: Snapshot, is_fresh: bool):
    assert fresh(snapshot, 1000.0) is is_fresh


def test_a_parked_miner_is_current_but_not_fresh():
    assert current(snap(health=Health.PARKED), 1000.0)
    assert not current(snap(health=Health.PARKED, age_s=11), 1000.0)
    assert not current(snap(health=Health.LOST), 1000.0)


def test_a_miner_that_repeats_itself_is_current_and_a_missed_poll_is_not():
    still = snap(health=Health.STALE)
    assert still.stuck
    assert still.answered
    assert current(still, 1000.0)
    missed = msgspec.structs.replace(still, misses=1)
    assert not missed.stuck
    assert not current(missed, 1000.0)


def test_hashing():
    assert hashing(GAMMA)
    assert not hashing(gamma(paused=True))
    assert not hashing(gamma(hashrate_ghs=0.0))
    assert not hashing(gamma(hashrate_ghs=None))
    assert hashing(gamma(hashrate_ghs=0.5, paused=None))
    assert hashing(gamma(hashrate_ghs=None)) is False


@pytest.mark.parametrize("bad", [None, NAN, INF, -INF, -1.0, 0.0, -0.0, 127.0, 255.0, 120.0, 5.0])
def test_temperatures_that_cannot_be(bad: float | None):
    assert not valid_temp(bad)
    assert problems(gamma(chip_temp_c=bad))


@pytest.mark.parametrize("good", [5.1, 119.5, 70.0])
def test_temperatures_that_can_be(good: float):
    assert valid_temp(good) is True
    assert problems(gamma(chip_temp_c=good)) == ()


@pytest.mark.parametrize("dead", [-1.0, 0.0, 127.0, 255.0, -120.0, 120.0, NAN, None])
def test_a_dead_sensor_is_dead_also_while_nothing_hashes(dead: float | None):
    assert valid_temp(dead, working=False) is False


@pytest.mark.parametrize("glowing", [120.0, 125.0, 126.9, 128.0, 16384.0])
def test_what_is_over_all_belief_is_hot_and_no_dead_sensor(glowing: float):
    assert scorches(glowing) is True
    for fields in ({"chip_temp_c": glowing}, {"chip_temp2_c": glowing}, {"vr_temp_c": glowing}):
        assert "has reached" in (hot(gamma(**fields), LIMITS, raised=False) or "")
        assert "has reached" in (hot(gamma(**fields, hashrate_ghs=0.0), LIMITS) or "")
        assert "counts as hot" in (hot(gamma(**fields), LIMITS) or "")
        assert problems(gamma(**fields))


@pytest.mark.parametrize("code", [127.0, 127.875, 255.0, 119.9, -1.0, NAN, INF, None])
def test_a_fault_code_says_nothing_about_heat(code: float | None):
    assert scorches(code) is False


@pytest.mark.parametrize("code", [127.0, 127.875, 255.0, -1.0, 0.0, NAN])
def test_a_dead_sensor_is_hot_on_a_raised_miner_alone(code: float):
    for fields in ({"chip_temp_c": code}, {"chip_temp2_c": code}, {"vr_temp_c": code}):
        assert hot(gamma(**fields), LIMITS, raised=False) is None
        assert "counts as hot" in (hot(gamma(**fields), LIMITS) or "")
        assert problems(gamma(**fields))


def test_whose_temperature_cannot_be_believed():
    assert dark(GAMMA) == dark(gamma(vr_temp_c=None, hashrate_ghs=0.0)) == ""
    assert dark(gamma(chip_temp_c=None, vr_temp_c=-1.0)) == "chip"
    assert dark(gamma(chip_temp_c=4.0, hashrate_ghs=0.0)) == "chip"  # asked of one that works
    assert dark(gamma(chip_temp2_c=127.0)) == "second chip"
    assert dark(gamma(vr_temp_c=125.0)) == "regulator"


@pytest.mark.parametrize("cold", [-2.0, 1.0, -119.5])
def test_frost_is_no_dead_sensor(cold: float):
    assert valid_temp(cold, working=False)


def test_a_cold_miner_that_does_not_hash_is_plausible():
    assert valid_temp(4.0, working=False)
    assert problems(gamma(chip_temp_c=4.0, vr_temp_c=3.0, hashrate_ghs=0.0)) == ()
    assert problems(gamma(chip_temp_c=4.0)) == ("chip temperature is 4 °C",)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"power_w": NAN}, "power_w is not a number"),
        ({"hashrate_ghs": INF}, "hashrate_ghs is not a number"),
        ({"vr_temp_c": 127.0}, "regulator temperature is 127 °C"),
        ({"chip_temp2_c": -128.0}, "second chip temperature is -128 °C"),
        ({"hashrate_ghs": -5.0}, "hashrate is -5"),
        ({"power_w": -1.0}, "power is -1"),
        ({"uptime_s": -1.0}, "uptime is -1"),
        ({"hashrate_ghs": -0.5}, "hashrate is -0.5"),
        ({"power_w": -0.5}, "power is -0.5"),
        ({"uptime_s": -0.5}, "uptime is -0.5"),
    ],
)
def test_other_values_that_cannot_be(fields: dict[str, object], why: str):
    assert why in problems(gamma(**fields))


def test_a_plain_reading_has_no_problems():
    assert problems(GAMMA) == ()
    assert problems(gamma(vr_temp_c=None, power_w=None), GAMMA) == ()
    assert problems(gamma(power_w=0.0, uptime_s=0.0, hashrate_ghs=0.0)) == ()
    assert problems(gamma(power_w=0.5, uptime_s=0.5, hashrate_ghs=0.5)) == ()


def test_a_jump_is_doubted_until_a_second_sample():
    low, high = gamma(chip_temp_c=50.0), gamma(chip_temp_c=65.1)
    assert "jumped from 50 °C to 65.1 °C" in problems(high, low)[0]
    assert problems(low, high)
    assert problems(high, high) == ()
    assert problems(gamma(chip_temp_c=65.0), low) == ()
    assert problems(high, gamma(chip_temp_c=None)) == ()
    assert problems(gamma(chip_temp_c=None), GAMMA) == ("chip temperature is missing",)
    assert problems(gamma(chip_temp_c=127.0), GAMMA) == ("chip temperature is 127 °C",)


def test_ten_equal_readings_are_stuck_nine_are_not():
    still = gamma(total_hashes=None, uptime_s=None)
    assert stuck([still] * 9) is None
    assert "have not moved for 10 polls" in (stuck([still] * 10) or "")
    moving = [gamma(power_w=18.0 + n, total_hashes=None, uptime_s=None) for n in range(20)]
    assert stuck(moving) is None
    assert stuck([still] * 9 + [gamma(paused=True)] + [still] * 9) is None
    assert stuck([gamma(power_w=None, total_hashes=None, uptime_s=None)] * 20) is None
    assert stuck([]) is None


def same_for(state: Stuck) -> tuple[int, int, int]:
    return state.values_same, state.counter_same, state.uptime_same


def test_a_repetition_is_counted_from_one():
    assert set(msgspec.structs.astuple(Stuck())) == {(), 0, None}
    assert same_for(Stuck()) == (0, 0, 0)
    once = Stuck().after(GAMMA)
    assert (once.values, once.counter, once.uptime_s) == ((58.0, 18.0, 1071.0), 1e15, 1000.0)
    assert same_for(once) == (1, 1, 1)
    assert same_for(once.after(GAMMA)) == (2, 2, 2)
    assert same_for(once.after(GAMMA).after(gamma(power_w=19.0, total_hashes=2e15, uptime_s=1005.0))) == (1, 1, 1)
    silent = once.after(gamma(total_hashes=None, uptime_s=None, power_w=None))
    assert same_for(silent) == (1, 0, 0)
    assert same_for(silent.after(gamma(power_w=None))) == (1, 1, 1)


def test_shares_speak_against_a_counter_only_while_it_stands():
    def told(*answers: tuple[int | None, int | None], hashes: float = 1e15) -> Stuck:
        state = Stuck()
        for accepted, rejected in answers:
            state = state.after(gamma(shares_accepted=accepted, shares_rejected=rejected, total_hashes=hashes))
        return state

    assert told((5, 1)).answered == 6
    assert told((None, None)).answered == 0
    assert told((5, None)).answered == 5
    assert [told(*[(n, 0) for n in range(5, 5 + polls)]).answers_uncounted for polls in (1, 2, 3)] == [0, 1, 2]
    assert told((5, 0), (5, 0), (5, 0)).answers_uncounted == 0
    assert told((5, 0), (4, 0)).answers_uncounted == 0
    assert told((5, 0), (6, 0)).after(gamma(shares_accepted=7, total_hashes=2e15)).answers_uncounted == 0


@pytest.mark.parametrize(("shares", "frozen"), [(0, True), (1, True), (2, False), (5, False)])
def test_two_polls_with_shares_disprove_a_counter(shares: int, frozen: bool):
    polls = [gamma(power_w=18.0 + n, uptime_s=float(n), shares_accepted=min(n, shares)) for n in range(10)]
    assert ("counter of hashes" in (stuck(polls) or "")) is frozen


def test_nine_equal_counts_are_not_stuck():
    assert stuck([gamma(power_w=18.0 + n, uptime_s=float(n)) for n in range(9)]) is None
    assert stuck([gamma(power_w=18.0 + n, total_hashes=float(n)) for n in range(9)]) is None


def test_counters_that_stand_still_are_stuck():
    frozen_count = [gamma(power_w=18.0 + n, uptime_s=float(n)) for n in range(10)]
    assert "counter of hashes" in (stuck(frozen_count) or "")
    frozen_uptime = [gamma(power_w=18.0 + n, total_hashes=float(n)) for n in range(10)]
    assert "uptime has not moved" in (stuck(frozen_uptime) or "")
    assert Stuck().after(GAMMA).why is None


def test_a_counter_of_hashes_that_shares_disprove_is_no_evidence():
    def polls(*shares: int) -> list[MinerStatus]:
        return [
            gamma(power_w=18.0 + n, uptime_s=float(n), shares_accepted=count, shares_rejected=0)
            for n, count in enumerate(shares)
        ]

    assert stuck(polls(*range(100, 112))) is None  # it mines: the field alone stands still
    assert "counter of hashes" in (stuck(polls(100, 101, *[101] * 12)) or "")  # its last share, then frozen
    rejects = [gamma(power_w=18.0 + n, uptime_s=float(n), shares_accepted=7, shares_rejected=n // 4) for n in range(12)]
    assert stuck(rejects) is None
    counts_again = [gamma(power_w=n, uptime_s=float(n), total_hashes=9.0, shares_accepted=200) for n in range(1, 13)]
    assert "counter of hashes" in (stuck(polls(*range(100, 112)) + counts_again) or "")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"chip_temp_c": 70.0}, "chip temperature 70 °C has reached 70 °C"),
        ({"chip_temp2_c": 75.0}, "second chip temperature 75 °C"),
        ({"vr_temp_c": 95.0}, "regulator temperature 95 °C"),
        ({"power_w": 40.1}, "power 40.1 W is above 40 W"),
        ({"power_w": 72.9248}, "power 72.92 W is above 40 W"),
        ({"power_w": NAN}, "power nan W"),
        ({"input_mv": 4799.0}, "input voltage 4799 mV is outside 4800..5500 mV"),
        ({"input_mv": 5501.0}, "input voltage 5501 mV"),
        ({"input_mv": NAN}, "input voltage nan mV"),
        ({"chip_temp_c": None}, "chip temperature is missing, which counts as hot"),
        ({"chip_temp_c": NAN}, "counts as hot"),
        ({"chip_temp_c": -1.0}, "counts as hot"),
        ({"vr_temp_c": 255.0}, "counts as hot"),
    ],
)
def test_hot(fields: dict[str, object], why: str):
    assert why in (hot(gamma(**fields), LIMITS) or "")


def test_cool():
    assert hot(GAMMA, LIMITS) is None
    assert hot(gamma(chip_temp_c=69.9, vr_temp_c=94.9, power_w=40.0, input_mv=4800.0), LIMITS) is None
    assert hot(gamma(vr_temp_c=None, power_w=None, input_mv=None), LIMITS) is None
    assert hot(gamma(input_mv=5500.0), LIMITS) is None
    assert hot(gamma(nominal_input_v=48.0), LIMITS) is None
    assert hot(gamma(power_w=41.0), Limits(max_chip_temp_c=70)) is None
    assert hot(gamma(chip_temp_c=100.0, vr_temp_c=100.0, power_w=100.0), Limits()) is None


def test_its_power_alone():
    assert overloaded(gamma(power_w=40.1, chip_temp_c=90.0), LIMITS) == "power 40.1 W is above 40 W"
    assert overloaded(gamma(power_w=40.0, input_mv=1.0), LIMITS) is None
    assert overloaded(gamma(power_w=None), LIMITS) is None
    assert overloaded(gamma(power_w=99.0), Limits()) is None


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, None),
        ({"input_mv": 4799.0}, "input voltage 4799 mV is under 4800 mV"),
        ({"input_mv": 11519.0, "nominal_input_v": 12.0}, "input voltage 11519 mV is under 11520 mV"),
        ({"input_mv": 4800.0}, None),
        ({"input_mv": 6000.0}, None),  # less load does not help against that
        ({"input_mv": None}, None),
        ({"input_mv": NAN}, None),  # says nothing
        ({"input_mv": 1.0, "nominal_input_v": 48.0}, None),
        ({"power_fault": "VIN_UV"}, "the board reports: VIN_UV"),
        ({"hardware_fault": "x", "input_mv": 1.0}, "the board reports: x"),
        ({"hardware_fault": "x", "power_fault": "y"}, "the board reports: y"),
    ],
)
def test_what_says_that_a_supply_gives_too_little(fields: dict[str, object], why: str | None):
    assert starved(gamma(**fields)) == why


def test_an_unpowered_chip_without_temperature_is_not_hot():
    assert hot(gamma(chip_temp_c=None, paused=True, hashrate_ghs=0.0), LIMITS) is None
    assert hot(gamma(chip_temp_c=-1.0, hashrate_ghs=0.0), LIMITS) is None
    assert hot(gamma(chip_temp_c=NAN), LIMITS, raised=False) is None
    assert hot(gamma(chip_temp_c=255.0, hashrate_ghs=0.0), LIMITS) is None
    assert hot(gamma(vr_temp_c=-1.0, hashrate_ghs=0.0), LIMITS) is None
    assert hot(gamma(chip_temp_c=71.0, hashrate_ghs=0.0), LIMITS)


LESS = gamma(frequency_mhz=425.0, core_mv=1050.0)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (GAMMA, gamma(overheat=True), "reports overheating"),
        (GAMMA, gamma(power_fault="input low"), "fault: input low"),
        (GAMMA, gamma(hardware_fault="fan controller"), "fault: fan controller"),
        (GAMMA, LESS, "525 MHz / 1150 mV to 425 MHz / 1050 mV"),
        (GAMMA, gamma(frequency_mhz=50.0, core_mv=1000.0), "to 50 MHz / 1000 mV"),
        (GAMMA, gamma(frequency_mhz=400.0, core_mv=1000.0), "to 400 MHz / 1000 mV"),
        (GAMMA, gamma(fan_auto=False, fan_manual_pct=100.0), "fan went to manual 100 %"),
        (GAMMA, gamma(hashrate_ghs=0.0, chip_temp_c=-1.0, fan_pct=100.0), "lost power"),
        (GAMMA, gamma(hashrate_ghs=0.0, chip_temp_c=None, fan_pct=100.0), "lost power"),
    ],
)
def test_incidents(before: object, after: object, why: str):
    assert why in (incident(before, after) or "")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "after", "ours"),
    [
        (GAMMA, GAMMA, None),
        (gamma(overheat=True), gamma(overheat=True), None),
        (gamma(power_fault="x"), gamma(power_fault="x"), None),
        (GAMMA, LESS, Tune(425, 1050)),
        (GAMMA, LESS, Settings(425, 1050)),
        (GAMMA, LESS, Tune(core_mv=1050)),
        (GAMMA, gamma(frequency_mhz=500.0), None),
        (GAMMA, gamma(frequency_mhz=None), None),
        (GAMMA, gamma(core_mv=None), None),
        (gamma(frequency_mhz=None), LESS, None),
        (gamma(core_mv=None), LESS, None),
        (GAMMA, LESS, Tune(425)),
        (gamma(frequency_mhz=50.0, core_mv=1000.0), gamma(frequency_mhz=50.0, core_mv=1000.0), None),
        (GAMMA, gamma(frequency_mhz=425.0), None),
        (GAMMA, gamma(core_mv=1050.0), None),
        (gamma(hardware_fault="x"), gamma(hardware_fault="x"), None),
        (gamma(hardware_fault="x", power_fault="y"), GAMMA, None),  # both are over
        (gamma(fan_auto=False), gamma(fan_auto=False, fan_manual_pct=100.0), None),
        (GAMMA, gamma(fan_auto=True, fan_manual_pct=100.0), None),
        (GAMMA, gamma(chip_temp_c=None, fan_pct=100.0), None),  # it hashes on
        (gamma(hashrate_ghs=0.0), gamma(hashrate_ghs=0.0, chip_temp_c=None, fan_pct=100.0), None),
        (GAMMA, gamma(hashrate_ghs=0.0, chip_temp_c=None, fan_pct=99.5), None),
        (GAMMA, gamma(hashrate_ghs=0.0, fan_pct=100.0), None),
        (GAMMA, gamma(fan_auto=False, fan_manual_pct=100.0), Settings(fan_auto=False)),
        (GAMMA, gamma(fan_auto=False, fan_manual_pct=60.0), None),
        (GAMMA, gamma(hashrate_ghs=0.0, chip_temp_c=None, fan_pct=30.0), None),  # no pool
        (GAMMA, gamma(hashrate_ghs=0.0, chip_temp_c=None, fan_pct=None), None),
        (GAMMA, gamma(hashrate_ghs=0.0, chip_temp_c=None, paused=True, fan_pct=100.0), None),
        (gamma(chip_temp_c=None), gamma(hashrate_ghs=0.0, chip_temp_c=None, fan_pct=100.0), None),
        (gamma(uptime_s=900.0), gamma(hashrate_ghs=0.0, chip_temp_c=-1.0, fan_pct=100.0, uptime_s=2.0), None),  # starts
    ],
)
def test_no_incidents(before: object, after: object, ours: Tune | Settings | None):
    assert incident(before, after, ours) is None  # type: ignore[arg-type]


def test_a_fault_of_the_board_is_no_overheating():
    assert overheated(GAMMA, gamma(power_fault="input low")) is None
    assert "425 MHz / 1050 mV" in (overheated(GAMMA, LESS) or "")


def test_rebooted():
    assert rebooted(gamma(uptime_s=1000.0), gamma(uptime_s=3.0))
    assert not rebooted(gamma(uptime_s=1000.0), gamma(uptime_s=1000.0))
    assert not rebooted(gamma(uptime_s=None), gamma(uptime_s=3.0))
    assert not rebooted(gamma(uptime_s=3.0), gamma(uptime_s=None))
    assert rebooted(GAMMA, GAMMA) is False
