"""The one decision: every gate on its own, then all together against made-up miners."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minertui.model.commands import (
    ClearOverheat,
    Command,
    Identify,
    Pause,
    Rank,
    Restart,
    Resume,
    SetFan,
    SetPools,
    Tune,
)
from minertui.model.fleet import Health
from minertui.model.plans import Limits
from minertui.model.status import PoolSetting
from minertui.safety.kernel import decide, lowers
from minertui.safety.limits import effective
from minertui.safety.request import Request, may_lift_park
from minertui.safety.samples import current
from minertui.safety.settings import Settings, lowering
from minertui.safety.steps import Refusal, Step, Steps
from tests.safety.values import GAMMA, INF, NAN, ask, gamma, no, snap, writes

UP = Tune(550, 1170)


# order and steps ------------------------------------------------------------------------------------------------------


def test_up_is_voltage_first_in_steps_of_25():
    decision = decide(ask(Tune(580, 1200)))
    assert decision == Steps(
        (
            Step(Tune(core_mv=1175), True, 3.0, 5.0),
            Step(Tune(core_mv=1200), True, 3.0, 5.0),
            Step(Tune(frequency_mhz=550), True, 3.0),
            Step(Tune(frequency_mhz=575), True, 3.0),
            Step(Tune(frequency_mhz=580), True, 3.0),
        )
    )


@pytest.mark.parametrize(
    ("tune", "written"),
    [
        (Tune(450, 1100, at_most=True), [Tune(450), Tune(core_mv=1100)]),
        (Tune(450, 1300, at_most=True), [Tune(450)]),
        (Tune(900, 1100, at_most=True), [Tune(core_mv=1100)]),
        (Tune(525, 1150, at_most=True), []),
        (Tune(900, 1300, at_most=True), []),
        (Tune(core_mv=1300, at_most=True), []),
    ],
)
def test_an_order_that_is_to_lower_never_raises(tune: Tune, written: list[Tune]):
    """Its turn may come after somebody has lowered the miner further than it was meant to."""
    assert writes(ask(tune)) == written
    assert lowers(tune, GAMMA)
    own = Settings.of(GAMMA)
    assert own.wrote(tune).nowhere_above(own)


def test_what_is_not_known_is_not_lowered_by_a_guess():
    dark = gamma(frequency_mhz=None)
    assert not lowers(Tune(450, at_most=True), dark)
    assert "does not report" in no(ask(Tune(450, at_most=True), dark))


def test_down_is_frequency_first_and_at_once():
    decision = decide(ask(Tune(400, 1000)))
    assert decision == Steps((Step(Tune(frequency_mhz=400), False, 5.0), Step(Tune(core_mv=1000), False, 3.0, 5.0)))


def test_mixed_changes_lower_first_and_raise_the_frequency_last():
    assert writes(ask(Tune(500, 1160))) == [Tune(frequency_mhz=500), Tune(core_mv=1160)]
    assert writes(ask(Tune(540, 1140))) == [Tune(core_mv=1140), Tune(frequency_mhz=540)]


@pytest.mark.parametrize("tune", [Tune(), Tune(525, 1150), Tune(525.4), Tune(core_mv=1150)])
def test_what_is_so_already_needs_no_step(tune: Tune):
    assert writes(ask(tune)) == []


def test_the_droop_under_load_is_known_to_the_step():
    def droop(**fields: object) -> float:
        decision = decide(ask(Tune(core_mv=1100), gamma(**fields)))
        assert isinstance(decision, Steps)
        return decision.steps[0].droop_mv

    assert droop(core_actual_mv=1131.0) == 19
    assert droop(core_actual_mv=1160.0) == 0
    assert droop(core_actual_mv=20.0) == 60
    assert droop(core_actual_mv=None) == 0


# what nobody gets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [Tune(400), Pause(), Restart(), SetFan(pct=100), Identify()])
def test_nothing_is_written_to_strangers_readonly_or_unknown_devices(command: Command):
    assert "read-only" in no(ask(command, readonly=True))
    assert "MAC differs" in no(ask(command, snapshot=snap(health=Health.STRANGER)))
    assert "never answered" in no(ask(command, None))


def test_what_the_firmware_cannot_is_refused():
    assert "cannot do that (tune)" in no(ask(Tune(400), gamma(abilities=frozenset())))
    assert "cannot do that (pause)" in no(ask(Pause(), gamma(abilities=frozenset())))
    assert "cannot do that (resume)" in no(ask(Resume(), gamma(abilities=frozenset())))
    assert "cannot do that (clear overheat)" in no(ask(ClearOverheat(), gamma(abilities=frozenset())))


@pytest.mark.parametrize(
    ("tune", "why"),
    [
        (Tune(NAN), "not a number"),
        (Tune(INF), "not a number"),
        (Tune(-INF), "not a number"),
        (Tune(49), "below the least that is allowed, 50 MHz"),
        (Tune(-525), "below the least"),
        (Tune(-0.0), "below the least"),
        (Tune(core_mv=799), "below the least that is allowed, 800 mV"),
    ],
)
@pytest.mark.parametrize("rank", [Rank.SAFETY, Rank.PERSON, Rank.SWEEP])
def test_nonsense_is_refused_to_everybody(tune: Tune, why: str, rank: Rank):
    assert why in no(ask(tune, rank=rank))


def test_the_users_minimum_binds_all_but_safety():
    limits = effective(Limits(min_mhz=450, min_mv=1050), GAMMA)
    assert "450 MHz" in no(ask(Tune(400), limits=limits))
    assert "1050 mV" in no(ask(Tune(core_mv=1000), limits=limits, rank=Rank.PERSON))
    assert writes(ask(Tune(400), limits=limits, rank=Rank.SAFETY)) == [Tune(frequency_mhz=400)]


def test_a_baseline_under_the_floor_may_be_restored():
    request = ask(Tune(400), limits=effective(Limits(min_mhz=450), GAMMA), baseline=Settings(frequency_mhz=400))
    assert writes(request) == [Tune(frequency_mhz=400)]


# a raise needs everything ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bent", "why"),
    [
        ({"parked": True}, "parked (by a safety stop)"),
        ({"snapshot": snap(health=Health.PARKED, why="too hot")}, "parked (too hot)"),
        ({"limits": None}, "no limits are known"),
        ({"limits": Limits(max_mhz=600)}, "no limits are known"),
        ({"limits": Limits(max_mv=1300)}, "no limits are known"),
        ({"limits": effective(Limits(max_mhz=549), GAMMA)}, "550 MHz is above the limit in force, 549 MHz"),
        ({"limits": effective(Limits(max_mv=1169), GAMMA)}, "1170 mV is above"),
        ({"snapshot": snap(age_s=10.1)}, "not fresh;"),
        ({"snapshot": snap(health=Health.LOST, why="no answer")}, "not fresh (no answer)"),
        ({"settled_s": 1000.0}, "no reading yet from after the last change"),
        ({"doubt": "somebody changed it"}, "somebody changed it"),
        ({"before": gamma(chip_temp_c=40.0)}, "cannot be trusted: chip temperature jumped"),
        ({"journalled": False}, "journal cannot be written"),
        ({"raised_s": [999.0] * 60}, "raised 60 times within an hour"),
        ({"wrote_s": [0.0] * 1000}, "written 1000 times within a day"),
    ],
)
def test_each_gate_alone_stops_a_raise_and_no_lowering(bent: dict[str, Any], why: str):
    assert why in no(ask(UP, **bent))
    for rank in (Rank.SAFETY, Rank.PERSON):
        assert writes(ask(Tune(500, 1100), rank=rank, **bent)) == [Tune(frequency_mhz=500), Tune(core_mv=1100)]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"overheat": True}, "overheat mode"),
        ({"power_fault": "over current"}, "fault: over current"),
        ({"hardware_fault": "fan"}, "fault: fan"),
        ({"fan_auto": False, "fan_pct": 0.0}, "fan is set to 0 %"),
        ({"chip_temp_c": 70.0}, "at a limit: chip temperature 70 °C has reached 70 °C"),
        ({"chip_temp_c": NAN}, "not a number"),
        ({"chip_temp_c": None}, "chip temperature is missing"),
        ({"chip_temp_c": -1.0}, "chip temperature is -1"),
        ({"power_w": 41.0}, "power 41 W"),
        ({"input_mv": 4700.0}, "input voltage 4700 mV"),
    ],
)
def test_each_bad_reading_alone_stops_a_raise_and_no_lowering(fields: dict[str, object], why: str):
    assert why in no(ask(UP, gamma(**fields)))
    assert writes(ask(Tune(500, 1100), gamma(**fields))) == [Tune(frequency_mhz=500), Tune(core_mv=1100)]


@pytest.mark.parametrize("lost", [{"frequency_mhz": None}, {"core_mv": None}])
def test_what_is_not_known_cannot_be_raised(lost: dict[str, object]):
    assert "only be lowered" in no(ask(UP, gamma(**lost)))


def test_a_present_value_that_is_no_number_is_not_lower_than_anything():
    assert isinstance(decide(ask(Tune(400), gamma(frequency_mhz=NAN))), Refusal)


def test_old_raises_and_settled_readings_do_not_count():
    assert writes(ask(UP, raised_s=[-3000.0] * 100, wrote_s=[-90000.0] * 2000))
    assert writes(ask(UP, settled_s=None))
    assert "no reading yet" in no(ask(UP, snapshot=msgspec.structs.replace(snap(), boot_s=999.0), settled_s=999.5))


def test_a_job_does_not_lower_blindly():
    """Lower than an old reading may be higher than what the miner is at by now."""
    for rank in (Rank.CURTAILMENT, Rank.SWEEP):
        assert "does not answer now" in no(ask(Tune(500), rank=rank, snapshot=snap(age_s=11)))
        assert "now (no answer)" in no(ask(Tune(500), rank=rank, snapshot=snap(health=Health.LOST, why="no answer")))
        assert writes(ask(Tune(500), rank=rank, snapshot=snap(health=Health.PARKED)))


def test_a_value_above_the_cap_may_be_lowered_to_one_still_above():
    assert writes(ask(Tune(core_mv=1450), gamma(core_mv=1500.0))) == [Tune(core_mv=1450)]


def test_lowers():
    assert lowers(Pause(), None)
    assert lowers(Tune(500), GAMMA)
    assert lowers(Tune(), GAMMA)
    assert not lowers(Tune(500, 1160), GAMMA)
    assert not lowers(Tune(500), None)
    assert not lowers(Tune(500), gamma(frequency_mhz=None))
    assert not lowers(Resume(), GAMMA)


def test_only_a_person_lifts_a_park():
    assert [rank for rank in Rank if may_lift_park(rank)] == [Rank.PERSON]


# fan ------------------------------------------------------------------------------------------------------------------

HOT = gamma(chip_temp_c=71.0)


@pytest.mark.parametrize(
    ("fan", "status", "why"),
    [
        (SetFan(pct=101), GAMMA, "outside 0..100"),
        (SetFan(pct=-1), GAMMA, "outside 0..100"),
        (SetFan(target_c=34), GAMMA, "outside 35..66"),
        (SetFan(target_c=67), GAMMA, "outside 35..66"),
        (SetFan(min_pct=100), GAMMA, "outside 0..99"),
        (SetFan(target_c=60), gamma(abilities=frozenset({"fan"})), "fan towards a temperature"),
        (SetFan(auto=False, pct=19), GAMMA, "at least 20 %"),
        (SetFan(auto=False, pct=0), GAMMA, "at least 20 %"),
        (SetFan(auto=False), gamma(fan_manual_pct=None), "at least 20 %"),
        (SetFan(auto=False), gamma(fan_manual_pct=10.0), "at least 20 %"),
        (SetFan(auto=False), gamma(fan_manual_pct=NAN), "at least 20 %"),
        (SetFan(pct=10), gamma(fan_auto=False), "at least 20 %"),
        (SetFan(pct=10), gamma(fan_auto=None), "at least 20 %"),
        (SetFan(auto=False, pct=54), HOT, "hot or not known to be cool"),
        (SetFan(auto=False, pct=99), msgspec.structs.replace(HOT, fan_pct=None), "hot or not known"),
        (SetFan(auto=False, pct=30), gamma(overheat=True), "hot or not known"),
    ],
)
def test_a_fan_that_would_cook_the_miner_is_refused(fan: SetFan, status: object, why: str):
    assert why in no(ask(fan, status))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fan", "status"),
    [
        (SetFan(auto=True), HOT),
        (SetFan(auto=True, target_c=55, min_pct=20), GAMMA),
        (SetFan(pct=10), GAMMA),  # stored, but automatic goes on
        (SetFan(auto=False, pct=20), GAMMA),
        (SetFan(auto=False, pct=100), HOT),
        (SetFan(auto=False, pct=55), HOT),
    ],
)
def test_a_sane_fan_is_one_write(fan: SetFan, status: object):
    assert writes(ask(fan, status)) == [fan]  # type: ignore[arg-type]


def test_fan_of_the_baseline_may_come_back_and_stale_counts_as_hot():
    assert writes(ask(SetFan(auto=False, pct=15), baseline=Settings(fan_pct=15))) == [SetFan(auto=False, pct=15)]
    assert "hot or not known" in no(ask(SetFan(auto=False, pct=30), snapshot=snap(age_s=60)))
    assert "hot or not known" in no(ask(SetFan(auto=False, pct=30), gamma(chip_temp_c=61.0), limits=None))


def test_a_target_at_the_chips_limit_is_refused():
    limits = effective(Limits(max_chip_temp_c=60), GAMMA)
    assert "not below the chip's limit of 60 °C" in no(ask(SetFan(auto=True, target_c=60), limits=limits))
    assert writes(ask(SetFan(auto=True, target_c=60), limits=None))
    assert writes(ask(SetFan(auto=True, target_c=60), limits=Limits()))


def test_whoever_orders_keeps_under_limits_of_its_own_too():
    """A sweep's, on the way to a far point: the limits in force are wider."""
    assert "chip temperature 58 °C has reached 58 °C" in no(ask(UP, within=Limits(max_chip_temp_c=58)))
    assert "power 18 W is above 17 W" in no(ask(UP, within=Limits(max_power_w=17)))
    assert writes(ask(UP, within=Limits(max_chip_temp_c=58.5, max_vr_temp_c=63, max_power_w=18)))
    assert writes(ask(Tune(400), within=Limits(max_chip_temp_c=58)))


# pools, restart, pause, overheat --------------------------------------------------------------------------------------

POOL = PoolSetting("pool.example.com", 3333, "bc1q.worker")


def test_pools_need_a_person_and_sense():
    assert "confirm" in no(ask(SetPools((POOL,)), rank=Rank.PERSON))
    assert writes(ask(SetPools((POOL,)), confirmed=True)) == [SetPools((POOL,))]
    assert "at least one" in no(ask(SetPools(()), confirmed=True))
    for bad in ({"url": " "}, {"user": ""}, {"port": 0}, {"port": 65536}):
        pool = msgspec.structs.replace(POOL, **bad)
        assert "pool 2 needs a host" in no(ask(SetPools((POOL, pool)), confirmed=True))
    told = no(ask(SetPools((msgspec.structs.replace(POOL, url="alice:canary@pool.example.com"),)), confirmed=True))
    assert "pool 1: an address is a host alone" in told
    assert "canary" not in told


def test_a_pool_that_the_miner_holds_stays_as_it_is():
    """A person who changes one pool is not held up by the other, which somebody else wrote down oddly."""
    odd = PoolSetting("alice@pool.example.org", 3333, "bc1q.worker")
    order = SetPools((POOL, odd))
    assert writes(ask(order, gamma(pools=(PoolSetting("old", 1, "x"), odd)), confirmed=True)) == [order]
    assert "pool 2: an address is a host alone" in no(ask(order, gamma(pools=(POOL,)), confirmed=True))


def test_restarts_are_rationed():
    assert "confirm" in no(ask(Restart(), rank=Rank.PERSON))
    assert writes(ask(Restart(), rank=Rank.PERSON, confirmed=True)) == [Restart()]
    assert "less than 300 s ago" in no(ask(Restart(), rank=Rank.PERSON, confirmed=True, restarted_s=[701.0]))
    assert writes(ask(Restart(), rank=Rank.PERSON, confirmed=True, restarted_s=[700.0] * 9))
    assert "less than 60 s ago" in no(ask(Restart(), restarted_s=[941.0]))
    assert writes(ask(Restart(), restarted_s=[940.0] * 9))


@pytest.mark.parametrize("rank", [Rank.SAFETY, Rank.CURTAILMENT])
def test_repairs_end_in_a_park(rank: Rank):
    assert writes(ask(Restart(), rank=rank, restarted_s=[100.0, 400.0]))
    decision = decide(ask(Restart(), rank=rank, restarted_s=[0.0, 300.0, 650.0]))
    assert decision == Refusal("3 restarts within a day did not help", park=True)


def test_pause_is_always_and_resume_not():
    assert writes(ask(Pause(), parked=True, snapshot=snap(age_s=1e6))) == [Pause()]
    assert "a person must clear" in no(ask(Resume(), parked=True))
    assert "overheat mode" in no(ask(Resume(), gamma(overheat=True)))
    assert writes(ask(Resume(), parked=True, rank=Rank.PERSON)) == [Resume()]
    assert writes(ask(Resume())) == [Resume()]


def test_a_greeting_is_always_allowed_where_the_firmware_can():
    assert writes(ask(Identify(), parked=True)) == [Identify()]
    assert "cannot do that (identify)" in no(ask(Identify(), gamma(abilities=frozenset())))


def test_an_overheat_flag_is_cleared_by_a_person_when_cool():
    assert "only a person" in no(ask(ClearOverheat()))
    assert "let it cool" in no(ask(ClearOverheat(), HOT, Rank.PERSON))
    assert "let it cool" in no(ask(ClearOverheat(), rank=Rank.PERSON, snapshot=snap(age_s=60)))
    crippled = gamma(overheat=True, hashrate_ghs=0.0, chip_temp_c=None)
    assert writes(ask(ClearOverheat(), crippled, Rank.PERSON)) == [ClearOverheat()]
    parked = snap(crippled, health=Health.PARKED)
    assert writes(ask(ClearOverheat(), crippled, Rank.PERSON, snapshot=parked)) == [ClearOverheat()]


# all together ---------------------------------------------------------------------------------------------------------

SEEN: Counter[str] = Counter()


def need_mv(mhz: float) -> float:
    return 900 + (mhz - 400) * 1.2


ODD = st.sampled_from([NAN, INF, -INF, -0.0, -1.0, 0.0, 127.0, 255.0, 1e300])


def mostly(good: st.SearchStrategy[object], bad: st.SearchStrategy[object] = ODD) -> st.SearchStrategy[object]:
    """Nine good of ten: a model that is refused for everything tests nothing."""
    return st.integers(0, 19).flatmap(lambda n: bad if n == 0 else good)


MHZ = st.sampled_from([400.0, 425.0, 500.0, 525.0, 540.0, 600.0, 700.0, 1200.0, 1201.0])
MV = st.sampled_from([1000, 1050, 1150, 1175, 1200, 1300, 1400, 1401])


@st.composite
def requests(draw: st.DrawFn) -> Request:
    status = gamma(
        frequency_mhz=draw(mostly(MHZ)),
        core_mv=draw(mostly(MV)),
        chip_temp_c=draw(mostly(st.floats(40, 69.9))),
        vr_temp_c=draw(mostly(st.floats(40, 94), st.one_of(ODD, st.none()))),
        power_w=draw(mostly(st.floats(10, 40), st.sampled_from([NAN, INF, 41.0]))),
        input_mv=draw(mostly(st.floats(4800, 5500), st.sampled_from([NAN, 4799.0, 5501.0]))),
        overheat=draw(mostly(st.just(False), st.just(True))),
    )
    return ask(
        Tune(draw(mostly(MHZ)), draw(mostly(MV))),  # type: ignore[arg-type]
        status,
        draw(st.sampled_from(list(Rank))),
        snapshot=snap(status, age_s=draw(mostly(st.floats(0, 10), st.sampled_from([NAN, 10.1, -1.0, INF])))),  # type: ignore[arg-type]
        journalled=draw(mostly(st.just(True), st.just(False))),
        parked=draw(mostly(st.just(False), st.just(True))),
    )


def sound(request: Request) -> bool:
    """What a raise needs, said a second time and otherwise than in the code."""
    s = request.snapshot.status
    assert s is not None
    assert request.snapshot.boot_s is not None
    age = request.now_s - request.snapshot.boot_s
    numbers = [s.frequency_mhz, s.core_mv, s.chip_temp_c, s.power_w, s.input_mv, age]
    return (
        all(n is not None and math.isfinite(n) for n in numbers)
        and 0 <= age <= 10
        and 5 < (s.chip_temp_c or 0) < 70
        and (s.vr_temp_c is None or 5 < s.vr_temp_c < 95)
        and 0 <= (s.power_w or 0) <= 40
        and 4800 <= (s.input_mv or 0) <= 5500
        and not s.overheat
        and request.journalled
        and not request.parked
    )


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(requests())
def promises_hold(request: Request):
    tune, status = request.command, request.snapshot.status
    assert isinstance(tune, Tune)
    assert status is not None
    decision = decide(request)
    if isinstance(decision, Refusal):
        SEEN["refused"] += 1
        assert decision.reason
        values = (tune.frequency_mhz, tune.core_mv)
        sane = all(v is not None and math.isfinite(v) for v in values) and values[0] >= 50 and values[1] >= 800  # type: ignore[operator]
        emergency = request.rank in (Rank.SAFETY, Rank.PERSON) or current(request.snapshot, request.now_s)
        assert not (sane and emergency and lowers(tune, status)), "a plain lowering was refused"
        return
    mhz, mv = status.frequency_mhz, status.core_mv
    for step in decision.steps:
        command = step.command
        assert isinstance(command, Tune)
        assert (command.frequency_mhz is None) != (command.core_mv is None), "one value a write"
        to, have, cap = (command.frequency_mhz, mhz, 1200) if command.core_mv is None else (command.core_mv, mv, 1400)
        assert to is not None
        assert have is not None
        assert step.raises == (not to <= have)
        if step.raises:
            SEEN["raised"] += 1
            assert sound(request)
            assert to - have <= 25
            assert to <= cap
        else:
            SEEN["lowered"] += 1
        mhz, mv = (to, mv) if command.core_mv is None else (mhz, to)
        ends_fine = tune.core_mv is not None and tune.core_mv >= need_mv(tune.frequency_mhz or 0)
        starts_fine = status.core_mv is not None and status.core_mv >= need_mv(status.frequency_mhz or 0)
        if ends_fine and starts_fine:
            SEEN["order"] += 1
            assert mv is not None
            assert mhz is not None
            assert mv >= need_mv(mhz), f"{mv} mV at {mhz} MHz"


def test_whatever_is_asked_the_promises_hold():
    """And the property has seen enough: a suite that never raised would prove nothing."""
    SEEN.clear()
    promises_hold()
    assert SEEN["raised"] > 500, SEEN
    assert SEEN["lowered"] > 300, SEEN
    assert SEEN["order"] > 300, SEEN
    assert SEEN["refused"] > 200, SEEN


def test_an_order_that_is_to_lower_stays_one():
    """Also where nothing of it is left: what it is asked again on may be another reading."""
    assert lowering(Tune(525, 1150, at_most=True), 525.0, 1150.0) == Tune(at_most=True)
    assert lowering(Tune(524, 1149, at_most=True), 525.0, 1150.0) == Tune(524, 1149, at_most=True)
    assert lowering(Tune(600, 1200), 525.0, 1150.0) == Tune(600, 1200)
