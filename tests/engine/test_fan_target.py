"""A fan that holds a temperature at which a job may never go on is worth a sentence, with both numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from minertui.engine.alert_rules import judge
from minertui.model.fleet import Fleet, Health, Snapshot
from minertui.model.plans import GuardPlan, GuardView, JobState, JobView, Limits, Phase, SweepPlan, SweepView
from minertui.model.status import MinerStatus

GUARD = GuardView(GuardPlan("a", max_chip_temp_c=65, hysteresis_c=2))
SWEEP = SweepView(SweepPlan("a", max_chip_temp_c=62))


def said(view: JobView | None, phase: Phase = Phase.RUNNING, limits: Limits | None = None, **fan: Any) -> Sequence[str]:
    status = MinerStatus(**{"chip_temp_c": 55.0, "uptime_s": 10.0, "fan_auto": True, **fan})
    kind = "guard" if isinstance(view, GuardView) else "sweep"
    fleet = Fleet() if view is None else Fleet().with_job(JobState(f"{kind}:a", "a", phase, view))
    after = Snapshot("a", status=status, health=Health.OK, limits=limits or Limits())
    [signal] = [s for s in judge(fleet, after, after) if s.rule == "fan-target"]
    return [signal.text] if signal.active else []


def test_a_guard_that_could_never_climb_says_so():
    assert said(GUARD, temp_target_c=63.0) == [
        "its automatic fan holds 63 °C, and its guard asks for less than 63 °C before it climbs again "
        "(guard.max_chip_temp_c 65 less hysteresis_c 2): set a lower target (minertui fan a --auto --target 61) "
        "or raise guard.max_chip_temp_c"
    ]


def test_a_guard_along_a_frontier_climbs_under_the_temperature_that_it_holds():
    holding = GuardView(GuardPlan("a", hold_temp_c=60), holds_c=60)
    assert said(holding, temp_target_c=60.0) == [
        "its automatic fan holds 60 °C, and its guard asks for less than 60 °C before it climbs again along its "
        "frontier (guard.hold_temp_c 60): set a lower target (minertui fan a --auto --target 58) or raise "
        "guard.hold_temp_c"
    ]
    assert said(holding, temp_target_c=59.0) == []
    assert said(GuardView(GuardPlan("a", hold_temp_c=60)), temp_target_c=62.0) == [], "it found no frontier to hold by"
    [text] = said(GuardView(GuardPlan("a"), holds_c=63), temp_target_c=63.0)
    assert "guard.max_chip_temp_c 65 less hysteresis_c 2" in text, "nothing else was asked to be held"


def test_a_sweep_that_could_never_go_on_says_so():
    [text] = said(SWEEP, temp_target_c=61.0)
    assert (
        "its sweep asks for less than 61 °C before it goes on after a limit (sweep.max_chip_temp_c 62 less 1)" in text
    )
    assert said(SWEEP, temp_target_c=60.0) == []
    assert said(SWEEP, limits=Limits(max_chip_temp_c=60), temp_target_c=60.0), "the limits in force are lower"


@pytest.mark.parametrize(
    ("view", "phase", "fan"),
    [
        (GUARD, Phase.RUNNING, {"temp_target_c": 62.0}),
        (GUARD, Phase.RUNNING, {"temp_target_c": 66.0, "fan_auto": False}),
        (GUARD, Phase.RUNNING, {"temp_target_c": None}),
        (GUARD, Phase.STOPPED, {"temp_target_c": 66.0}),
        (None, Phase.RUNNING, {"temp_target_c": 66.0}),
    ],
)
def test_else_nothing_is_said(view: JobView | None, phase: Phase, fan: dict[str, Any]):
    assert said(view, phase, **fan) == []
