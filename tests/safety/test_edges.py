"""The last value that is allowed beside the first that is not, for every number in the kernel; and what a reading or a
request that lacks something does to each gate alone, also where another gate would have come before."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from minertui.model.commands import ClearOverheat, Pause, Rank, Restart, Resume, SetFan, SetPools, Tune
from minertui.model.fleet import Health
from minertui.model.plans import Limits
from minertui.model.status import Ability, MinerStatus, PoolSetting
from minertui.safety import kernel, raising
from minertui.safety.kernel import lowers
from minertui.safety.limits import ChipCaps, effective
from minertui.safety.others import fan as judge_fan
from minertui.safety.request import RULES, Request, Rules, goes_up, may_lift_park, recent
from minertui.safety.samples import Stuck, core_off, overheated
from minertui.safety.settings import Settings
from minertui.safety.steps import Refusal, Step, Steps, ramp_s
from tests.safety.values import GAMMA, INF, NAN, ask, gamma, no, snap, writes

UP = Tune(550, 1170)
DAY_S, HOUR_S = 86400.0, 3600.0


# the numbers themselves -----------------------------------------------------------------------------------------------


def test_the_rules_are_these_and_no_others():
    assert msgspec.structs.astuple(RULES) == (25.0, 25.0, 15.0, 90.0, 5.0, 60, 1000, 300.0, 60.0, 3, 20)


@pytest.mark.parametrize("kind", [ChipCaps, Rules, Request, Settings, Step, Steps, Refusal, Stuck])
def test_nothing_changes_what_was_judged(kind: Any):
    assert kind.__struct_config__.frozen


def test_what_nobody_said_does_not_count_as_a_yes():
    bare = Request(UP, Rank.SWEEP, snap(), 1000.0)
    assert [bare.journalled, bare.parked, bare.readonly, bare.confirmed] == [False] * 4
    assert (bare.limits, bare.before, bare.baseline, bare.settled_s, bare.doubt) == (None, None, None, None, "")
    assert msgspec.structs.astuple(Step(UP)) == (UP, False, 0.0, 0.0)
    assert Refusal("no").park is False


# a raise --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bent",
    [
        {"limits": effective(Limits(max_mhz=550, max_mv=1170), GAMMA)},
        {"raised_s": [999.0] * 59},
        {"raised_s": [1000.0 - HOUR_S] * 60},
        {"wrote_s": [999.0] * 999},
        {"wrote_s": [1000.0 - DAY_S] * 1000},
        {"settled_s": 999.9},
    ],
)
def test_a_raise_that_touches_its_bounds_is_allowed(bent: dict[str, Any]):
    assert writes(ask(UP, **bent))


@pytest.mark.parametrize(
    "bent",
    [{"raised_s": [1000.5 - HOUR_S] * 60}, {"wrote_s": [1000.5 - DAY_S] * 1000}, {"limits": Limits(max_mhz=600)}],
)
def test_a_raise_just_over_its_bounds_is_refused(bent: dict[str, Any]):
    assert no(ask(UP, **bent))


@pytest.mark.parametrize("fields", [{"fan_pct": 0.0}, {"fan_auto": False, "fan_pct": 1.0}, {"fan_auto": None}])
def test_only_a_fan_that_stands_by_hand_stops_a_raise(fields: dict[str, object]):
    assert writes(ask(UP, gamma(**fields)))


def test_what_goes_down_and_stays_above_its_cap_does_not_stop_the_other_value():
    limits = effective(Limits(max_mhz=600), GAMMA)
    now = gamma(frequency_mhz=700.0, actual_mhz=700.0)
    assert writes(ask(Tune(650, 1160), now, limits=limits)) == [Tune(frequency_mhz=650), Tune(core_mv=1160)]


def test_each_gate_judges_alone():
    """Whatever the gates before it said: their order is for the reader."""
    unread = ask(UP, snapshot=msgspec.structs.replace(snap(), boot_s=None))
    assert raising._settled(unread, UP, GAMMA)
    assert raising._under_caps(ask(Tune()), Tune(), gamma(frequency_mhz=None)) is None
    for lost in ({"frequency_mhz": None}, {"core_mv": None}):
        assert "limit in force" in (raising._under_caps(ask(UP), Tune(2000, 2000), gamma(**lost)) or "")
    assert raising._under_caps(ask(UP), Tune(NAN, 1150), GAMMA)


@pytest.mark.parametrize(
    ("want", "have", "up"),
    [(500, 499.0, True), (500, 500.0, False), (500, 501.0, False), (500, None, True), (500, NAN, True),
     (NAN, 500.0, True), (None, 500.0, False), (None, None, False)],
)  # fmt: skip
def test_what_is_not_known_to_be_lower_is_higher(want: float | None, have: float | None, up: bool):
    assert goes_up(want, have) is up


def test_recent_counts_what_is_less_than_so_long_ago():
    assert recent([0.0, 1.0, 1.0, 2.0, 5.0], 11.0, 10.0) == 2
    assert recent([1.0], 11.0, 10.0) == 0
    assert recent([], 11.0, 10.0) == 0


def test_yes_and_no_are_said_as_such():
    assert lowers(Resume(), GAMMA) is False
    assert lowers(Pause(), GAMMA) is True
    assert lowers(Tune(500), None) is False
    assert may_lift_park(Rank.SWEEP) is False


def test_the_way_up_from_the_unknown_is_one_step():
    """No request gets so far; a ladder that guessed would be worse than none."""
    assert kernel._ladder(None, 500, 25) == [500]
    assert kernel._ladder(NAN, 500, 25) == [500]
    assert kernel._ladder(525.0, 500, 25) == [500]
    assert kernel._ladder(500.0, 550, 25) == [525, 550]
    assert ramp_s(None, 400) == 3.0
    assert ramp_s(462.5, 400) == 4.0
    assert ramp_s(1250, 50) == 22.2
    assert ramp_s(1275, 50) == 22.2  # no clock is higher
    assert ramp_s(5.0e6, 500) == 22.2
    assert ramp_s(0, 5.0e6) == 22.2
    assert kernel._droop(gamma(core_mv=None)) == 0.0
    assert kernel._droop(gamma(core_actual_mv=1149.5)) == 0.5


@pytest.mark.parametrize("rank", [Rank.SAFETY, Rank.SWEEP])
@pytest.mark.parametrize("tune", [Tune(50), Tune(core_mv=800)])
def test_the_floor_itself_is_allowed(tune: Tune, rank: Rank):
    assert writes(ask(tune, rank=rank)) == [tune]


# room under a limit ---------------------------------------------------------------------------------------------------

CAPS = Limits(max_chip_temp_c=70.0, max_vr_temp_c=95.0)


def room(then: dict[str, object], now: dict[str, object], seconds: float = 90.0, limits: Limits = CAPS) -> str | None:
    return raising.no_room(gamma(**then), gamma(**now), seconds, limits)


@pytest.mark.parametrize("sensor", ["chip_temp_c", "chip_temp2_c"])
def test_a_chip_that_warms_needs_room(sensor: str):
    assert room({sensor: 55.0}, {sensor: 60.0}) is None
    assert room({sensor: 55.0}, {sensor: 60.1})
    assert room({sensor: 55.0}, {sensor: 59.9}, 89.0) is None
    assert room({sensor: 55.0}, {sensor: 59.9}, 80.0)


def test_what_is_said_about_room():
    assert room({"chip_temp_c": 55.0}, {"chip_temp_c": 60.1}) == (
        "the chip at 60.1 °C leaves no room under its limit of 70 °C yet"
    )
    assert "the second chip at 61.0" in (room({"chip_temp2_c": 50.0}, {"chip_temp2_c": 61.0}) or "")
    assert "the regulator at 86.0" in (room({"vr_temp_c": 80.0}, {"vr_temp_c": 86.0}) or "")


def test_a_regulator_has_a_limit_of_its_own():
    assert room({"vr_temp_c": 80.0}, {"vr_temp_c": 85.0}) is None
    assert room({"vr_temp_c": 80.0}, {"vr_temp_c": 85.1})


def test_a_sensor_that_stands_or_falls_is_where_it_is():
    assert room({"chip_temp_c": 64.5}, {"chip_temp_c": 64.5}) is None
    assert room({"chip_temp_c": 70.0}, {"chip_temp_c": 64.9}) is None
    assert room({"chip_temp_c": 70.0}, {"chip_temp_c": 65.5})
    assert room({"chip_temp_c": 65.1}, {"chip_temp_c": 65.1})
    assert room({"chip_temp_c": 55.0}, {"chip_temp_c": NAN})


def test_room_is_not_judged_without_numbers_or_time():
    hot: dict[str, object] = {"chip_temp_c": 69.0}
    assert room({"chip_temp_c": None}, hot) is None
    assert room(hot, {"chip_temp_c": None}) is None
    assert room(hot, hot, limits=Limits(max_vr_temp_c=95.0)) is None
    for seconds in (0.0, -1.0):
        assert room({"chip_temp_c": 50.0}, hot, seconds) is None
    assert room({"chip_temp_c": 50.0}, hot, 0.5)
    assert room({"chip_temp_c": None, "vr_temp_c": 80.0}, {"chip_temp_c": 60.0, "vr_temp_c": 90.0})


def test_a_rule_bends_the_room():
    warm = (gamma(chip_temp_c=55.0), gamma(chip_temp_c=60.0), 90.0, CAPS)
    assert raising.no_room(*warm, Rules(inertia_s=91.0))
    assert raising.no_room(*warm, Rules(room_c=5.1))
    assert raising.no_room(*warm, Rules(inertia_s=0.0, room_c=10.0)) is None


# far above the default ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tune", "fields", "said"),
    [
        (Tune(1150), {"default_mhz": 1000.0}, None),
        (Tune(1151), {"default_mhz": 1000.0}, "1151 MHz is 15 % above this model's default (1000 MHz)"),
        (Tune(2000), {"default_mhz": 1000.0}, "2000 MHz is 100 % above this model's default"),
        (Tune(core_mv=1300), {"default_mv": 1000.0}, "1300 mV is 30 % above this model's default (1000 mV)"),
        (Tune(600), {"default_mhz": None}, None),
        (Tune(610), {"default_mhz": None}, "610 MHz is 16 % above what it runs now (525 MHz)"),
        (Tune(610), {"default_mhz": 600.0}, None),
        (Tune(500), {"default_mhz": 400.0}, None),  # that is down
        (Tune(), {"default_mhz": 400.0, "default_mv": 900.0}, None),
        (Tune(610), {"default_mhz": None, "frequency_mhz": None}, None),
        (Tune(610), {"default_mhz": 0.0}, "above what it runs now"),
    ],
)
def test_a_raise_far_above_the_default_is_said(tune: Tune, fields: dict[str, object], said: str | None):
    told = raising.far(tune, gamma(**fields))
    if said is None:
        assert told is None
    else:
        assert said in (told or "")
        assert (told or "").endswith("it is raised step by step, and stops at a limit")


# a core without voltage -----------------------------------------------------------------------------------------------

NERD = gamma(family="nerdqaxe", core_actual_mv=1148.0, power_w=74.0)


def nerd(**fields: object) -> MinerStatus:
    return msgspec.structs.replace(NERD, **fields)


@pytest.mark.parametrize(
    ("status", "off"),
    [
        (nerd(core_actual_mv=199.9), True),
        (nerd(core_actual_mv=200.0), False),
        (nerd(core_actual_mv=0.0, core_mv=200.0), False),
        (nerd(core_actual_mv=0.0, core_mv=200.5), True),
        (nerd(core_actual_mv=0.0, core_mv=None), False),
        (nerd(core_actual_mv=None), False),
        (nerd(core_actual_mv=NAN), False),
        (nerd(core_actual_mv=0.0, paused=True), False),
        (nerd(core_actual_mv=0.0, paused=None), True),
        (nerd(core_actual_mv=0.0, family="bitaxe"), False),
    ],
)
def test_a_core_is_off(status: MinerStatus, off: bool):
    assert core_off(status) is off


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        ({}, {"power_w": 36.9}, True),
        ({}, {"power_w": 37.0}, False),
        ({"power_w": None}, {"power_w": 74.0}, True),
        ({}, {"power_w": None}, True),
        ({"paused": True}, {"power_w": 9.0}, False),
        ({"core_actual_mv": 0.0}, {"power_w": 9.0}, False),
        ({"uptime_s": 2000.0}, {"power_w": 9.0}, False),
    ],
)
def test_a_core_that_goes_off_takes_half_its_power_along(
    before: dict[str, object], after: dict[str, object], seen: bool
):
    told = overheated(nerd(**before), nerd(core_actual_mv=0.0, **after))
    assert ("switched off by nobody's order" in (told or "")) is seen


# the fan --------------------------------------------------------------------------------------------------------------

BY_HAND = gamma(fan_auto=False)


@pytest.mark.parametrize(
    ("fan", "status", "limits"),
    [
        (SetFan(pct=0), GAMMA, CAPS),  # stored while automatic goes on
        (SetFan(target_c=35), GAMMA, CAPS),
        (SetFan(target_c=66), GAMMA, CAPS),
        (SetFan(min_pct=0), GAMMA, CAPS),
        (SetFan(min_pct=99), GAMMA, CAPS),
        (SetFan(target_c=59), GAMMA, Limits(max_chip_temp_c=60)),
        (SetFan(pct=60), gamma(abilities=frozenset({Ability.FAN})), CAPS),
        (SetFan(auto=False, pct=100), gamma(chip_temp_c=71.0, fan_pct=103.0), CAPS),
        (SetFan(auto=False, pct=100), gamma(chip_temp_c=71.0, fan_pct=None), CAPS),
        (SetFan(auto=False, pct=30), gamma(chip_temp_c=59.9, vr_temp_c=79.9), None),
        (SetFan(auto=False, pct=30), gamma(vr_temp_c=62.0, chip_temp_c=69.9), CAPS),
    ],
)
def test_a_fan_at_its_bounds_is_set(fan: SetFan, status: MinerStatus, limits: Limits | None):
    assert writes(ask(fan, status, limits=limits)) == [fan]


@pytest.mark.parametrize(
    ("fan", "status", "limits"),
    [
        (SetFan(auto=False, pct=99), gamma(chip_temp_c=71.0, fan_pct=103.0), CAPS),
        (SetFan(auto=False, pct=30), gamma(chip_temp_c=60.0), None),
        (SetFan(auto=False, pct=30), gamma(chip_temp_c=50.0, vr_temp_c=80.0), None),
        (SetFan(min_pct=30), gamma(abilities=frozenset({Ability.FAN})), CAPS),
    ],
)
def test_a_fan_over_its_bounds_is_refused(fan: SetFan, status: MinerStatus, limits: Limits | None):
    assert no(ask(fan, status, limits=limits))


def test_a_miner_that_repeats_itself_is_not_known_to_be_cool():
    assert "hot or not known" in no(ask(SetFan(auto=False, pct=30), snapshot=snap(health=Health.STALE)))
    assert "hot or not known" in no(ask(ClearOverheat(), rank=Rank.PERSON, snapshot=snap(health=Health.STALE)))


def test_a_baseline_without_a_fan_excuses_nothing():
    command = SetFan(auto=False)
    told = judge_fan(ask(command, baseline=Settings()), command, gamma(fan_manual_pct=None))
    assert isinstance(told, Refusal)
    assert "at least 20 %" in told.reason
    assert "at least 20 %" in no(ask(SetFan(auto=False, pct=15), baseline=Settings(fan_pct=16)))


# pools and restarts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", [1, 65535])
def test_every_port_that_exists_is_one(port: int):
    command = SetPools((PoolSetting("pool.example.com", port, "bc1q.worker"),))
    assert writes(ask(command, confirmed=True)) == [command]


def test_why_it_is_parked_is_said_to_who_resumes_it():
    assert "it is parked (too hot): a person" in no(ask(Resume(), parked=True, snapshot=snap(why="too hot")))
    assert "it is parked (by a safety stop): a person" in no(ask(Resume(), parked=True))


@pytest.mark.parametrize("rank", [Rank.SWEEP, Rank.PERSON])
def test_only_repairs_run_out(rank: Rank):
    asked = ask(Restart(), rank=rank, confirmed=True, restarted_s=[100.0, 200.0, 300.0, 400.0])
    assert writes(asked) == [Restart()]


@pytest.mark.parametrize("rank", [Rank.SAFETY, Rank.CURTAILMENT])
def test_a_repair_is_forgotten_after_a_day(rank: Rank):
    """The day is counted as for writes: what happened exactly a day ago is over."""
    old = [1000.0 - DAY_S] * 5
    assert writes(ask(Restart(), rank=rank, restarted_s=[*old, 100.0, 400.0])) == [Restart()]
    assert no(ask(Restart(), rank=rank, restarted_s=[1000.5 - DAY_S, 100.0, 400.0]))


def test_how_much_more_it_may_draw():
    caps = Limits(max_power_w=40)
    assert raising.growth(20.0, caps) == 0.97 * 40 / 20
    assert raising.growth(0.5, caps) == 0.97 * 40 / 0.5
    for unknown in (None, 0.0, -1.0, NAN):
        assert raising.growth(unknown, caps) == INF
    assert raising.growth(20.0, Limits()) == INF
