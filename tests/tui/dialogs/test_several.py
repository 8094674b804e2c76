"""Forms that are meant for several miners at once: who they are, where they differ, and what is done about it."""

from __future__ import annotations

import msgspec
from textual.widgets import Input

from minertui.model.commands import Tune
from minertui.model.fleet import Snapshot
from minertui.model.plans import GuardPlan, Limits, Strategy, SweepPlan
from minertui.model.status import PoolSetting
from minertui.tui.dialogs.along import Swept
from minertui.tui.dialogs.fan import FanDialog
from minertui.tui.dialogs.form import Picker
from minertui.tui.dialogs.guard import GuardDialog
from minertui.tui.dialogs.pools import PoolsDialog, for_another
from minertui.tui.dialogs.several import grouped
from minertui.tui.dialogs.sweep import SweepDialog
from minertui.tui.dialogs.tune import TuneDialog
from tests.tui import pictures
from tests.tui.dialogs.room import fill, opened, results, said

SNAPSHOT = pictures.snapshot(0)  # 525 MHz, 1150 mV


def fleet_of(*limits: Limits) -> list[Snapshot]:
    """A miner for each of these limits, all of one model; the second runs something else than the others."""
    made = [msgspec.structs.replace(SNAPSHOT, device=f"m{n}", limits=one) for n, one in enumerate(limits, 1)]
    assert SNAPSHOT.status is not None
    slower = msgspec.structs.replace(SNAPSHOT.status, frequency_mhz=490, core_mv=1100, fan_auto=False, fan_pct=40.0)
    made[1] = msgspec.structs.replace(made[1], status=slower)
    return made


async def test_one_sweep_plan_for_several_miners_says_where_they_differ_and_who_cannot_be_swept() -> None:
    several = fleet_of(Limits(), Limits(), Limits(max_mhz=600), Limits(max_mhz=380), Limits())
    plan = SweepPlan(strategy=Strategy.GRID, max_mhz=650, max_mv=1200, step_mhz=25, step_mv=25)
    async with opened(lambda: SweepDialog(several, [plan] * 5), 80, 40) as pilot:
        text = " ".join(said(pilot).split())
        for part in (
            "Benchmark 5 miners: m1, m2, m3 and 2 more",
            "! m4: cannot be swept so: of this sweep's 400..650 MHz nothing is allowed: the limits in force on this "
            "Gamma end at 380 MHz.",
            "m1, m5: 525 MHz 1150 mV → 650 MHz 1200 mV, at most 10 points,",
            "m2: 490 MHz 1100 mV → 650 MHz 1200 mV, at most 15 points,",
            "m3: 525 MHz 1150 mV → 600 MHz 1200 mV, at most 8 points,",
            "! m3: limits in force on this Gamma: the sweep ends at 600 MHz instead of 650.",
        ):
            assert part in text, (part, text)
        await pilot.press("enter")
        assert [[plan.max_mhz for plan in plans] for plans in results(pilot)] == [[650] * 5]
    async with opened(lambda: SweepDialog(several[3:4] * 2, [plan] * 2)) as pilot:  # of none anything can be begun
        await pilot.press("enter")
        assert results(pilot) == []


async def test_what_several_miners_differ_in_is_left_as_it_is_unless_it_is_typed() -> None:
    async with opened(lambda: TuneDialog(fleet_of(Limits(), Limits(max_mhz=600)))) as pilot:
        assert "Nothing changes yet" in said(pilot)
        await fill(pilot, mv="1120")
        assert "Core voltage  1100 to 1150 mV → 1120 mV" in said(pilot)
        await fill(pilot, mhz="700", mv="")  # too much for one of them, which its own rehearsal says
        await pilot.press("enter")
        assert results(pilot) == [Tune(frequency_mhz=700)]


async def test_a_fan_and_a_guard_of_several_miners_say_where_they_differ() -> None:
    several = fleet_of(Limits(max_chip_temp_c=60), Limits(), Limits())
    async with opened(lambda: FanDialog(several)) as pilot:
        await fill(pilot, target="58", least="30")
        assert "m1, m3: auto to 60 °C → auto to 58 °C, at least 30 %" in said(pilot)
        assert "m2: 40 % → auto to 58 °C, at least 30 %" in said(pilot)
    boards = [Swept(snapshot) for snapshot in several]
    async with opened(lambda: GuardDialog(boards, [GuardPlan(one.device) for one in several])) as pilot:
        assert "! m1: guarded at the limit in force on it: chip 60 °C." in said(pilot)
        await pilot.press("enter")
        assert [[plan.max_chip_temp_c for plan in plans] for plans in results(pilot)] == [[65] * 3]


async def test_the_pools_of_one_miner_can_be_given_to_others() -> None:
    first, other = fleet_of(Limits(), Limits())
    assert other.status is not None
    stored = PoolSetting("other.example.org", 3333, "me", tls=1, slot=4, extra={"suggestedDifficulty": 5})
    other = msgspec.structs.replace(other, status=msgspec.structs.replace(other.status, pools=(stored,)))
    async with opened(lambda: PoolsDialog([first, other]), 80, 40) as pilot:
        assert "Pools of 2 miners: m1, m2" in said(pilot)
        assert "primary url  (they differ) → pool.example.org" in said(pilot)
        await pilot.press("enter")
        (asked,) = results(pilot)
    assert [(p.url, p.slot, p.extra, p.tls) for p in for_another(asked).pools] == [
        ("pool.example.org", None, {}, 0),
        ("backup.example.net", None, {}, 0),
    ]


def test_many_that_differ_are_counted() -> None:
    lines = [found.text for found in grouped((f"m{n}", f"text {n}" if n else "") for n in range(9))]
    assert lines[0] == "m1: text 1"
    assert lines[-1] == "and something else for each of: m5, m6, m7 and 1 more"
    assert len(lines) == 5


async def test_where_sweep_plans_differ_each_miner_keeps_its_own_until_a_person_writes_one_for_all() -> None:
    two = fleet_of(Limits(), Limits())
    lax = SweepPlan("m1", max_mhz=600, max_mv=1150, max_chip_temp_c=66, max_power_w=80, tolerance=0.9)
    strict = SweepPlan("m2", strategy=Strategy.GRID, max_mhz=600, max_mv=1150, max_chip_temp_c=55, restart=True)
    async with opened(lambda: SweepDialog(two, [lax, strict]), 80, 40) as pilot:
        assert "Plans differ. “their own”: each keeps its own; what you write is for all." in said(pilot)
        await pilot.press("enter")
        assert results(pilot) == [(lax, strict)]
    async with opened(lambda: SweepDialog(two, [lax, strict]), 80, 40) as pilot:
        assert pilot.app.screen.query_one("#max_chip_temp_c", Input).placeholder == "their own"
        await fill(pilot, max_chip_temp_c="58", max_mhz="550")
        pilot.app.screen.query_one("#restart", Picker).focus()
        assert pilot.app.screen.query_one("#restart", Picker).value == "their own"
        await pilot.pause()
        assert "Their own (no and yes)." in " ".join(said(pilot).split())
        pilot.app.screen.query_one("#max_power_w", Input).focus()
        await pilot.pause()
        assert "Empty: their own (80 or board's)." in " ".join(said(pilot).split())
        await pilot.press("enter")
        for_all = {"max_chip_temp_c": 58, "max_mhz": 550}
        assert results(pilot) == [tuple(msgspec.structs.replace(plan, **for_all) for plan in (lax, strict))]


async def test_what_is_written_for_all_must_fit_the_own_values_of_each() -> None:
    two = fleet_of(Limits(), Limits())
    plans = [SweepPlan("m1", min_mhz=400), SweepPlan("m2", min_mhz=500)]
    async with opened(lambda: SweepDialog(two, plans)) as pilot:
        await fill(pilot, max_mhz="450")
        assert "m2: The lowest frequency must not be above the highest." in said(pilot)
        await pilot.press("enter")
        assert results(pilot) == []


async def test_where_guard_plans_differ_each_miner_keeps_its_own_and_both_are_told() -> None:
    two = [Swept(snapshot) for snapshot in fleet_of(Limits(), Limits())]
    plans = (GuardPlan("m1", max_chip_temp_c=70, hold=False), GuardPlan("m2", max_chip_temp_c=55, hold_temp_c=50))
    async with opened(lambda: GuardDialog(two, plans), 80, 40) as pilot:
        text = " ".join(said(pilot).split())
        assert "m1: Runs 525 MHz. Above 70 °C (chip)" in text
        assert "m2: Runs 490 MHz. Above 55 °C (chip)" in text
        await fill(pilot, step_down_mhz="75")
        await pilot.press("enter")
        assert results(pilot) == [tuple(msgspec.structs.replace(plan, step_down_mhz=75) for plan in plans)]
    many = [Swept(msgspec.structs.replace(SNAPSHOT, device=f"m{n}")) for n in range(6)]
    async with opened(
        lambda: GuardDialog(many, [GuardPlan(f"m{n}", max_chip_temp_c=60 + n) for n in range(6)])
    ) as pilot:
        assert "and by other plans of their own: m4, m5" in " ".join(said(pilot).split())
