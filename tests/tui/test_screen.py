"""Keys and what comes of them: tabs, filter, marks, charts, freezing, a lost engine, leaving."""

from __future__ import annotations

import msgspec
import pytest
from textual.screen import ModalScreen

from minertui.model.alerts import Alert, Severity
from minertui.model.events import AlertRaised, DeviceRemoved, LogLine, NoticeChanged, SnapshotTaken
from minertui.tui.app import MinertuiApp
from minertui.tui.feed import Picture, PictureTaken
from minertui.tui.options import Options
from minertui.tui.tabs.miner import MinerPane
from tests.tui import pictures, rigs
from tests.tui.fake_link import FakeLink
from tests.tui.looking import looking

NOW_S = pictures.NOW_S


class TestTabs:
    async def test_numbers_brackets_and_letters_go_to_tabs(self):
        async with looking(pictures.normal()) as seen:
            for key, front in [("2", "miner:attic-1"), ("]", "miner:lab-gamma"), ("[", "miner:attic-1"),
                               ("a", "alerts"), ("l", "log"), ("c", "commands"), ("]", "fleet"), ("[", "commands"),
                               ("1", "fleet"), ("9", "fleet")]:  # fmt: skip
                await seen.press(key)
                assert seen.app.main.front == front, key
                await seen.until(lambda: seen.pane.ready)

    async def test_enter_opens_a_miner_escape_goes_back_x_closes(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("j", "enter")
            await seen.until(lambda: seen.app.main.front == "miner:attic-2")
            await seen.sees("attic-2 ●")
            assert "4 attic-2" in seen.line(1)
            await seen.press("escape")
            assert seen.app.main.front == "fleet"
            assert "attic-2" in seen.line(1)
            await seen.press("4")
            await seen.until(lambda: seen.app.main.front == "miner:attic-2")
            await seen.pilot.pause()
            await seen.press("x")
            await seen.until(lambda: "4 attic-2" not in seen.line(1))
            assert seen.app.main.front == "fleet"

    async def test_all_miners_share_one_body(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("2")
            await seen.sees("attic-1 ●")
            await seen.press("3")
            await seen.sees("lab-gamma ●")
            assert len(seen.app.main.query(MinerPane)) == 1

    async def test_a_removed_miner_closes_its_tab(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("2")
            await seen.sees("attic-1 ●")
            seen.link.push(DeviceRemoved("attic-1"))
            await seen.until(lambda: seen.app.main.front == "fleet")
            await seen.until(lambda: "attic-1" not in seen.text)

    async def test_tabs_that_do_not_fit_scroll_with_the_one_in_front(self):
        fleet = pictures.normal()
        for snapshot in list(fleet.snapshots.values()):
            fleet = fleet.with_(msgspec.structs.replace(snapshot, pinned=True))
        async with looking(fleet, size=(80, 24)) as seen:
            assert "Commands" not in seen.line(1)
            await seen.press("c")
            await seen.until(lambda: "Commands" in seen.line(1))


class TestFleet:
    async def test_filter_types_live_and_escape_ends_it(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("slash", *"attic", "space", *"!2")
            await seen.sees("2 of 12 shown")
            await seen.press("enter")
            assert "attic-3" in seen.text
            assert "attic-2" not in seen.text
            await seen.press("escape")
            await seen.sees("12 of 12 shown")

    async def test_sort_reverse_and_group(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("s", "s")
            await seen.sees("hashrate down")
            assert seen.pane.rows[0] == "shed-2"
            await seen.press("S")
            assert seen.pane.rows[-1] == "shed-2"
            await seen.press("v")
            await seen.sees("attic (3)")

    async def test_marks_choose_what_actions_go_to(self):
        async with looking(pictures.normal()) as seen:
            assert seen.devices == ["attic-1"]
            await seen.press("space", "j", "space")
            assert seen.devices == ["attic-1", "attic-3"]
            await seen.sees("2 marked")
            await seen.press("escape")
            assert seen.devices == ["cellar-1"]
            await seen.press("ctrl+a")
            assert len(seen.devices) == 12

    async def test_hidden_marks_are_not_acted_upon(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("ctrl+a", "slash", *"shed", "enter")
            assert seen.devices == ["shed-1", "shed-2"]

    async def test_heat_map_keeps_the_cursor_and_the_metric_changes(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("j", "j", "m")
            await seen.sees("map of Chip")
            assert seen.devices == ["attic-3"]
            await seen.press("M")
            await seen.sees("map of VR")
            await seen.press("m")
            await seen.sees("TH/s exp %")

    async def test_a_large_terminal_shows_the_miner_under_the_cursor(self):
        async with looking(pictures.normal()) as seen:
            await seen.sees("attic-1, last hour")
            await seen.press("j")
            await seen.sees("attic-2, last hour")
        async with looking(pictures.normal(), size=(80, 24)) as seen:
            assert "last hour" not in seen.text

    async def test_a_click_on_a_title_sorts(self):
        async with looking(pictures.normal()) as seen:
            await seen.pilot.click("FleetTable", offset=(seen.line(2).index("W  "), 0))
            await seen.sees("power down")

    async def test_an_empty_fleet_teaches(self):
        async with looking(pictures.empty(), size=(80, 24)) as seen:
            await seen.sees("No miner yet")
            assert "discover miners" in seen.text

    @pytest.mark.parametrize("shown_then", [True, False], ids=["gone before the focus came", "gone with the focus"])
    async def test_a_list_that_was_never_drawn_keeps_no_keys(self, shown_then: bool):
        """The first picture may come between the frame and its first drawing."""
        async with looking(pictures.empty(), size=(80, 24)) as seen:
            seen.pane.table.display = True
            if shown_then:
                seen.pane.table.focus()
            else:
                seen.app.screen.set_focus(seen.pane.table)
            seen.pane.show(seen.pane.picture)
            await seen.pilot.pause()
            assert seen.app.screen.focused is None
            assert "Enter Open" not in seen.line(-1)

    async def test_a_new_reading_is_seen(self):
        async with looking(pictures.normal()) as seen:
            status = msgspec.structs.replace(pictures.miner_status(0), chip_temp_c=68.7)
            seen.link.push(SnapshotTaken(msgspec.structs.replace(pictures.snapshot(0), status=status)))
            await seen.sees("68.7!")


class TestMiner:
    async def test_history_is_asked_for_the_span_and_scrolls(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("2")
            await seen.sees("charts: 1 hour")
            await seen.until(lambda: seen.link.sent("history"))
            device, metrics, since_s, until_s, _ = seen.link.sent("history")[-1]
            assert (device, since_s, until_s) == ("attic-1", NOW_S - 3600, NOW_S)
            assert {"hashrate_ghs", "chip_temp_c", "power_w"} <= set(metrics)
            await seen.press("plus")
            await seen.sees("charts: 6 hours")
            await seen.press("less_than_sign")
            await seen.sees("charts: 6 hours up to 09:00:00, 0 = now")
            assert seen.link.sent("history")[-1][2:4] == (NOW_S - 9 * 3600, NOW_S - 3 * 3600)
            await seen.press("0")
            await seen.sees("charts: 6 hours ─")
            await seen.press("minus", "minus")
            await seen.sees("charts: 15 minutes")

    async def test_its_log_is_followed_while_it_is_open_and_no_longer(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("2")
            await seen.until(lambda: ("attic-1", True) in seen.link.sent("follow"))
            await seen.press("3")
            await seen.until(lambda: seen.link.sent("follow")[-2:] == [("attic-1", False), ("lab-gamma", True)])
            await seen.press("1")
            await seen.until(lambda: seen.link.sent("follow")[-1] == ("lab-gamma", False))

    async def test_only_its_own_lines_are_in_its_log(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("3")
            await seen.until(lambda: seen.pane._tail is not None)
            seen.link.push(LogLine("attic-1", "somebody else", NOW_S))
            seen.link.push(LogLine("lab-gamma", "my own line", NOW_S))
            seen.link.push(LogLine("sweep:lab-gamma", "my job's line", NOW_S))
            await seen.sees("my job's line")
            assert "my own line" in seen.text
            assert "somebody else" not in seen.text

    async def test_zoom_shows_one_section_alone(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("2")
            await seen.sees("charts: 1 hour")
            await seen.press("z")
            await seen.until(lambda: "charts: 1 hour" not in seen.text)
            assert "Rejects" in seen.text
            await seen.press("escape")
            await seen.sees("charts: 1 hour")
            assert seen.app.main.front == "miner:attic-1"

    async def test_no_history_is_said_and_does_not_end_the_screen(self):
        link = FakeLink(pictures.normal())
        link.refuse = "history cannot be read: disk failure"
        async with looking(link) as seen:
            await seen.press("2")
            await seen.toast("disk failure")
            assert seen.app.is_running

    @pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
    async def test_trouble_is_on_top(self, size):
        async with looking(pictures.error(), size=size) as seen:
            await seen.press("2")
            await seen.sees("lost since 10:58:30: no answer to three polls")


class TestLists:
    async def test_alerts_are_ranked_and_acknowledged_one_by_one(self):
        async with looking(pictures.error()) as seen:
            await seen.press("a")
            await seen.sees("overheat, since 11:58:25")
            await seen.press("j", "space")
            await seen.until(lambda: seen.link.sent("acknowledge") == ["lost:attic-1"])
            await seen.press("A")
            await seen.until(lambda: len(seen.link.sent("acknowledge")) == 4)
            await seen.press("enter")
            await seen.until(lambda: seen.app.main.front == "miner:attic-1")

    async def test_only_new_alerts_make_a_toast(self):
        async with looking(pictures.error()) as seen:
            assert not seen.app._notifications
            new = Alert("hot:office", "hot", "office", Severity.CRITICAL, "chip 80 °C", NOW_S)
            seen.link.push(AlertRaised(new))
            await seen.toast("!! office: chip 80 °C")
            seen.link.push(AlertRaised(msgspec.structs.replace(new, count=2)))
            seen.link.push(AlertRaised(msgspec.structs.replace(new, id="hot:x", until_s=NOW_S)))
            await seen.until(lambda: "hot:x" in seen.app.main.picture.fleet.alerts)
            assert len(seen.app._notifications) == 1

    async def test_the_command_log_says_what_was_proven(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("c")
            await seen.sees("tune 550 MHz 1160 mV")
            assert "frequency: 525 MHz → 550 MHz" in seen.text
            await seen.press("j")
            await seen.sees("no answer; the next reading tells")
            assert "hunter2" not in seen.text

    async def test_the_merged_log_gets_old_and_new_lines_once(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("l")
            await seen.sees("overheat: slowing down")
            await seen.until(lambda: seen.pane._tail is not None)
            seen.link.push(LogLine("office", "the newest of all", NOW_S))
            await seen.sees("the newest of all")
            assert seen.text.count("the newest of all") == 1

    async def test_empty_lists_say_what_belongs_there(self):
        link = FakeLink(pictures.empty())
        link.records = []
        async with looking(link) as seen:
            await seen.press("a")
            await seen.sees("No alerts")
            await seen.press("c")
            await seen.sees("Nothing was sent yet")


class TestFrame:
    async def test_sums_stand_on_top(self):
        async with looking(pictures.error()) as seen:
            assert "17.90 TH/s" in seen.line(0)
            assert "6 of 12 ok" in seen.line(0)
            assert "!! 1 lost, 1 refused, 1 stranger" in seen.line(0)
            assert "config.toml:14" in seen.line(2)

    async def test_a_picture_that_comes_while_the_screen_is_left_harms_nothing(self):
        async with looking(rigs.fleet()) as seen:
            seen.app.exit("left")
            seen.app.on_picture_taken(PictureTaken(seen.app.feed.picture))
            seen.pane.on_resize()
            seen.pane.show(seen.app.feed.picture)
        assert seen.app.return_value == "left"

    async def test_nor_does_one_that_finds_the_panes_parts_gone_before_the_pane(self):
        async with looking(pictures.normal()) as seen:
            await seen.pane.query("*").remove()  # as the end of the screen does it, one after the other
            assert seen.pane.is_attached
            assert not seen.pane.preview.is_attached
            seen.pane._bring(seen.pane.preview, True)
            assert not seen.pane.preview.is_attached

    async def test_a_frozen_picture_stands_still_and_says_so(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("p")
            await seen.sees("Frozen at 12:00:00")
            seen.link.push(NoticeChanged("something new"))
            seen.link.push(DeviceRemoved("office"))
            await seen.until(lambda: "office" not in seen.app.feed.picture.fleet.snapshots)
            await seen.pilot.pause(0.05)
            assert "office" in seen.text
            await seen.press("p")
            await seen.sees("something new")
            assert "office" not in seen.text

    async def test_a_lost_engine_is_said_and_found_again(self):
        async with looking(pictures.normal()) as seen:
            seen.link.lose()
            await seen.sees("Engine lost since 12:00:00: start it with: minertui engine (the engine does not answer")
            assert "attic-1" in seen.text  # the last picture stays
            seen.link.down = None
            await seen.until(lambda: "Engine lost" not in seen.text)

    async def test_no_engine_at_the_start_is_said(self):
        link = FakeLink(pictures.normal())
        link.down = "no engine here; start it with: minertui engine"
        async with looking(link) as seen:
            await seen.sees("Engine lost: start it with: minertui engine (no engine here). Trying again.")

    async def test_the_footer_says_what_applies_here(self):
        async with looking(pictures.normal(), size=(160, 40)) as seen:
            await seen.sees("b Sweep")
            assert "B Stop" not in seen.line(-1)
            await seen.press("3")  # a sweep runs there
            await seen.until(lambda: "B Stop sweep" in seen.line(-1))
            assert "b Sweep" not in seen.line(-1)
            await seen.press("a")
            await seen.until(lambda: "Acknowledge" in seen.line(-1))
            assert seen.line(-1).rstrip().endswith("q Detach")

    async def test_the_signs_of_jobs_are_explained_under_the_table_where_some_are_seen(self):
        async with looking(pictures.normal(), size=(80, 24)) as seen:
            assert " S lab-gamma" in seen.row("lab-gamma")
            assert seen.line(-2).rstrip().endswith("S sweep  G guard  name up")
            await seen.press("slash", *"attic", "enter")
            await seen.until(lambda: "lab-gamma" not in seen.line(-3) and "/attic" in seen.line(-2))
            assert "S sweep" not in seen.text  # none of them is seen
            await seen.press("escape", "m")
            await seen.sees("map of Chip")
            assert "S sweep" not in seen.text  # the map shows no such signs

    async def test_a_click_on_the_footer_or_a_tab_is_its_key(self):
        async with looking(pictures.normal()) as seen:
            await seen.pilot.click("KeyBar", offset=(seen.line(-1).index("Heat map"), 0))
            await seen.sees("map of Chip")
            await seen.pilot.click("TabBar", offset=(seen.line(1).index("Alerts"), 0))
            await seen.until(lambda: seen.app.main.front == "alerts")

    async def test_keys_typed_fast_are_done_one_after_the_other(self):
        async with looking(pictures.normal()) as seen:
            await seen.pilot.press("a", "1", "m")  # the map's key means nothing in the alerts
            await seen.sees("map of Chip")

    async def test_toasts_neither_cover_the_help_nor_are_lost(self):
        async with looking(pictures.normal(), size=(80, 24)) as seen:
            seen.app._disable_notifications = False  # as a real run: each new screen shows the toasts
            seen.app.desk.say("already there", "error")
            await seen.press("question_mark")
            await seen.sees("arrows scroll")
            seen.app.desk.say("attic-1: restart — applied")
            await seen.pilot.pause()
            assert "already there" not in seen.text
            assert "applied" not in seen.text
            await seen.press("escape")
            await seen.toast("attic-1: restart — applied")

    async def test_toasts_over_a_dialog_leave_its_buttons_in_sight(self):
        async with looking(pictures.normal(), size=(80, 24)) as seen:
            seen.app._disable_notifications = False  # as a real run: each new screen shows the toasts
            await seen.press("t")
            await seen.until(lambda: isinstance(seen.app.screen, ModalScreen), "the dialog")
            seen.app.desk.say("attic-1: restart — applied", "error")
            await seen.until(lambda: bool(seen.app.screen.query("Toast")), "the toast")
            await seen.pilot.pause()
            low = max(toast.region.bottom for toast in seen.app.screen.query("Toast"))
            assert 0 < low <= min(button.region.y for button in seen.app.screen.query("Button"))

    async def test_help_is_about_the_place(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("question_mark")
            await seen.sees("All miners, one a line.")
            await seen.sees("before the name: a sweep, a guard runs; small: it failed")
            await seen.press("escape", "a")
            await seen.press("question_mark")
            await seen.sees("Acknowledge all alerts")

    async def test_the_palette_finds_actions_and_miners(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("colon", *"cellar-2")
            await seen.sees("Open cellar-2")
            await seen.press("enter")
            await seen.until(lambda: seen.app.main.front == "miner:cellar-2", "the miner's tab")

    async def test_q_detaches_and_says_that_the_engine_goes_on(self):
        async with looking(pictures.normal()) as seen:
            await seen.press("q")
            await seen.until(lambda: not seen.app.is_running or seen.app.return_value)
            assert "the engine goes on" in (seen.app.return_value or "")
            assert "sweep on lab-gamma" in (seen.app.return_value or "")
            assert seen.link.sent("shutdown") == []

    async def test_leaving_a_demo_does_not_say_that_it_goes_on(self):
        async with looking(msgspec.structs.replace(pictures.normal(), demo=True)) as seen:
            await seen.press("q")
            await seen.until(lambda: seen.app.return_value is not None)
            assert seen.app.return_value == ""

    async def test_ascii_is_ascii(self):
        async with looking(pictures.error(), options=Options(ascii=True)) as seen:
            await seen.press("3")
            for place in ("1", "j", "j", "j", "m", "2", "w", "a", "l", "c", "1", "r", "question_mark"):
                before = seen.text
                await seen.press(place)
                await seen.until(lambda: seen.pane.ready)
                await seen.until(lambda before=before: seen.text != before, f"something new at {place}")  # type: ignore[misc]
                assert seen.text.isascii(), [line for line in seen.text.split("\n") if not line.isascii()]
                if len(seen.app.screen_stack) > 1:
                    await seen.press("escape")


def test_a_picture_that_comes_before_the_frame_is_kept_and_harms_nothing():
    screen = MinertuiApp(FakeLink(pictures.normal()), Options()).main
    screen.show(Picture(pictures.normal(), first=True))
    assert screen.picture.first
