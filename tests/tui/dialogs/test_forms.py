"""What each form gives, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from textual import events
from textual.geometry import Size
from textual.widgets import Button, Input

from minertui.model.commands import SetFan, SetPools, Tune
from minertui.model.fleet import Snapshot
from minertui.model.history import MinerEntry
from minertui.model.plans import Goal, GuardPlan, Limits, Strategy, SweepPlan
from minertui.model.ranking import estimate
from minertui.model.status import Ability, PoolSetting
from minertui.tui.dialogs.along import Swept
from minertui.tui.dialogs.fan import FanDialog
from minertui.tui.dialogs.fields import Number
from minertui.tui.dialogs.form import Form, Picker
from minertui.tui.dialogs.guard import GuardDialog
from minertui.tui.dialogs.limit import LimitDialog
from minertui.tui.dialogs.miner import MinerDialog
from minertui.tui.dialogs.pools import PoolsDialog
from minertui.tui.dialogs.sweep import SweepDialog
from minertui.tui.dialogs.tune import TuneDialog
from tests.tui import pictures, rigs
from tests.tui.dialogs.room import fill, opened, opened_one_by_one, refuses, results, said

SNAPSHOT = pictures.snapshot(0)  # 525 MHz, 1150 mV
LIMITED = msgspec.structs.replace(SNAPSHOT, limits=Limits(max_mhz=600, max_mv=1200, max_chip_temp_c=60))


def encrypted(snapshot: Snapshot) -> Snapshot:
    """Its pools can be reached by TLS, so it is asked for."""
    assert snapshot.status is not None
    pools = tuple(msgspec.structs.replace(pool, tls=1) for pool in snapshot.status.pools)
    return msgspec.structs.replace(snapshot, status=msgspec.structs.replace(snapshot.status, pools=pools))


FORMS: tuple[Callable[[], Form[Any]], ...] = (
    lambda: TuneDialog([msgspec.structs.replace(SNAPSHOT, limits=Limits(min_mhz=400, min_mv=1000))]),
    lambda: SweepDialog([SNAPSHOT], [SweepPlan()]),
    lambda: GuardDialog([Swept(SNAPSHOT)], [GuardPlan(SNAPSHOT.device)]),
    lambda: FanDialog([SNAPSHOT]),
    lambda: PoolsDialog([encrypted(SNAPSHOT)]),
    lambda: MinerDialog(None),
    lambda: LimitDialog(rigs.board(0)),
)


async def test_tune_gives_only_what_changed() -> None:
    async with opened(lambda: TuneDialog([SNAPSHOT])) as pilot:
        await pilot.press(*"550", "enter")
        assert results(pilot) == [Tune(frequency_mhz=550)]


async def test_tune_shows_the_exact_change_before_it_is_agreed_to() -> None:
    async with opened(lambda: TuneDialog([SNAPSHOT])) as pilot:
        await fill(pilot, mhz="550", mv="1180")
        assert "525 MHz → 550 MHz" in said(pilot)
        assert "1150 mV → 1180 mV" in said(pilot)


async def test_tune_keeps_within_the_miners_limits() -> None:
    async with opened(lambda: TuneDialog([LIMITED])) as pilot:
        await fill(pilot, mhz="601")
        assert "! Frequency must be a number from 50 to 600 MHz." in said(pilot)
        assert pilot.app.screen.query_one("#agree", Button).disabled
        await pilot.press("enter")
        await fill(pilot, mhz="600", mv="1201")
        assert "! Core voltage must be a whole number from 500 to 1200 mV." in said(pilot)
        await pilot.press("enter")
        assert results(pilot) == []


async def test_tune_without_a_change_is_not_sent_and_escape_leaves() -> None:
    async with opened(lambda: TuneDialog([SNAPSHOT])) as pilot:
        assert "Nothing changes yet" in said(pilot)
        await pilot.press("enter")
        assert results(pilot) == []
        await pilot.press("escape")
        assert results(pilot) == [None]


async def test_tune_of_a_miner_that_never_answered_is_asked_all_the_same() -> None:
    bare = msgspec.structs.replace(SNAPSHOT, status=None)
    async with opened(lambda: TuneDialog([bare])) as pilot:
        await fill(pilot, mhz="500", mv="1100")
        await pilot.press("enter")
        assert results(pilot) == [Tune(frequency_mhz=500, core_mv=1100)]


async def test_keys_typed_faster_than_the_screen_can_follow_go_to_their_field() -> None:
    async with opened(lambda: TuneDialog([SNAPSHOT])) as pilot:
        for key in ("5", "5", "0", "down", "1", "1", "8", "0", "tab", "shift+tab"):
            pilot.app.post_message(events.Key(key, key if key.isdigit() else None))
        await pilot.pause()
        await pilot.press("enter")
        assert results(pilot) == [Tune(frequency_mhz=550, core_mv=1180)]


async def test_arrows_go_from_field_to_field_and_buttons_work() -> None:
    async with opened(lambda: TuneDialog([SNAPSHOT])) as pilot:
        await pilot.press("down", *"1180")
        assert "1150 mV → 1180 mV" in said(pilot)
        await pilot.press("up")
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "mhz"
        await pilot.click("#agree")
        assert results(pilot) == [Tune(core_mv=1180)]


async def test_the_last_line_says_what_the_field_is_for_and_what_is_allowed_here() -> None:
    async with opened(lambda: TuneDialog([LIMITED])) as pilot:
        assert said(pilot).endswith("The chips' clock: faster hashes more and gets hotter. 50 to 600 MHz.")
        await pilot.press("down")
        assert said(pilot).endswith("A faster clock needs more of it; more is hotter. 500 to 1200 mV.")
        await pilot.press("down")  # on a button
        assert said(pilot).endswith("Tab and arrows: the next field. Left and right change a choice.")
        assert pilot.app.screen.query_one("#about").region.bottom < 24


def test_a_range_is_the_narrower_of_the_fields_and_the_limits_in_force() -> None:
    chip = Number("x", "Chip", "°C", lowest=30, highest=110, cap="chip_temp_c", about="Heat.", hint="model's")
    assert chip.help(Limits()) == "Heat. 30 to 110 °C. Empty: model's."
    assert chip.help(Limits(max_chip_temp_c=72.5)) == "Heat. 30 to 72.5 °C. Empty: model's."
    volts = Number("x", "V", "mV", lowest=500, highest=2000, cap="mv")
    assert volts.help(Limits(min_mv=1000, max_mv=3000)) == "1000 to 2000 mV."
    assert Number("x", "X", lowest=1).help(Limits(max_mv=5)) == "1 or more."


async def test_every_field_of_every_form_is_explained_in_one_line() -> None:
    async for pilot in opened_one_by_one(FORMS):
        form = pilot.app.screen
        assert isinstance(form, Form)
        for field in form.fields:
            assert field.about, field.id
            assert len(field.help(form.limits)) <= 74, field.help(form.limits)
        assert form.fields[0].help(form.limits) in said(pilot)


async def test_a_button_that_goes_off_does_not_hand_its_enter_to_the_one_beside_it() -> None:
    async with opened(lambda: TuneDialog([SNAPSHOT])) as pilot:
        await fill(pilot, mhz="550")
        shown = pilot.app.screen
        assert isinstance(shown, TuneDialog)
        shown.agree.focus()
        await pilot.pause()
        shown.heed("!! Engine lost")
        await pilot.pause()
        await pilot.press("enter")
        assert results(pilot) == []  # not cancelled, what was typed is still there
        shown.heed("")
        await pilot.press("tab", "enter")
        assert results(pilot) == [Tune(frequency_mhz=550)]


async def test_fan_asks_for_what_belongs_to_the_mode() -> None:
    async with opened(lambda: FanDialog([SNAPSHOT])) as pilot:
        screen = pilot.app.screen
        assert screen.query_one("#pct").disabled
        await fill(pilot, target="58", least="40")
        await pilot.press("enter")
        assert results(pilot) == [SetFan(auto=True, target_c=58, min_pct=40)]
    async with opened(lambda: FanDialog([SNAPSHOT])) as pilot:
        await pilot.press("space")
        assert pilot.app.screen.query_one("#target").disabled
        await fill(pilot, pct="20")
        assert "A slow fixed fan" in said(pilot)
        await fill(pilot, pct="101")
        assert "! Speed must be a whole number from 0 to 100 %." in said(pilot)
        await fill(pilot, pct="80")
        await pilot.press("enter")
        assert results(pilot) == [SetFan(auto=False, pct=80)]


async def test_fan_without_a_target_asks_for_the_mode_alone() -> None:
    assert SNAPSHOT.status is not None
    old = msgspec.structs.replace(SNAPSHOT, status=msgspec.structs.replace(SNAPSHOT.status, abilities=frozenset()))
    async with opened(lambda: FanDialog([old])) as pilot:
        await pilot.press("enter")
        assert results(pilot) == [SetFan(auto=True)]


async def test_fan_proposes_the_lowest_speed_it_has_and_names_none_to_one_that_keeps_none() -> None:
    assert SNAPSHOT.status is not None
    least = msgspec.structs.replace(SNAPSHOT, status=msgspec.structs.replace(SNAPSHOT.status, fan_min_pct=35.0))
    nerd = SNAPSHOT.status.abilities - {Ability.FAN_MIN}
    without = msgspec.structs.replace(SNAPSHOT, status=msgspec.structs.replace(SNAPSHOT.status, abilities=nerd))
    async with opened(lambda: FanDialog([least])) as pilot:
        assert pilot.app.screen.query_one("#least", Input).value == "35"
    for meant in ([without], [least, without]):
        async with opened(partial(FanDialog, meant)) as pilot:
            field = pilot.app.screen.query_one("#least", Input)
            assert (field.disabled, field.value) == (True, "")
            await fill(pilot, target="58")
            assert "→ auto to 58 °C" in said(pilot)
            assert "at least" not in said(pilot)
            await pilot.press("enter")
            assert results(pilot) == [SetFan(auto=True, target_c=58)]


async def test_pools_show_what_differs_and_keep_what_is_not_asked() -> None:
    assert SNAPSHOT.status is not None
    before = tuple(
        msgspec.structs.replace(p, extra={"coinbase": 1}, slot=n) for n, p in enumerate(SNAPSHOT.status.pools)
    )
    snapshot = msgspec.structs.replace(SNAPSHOT, status=msgspec.structs.replace(SNAPSHOT.status, pools=before))
    async with opened(lambda: PoolsDialog([snapshot])) as pilot:
        assert "Nothing changes yet" in said(pilot)
        await fill(pilot, a_url="solo.example.org", a_port="3334", b_password="secret")
        text = said(pilot)
        assert f"{before[0].url} → solo.example.org" in text
        assert "3333 → 3334" in text
        assert "fallback password" in text
        assert "secret" not in text
        await pilot.press("enter")
        assert results(pilot) == [
            SetPools(
                (
                    msgspec.structs.replace(before[0], url="solo.example.org", port=3334, password=None),
                    msgspec.structs.replace(before[1], password="secret"),
                )
            )
        ]


async def test_a_wallet_is_shown_whole_in_the_difference() -> None:
    wallet = "bc1q" + "z" * 58 + ".worker"
    async with opened(lambda: PoolsDialog([SNAPSHOT]), 80, 40) as pilot:
        await fill(pilot, a_user=wallet)
        assert f"+ {wallet}" in said(pilot)


async def test_pools_refuse_what_cannot_work() -> None:
    cases: list[tuple[dict[str, str], str]] = [
        ({"a_url": "stratum+tcp://pool.example.org"}, "write the host alone"),
        ({"a_url": "alice:x@pool.example.org"}, "write the host alone"),
        ({"a_url": ""}, "Primary must not be empty."),
        ({"a_port": "70000"}, "port must be a whole number from 1 to 65535."),
        ({"b_user": ""}, "Fallback pool: the user is missing."),
    ]
    async with opened(lambda: PoolsDialog([SNAPSHOT])) as pilot:
        for answers, sentence in cases:
            await refuses(pilot, answers, sentence)


async def test_a_miner_without_pools_gets_its_first() -> None:
    assert SNAPSHOT.status is not None
    bare = msgspec.structs.replace(SNAPSHOT, status=msgspec.structs.replace(SNAPSHOT.status, pools=()))
    async with opened(lambda: PoolsDialog([bare])) as pilot:
        await fill(pilot, a_url="pool.example.org", a_port="3333", a_user="bc1q.w")
        await pilot.press("enter")
        assert results(pilot) == [SetPools((PoolSetting("pool.example.org", 3333, "bc1q.w"),))]


async def test_guard_gives_the_plan_for_its_device() -> None:
    async with opened(lambda: GuardDialog([Swept(SNAPSHOT)], [GuardPlan(SNAPSHOT.device)])) as pilot:
        await fill(pilot, max_chip_temp_c="62", high_mhz="550")
        assert "Above 62 °C (chip)" in said(pilot)
        await pilot.press("enter")
        assert results(pilot) == [(GuardPlan(device=SNAPSHOT.device, max_chip_temp_c=62, high_mhz=550),)]


async def test_guard_wants_its_frequencies_in_order_and_its_temperature_within_the_limit() -> None:
    async with opened(lambda: GuardDialog([Swept(LIMITED)], [GuardPlan(max_chip_temp_c=60)])) as pilot:
        await fill(pilot, low_mhz="580", max_mhz="575")
        assert "The floor must not be above the highest frequency." in said(pilot)
        await fill(pilot, low_mhz="410", high_mhz="600")
        assert "must not be above the highest frequency" in said(pilot)
        await fill(pilot, high_mhz="", max_chip_temp_c="61")
        assert "The limit of this miner's chip is 60 °C" in said(pilot)
        await pilot.press("enter")
        assert results(pilot) == []


async def test_sweep_gives_the_plan_as_edited() -> None:
    plan = SweepPlan(device="attic-1")
    async with opened(lambda: SweepDialog([SNAPSHOT], [plan])) as pilot:
        await pilot.press("down", "right")  # the goal is the second field
        await fill(pilot, start_mhz="500", max_mhz="600", tolerance_pct="95")
        await pilot.press("enter")
        expected = msgspec.structs.replace(plan, goal=Goal.EFFICIENCY, start_mhz=500, max_mhz=600, tolerance=0.95)
        assert results(pilot) == [(expected,)]


async def test_sweep_asks_a_strategy_for_what_it_knows() -> None:
    plan = SweepPlan(device="attic-1", strategy=Strategy.GRID, soak_s=77)
    async with opened(lambda: SweepDialog([SNAPSHOT], [plan])) as pilot:
        assert pilot.app.screen.query_one("#soak_s").disabled
        await pilot.press("left")
        assert pilot.app.screen.query_one("#strategy", Picker).value == "adaptive"
        await fill(pilot, soak_s="600", confidence_pct="99")
        await pilot.press("enter")
        ((given,),) = results(pilot)
        assert (given.strategy, given.soak_s, given.confidence) == (Strategy.ADAPTIVE, 600, 0.99)
    async with opened(lambda: SweepDialog([SNAPSHOT], [plan])) as pilot:
        await pilot.press("enter")
        assert results(pilot) == [(plan,)]  # what is not asked stays


async def test_sweep_shows_points_and_duration_live() -> None:
    plan = SweepPlan(device="attic-1", strategy=Strategy.GRID, max_mhz=600, max_mv=1200)
    async with opened(lambda: SweepDialog([SNAPSHOT], [plan])) as pilot:
        points, _ = estimate(plan, SNAPSHOT.status, SNAPSHOT.limits)
        assert f"at most {points} points" in said(pilot)
        shorter = msgspec.structs.replace(plan, step_mhz=25)
        fewer, _ = estimate(shorter, SNAPSHOT.status, SNAPSHOT.limits)
        await fill(pilot, step_mhz="25")
        assert fewer < points
        assert f"at most {fewer} points" in said(pilot)


async def test_sweep_says_when_the_miners_own_limits_lower_the_plan() -> None:
    async with opened(lambda: SweepDialog([LIMITED], [SweepPlan(max_mhz=900, max_power_w=5)])) as pilot:
        assert "(under 5) now: it is slowed down before the first point." in " ".join(said(pilot).split())
        shown = " ".join(said(pilot).split())
        assert "Limits in force on this Gamma: the sweep ends at 600 MHz instead of 900" in shown
        assert "stops at 60 °C chip instead of 62." in shown
        await fill(pilot, start_mhz="700")
        shown = " ".join(said(pilot).split())
        assert "It cannot start at 700 MHz: the limits in force on this Gamma allow 400..600 MHz." in shown


async def test_sweep_refuses_plans_that_contradict_themselves() -> None:
    cases: list[tuple[dict[str, str], str]] = [
        ({"min_mhz": "700", "max_mhz": "600"}, "The lowest frequency must not be above the highest."),
        ({"min_mv": "1250"}, "The lowest voltage must not be above the highest."),
        ({"start_mhz": "1300"}, "must not start above its highest frequency."),
        ({"start_mv": "900"}, "must not start below its lowest voltage."),
        ({"sample_s": "300", "measure_s": "200"}, "A sample must not take longer"),
        ({"step_mv": "0"}, "Step must be a whole number from 1 to 100 mV."),
    ]
    async with opened(lambda: SweepDialog([SNAPSHOT], [SweepPlan()])) as pilot:
        for answers, sentence in cases:
            await refuses(pilot, answers, sentence)


async def test_a_new_miner() -> None:
    async with opened(lambda: MinerDialog(None)) as pilot:
        assert "Name must not be empty." in said(pilot)
        await fill(pilot, name="attic-9", address="10.0.0.9:8080", tags="home, attic,, home", max_mhz="600")
        await pilot.press("enter")
        entry = MinerEntry("attic-9", "10.0.0.9:8080", tags=("home", "attic"), limits=Limits(max_mhz=600))
        assert results(pilot) == [entry]


async def test_an_entry_comes_back_as_it_was_when_nothing_is_edited() -> None:
    entry = MinerEntry("a", "10.0.0.1", "axeos", ("x",), True, 10, True, Limits(60, 70, 25.5, 400, 600, 1000, 1200))
    async with opened(lambda: MinerDialog(entry)) as pilot:
        await pilot.press("enter")
        assert results(pilot) == [entry]


async def test_entries_that_the_config_would_refuse() -> None:
    cases: list[tuple[dict[str, str], str]] = [
        ({"name": "a/b", "address": "10.0.0.1"}, "slash"),
        ({"name": "TAKEN", "address": "10.0.0.1"}, "Another miner is called TAKEN"),
        ({"name": "a", "address": "http://10.0.0.1"}, "no http://"),
        ({"name": "a", "address": "10.0.0.1 x"}, "Address must be"),
        ({"name": "a", "address": "10.0.0.1", "min_mv": "1200", "max_mv": "1100"}, "The lowest voltage"),
    ]
    async with opened(lambda: MinerDialog(None, ("taken",))) as pilot:
        for answers, sentence in cases:
            await refuses(pilot, answers, sentence)


async def test_a_choice_goes_round_and_enter_on_it_agrees() -> None:
    async with opened(lambda: SweepDialog([SNAPSHOT], [SweepPlan()])) as pilot:
        picker = pilot.app.screen.query_one("#goal", Picker)
        await pilot.press("down", "left")
        assert picker.value == "efficiency"
        await pilot.press("space")
        assert picker.value == "hashrate"
        await pilot.press("enter")
        assert [plan.goal for (plan,) in results(pilot)] == [Goal.HASHRATE]


async def test_hostile_device_text_is_text_in_every_form() -> None:
    assert SNAPSHOT.status is not None
    snapshots = [
        msgspec.structs.replace(
            SNAPSHOT,
            device=text,
            status=msgspec.structs.replace(SNAPSHOT.status, pools=(PoolSetting(text, 3333, text),)),
        )
        for text in pictures.PAYLOADS
    ]
    shown = 0
    async for pilot in opened_one_by_one([partial(PoolsDialog, [s]) for s in snapshots]):
        assert all(x.isprintable() for x in said(pilot).splitlines())
        assert results(pilot) == []
        shown += 1
    assert shown == len(pictures.PAYLOADS)


async def test_a_form_that_was_left_in_the_instant_it_was_opened_harms_nothing() -> None:
    """It is mounted, sized and checked with nothing in it any more."""
    async with opened(lambda: TuneDialog([SNAPSHOT])) as pilot:
        dialog = pilot.app.screen
        assert isinstance(dialog, TuneDialog)
        await dialog.remove_children()
        await pilot.pause()
        with pilot.app._context():
            dialog.on_mount()
            dialog.on_resize(events.Resize(Size(60, 20), Size(60, 20)))
            dialog.check()
