"""Seeing that a step was done; settings and what they compare to."""

from __future__ import annotations

import msgspec
import pytest

from minertui.model.commands import (
    Change,
    ClearOverheat,
    Command,
    Identify,
    Pause,
    Restart,
    Resume,
    SetFan,
    SetPools,
    Tune,
)
from minertui.model.status import Ability, MinerStatus, PoolSetting
from minertui.safety.settings import Settings, changes, same
from minertui.safety.steps import Step, effect, stored
from tests.safety.values import GAMMA, NAN, gamma

POOL = PoolSetting("pool.example.com", 3333, "bc1q.worker")


@pytest.mark.parametrize(
    ("command", "status", "seen"),
    [
        (Tune(525, 1150), GAMMA, True),
        (Tune(525.4), GAMMA, True),
        (Tune(526), GAMMA, False),
        (Tune(core_mv=1151), GAMMA, False),
        (Tune(525, 1151), gamma(frequency_mhz=None), False),
        (Tune(525, 1150), gamma(frequency_mhz=None), None),
        (Tune(525), gamma(frequency_mhz=NAN), False),
        (SetFan(auto=True), GAMMA, True),
        (SetFan(auto=False), GAMMA, False),
        (SetFan(auto=True), gamma(fan_auto=None), None),
        (SetFan(pct=60), GAMMA, True),
        (SetFan(pct=61), GAMMA, False),
        (SetFan(target_c=55), gamma(temp_target_c=55.0), True),
        (SetFan(min_pct=25), gamma(fan_min_pct=30.0), False),
        (SetPools((POOL,)), GAMMA, None),
        (SetPools((POOL,)), gamma(pools=(POOL,)), True),
        (SetPools((PoolSetting("other", 1, "x"),)), gamma(pools=(POOL,)), False),
        (SetPools((POOL, PoolSetting("other", 1, "x"))), gamma(pools=(POOL,)), False),
        (SetPools((PoolSetting(POOL.url, 1, POOL.user),)), gamma(pools=(POOL,)), False),
        (SetPools((PoolSetting(POOL.url, POOL.port, "x"),)), gamma(pools=(POOL,)), False),
        (SetPools((PoolSetting("other", POOL.port, POOL.user),)), gamma(pools=(POOL,)), False),
        (SetFan(), GAMMA, True),
        (SetFan(pct=60), gamma(fan_auto=None), True),
        (SetFan(auto=True, pct=61), gamma(fan_auto=None), False),
        (SetFan(auto=True, target_c=50), gamma(temp_target_c=None), None),
        (Pause(), gamma(paused=True), True),
        (Pause(), gamma(paused=False), False),
        (Pause(), gamma(paused=None), None),
        (Resume(), gamma(paused=False), True),
        (Resume(), gamma(paused=True), False),
        (ClearOverheat(), gamma(overheat=False), True),
        (ClearOverheat(), gamma(overheat=True), False),
        (ClearOverheat(), gamma(overheat=None), None),
        (Restart(), GAMMA, None),
        (Identify(), GAMMA, None),
    ],
)
def test_stored(command: Command, status: MinerStatus, seen: bool | None):
    assert stored(command, status) is seen


@pytest.mark.parametrize(
    ("step", "status", "seen"),
    [
        (Step(Tune(550), raises=True), gamma(actual_mhz=546.5), True),
        (Step(Tune(550), raises=True), gamma(actual_mhz=546.4), False),
        (Step(Tune(500)), gamma(actual_mhz=503.5), True),
        (Step(Tune(500)), gamma(actual_mhz=503.6), False),
        (Step(Tune(500)), gamma(actual_mhz=None), None),
        (Step(Tune(core_mv=1200), raises=True), gamma(core_actual_mv=1185.0), True),
        (Step(Tune(core_mv=1200), raises=True), gamma(core_actual_mv=1184.9), False),
        (Step(Tune(core_mv=1200), raises=True, droop_mv=19), gamma(core_actual_mv=1180.0), True),
        (Step(Tune(core_mv=1200), raises=True, droop_mv=19), gamma(core_actual_mv=1179.0), True),
        (Step(Tune(core_mv=1200), raises=True, droop_mv=19), gamma(core_actual_mv=1178.9), False),
        (Step(Tune(core_mv=1200), raises=True, droop_mv=5), gamma(core_actual_mv=1185.0), True),
        (Step(Tune(550), raises=True), gamma(hashrate_ghs=0.5, actual_mhz=500.0), False),
        (Step(Tune(550, 1200), raises=True), gamma(actual_mhz=550.0, core_actual_mv=1100.0), False),
        (Step(Tune(550, 1200), raises=True), gamma(actual_mhz=None, core_actual_mv=1100.0), False),
        (Step(Tune(550, 1200), raises=True), gamma(actual_mhz=None, core_actual_mv=1200.0), None),
        (Step(Tune(550, 1200), raises=True), gamma(actual_mhz=550.0, core_actual_mv=1200.0), True),
        (Step(Tune(core_mv=1100)), gamma(core_actual_mv=1115.0), True),
        (Step(Tune(core_mv=1100)), gamma(core_actual_mv=1116.0), False),
        (Step(Tune(core_mv=1100)), gamma(core_actual_mv=None), None),
        (Step(Tune(500)), gamma(paused=True), None),
        (Step(Tune(500)), gamma(hashrate_ghs=0.0), None),
        (Step(Tune(500)), gamma(abilities=frozenset({Ability.TUNE})), None),
        (Step(Pause()), GAMMA, None),
    ],
)
def test_effect(step: Step, status: MinerStatus, seen: bool | None):
    assert effect(step, status) is seen


def test_settings_after_a_write():
    base = Settings.of(GAMMA)
    assert base.wrote(Tune(600)).frequency_mhz == 600
    assert base.wrote(Tune(600)).core_mv == 1150
    assert base.wrote(Tune(core_mv=1200)) == Settings(525, 1200, True, 60)
    assert base.wrote(SetFan(auto=False, pct=80)) == Settings(525, 1150, False, 80)
    assert base.wrote(SetFan(target_c=55, min_pct=30)) == Settings(525, 1150, True, 60, 55, 30)
    assert base.wrote(Restart()) is base
    whole = Settings(525, 1150, True, 60, 55, 30)
    assert whole.wrote(Tune()) == whole
    assert whole.wrote(SetFan()) == whole
    assert whole.wrote(SetFan(auto=False, pct=80, target_c=50, min_pct=20)) == Settings(525, 1150, False, 80, 50, 20)
    assert whole.wrote(Tune(600, 1200)) == Settings(600, 1200, True, 60, 55, 30)


def test_what_is_not_known_is_left_out_of_the_journal():
    assert msgspec.json.encode(Settings(525.0, 1150.0)) == b'{"frequency_mhz":525.0,"core_mv":1150.0}'
    assert msgspec.json.encode(Settings()) == b"{}"


def test_settings_are_read_field_by_field():
    read = gamma(fan_manual_pct=61.0, temp_target_c=56.0, fan_min_pct=31.0)
    assert Settings.of(read) == Settings(525, 1150, True, 61, 56, 31)


def test_comparing_settings():
    assert Settings(525, 1150).same_tune(Settings(525.5, 1150, True))
    assert not Settings(525, 1150).same_tune(Settings(526, 1150))
    assert not Settings(NAN, 1150).same_tune(Settings(NAN, 1150))
    assert Settings(500, 1150).nowhere_above(Settings(525, 1150))
    assert not Settings(500, 1160).nowhere_above(Settings(525, 1150))
    assert not Settings(None, 1150).nowhere_above(Settings(525, 1150))
    assert not Settings(NAN, 1150).nowhere_above(Settings(525, 1150))
    assert same(None, None, 1)
    assert not same(None, 1, 1)
    assert not same(1, None, 1)
    assert same(1.0, 2.0, 1.0)
    assert not Settings(525, 1150).same_tune(Settings(525, 1151))
    assert Settings(525, 1150).nowhere_above(Settings(525, 1150))
    assert Settings(525.5, 1150.5).nowhere_above(Settings(525, 1150))
    assert not Settings(526, 1150).nowhere_above(Settings(525, 1150))
    assert not Settings(525, 1151).nowhere_above(Settings(525, 1150))
    assert not Settings(525, None).nowhere_above(Settings(525, 1150))
    assert not Settings(525, 1150).nowhere_above(Settings(None, 1150))
    assert not Settings(525, 1150).nowhere_above(Settings(525, None))
    assert Settings(525.51, 1150).nowhere_above(Settings(525, 1150))
    assert Settings(525, 1150).tune_text == "525 MHz / 1150 mV"
    assert Settings().tune_text == "— MHz / — mV"


def test_changes_in_words():
    before, after = Settings(525, 1150, True, 60, 60, 25), Settings(530.5, 1160, False, 80, 55, None)
    assert changes(before, after) == (
        Change("frequency", "525 MHz", "530.5 MHz"),
        Change("core voltage", "1150 mV", "1160 mV"),
        Change("fan", "automatic", "manual"),
        Change("fan speed", "60 %", "80 %"),
        Change("fan target", "60 °C", "55 °C"),
        Change("fan minimum", "25 %", "— %"),
    )
    assert changes(before, before) == ()
    assert changes(Settings(), Settings(fan_auto=True)) == (Change("fan", "— ", "automatic"),)
