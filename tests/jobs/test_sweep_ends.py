"""How a sweep ends, what it leaves its miner at, what it says then, and how long it says that it takes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from minertui.jobs.sweep import brain, progress, run
from minertui.jobs.sweep.walk import Target
from minertui.jobs.sweep.watch import Mark
from minertui.model import ranking
from minertui.model.commands import Restart, Tune
from minertui.model.errors import Preempted, Stopped
from minertui.model.fleet import Snapshot
from minertui.model.plans import Goal, Phase, PointVerdict, Strategy, SweepPoint
from minertui.model.status import Ability
from tests.jobs.sweep_board import Board, FakeSite, plan, steps


@pytest.mark.parametrize("asked", [False, True])
async def test_old_firmware_or_the_plan_restarts_at_every_point(asked):
    board = Board(actual=False) if asked else Board(actual=False, abilities=frozenset({Ability.TUNE}))
    site = FakeSite(board)
    await run(site, plan(max_mhz=510, restart=asked, settle_s=30, max_mv=1150), ())
    restarts = [at for command, at in zip(site.sent, site.sent_at, strict=True) if isinstance(command, Restart)]
    assert len(site.points) == 2
    assert len(restarts) == 2, "what it is left at is the conclusion's business"
    assert site.samples[0].at_s - restarts[0] >= 20 + 90  # the reboot, then the reference wait


async def test_the_last_sentence_says_where_the_miner_is():
    site = FakeSite(Board())
    await run(site, plan(max_mhz=510, max_mv=1150), ())
    assert site.end[1].endswith("; now at 500 MHz / 1150 mV")
    own = FakeSite(Board())
    await run(own, plan(max_mhz=510, apply_best=False), ())
    assert own.end[1].endswith("; now at your own settings")
    cooler = FakeSite(Board())
    await run(cooler, plan(start_mhz=480, max_mhz=490, max_mv=1150), ())
    assert cooler.end[1].endswith("; now at 490 MHz / 1150 mV, before at 500 MHz / 1150 mV")  # the way to undo it


async def test_after_the_firmwares_overheat_handling_it_is_not_said_to_be_at_the_users_settings():
    left = "left as it is, not above its baseline 500 MHz / 1150 mV"
    site = FakeSite(Board(), left=left, at=[(1300, lambda s: _tripped(s.board))])
    await run(site, plan(), ())
    told = "it reads 400 MHz / 1050 mV now, and its firmware may lower that; your own settings were 500 MHz / 1150 mV"
    assert site.end == (Phase.PARKED, f"the firmware's overheat protection tripped; {told}")
    assert not [note for *_, note, _ in site.reports if "applying" in note]


async def test_nor_when_it_has_tripped_and_not_yet_lowered_itself():
    """AxeOS says so first, and rewrites its settings a moment later."""
    site = FakeSite(Board(), at=[(1300, lambda s: setattr(s, "incidents", 1))])
    await run(site, plan(), ())
    assert site.end[0] is Phase.PARKED
    assert "own settings were 500 MHz / 1150 mV" in site.end[1]
    assert "now at" not in site.end[1]


def _tripped(board: Board) -> None:
    board.mhz, board.mv = board.mhz - 100, board.mv - 100


async def test_old_firmware_is_restarted_to_cool_because_it_does_not_follow_live():
    board = Board(actual=False, abilities=frozenset({Ability.TUNE}), chip_c=lambda mhz, _: 63 if mhz > 500 else 50)
    site = FakeSite(board)
    await run(site, plan(max_mhz=510), ())
    low = next(i for i, command in enumerate(site.sent) if command == Tune(410, 1150))
    assert isinstance(site.sent[low + 1], Restart)
    assert site.sent_at[low + 1] == site.sent_at[low]


async def test_live_firmware_is_never_restarted():
    site = FakeSite(Board())
    await run(site, plan(max_mv=1160), ())
    assert not any(isinstance(command, Restart) for command in site.sent)


@pytest.mark.parametrize(("own_mhz", "left_at"), [(520.0, None), (500.0, Tune(480, 1150))])
async def test_a_stop_on_the_way_up_leaves_no_miner_worse_than_it_was(own_mhz, left_at):
    """One point of 480 MHz is measured: less than 520 MHz surely give, and as much as 500 MHz may (94 %)."""
    site = FakeSite(Board(mhz=own_mhz))
    site.at = [(1000 + 1.5 * 690, lambda s: setattr(s, "ending", Stopped(final=True)))]
    await run(site, plan(start_mhz=480, start_mv=1150), ())
    assert [p.mhz for p in site.points] == [480]
    assert site.concluded == [left_at]
    assert site.end[0] is Phase.STOPPED
    assert ("before it came to what your own settings give" in site.end[1]) is (left_at is None)


async def test_stop_by_the_engine_restores_the_baseline_and_resumes_where_it_was():
    site = FakeSite(Board())
    site.at = [(1000 + 2.5 * 690, lambda s: setattr(s, "ending", Stopped(final=False)))]
    await run(site, plan(max_mv=1160), ())
    assert site.concluded == [None]
    assert not site.end[0].over
    again = FakeSite(Board())
    await run(again, plan(max_mv=1160), site.points)
    whole = FakeSite(Board())
    await run(whole, plan(max_mv=1160), ())
    assert steps(site.points) + steps(again.points) == steps(whole.points)
    assert again.points[0].n == len(site.points) + 1
    assert again.concluded == whole.concluded


async def test_resume_after_a_limit_still_never_goes_up():
    site = FakeSite(Board(chip_c=lambda mhz, mv: 63 if mhz > 500 else 50))
    await run(site, plan(), ())
    cut = next(i for i, p in enumerate(site.points) if p.verdict is PointVerdict.LIMIT) + 1
    again = FakeSite(Board(chip_c=lambda *_: 40))
    await run(again, plan(), site.points[:cut])
    assert all((t.core_mv or 0) <= site.points[cut - 1].mv for t in again.tunes)


async def test_preempted_leaves_the_miner_to_who_took_it():
    site = FakeSite(Board())
    site.at = [(2000, lambda s: setattr(s, "ending", Preempted("a person took a")))]
    await run(site, plan(), ())
    assert site.concluded == []
    assert site.end[0] is Phase.STOPPED
    assert "a person took a" in site.end[1]


async def test_efficiency_as_the_goal_applies_the_most_efficient_point():
    site = FakeSite(Board())
    await run(site, plan(goal=Goal.EFFICIENCY, max_mv=1170), ())
    best = min((p for p in site.points if p.passed), key=lambda p: p.efficiency_jth or 1e9)
    fastest = max((p for p in site.points if p.passed), key=lambda p: p.hashrate_ghs or 0)
    assert best != fastest
    assert site.concluded == [Tune(best.mhz, best.mv)]


async def test_apply_best_off_gives_the_users_settings_back():
    site = FakeSite(Board())
    await run(site, plan(max_mhz=510, apply_best=False), ())
    assert site.concluded == [None]
    assert site.end[0] is Phase.DONE


async def test_a_best_point_that_cannot_be_proven_gives_the_baseline_back():
    site = FakeSite(Board(), conclude_fails=lambda settings: settings is not None)
    await run(site, plan(max_mhz=500), ())
    assert site.concluded == [Tune(500, 1150), None]
    assert site.end[0] is Phase.DONE
    assert "your own settings" in site.end[1]


async def test_an_unproven_baseline_is_a_failure():
    site = FakeSite(Board(), conclude_fails=lambda _: True)
    await run(site, plan(max_mhz=500), ())
    assert site.end[0] is Phase.FAILED
    assert "could not be proven" in site.end[1]


@pytest.mark.parametrize(
    ("board", "fields"),
    [
        (Board(), {"max_mv": 1160}),
        (Board(abilities=frozenset({Ability.TUNE, Ability.RESTART})), {"max_mv": 1160}),
        (Board(), {"max_power_w": 17.2}),  # a limit after some points that passed
        (Board(), {"max_power_w": 17.2, "max_mhz": 520}),  # from where the way down is longer than what was left up
    ],
)
async def test_the_time_left_never_jumps_up(board: Board, fields: dict[str, Any]):
    site = FakeSite(board)
    await run(site, plan(**fields), ())
    left: list[Any] = [p["left_s"] for _, _, _, p in site.reports if p.get("left_s") is not None]
    assert len(left) > 100
    assert [b for a, b in pairwise(left) if b > a + 1] == []


@pytest.mark.parametrize("restarts", [False, True])
async def test_the_time_left_is_honest_from_the_start(restarts):
    able = frozenset({Ability.TUNE, Ability.RESTART}) | (frozenset() if restarts else {Ability.TUNE_LIVE})
    site = FakeSite(Board(abilities=able, top_mhz=lambda mv: 600))
    await run(site, plan(max_mhz=520, max_mv=1150), ())  # the whole climb, three points
    told: Any = next(p["left_s"] for _, _, _, p in site.reports if p.get("left_s"))
    assert told == pytest.approx(site.clock - 1000, rel=0.05)


def test_the_adaptive_time_left_is_what_boards_take_and_shrinks_with_every_point():
    adaptive = plan(strategy=Strategy.ADAPTIVE, soak_s=240, measure_s=600)
    board = Board()
    status = board.read(1000, 0)
    begun = brain.begin(adaptive, (), Snapshot("a", status=status, at_s=1000, boot_s=1000), 1000.0).state
    begun = replace(begun, mark=Mark(begun.target, status))
    assert progress.counts(begun, 1000.0)["left_s"] == ranking.estimate(adaptive, status)[1] == 10 * 120 + 300
    point = SweepPoint(1, 500, 1150, PointVerdict.PASSED)
    lefts = [progress.counts(replace(begun, points=(point,) * n), 1000.0)["left_s"] or 0 for n in range(12)]
    assert lefts == sorted(lefts, reverse=True)
    soak = replace(begun, at=Target(550, 1180, soak=True), points=(point,) * 6)
    assert progress.counts(soak, 1000.0)["left_s"] == 300
    silent = msgspec.structs.replace(status, error_pct=None)
    assert ranking.estimate(adaptive, silent)[1] > 2 * ranking.estimate(adaptive, status)[1]


async def test_progress_counts_up_and_the_time_left_goes_down():
    site = FakeSite(Board())
    await run(site, plan(max_mv=1160), ())
    seen: list[Any] = [
        (p["done"], p["total"], p["left_s"]) for _, _, _, p in site.reports if p.get("left_s") is not None
    ]
    first, middle = seen[1], seen[100]
    assert first[0] == 0
    assert first[1] == 1 + 20 + 2
    assert first[2] == pytest.approx(first[1] * 675, rel=0.01)
    assert middle[2] < first[2]
    view = site.reports[100][1]
    assert view.sample is not None
    assert view.baseline_mhz == 500
    assert view.at_mv == 1150
