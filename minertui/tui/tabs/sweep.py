"""Sweeps: how those under way go, map and table of one of them, its ranking, and earlier ones to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Protocol, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker

from minertui.model.commands import Tune
from minertui.model.errors import MinertuiError
from minertui.model.fleet import EMPTY, Fleet
from minertui.model.plans import Goal, JobState, SweepPlan, SweepPoint, SweepRecord, SweepView
from minertui.model.ranking import best, ranked
from minertui.model.seams import Link
from minertui.tui.commands.base import Desk
from minertui.tui.commands.orders import rehearse_and_send
from minertui.tui.export import told
from minertui.tui.feed import Feed, Picture
from minertui.tui.sweep_export import save_sweep
from minertui.tui.tabs.pane import Pane
from minertui.tui.widgets.painted import Span
from minertui.tui.widgets.point_table import PointRow, PointTable
from minertui.tui.widgets.sentences import Sentences
from minertui.tui.widgets.sweep_lines import SweepLines
from minertui.tui.widgets.volt_freq_map import VoltFreqMap
from minertui.tui.widgets.wording import number
from minertui.tui.words import moment_text

_WIDE = 150  # cells from which map and table stand side by side


class SweepTab(Widget):
    """The sweeps of a fleet. ``show`` gives it the newest; earlier sweeps it asks the link for."""

    DEFAULT_CSS = """
    SweepTab { height: 1fr; padding: 0 1; }
    SweepTab .both { height: 1fr; layout: vertical; margin: 1 0 0 0; }
    SweepTab.-wide .both { layout: horizontal; }
    SweepTab VoltFreqMap { height: 2fr; margin: 0 0 1 0; }
    SweepTab PointTable { height: 3fr; }
    SweepTab.-wide VoltFreqMap, SweepTab.-wide PointTable { height: 1fr; width: 1fr; margin: 0 1 0 0; }
    SweepTab.-wide PointTable { width: 92; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "device(-1)", "Miner before", show=False, id="sweep.before"),
        Binding("right", "device(1)", "Next miner", show=False, id="sweep.next"),
        Binding("o", "order", "Order", id="sweep.order"),
        Binding("u", "goal", "Goal", id="sweep.goal"),
        Binding("c", "compare", "Compare", id="sweep.compare"),
        Binding("e", "export", "Export", id="sweep.export"),
    ]

    class Opened(Message):
        """A person wants to see all of this point, and maybe its settings on the device."""

        def __init__(
            self, device: str, plan: SweepPlan, point: SweepPoint, place: str = "", took_s: float | None = None
        ) -> None:
            super().__init__()
            self.device, self.plan, self.point, self.place, self.took_s = device, plan, point, place, took_s

    class Export(Message):
        """A person wants these points as files."""

        def __init__(self, device: str, plan: SweepPlan, points: tuple[SweepPoint, ...]) -> None:
            super().__init__()
            self.device, self.plan, self.points = device, plan, points

    def __init__(self, link: Link | None = None) -> None:
        super().__init__()
        self._link = link
        self.fleet: Fleet = EMPTY
        self.device = ""
        self.locked = False  # nothing can be ordered from this screen
        self.coming = ""  # the miner whose sweep was just asked for: chosen once the engine tells of it
        self.records: tuple[SweepRecord, ...] = ()
        self.by_rank = True
        self.goal: Goal | None = None  # None: the plan's own
        self.against = -1  # index of the record compared with; -1: none
        self._asked: tuple[str, str, bool] | None = None
        self._note = ""
        self._lost = False
        self.lines, self.map, self.table, self.line = SweepLines(), VoltFreqMap(), PointTable(), Sentences()
        self.line.apart, self.line.more = True, "Enter: all"

    def compose(self) -> ComposeResult:
        """Sweeps under way, map and table, and what they show."""
        with Vertical():
            yield self.lines
            with Container(classes="both"):
                yield self.map
                yield self.table
            yield self.line

    # what it shows

    def show(self, fleet: Fleet, device: str | None, *, lost: bool = False) -> None:
        """Show the sweeps of ``fleet``; ``device`` chooses whose points (None: keep, unless only others sweep).
        ``lost``: as they were when the engine was heard last."""
        self.fleet, self._lost = fleet, lost
        if device and device != self.device:
            self._choose(device)
        jobs = self.jobs
        known = [job.device for job in jobs]
        if self.coming in known:
            self._choose(self.coming)
            self.coming = ""
        if self.device not in fleet.snapshots or (device is None and known and self.device not in known):
            self._choose(known[0] if known else next(iter(fleet.snapshots), ""))
        self._ask_for_records()
        self._draw()

    @property
    def jobs(self) -> tuple[JobState, ...]:
        """The sweeps the engine knows, running ones first."""
        found = [job for job in self.fleet.jobs.values() if isinstance(job.view, SweepView)]
        return tuple(sorted(found, key=lambda job: (job.phase.over, job.device)))

    def _view(self) -> SweepView | None:
        job = self.fleet.jobs.get(f"sweep:{self.device}")
        if job is not None and isinstance(job.view, SweepView):
            return job.view
        if self.records:
            kept = self.records[0]
            return SweepView(
                plan=kept.plan, sweep_id=kept.id, points=kept.points,
                baseline_mhz=kept.home_mhz, baseline_mv=kept.home_mv,
            )  # fmt: skip
        return None

    def _choose(self, device: str) -> None:
        self.device, self.records, self.against, self._note = device, (), -1, ""
        self.table.free = False

    def _draw(self) -> None:
        self.lines.show(self.jobs, self.device, lost=self._lost, idle=self._idle())
        view = self._view()
        points = view.points if view else ()
        goal = self.goal or (view.plan.goal if view else Goal.HASHRATE)
        order = _order(points, goal)
        home = (view.baseline_mhz, view.baseline_mv) if view else (None, None)
        self.table.show(self._rows(points, order, home), comparing=self._earlier is not None)
        now = (view.at_mhz, view.at_mv) if view and self._runs else (None, None)
        self.map.show(
            points, goal, now=now, best=order[0] if order else None, chosen=self.table.point if points else None
        )
        self._tell(view, goal)

    def _idle(self) -> str:
        """Where no sweep is under way: whose points are shown all the same, or how one is begun."""
        if self.records:
            last = self.records[0]
            when = moment_text(last.until_s or last.since_s, self.fleet.at_s)
            return f"No sweep runs. Below the last one of {self.device}: {last.phase.value}, {when}."
        return "No sweep runs." if self.locked else "No sweep runs. Press b on a miner to start one."

    @property
    def _runs(self) -> bool:
        job = self.fleet.jobs.get(f"sweep:{self.device}")
        return job is not None and not job.phase.over

    def _rows(
        self, points: Sequence[SweepPoint], order: Sequence[SweepPoint], home: tuple[float | None, int | None]
    ) -> list[PointRow]:
        ranks = {p.n: n for n, p in enumerate(order, 1)}
        then = {(p.mhz, p.mv): p for p in self._earlier.points} if self._earlier else {}
        rows = [PointRow(p, ranks.get(p.n), then.get((p.mhz, p.mv)), (p.mhz, p.mv) == home) for p in points]
        if self.by_rank:
            rows.sort(key=lambda row: (row.rank is None, row.rank or row.point.n))
        return rows

    @property
    def _earlier(self) -> SweepRecord | None:
        return self.records[self.against] if 0 <= self.against < len(self.records) else None

    def _tell(self, view: SweepView | None, goal: Goal) -> None:
        if view is None:
            self.line.show((Span(f"{self.device or 'no miner'}: no sweep kept yet", "dim"),), self._note)
            return
        count = len(view.points)
        left = [
            Span(self.device, "strong"),
            Span(f"  {count} point{'' if count == 1 else 's'}, best at {goal.value}", "dim"),
            Span(", ranked" if self.by_rank else ", as measured", "dim"),
        ]
        if self._earlier:
            at = moment_text(self._earlier.since_s, self.fleet.at_s)
            left.append(Span(f"  against {at} ({self.against + 1} of {len(self.records)})", "accent"))
        point, said = self.table.point, Span(self._note, "warn")
        if not self._note and point is not None and (why := point.reason or point.why):
            said = Span(f"{number(point.mhz)}/{point.mv}: {why}", "warn" if point.reason else "dim")
        self.line.show(tuple(left), (said,) if said.text else ())

    # earlier sweeps

    def _ask_for_records(self) -> None:
        key = (self.device, getattr(self._view_of_job(), "sweep_id", ""), self._runs)
        if self.device and self._link is not None and key != self._asked and self.is_mounted:
            self._asked = key
            read = partial(self._fetch, self._link, self.device)
            _: Worker[None] = self.run_worker(read, exclusive=True, group="sweeps")

    def _view_of_job(self) -> SweepView | None:
        job = self.fleet.jobs.get(f"sweep:{self.device}")
        return job.view if job is not None and isinstance(job.view, SweepView) else None

    async def _fetch(self, link: Link, device: str) -> None:
        try:
            records = tuple(await link.sweeps(device))
        except MinertuiError as error:
            self._note = f"earlier sweeps: {error}"
        else:
            if device != self.device:
                return
            self.records = records
        self._draw()

    # what a person may do

    def on_resize(self, event: events.Resize) -> None:
        """A wide terminal shows map and table side by side."""
        wide = event.size.width >= _WIDE
        if wide != self.has_class("-wide"):
            self.set_class(wide, "-wide")
            # a class that changes while the first layout is under way may miss it
            self.call_after_refresh(self.refresh, layout=True)

    def on_point_table_moved(self) -> None:
        """The map follows the cursor."""
        self._note = ""
        self._draw()

    def on_point_table_chosen(self, event: PointTable.Chosen) -> None:
        """All of it, with where it stands and how long it took."""
        event.stop()
        view, point = self._view(), event.point
        if view is None:
            return
        goal = self.goal or view.plan.goal
        order = [p.n for p in _order(view.points, goal)]
        place = f"{order.index(point.n) + 1} of {len(order)} by {goal.value}" if point.n in order else ""
        before = next((p for p in view.points if p.n == point.n - 1), None)
        took_s = point.at_s - before.at_s if before is not None and before.at_s and point.at_s else None
        self.post_message(self.Opened(self.device, view.plan, point, place, took_s))

    def action_device(self, by: int) -> None:
        """The next miner that has a sweep."""
        known = [job.device for job in self.jobs]
        if known:
            at = known.index(self.device) if self.device in known else -by
            self.show(self.fleet, known[(at + by) % len(known)], lost=self._lost)

    def action_order(self) -> None:
        """Ranked, or in the order measured."""
        self.by_rank = not self.by_rank
        self._draw()

    def action_goal(self) -> None:
        """Rank and colour by the other goal."""
        view = self._view()
        now = self.goal or (view.plan.goal if view else Goal.HASHRATE)
        self.goal = Goal.EFFICIENCY if now is Goal.HASHRATE else Goal.HASHRATE
        self._draw()

    def action_compare(self) -> None:
        """Against the next earlier sweep, and in the end against none."""
        shown = self._view()
        self._note = ""
        self.against += 1
        if self._earlier is not None and shown is not None and self._earlier.id == shown.sweep_id:
            self.against += 1  # not against itself
        if self._earlier is None:
            self._note = "" if self.against > 1 or len(self.records) > 1 else "no earlier sweep kept"
            self.against = -1
        self._draw()

    def action_export(self) -> None:
        """Ask for the points as files."""
        view = self._view()
        if view is None or not view.points:
            self._note = "there is nothing to export yet"
            self._draw()
            return
        self.post_message(self.Export(self.device, view.plan, view.points))


def _order(points: Sequence[SweepPoint], goal: Goal) -> tuple[SweepPoint, ...]:
    """The points that passed: first the winner, which is one that a soak confirmed as soon as there is one, then the
    others as they were measured."""
    winner, order = best(points, goal), ranked(points, goal)
    return order if winner is None else (winner, *(point for point in order if point.n != winner.n))


class _HasDesk(Protocol):
    @property
    def desk(self) -> Desk: ...


class SweepPane(Pane):
    """The sweep view as a tab of the frame: applies and exports what the view asks for."""

    place = "sweep"

    def __init__(self, link: Link, feed: Feed) -> None:
        super().__init__(link, feed)
        self.tab = SweepTab(link)

    def compose(self) -> ComposeResult:
        """The view."""
        yield self.tab

    def show(self, picture: Picture) -> None:
        """Draw this picture."""
        super().show(picture)
        self.tab.locked = bool(self._desk.at.locked)
        self.tab.show(picture.fleet, None, lost=bool(picture.lost))

    @property
    def devices(self) -> tuple[str, ...]:
        """The miner whose points are shown."""
        return (self.tab.device,) if self.tab.device else ()

    def await_sweep(self, device: str) -> None:
        """Show the sweep of this miner, which was just asked for, as soon as the engine tells of it."""
        self.tab.coming = device
        if self.ready:
            self.tab.show(self.picture.fleet, None, lost=bool(self.picture.lost))

    def back(self) -> bool:
        """End a comparison."""
        if self.tab.against < 0:
            return False
        self.tab.against = -1
        self.show(self.picture)
        return True

    @property
    def _desk(self) -> Desk:
        return cast(_HasDesk, self.app).desk

    @on(SweepTab.Opened)
    def _open(self, event: SweepTab.Opened) -> None:
        event.stop()
        self.begin(partial(self._look, event), "point")

    async def _look(self, event: SweepTab.Opened) -> None:
        """Show the point; apply it when that is wanted, as any other order: rehearsed, asked, sent."""
        from minertui.tui.dialogs.point import PointDialog

        point, desk = event.point, self._desk
        refused = desk.at.locked if point.passed else "only a point that passed can be"
        dialog = PointDialog(
            event.device, event.plan, point, self.picture.fleet.at_s,
            place=event.place, refused=refused, took_s=event.took_s,
        )  # fmt: skip
        if await desk.ask(dialog):
            command = Tune(frequency_mhz=point.mhz, core_mv=point.mv)
            title = f"Apply {point.mhz:g} MHz {point.mv} mV to {event.device}"
            await rehearse_and_send(desk, [event.device], command, title)

    @on(SweepTab.Export)
    def _export(self, event: SweepTab.Export) -> None:
        event.stop()
        try:
            paths = save_sweep(event.device, event.plan, event.points, self.picture.fleet.at_s)
        except MinertuiError as error:
            self._desk.say(str(error), "error")
        else:
            self._desk.say(told(paths))
