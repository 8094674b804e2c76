"""What a person who comes back finds on the sweep tab: the best point, the settings from before, what can be done."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from minertui.model.fleet import Fleet
from minertui.model.plans import Phase, SweepRecord, SweepView
from minertui.tui.options import Options
from minertui.tui.tabs.sweep import SweepTab
from tests.tui import pictures
from tests.tui.fake_link import FakeLink
from tests.tui.looking import looking
from tests.tui.widgets.stage import on_stage, text

FLEET = pictures.normal()
JOB = next(job for job in FLEET.jobs.values() if job.kind == "sweep")
NO_JOBS = msgspec.structs.replace(FLEET, jobs={})


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_sweep_that_begins_while_others_are_looked_at_gets_a_line_of_its_own(size: tuple[int, int]) -> None:
    sweeps = SweepTab(FakeLink(FLEET))
    async with on_stage(sweeps, *size) as pilot:
        sweeps.show(FLEET, None)
        await pilot.pause()
        sweeps.show(FLEET.with_job(msgspec.structs.replace(JOB, id="sweep:attic-1", device="attic-1")), None)
        await pilot.pause()
        told = [device for device in ("attic-1", JOB.device) if any(device in line for line in text(sweeps.lines))]
        assert told == ["attic-1", JOB.device]
        sweeps.show(FLEET, None)
        await pilot.pause()
        assert not any("attic-1" in line for line in text(sweeps.lines))


class Keeping(FakeLink):
    """Keeps these sweeps."""

    def __init__(self, fleet: Fleet, *records: SweepRecord) -> None:
        super().__init__(fleet)
        self.kept = records

    async def sweeps(
        self, device: str | None = None, limit: int = 0, before_s: float | None = None
    ) -> Sequence[SweepRecord]:
        return self.kept


def view() -> SweepView:
    assert isinstance(JOB.view, SweepView)
    return JOB.view


def showing(shown: SweepView) -> Fleet:
    return FLEET.with_job(msgspec.structs.replace(JOB, view=shown))


async def test_the_cursor_goes_on_with_the_best_point_until_a_person_moves_it() -> None:
    """Else who looks in the morning sees a point of the evening before, and a map without the best one."""
    points = list(view().points)

    def with_better(j_per_th: float) -> Fleet:
        points.append(msgspec.structs.replace(points[0], n=100 + len(points), mhz=505.0, efficiency_jth=j_per_th))
        return showing(msgspec.structs.replace(view(), points=tuple(points)))

    sweeps = SweepTab(FakeLink(FLEET))

    def cursor() -> tuple[int, int]:
        assert sweeps.table.point is not None
        return sweeps.table.at, sweeps.table.point.n

    async with on_stage(sweeps, 120, 40) as pilot:
        sweeps.show(FLEET, JOB.device)
        sweeps.show(with_better(10.0), JOB.device)
        assert cursor() == (0, points[-1].n)
        sweeps.table.focus()
        await pilot.press("j")
        _, kept = cursor()
        sweeps.show(with_better(9.0), JOB.device)
        assert cursor() == (2, kept)
        await pilot.press("k", "k")  # back on the best one
        sweeps.show(with_better(8.0), JOB.device)
        assert cursor() == (0, points[-1].n)


async def test_the_settings_from_before_the_sweep_are_marked_also_when_its_engine_is_gone() -> None:
    own = msgspec.structs.replace(view(), baseline_mhz=525.0, baseline_mv=1100)
    sweeps = SweepTab(Keeping(NO_JOBS, record()))
    async with on_stage(sweeps, 120, 40) as pilot:
        sweeps.show(showing(own), JOB.device)
        await pilot.pause()
        assert marked(sweeps) == [["525", "1100"]]
        sweeps.show(NO_JOBS, JOB.device)
        await pilot.pause()
        await pilot.pause()
        assert marked(sweeps) == [["525", "1100"]]
        assert text(sweeps.lines) == [f"No sweep runs. Below the last one of {JOB.device}: done, 11:40:00."]


def record() -> SweepRecord:
    then = pictures.NOW_S - 1200
    return SweepRecord(
        "old", JOB.device, None, "Gamma", view().plan, Phase.DONE, then - 3600, until_s=then, points=view().points,
        home_mhz=525.0, home_mv=1100,
    )  # fmt: skip


def marked(sweeps: SweepTab) -> list[list[str]]:
    return [line.split()[1:3] for line in text(sweeps.table) if "as before" in line]


@pytest.mark.parametrize(("readonly", "advised"), [(True, False), (False, True)])
async def test_a_key_that_a_read_only_screen_has_not_is_not_advised(readonly: bool, advised: bool) -> None:
    async with looking(Keeping(NO_JOBS), options=Options(readonly=readonly)) as seen:
        await seen.press("w")
        await seen.sees("No sweep runs.")
        assert ("Press b" in seen.text) == advised


async def test_what_stops_a_sweep_is_in_the_footer_of_a_narrow_screen() -> None:
    async with looking(FLEET, size=(80, 24)) as seen:
        await seen.press("w")
        await seen.until(lambda: seen.pane.ready and "Point" in seen.line(-1), "the footer")
        for word in ("Enter Point", "B Stop sweep", "o Order", "? Help", "q Detach"):
            assert word in seen.line(-1)
