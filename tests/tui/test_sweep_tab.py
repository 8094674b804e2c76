from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import msgspec
import pytest
from textual.widgets import Button

from minertui.model.commands import Tune
from minertui.model.plans import Goal, Phase, SweepView
from minertui.tui.options import Options
from minertui.tui.sweep_export import as_csv, as_json, save_sweep
from minertui.tui.tabs.sweep import SweepTab
from tests.tui import pictures
from tests.tui.fake_link import FakeLink
from tests.tui.looking import Looking, looking
from tests.tui.widgets.stage import heard, on_stage, text

FLEET = pictures.normal()
DEVICE = next(job.device for job in FLEET.jobs.values() if job.kind == "sweep")
JOB = FLEET.jobs[f"sweep:{DEVICE}"]
OTHER = next(name for name in FLEET.snapshots if name != DEVICE)


def tab() -> SweepTab:
    return SweepTab(FakeLink(FLEET))


async def test_it_shows_progress_map_and_ranking_of_the_running_sweep() -> None:
    sweeps = tab()
    async with on_stage(sweeps, 120, 40) as pilot:
        sweeps.show(FLEET, None)
        await pilot.pause()
        line = text(sweeps.lines)[0]
        for part in (DEVICE, "running", "11/15", "46m left", "525 MHz 1150 mV  14/40"):
            assert part in line
        rows = text(sweeps.table)
        assert rows[1].split()[:3] == ["1", "500", "1100"]  # efficiency: the coolest point wins
        assert "★ best" in rows[1]
        assert rows[7].split()[0] == "—"  # what did not pass has no rank
        assert any("14.7★<" in x for x in text(sweeps.map))


async def test_how_a_sweep_ended_is_read_whole_on_a_narrow_screen() -> None:
    note = "complete: no other setting promises 0.3% more than the one that held at length; now at 1200 mV / 750 MHz"
    ended = FLEET.with_job(msgspec.structs.replace(JOB, phase=Phase.DONE, note=note))
    sweeps = tab()
    async with on_stage(sweeps, 80, 24) as pilot:
        sweeps.show(ended, DEVICE)
        await pilot.pause()
        lines = [line.strip() for line in text(sweeps.lines)]
        at = next(n for n, line in enumerate(lines) if "done" in line)
        assert " ".join(lines[at + 1 : at + 3]) == note


async def test_what_sweeps_is_shown_rather_than_a_miner_that_never_did() -> None:
    sweeps = tab()
    async with on_stage(sweeps, 120, 40) as pilot:
        sweeps.show(msgspec.structs.replace(FLEET, jobs={}), OTHER)
        await pilot.pause()
        sweeps.show(FLEET, None)  # one starts
        await pilot.pause()
        assert sweeps.device == DEVICE
        sweeps.show(FLEET, OTHER)  # a person wants this one
        await pilot.pause()
        assert sweeps.device == OTHER


async def test_the_sweep_that_was_just_asked_for_is_shown_once_the_engine_tells_of_it() -> None:
    job = msgspec.structs.replace(JOB, id=f"sweep:{OTHER}", device=OTHER)
    sweeps = tab()
    async with on_stage(sweeps, 120, 40) as pilot:
        sweeps.coming = OTHER
        sweeps.show(FLEET, None)
        await pilot.pause()
        assert sweeps.device == DEVICE  # nothing is known of it yet
        sweeps.show(FLEET.with_job(job), None)
        assert sweeps.device == OTHER
        sweeps.action_device(1)
        sweeps.show(FLEET.with_job(job), None)  # a person went on: it is not taken back
        assert sweeps.device == DEVICE


async def test_a_point_that_a_soak_confirmed_is_the_best_before_one_that_only_read_higher() -> None:
    assert isinstance(JOB.view, SweepView)
    first = JOB.view.points[0]
    higher = msgspec.structs.replace(first, n=101, mhz=551.0, hashrate_ghs=1190.0, efficiency_jth=10.0)
    soak = msgspec.structs.replace(first, n=102, soak=True, likely_ghs=first.hashrate_ghs)
    points = (*JOB.view.points, higher, soak)
    view = msgspec.structs.replace(JOB.view, points=points)
    sweeps = tab()
    async with on_stage(sweeps, 120, 40) as pilot:
        sweeps.show(FLEET.with_job(msgspec.structs.replace(JOB, view=view)), DEVICE)
        await pilot.pause()
        rows = text(sweeps.table)
        assert rows[1].split()[:3] == ["1", "500", "1100"]
        assert "★ best (soak)" in rows[1]
        assert rows[2].split()[:2] == ["2", "551"]
        assert "★" not in rows[2]
        assert "best" not in rows[2]


async def test_order_and_goal_change_on_a_key() -> None:
    sweeps = tab()
    async with on_stage(sweeps, 120, 40) as pilot:
        sweeps.show(FLEET, DEVICE)
        sweeps.table.focus()
        await pilot.press("u")
        assert text(sweeps.table)[1].split()[1:3] == ["550", "1125"]
        assert "best at hashrate" in text(sweeps.line)[0]
        await pilot.press("o")
        assert [x.split()[1:3] for x in text(sweeps.table)[1:4]] == [["500", "1100"], ["525", "1100"], ["550", "1100"]]
        assert "as measured" in text(sweeps.line)[0]


async def test_enter_opens_the_point_with_where_it_stands_and_how_long_it_took() -> None:
    sweeps = tab()
    async with on_stage(sweeps, 120, 40) as pilot:
        sweeps.show(FLEET, DEVICE)
        sweeps.table.focus()
        await pilot.press("down", "enter")
        (asked,) = heard(pilot, SweepTab.Opened)
        assert (asked.device, asked.point.mhz, asked.point.mv) == (DEVICE, 525, 1100)
        assert (asked.place, asked.took_s) == ("2 of 6 by efficiency", 600.0)
        await pilot.press("pagedown", "pagedown", "enter")
        failed = heard(pilot, SweepTab.Opened)[-1]
        assert (failed.point.passed, failed.place) == (False, "")


async def test_what_the_table_cuts_off_stands_in_full_under_it() -> None:
    sweeps = tab()
    async with on_stage(sweeps, 80, 24) as pilot:
        sweeps.show(FLEET, DEVICE)
        sweeps.table.focus()
        await pilot.press("pagedown", "pagedown")
        point = sweeps.table.point
        assert point is not None
        assert point.reason
        assert any(row.rstrip().endswith("…") for row in text(sweeps.table))
        assert f"{point.mhz:g}/{point.mv}: {point.reason}" in " ".join(part.strip() for part in text(sweeps.line))


WHY = (
    "promises 5082 GH/s at 81.6 W with 0.00 % errors; 10 MHz more need 6 mV more to stay as stable; to know all "
    "exactly would bring 0.1 % on average"
)


@pytest.mark.parametrize(("width", "height", "lines"), [(80, 24, 3), (120, 40, 3), (240, 50, 1)])
async def test_why_a_point_was_measured_is_read_whole(width: int, height: int, lines: int) -> None:
    assert isinstance(JOB.view, SweepView)
    first = msgspec.structs.replace(JOB.view.points[0], why=WHY)
    view = msgspec.structs.replace(JOB.view, points=(first,))
    sweeps = tab()
    async with on_stage(sweeps, width, height) as pilot:
        sweeps.show(FLEET.with_job(msgspec.structs.replace(JOB, view=view)), DEVICE)
        await pilot.pause()
        said = [part.strip() for part in text(sweeps.line)]
        assert len(said) == lines
        assert said[0].startswith(f"{DEVICE}  1 point, best at efficiency, ranked")
        assert " ".join(said).endswith(f"500/1100: {WHY}")


async def test_a_reason_too_long_for_its_lines_says_where_the_rest_is() -> None:
    assert isinstance(JOB.view, SweepView)
    first = msgspec.structs.replace(JOB.view.points[0], why=f"{WHY}; {WHY}")
    view = msgspec.structs.replace(JOB.view, points=(first,))
    sweeps = tab()
    async with on_stage(sweeps, 80, 24) as pilot:
        sweeps.show(FLEET.with_job(msgspec.structs.replace(JOB, view=view)), DEVICE)
        await pilot.pause()
        said = text(sweeps.line)
        assert len(said) == 3
        assert said[-1].endswith("… Enter: all")


async def test_the_reading_of_the_chosen_sweep_is_read_whole_on_a_narrow_screen() -> None:
    sweeps = tab()
    async with on_stage(sweeps, 80, 24) as pilot:
        sweeps.show(FLEET, DEVICE)
        await pilot.pause()
        first, second, *_ = text(sweeps.lines)
        assert "MHz" not in first
        assert second.strip().startswith("525 MHz 1150 mV  14/40")
        assert second.endswith("°C")
        assert isinstance(JOB.view, SweepView)
        between = msgspec.structs.replace(JOB, view=msgspec.structs.replace(JOB.view, sample=None), note="settling")
        sweeps.show(FLEET.with_job(between), DEVICE)
        await pilot.pause()
        assert text(sweeps.lines)[1].strip() == "settling"  # a short note stands there too: the map does not jump


async def test_the_cursor_stays_on_its_point_while_the_ranking_moves() -> None:
    sweeps = tab()
    async with on_stage(sweeps, 120, 40) as pilot:
        sweeps.show(FLEET, DEVICE)
        sweeps.table.focus()
        await pilot.press("down", "down")
        assert sweeps.table.point is not None
        chosen = sweeps.table.point.n
        assert isinstance(JOB.view, SweepView)
        best = msgspec.structs.replace(JOB.view.points[0], n=12, mhz=490, efficiency_jth=9.0)
        view = msgspec.structs.replace(JOB.view, points=(*JOB.view.points, best))
        sweeps.show(FLEET.with_job(msgspec.structs.replace(JOB, view=view)), DEVICE)
        assert sweeps.table.point.n == chosen
        assert text(sweeps.table)[1].split()[1] == "490"


async def test_comparing_goes_through_earlier_sweeps_and_back() -> None:
    sweeps = tab()
    async with on_stage(sweeps, 120, 40) as pilot:
        sweeps.show(FLEET, DEVICE)
        await pilot.pause()
        sweeps.table.focus()
        await pilot.press("c")
        assert "against then" in text(sweeps.table)[0]
        assert "+0.0 % TH/s" in text(sweeps.table)[1]
        assert "1 of 1" in text(sweeps.line)[0]
        await pilot.press("c")
        assert "verdict" in text(sweeps.table)[0]


async def test_a_miner_without_a_job_shows_its_newest_kept_sweep() -> None:
    link = FakeLink(FLEET)
    sweeps = SweepTab(link)
    async with on_stage(sweeps, 120, 40) as pilot:
        sweeps.show(FLEET, OTHER)
        await pilot.pause()
        assert link.sent("sweeps") == [OTHER]
        assert "15 points" in text(sweeps.line)[0]
        sweeps.show(FLEET, OTHER)
        await pilot.pause()
        assert link.sent("sweeps") == [OTHER]  # asked once, not with every picture


async def test_an_engine_that_says_no_is_quoted() -> None:
    link = FakeLink(FLEET)
    link.refuse = "sweeps cannot be read: disk error"
    sweeps = SweepTab(link)
    async with on_stage(sweeps, 120, 40) as pilot:
        sweeps.show(FLEET, OTHER)
        await pilot.pause()
        assert "disk error" in text(sweeps.line)[0]


async def test_nothing_to_show_teaches() -> None:
    link = FakeLink(pictures.empty())
    sweeps = SweepTab(link)
    async with on_stage(sweeps, 80, 24) as pilot:
        sweeps.show(pictures.empty(), None)
        await pilot.pause()
        assert "Press b on a miner" in text(sweeps.lines)[0]
        sweeps.table.focus()
        await pilot.press("c", "e", "o", "u", "enter", "left", "right", "down")
        assert heard(pilot, SweepTab.Opened) == heard(pilot, SweepTab.Export) == []


async def test_a_failed_sweep_says_so_by_sign_and_word() -> None:
    failed = msgspec.structs.replace(JOB, phase=Phase.PARKED, note="baseline not proven")
    sweeps = tab()
    async with on_stage(sweeps, 120, 40):
        sweeps.show(FLEET.with_job(failed), DEVICE)
        assert "!! parked" in text(sweeps.lines)[0]
        assert "baseline not proven" in text(sweeps.lines)[0]


async def test_arrows_go_from_sweep_to_sweep() -> None:
    second = msgspec.structs.replace(JOB, id=f"sweep:{OTHER}", device=OTHER)
    fleet = FLEET.with_job(second)
    sweeps = tab()
    async with on_stage(sweeps, 120, 40) as pilot:
        sweeps.show(fleet, DEVICE)
        sweeps.table.focus()
        await pilot.press("right")
        assert sweeps.device == OTHER
        await pilot.press("left")
        assert sweeps.device == DEVICE


async def test_export_hands_over_plan_and_points() -> None:
    sweeps = tab()
    async with on_stage(sweeps, 120, 40) as pilot:
        sweeps.show(FLEET, DEVICE)
        sweeps.table.focus()
        await pilot.press("e")
        (asked,) = heard(pilot, SweepTab.Export)
        assert asked.device == DEVICE
        assert asked.plan.goal is Goal.EFFICIENCY
        assert len(asked.points) == 11


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 12), (200, 50)])
async def test_any_size_is_drawn_in_both_kinds_of_signs(width: int, height: int) -> None:
    for ascii_only in (False, True):
        sweeps = tab()
        async with on_stage(sweeps, width, height, ascii_only=ascii_only) as pilot:
            sweeps.show(FLEET, DEVICE)
            await pilot.pause()
            assert sweeps.has_class("-wide") is (width >= 150)
            assert text(sweeps.table)[1:]


def test_exports_hold_every_number_and_no_formula(tmp_path: Path) -> None:
    points = pictures.sweep_points(3)
    hostile = msgspec.structs.replace(points[0], reason="=HYPERLINK(1)", power_w=None)
    rows = list(csv.DictReader(io.StringIO(as_csv("=attic", (hostile, *points[1:])))))
    assert rows[0]["device"] == "'=attic"
    assert rows[0]["reason"] == "'=HYPERLINK(1)"
    assert rows[0]["power_w"] == ""
    assert [row["mhz"] for row in rows] == ["500", "525", "550"]
    whole = json.loads(as_json("attic", pictures.sweep_plan("attic"), points))
    assert whole["plan"]["goal"] == "efficiency"
    assert len(whole["points"]) == 3
    paths = save_sweep("attic", pictures.sweep_plan("attic"), points, pictures.NOW_S, tmp_path)
    assert [p.name for p in paths] == [f"minertui-sweep-attic-20251120T120000Z.{end}" for end in ("json", "csv")]


async def in_the_app(seen: Looking, *keys: str) -> None:
    await seen.press("w")
    await seen.until(lambda: any("★ best" in row for row in text(seen.app.screen.query_one(SweepTab).table)))
    seen.app.screen.query_one(SweepTab).table.focus()
    await seen.press(*keys)


async def test_in_the_app_a_point_is_rehearsed_confirmed_and_sent() -> None:
    link = FakeLink(FLEET)
    async with looking(link) as seen:
        await in_the_app(seen, "enter")
        assert link.sent("send") == []
        await seen.press("enter")
        await seen.until(lambda: link.sent("send"))
        rehearsed = link.sent("send")
        assert [(o.device, o.dry_run, o.command) for o in rehearsed] == [(DEVICE, True, Tune(500, 1100))]
        await seen.press("y")
        await seen.until(lambda: len(link.sent("send")) > 1)
        sent = link.sent("send")[-1]
        assert (sent.device, sent.dry_run, sent.confirmed, sent.command) == (DEVICE, False, True, Tune(500, 1100))


async def test_on_a_read_only_screen_nothing_is_applied() -> None:
    link = FakeLink(FLEET)
    async with looking(link, options=Options(readonly=True)) as seen:
        await in_the_app(seen, "enter")
        await seen.until(lambda: seen.app.screen.query("#apply"))
        assert seen.app.screen.query_one("#apply", Button).disabled
        await seen.press("enter")
        assert link.sent("send") == []


async def test_in_the_app_points_become_files(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with looking(FakeLink(FLEET)) as seen:
        await in_the_app(seen, "e")
        await seen.until(lambda: len(list(tmp_path.iterdir())) > 1)
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".csv", ".json"]
