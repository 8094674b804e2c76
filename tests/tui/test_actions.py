"""What reaches the link: the right order, only after the right question, and never on a read-only screen."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from textual.widgets import Input

from minertui.model.commands import ClearOverheat, Identify, OutcomeState, Pause, Restart, Resume, SetPools, Tune
from minertui.model.history import Templates
from minertui.model.plans import GuardPlan, Phase, SweepPlan
from minertui.tui.commands import ACTIONS, BY_ID, offered
from minertui.tui.commands.base import At, Danger
from minertui.tui.commands.orders import TOLD_EACH
from minertui.tui.dialogs.pools import for_another
from minertui.tui.options import Options
from minertui.tui.tabs.sweep import SweepPane
from tests.tui import pictures
from tests.tui.dialogs.show import KNOWN
from tests.tui.fake_link import FakeLink
from tests.tui.looking import Looking, looking

ALL = {a.id for a in ACTIONS}


def orders(seen: Looking) -> list[tuple[str, object, bool]]:
    return [(o.device, o.command, o.confirmed) for o in seen.link.sent("send") if not o.dry_run]


def here(place: str = "fleet", device: str = "attic-1", fleet=None, readonly: bool = False) -> set[str]:
    fleet = fleet or pictures.normal()
    return {a.id for a in offered(At(place, (device,) if device else (), fleet, readonly))}


class TestOffers:
    def test_what_writes_is_known(self):
        harmless = {a.id for a in ACTIONS if not a.writes}
        assert not harmless & {"tune", "fan", "pools", "restart", "pause", "resume", "identify", "clear-overheat",
                               "clear-parked", "benchmark", "stop-benchmark", "guard", "guard-off", "stop-engine",
                               "add", "edit", "remove", "discover", "pin", "acknowledge"}  # fmt: skip

    @pytest.mark.parametrize("place", ["fleet", "miner", "sweep", "alerts", "log", "commands"])
    def test_a_readonly_screen_offers_nothing_that_writes(self, place):
        for readonly, fleet in [(True, None), (False, msgspec.structs.replace(pictures.error(), readonly=True))]:
            assert not any(BY_ID[i].writes for i in here(place, "cellar-1", fleet, readonly))

    def test_what_hurts_asks(self):
        danger = {a.id: a.danger for a in ACTIONS}
        assert danger["pools"] is danger["remove"] is Danger.TYPE_NAME
        for id_ in ("tune", "fan", "restart", "pause", "clear-overheat", "clear-parked", "benchmark",
                    "stop-benchmark", "guard", "guard-off", "stop-engine"):  # fmt: skip
            assert danger[id_] is Danger.YES_NO
        for id_ in ("identify", "resume", "detach", "export", "mark"):
            assert danger[id_] is Danger.NONE

    def test_start_and_stop_are_offered_by_what_runs(self):
        assert {"stop-benchmark", "guard"} <= here(device="lab-gamma")
        assert not {"benchmark", "guard-off"} & here(device="lab-gamma")
        assert "guard-off" in here(device="cellar-1")

    def test_a_device_is_offered_what_it_can_do(self):
        fleet = pictures.error()
        assert not {"tune", "restart", "fan"} & here(device="attic-3", fleet=fleet)  # never read
        assert "clear-overheat" in here(device="cellar-1", fleet=fleet)
        assert "clear-overheat" not in here(device="cellar-2", fleet=fleet)
        assert "clear-parked" in here(device="garage-1", fleet=fleet)
        assert "pause" in here()
        assert "resume" not in here()

    def test_without_miners_there_is_nothing_to_do_to_one(self):
        got = here(device="", fleet=pictures.empty())
        assert not got & {"tune", "open", "mark", "export"}
        assert {"add", "discover", "help", "detach"} <= got


class TestOrders:
    async def test_restart_asks_and_no_means_no(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("r")
            await seen.sees("Restart the miner: attic-1")
            await seen.press("escape")
            await seen.until(lambda: len(seen.app.screen_stack) == 1)
            assert orders(seen) == []

    async def test_restart_yes_is_a_confirmed_order_and_its_outcome_is_said(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("r")
            await seen.sees("no hashing for about a minute")
            await seen.press("y")
            await seen.toast("attic-1: restart — applied")
            assert orders(seen) == [("attic-1", Restart(), True)]

    async def test_an_action_on_marks_goes_to_each_of_them_with_its_own_id(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("space", "space", "u")
            await seen.sees("2 miners: attic-1, attic-2")
            await seen.press("y")
            await seen.until(lambda: len(orders(seen)) == 2)
            assert [(d, c) for d, c, _ in orders(seen)] == [("attic-1", Pause()), ("attic-2", Pause())]
            assert len({o.id for o in seen.link.sent("send") if not o.dry_run}) == 2

    async def test_pools_of_several_are_asked_for_once_and_fitted_to_each_of_the_others(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("space", "space", "o")
            await seen.sees("Pools of 2 miners: attic-1, attic-2")
            await seen.press(*"p.example", "enter")
            await seen.sees("Type 2 and press Enter")
            await seen.press("2", "enter")
            await seen.until(lambda: len(orders(seen)) == 2)
            (first, one, _), (second, other, _) = orders(seen)
            assert (first, second) == ("attic-1", "attic-2")
            assert isinstance(one, SetPools)
            assert isinstance(other, SetPools)
            assert one.pools[0].url == other.pools[0].url == "p.example"
            assert other == for_another(one) != one

    async def test_many_orders_that_went_well_are_told_of_in_one_toast(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("ctrl+a", "i")
            await seen.toast("miners: identify — applied")
            count = len(orders(seen))
            assert count > TOLD_EACH
            assert [n.message for n in seen.app._notifications] == [f"{count} of {count} miners: identify — applied"]

    async def test_of_many_orders_each_that_did_not_go_well_is_told(self):
        link = FakeLink(pictures.normal())
        link.outcome = OutcomeState.REFUSED
        async with looking(link) as seen:
            await seen.press("ctrl+a", "i")
            await seen.until(lambda: len(seen.app._notifications) > TOLD_EACH)
            assert all(n.severity == "error" and "identify — refused" in n.message for n in seen.app._notifications)

    async def test_the_harmless_asks_nothing(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("i")
            await seen.until(lambda: orders(seen) == [("attic-1", Identify(), False)])

    async def test_an_unknown_outcome_is_not_called_a_success(self):
        link = FakeLink(pictures.error())
        link.outcome = OutcomeState.UNKNOWN
        async with looking(link) as seen:
            await seen.press("j", "j", "j", "O")
            await seen.sees("Clear the overheat flag: cellar-1")
            await seen.press("y")
            await seen.toast("unknown")
            assert orders(seen) == [("cellar-1", ClearOverheat(), True)]
            assert [n.severity for n in seen.app._notifications] == ["warning"]

    async def test_tune_rehearses_shows_the_exact_change_and_then_sends(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("t")
            await seen.sees("Tune attic-1")
            await seen.press("ctrl+a", "ctrl+k", *"550", "enter")
            await seen.sees("frequency: 525 MHz → 550 MHz")
            first = seen.link.sent("send")[0]
            assert first.dry_run
            assert orders(seen) == []  # nothing before the answer
            await seen.press("enter")  # once more, as after the form: neither yes nor no
            await seen.sees("Enter alone answers nothing: y is yes, n is no.")
            assert orders(seen) == []
            await seen.press("y")
            await seen.until(lambda: orders(seen) == [("attic-1", Tune(frequency_mhz=550), True)])

    async def test_a_refused_rehearsal_sends_nothing(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("t")
            await seen.sees("Tune attic-1")
            seen.link.refuse = "attic-1: 550 MHz is over its cap of 540 MHz"
            await seen.press("ctrl+a", "ctrl+k", *"550", "enter")
            await seen.toast("over its cap")
            assert orders(seen) == []

    async def test_what_an_order_would_end_is_in_the_question_also_of_a_harmless_one(self):
        fleet = pictures.normal()
        paused = fleet.snapshots["lab-gamma"]
        assert paused.status is not None
        paused = msgspec.structs.replace(paused, status=msgspec.structs.replace(paused.status, paused=True))
        link = FakeLink(fleet.with_(paused))
        link.remark = "this ends the sweep that runs on it; it goes back to your own 525 MHz / 1150 mV"
        async with looking(link) as seen:
            await seen.press(*["j"] * 8, "r")
            await seen.sees("this ends the sweep that runs on it")
            await seen.sees("no hashing for about a minute")
            await seen.press("escape", "U")
            await seen.sees("this ends the sweep that runs on it")
            assert orders(seen) == []
            await seen.press("y")
            await seen.until(lambda: orders(seen) == [("lab-gamma", Resume(), True)])

    async def test_a_tune_in_a_sweep_is_shown_beside_the_own_settings(self):
        async with looking(pictures.normal()) as seen:
            await seen.press(*["j"] * 8, "t")
            await seen.sees("A sweep is passing through")
            values = [seen.app.screen.query_one(f"#{id_}", Input).value for id_ in ("mhz", "mv")]
            assert values == ["525", "1150"]

    async def test_clearing_a_parked_miner(self):
        async with looking(pictures.error()) as seen:
            await seen.press("j", "j", "j", "j", "j", "C")
            await seen.sees("overheated three times in an hour")
            await seen.press("y")
            await seen.until(lambda: seen.link.sent("clear") == ["garage-1"])


class TestJobs:
    async def test_a_benchmark_starts_with_the_plan_of_the_dialog(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("b")
            await seen.until(lambda: len(seen.app.screen_stack) == 2, "the dialog")
            assert seen.link.sent("start") == []
            seen.app.screen.dismiss((SweepPlan("attic-1", max_mv=1150),))
            await seen.until(lambda: seen.link.sent("start"))
            assert seen.link.sent("start") == [SweepPlan(device="attic-1", max_mv=1150)]
            await seen.until(lambda: seen.app.main.front == "sweep")

    async def test_a_guard_starts_on_every_marked_miner(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("space", "space", "g")
            await seen.until(lambda: len(seen.app.screen_stack) == 2, "the dialog")
            seen.app.screen.dismiss([GuardPlan(name, low_mhz=450) for name in ("attic-1", "attic-2", "gone")])
            await seen.until(lambda: len(seen.link.sent("start")) == 2)
            assert [p.device for p in seen.link.sent("start")] == ["attic-1", "attic-2"]

    async def test_a_miner_that_cannot_be_swept_does_not_keep_the_others_from_it(self):
        link = FakeLink(pictures.normal())
        link.refuse_start["attic-1"] = "it cannot start at 1180 mV"
        async with looking(link) as seen:
            await seen.press("space", "space", "b")
            await seen.until(lambda: len(seen.app.screen_stack) == 2, "the dialog")
            seen.app.screen.dismiss([SweepPlan(name, start_mv=1180) for name in ("attic-1", "attic-2")])
            await seen.toast("attic-1: it cannot start at 1180 mV")
            await seen.toast("attic-2: sweep started")
            assert seen.app.main.front == "sweep"
            pane = seen.app.main.pane
            assert isinstance(pane, SweepPane)
            assert pane.tab.coming == "attic-2"  # shown as soon as the engine tells of it

    async def test_many_started_at_once_are_told_of_in_one_toast(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("ctrl+a", "b")
            await seen.until(lambda: len(seen.app.screen_stack) == 2, "the dialog")
            await seen.press("enter")
            await seen.toast(" miners: sweep started")
            started = len(seen.link.sent("start"))
            assert started > TOLD_EACH
            assert [n.message for n in seen.app._notifications] == [f"{started} miners: sweep started"]

    async def test_both_dialogs_start_from_the_configs_plans_and_name_all_miners(self):
        link = FakeLink(pictures.normal())
        link.templates, link.swept = Templates(SweepPlan(max_mhz=777), GuardPlan(high_mhz=444), KNOWN), "attic-1"
        async with looking(link) as seen:
            await seen.press("space", "space", "b")
            await seen.sees("Benchmark 2 miners: attic-1, attic-2")
            assert seen.app.screen.query_one("#max_mhz", Input).value == "777"
            await seen.press("escape", "g")
            await seen.sees("Guard 2 miners: attic-1, attic-2")
            assert seen.app.screen.query_one("#high_mhz", Input).value == "444"
            await seen.sees("Along the frontier of their sweeps: attic-1.")
            await seen.sees("no sweep left a frontier (b starts one): attic-2.")

    @pytest.mark.parametrize(("key", "kind"), [("b", SweepPlan), ("g", GuardPlan)])
    async def test_each_of_several_miners_starts_by_its_own_plan(self, key, kind):
        own = {"attic-1": 66.0, "attic-2": 55.0}
        link = FakeLink(pictures.normal())
        link.plans_of = {
            name: Templates(SweepPlan(name, max_chip_temp_c=most), GuardPlan(name, max_chip_temp_c=most))
            for name, most in own.items()
        }
        async with looking(link) as seen:
            await seen.press("space", "space", key)
            await seen.sees("Plans differ.")
            await seen.press("enter")
            await seen.until(lambda: len(seen.link.sent("start")) == 2)
            assert {p.device: p.max_chip_temp_c for p in seen.link.sent("start")} == own
            assert all(isinstance(plan, kind) for plan in seen.link.sent("start"))

    async def test_an_ended_job_is_dismissed_and_a_running_one_is_not(self):
        fleet = pictures.normal()
        ended = msgspec.structs.replace(fleet.jobs["guard:cellar-1"], phase=Phase.FAILED)
        both = msgspec.structs.replace(pictures.running_sweep("cellar-1"), id="sweep:cellar-1")
        async with looking(fleet.with_job(ended).with_job(both)) as seen:
            assert "dismiss" not in {a.id for a in offered(seen.app.desk.at)}  # attic-1 has no job
            await seen.press("j", "j", "j", "D")
            await seen.toast("cellar-1: guard failed, dismissed")
            assert seen.link.sent("forget") == ["guard:cellar-1"]

    async def test_the_enter_that_starts_a_sweep_does_nothing_else(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("j", "b")
            await seen.sees("Benchmark attic-2")
            await seen.press("enter")
            await seen.toast("attic-2: sweep started")
            await seen.until(lambda: seen.app.main.front == "sweep", "the tab of the sweeps")
            assert not [tab for tab in seen.app.main.tabs if tab.title == "attic-2"]  # under the fleet's cursor

    @pytest.mark.parametrize(("rows", "key", "job"), [(8, "B", "sweep:lab-gamma"), (3, "G", "guard:cellar-1")])
    async def test_stopping_asks_first(self, rows, key, job):
        async with looking(pictures.normal()) as seen:
            await seen.press(*["j"] * rows, key)
            await seen.until(lambda: len(seen.app.screen_stack) == 2, "the question")
            assert seen.link.sent("stop") == []
            await seen.press("y")
            await seen.until(lambda: seen.link.sent("stop") == [job])
            kind, _, device = job.partition(":")
            await seen.toast(f"{device}: {kind} is ending")  # the engine answers while it still runs


class TestEngineAndConfig:
    async def test_stopping_the_engine_says_what_runs_and_asks(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("Q")
            await seen.sees("sweep on lab-gamma")
            assert seen.link.sent("shutdown") == []
            await seen.press("y")
            await seen.until(lambda: ("shutdown",) in seen.link.calls)

    async def test_removing_wants_the_name(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("delete")
            await seen.sees("Type attic-1")
            await seen.press("y", "enter")
            assert seen.link.sent("remove_miner") == []
            await seen.press("backspace", *"attic-1", "enter")
            await seen.until(lambda: seen.link.sent("remove_miner") == ["attic-1"])

    async def test_pinning_changes_the_config(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("j", "P")
            await seen.toast("attic-2: pinned")
            entry, replaces = seen.link.sent("save_miner")[0]
            assert (entry.name, entry.pinned, replaces) == ("attic-2", True, "attic-2")

    async def test_an_engine_that_says_no_is_a_toast(self):
        link = FakeLink(pictures.normal())
        link.refuse = "the engine is read-only"
        async with looking(link) as seen:
            await seen.press("P")
            await seen.toast("the engine is read-only")
            assert seen.app.is_running

    async def test_export_says_where(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        async with looking(pictures.normal()) as seen:
            await seen.press("e")
            await seen.toast("Saved")
            assert sorted(p.suffix for p in Path.cwd().iterdir()) == [".csv", ".json"]
            assert json.loads(next(tmp_path.glob("*.json")).read_text())["device"] == "attic-1"

    async def test_a_copy_is_saved_to_a_file_as_well(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        async with looking(pictures.normal()) as seen:
            await seen.press("y")
            await seen.toast("Copied. Saved in ")
            assert seen.app.clipboard == "attic-1 192.168.1.40"
            assert (tmp_path / "minertui-copy.txt").read_text() == "attic-1 192.168.1.40"


class TestReadonly:
    async def test_no_acting_key_does_anything(self):
        async with looking(pictures.normal(), options=Options(readonly=True)) as seen:
            for key in ("t", "f", "r", "b", "B", "g", "G", "o", "u", "O", "Q", "P", "E", "n", "d", "delete", "i"):
                await seen.press(key)
            assert len(seen.app.screen_stack) == 1
            asked = {call[0] for call in seen.link.calls}
            assert asked <= {"watch", "close"}, asked

    async def test_no_acting_word_is_in_footer_help_or_palette(self):
        async with looking(pictures.normal(), options=Options(readonly=True), size=(200, 60)) as seen:
            assert "b Sweep" not in seen.line(-1)
            assert "Tune" not in seen.line(-1)
            await seen.press("question_mark")
            await seen.sees("read-only")
            assert "Restart the miner" not in seen.text
            await seen.press("escape", "colon", *"restart")
            await seen.pilot.pause(0.2)
            assert "Restart the miner" not in seen.text
