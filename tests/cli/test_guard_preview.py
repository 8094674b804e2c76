"""``minertui guard --dry-run``: what it would do, by the numbers that would hold."""

from __future__ import annotations

import msgspec

from minertui.cli import guard, sweep, sweep_lines
from minertui.cli.guard_preview import preview, refused
from minertui.model.fleet import Fleet, Snapshot
from minertui.model.frontier import Frontier, Known, Setting
from minertui.model.plans import GuardPlan, GuardView, JobState, Limits, Phase
from tests.cli.conftest import terminal
from tests.safety.values import gamma, snap

RUNS = gamma(frequency_mhz=525, core_mv=1150, chip_temp_c=58, vr_temp_c=60)
KNOWN = Known(Frontier((Setting(500, 1100, 1000, 12), Setting(600, 1160, 1200, 16))), RUNS.chip, RUNS.firmware)
PLAN = GuardPlan("garage", high_mhz=525, low_mhz=500, max_mhz=575)


def shown(plan: GuardPlan = PLAN, snapshot: Snapshot | None = None, known: Known | None = None, **users: float) -> str:
    return "\n".join(preview(plan, snapshot or snap(RUNS), Limits(**users), known))  # type: ignore[arg-type]


def test_it_tells_limits_levels_and_the_first_move():
    assert shown().splitlines() == [
        "keeps chip < 65 °C, VR < 85 °C",
        "at a limit 50 MHz down at once, as far as 500 MHz; again after 30 s",
        "cool (under chip 63 °C, VR 83 °C) for 60 min: 25 MHz up, as far as 525 MHz, never over 575 MHz; 48 steps up a "
        "day at most",
        "moves the frequency alone: no sweep left a frontier of this board",
        "now chip 58.0 °C, VR 60.0 °C, 525 MHz / 1150 mV; first: nothing (cool at 525 MHz)",
    ]


def test_what_is_hot_now_is_lowered_first_and_the_guard_itself_says_how_far():
    hot = snap(msgspec.structs.replace(RUNS, chip_temp_c=66))
    assert shown(snapshot=hot).endswith("first: sets 500 MHz (chip 66.0 °C ≥ 65 °C: down to 500 MHz)")


def test_a_limit_of_power_is_told_and_what_crosses_it_is_lowered_first():
    limited = msgspec.structs.replace(snap(RUNS), limits=Limits(max_power_w=17))
    said = shown(snapshot=limited)
    assert said.startswith("keeps chip < 65 °C, VR < 85 °C, 17 W at most\n")
    assert said.endswith("first: sets 500 MHz (power 18 W is above 17 W: down to 500 MHz)")


def test_the_limits_in_force_are_those_that_would_hold():
    limited = msgspec.structs.replace(snap(RUNS), limits=Limits(max_chip_temp_c=60))
    said = shown(snapshot=limited, max_mhz=500)
    assert said.startswith("keeps chip < 60 °C, VR < 85 °C\n! its limits are lowered to those in force: ")
    assert "max_chip_temp_c 65 → 60" in said
    assert "never over 500 MHz" in said
    assert said.endswith("first: sets 500 MHz (525 MHz is over the guard's 500 MHz)")


def test_after_a_sweep_it_tells_what_it_holds_and_between_which_settings():
    assert "holds chip 63 °C along the frontier of its sweep, 500 MHz / 1100 mV to 525 MHz / 1115 mV" in shown(
        known=KNOWN
    )
    alone = shown(msgspec.structs.replace(PLAN, hold=False), known=KNOWN)
    assert "moves the frequency alone, as asked (--no-hold)" in alone
    other = shown(known=msgspec.structs.replace(KNOWN, chip="BM1366"))
    assert "moves the frequency alone, not along the frontier of its sweep: its chip is " in other
    assert "it would never climb" in shown(
        snapshot=msgspec.structs.replace(snap(RUNS), limits=Limits(max_mv=1050)), known=KNOWN
    )


def test_of_a_silent_miner_nothing_is_made_up():
    silent = Snapshot("garage", address="10.0.0.1", why="10.0.0.1: no answer within 5 s")
    assert shown(snapshot=silent) == "! 10.0.0.1: no answer within 5 s; what a guard of it would do is not known"


def test_a_guard_that_could_not_be_started_is_told():
    runs = Fleet().with_job(JobState("guard:garage", "garage", Phase.RUNNING, GuardView(PLAN)))
    assert refused(runs, "garage", readonly=False) == "a guard runs on it already; stop it first"
    assert refused(runs, "attic", readonly=False) == ""
    assert "read-only" in refused(Fleet(), "garage", readonly=True)


def test_what_guard_and_sweep_say_breaks_between_words_on_a_terminal():
    with terminal("stdout", 40) as shown:
        guard._tell("garage: " + "keeps chip < 65 °C, " * 3)
        sweep._tell(sweep_lines.painted("[garage] from 500 MHz / 1150 mV in steps of 5 MHz / 5 mV", 1, True))
    assert [line.startswith("    ") for line in shown] == [False, True, False, True]
    assert all(len(line) <= 40 + len("\033[32m") for line in shown)
    assert shown[2:] == ["\033[32m[garage] from 500 MHz / 1150 mV in steps", "    of 5 MHz / 5 mV\033[0m"]
