"""The lines around a tab: totals on top, the tabs, and at the bottom what the keys do here."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.cells import cell_len
from textual import events
from textual.message import Message

from minertui.model.alerts import Severity
from minertui.model.fleet import Fleet, Health
from minertui.model.plans import JobState
from minertui.model.relay import RelayView
from minertui.tui.feed import Picture
from minertui.tui.totals import Totals, totals
from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.wording import fit_ends, hashrate, number, shorter_paths
from minertui.tui.words import clock_text

_ROOMY = 96  # cells from which the header has room for everything


class Tab(msgspec.Struct, frozen=True):
    """A tab: its key (``fleet``, ``miner:<device>`` …), what is written on it, and a mark behind it."""

    key: str
    title: str
    mark: str = ""
    ink: str = ""


def header_spans(
    picture: Picture, demo: bool, width: int, readonly: bool = False
) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Left: name and sums over the fleet; right: jobs, how the screen is, time (alone where there is little room)."""
    fleet = picture.fleet
    sums = totals(fleet.snapshots.values())
    rate, unit = hashrate(sums.hashrate_ghs)
    away, spare = _away(sums), slice(0)
    left = [Span("minertui ", "title")]
    if picture.first:
        ink = "dim" if picture.lost else "strong"
        left += [Span(" was ", "warn")] if picture.lost else []  # the last that was heard, and nothing of now
        left += [Span(f" {rate} ", ink), Span(f"{unit} ", "dim")]
        left += [Span(f" {number(sums.power_w)} ", ink), Span("W ", "dim")]
        spare = slice(len(left), len(left) + 2)
        left += [Span(f" {number(sums.efficiency_jth, 1)} ", ink), Span("J/TH ", "dim")]
        left += [Span(f" {sums.ok}", "good" if sums.ok else "dim"), Span(f" of {sums.count} ok ", "dim")]
    if away:
        left.append(Span(f" !! {away} ", "bad"))
    right = _state_spans(picture, demo, width, readonly)
    if away and sum(cell_len(span.text) for span in (*left, *right)) >= width - 2:
        del left[spare]  # the fleet tells it too, who is away it does not
    return tuple(left), right


def _state_spans(picture: Picture, demo: bool, width: int, readonly: bool) -> tuple[Span, ...]:
    fleet, right = picture.fleet, []
    running = sum(not job.phase.over for job in fleet.jobs.values())
    if running and width >= _ROOMY and not picture.lost:
        right.append(Span(f"{running} job{'s' * (running > 1)}  ", "accent"))
    words = [w for w, on in (("DEMO", demo or fleet.demo), ("read-only", readonly or fleet.readonly)) if on]
    words += [f"×{fleet.speed:g}"] if fleet.speed != 1 else []
    right += [Span(f"{word}  ", "accent") for word in words]
    return (*right, Span(clock_text(fleet.at_s), "dim"))


def _away(sums: Totals) -> str:
    """``2 lost, 1 refused, 1 stranger``, in the words of the miners' own rows."""
    strangers = "strangers" if sums.strangers > 1 else "stranger"
    found = ((sums.lost, "lost"), (sums.refused, "refused"), (sums.strangers, strangers))
    return ", ".join(f"{n} {word}" for n, word in found if n)


def lost_since(picture: Picture) -> str:
    """`` since 12:04:05``: the last word of an engine that is away; empty when it never said one."""
    return f" since {clock_text(picture.lost_s)}" if picture.lost_s else ""


def worse(frozen: Fleet, newest: Fleet) -> int:
    """How many miners were well in a frozen picture and are not any more, gone ones included."""
    now = newest.snapshots
    well = [name for name, snapshot in frozen.snapshots.items() if snapshot.health is Health.OK]
    return sum(name not in now or now[name].health is not Health.OK for name in well)


def banner_spans(picture: Picture, frozen_s: float | None, problem: str, worse_since: int = 0) -> tuple[Span, ...]:
    """What everybody must see: the engine is away, the picture stands still (and how many miners fell ill behind it),
    the engine's own notice."""
    frozen = () if frozen_s is None else (f"Frozen at {clock_text(frozen_s)}; p lets the picture go on.",)
    if picture.lost:
        problem, _, remedy = shorter_paths(picture.lost).rstrip(".").rpartition("; ")
        said = f"{remedy} ({problem})" if problem else remedy  # what to do first: a narrow screen cuts the end off
        also = [Span(f"! {text} ", "warn") for text in frozen]
        return (*also, Span(f"!! Engine lost{lost_since(picture)}: {said}. Trying again.", "bad"))
    if frozen:
        worse = f" !! {worse_since} not well since then." if worse_since else ""
        return (Span(f"! {frozen[0]}", "warn"), Span(worse, "bad"))
    notice = shorter_paths(picture.fleet.notice or problem)
    return (Span(f"! {notice}", "warn"),) if notice else ()


def alerts_tab(picture: Picture) -> Tab:
    """The tab that counts what is new."""
    new = [a for a in picture.fleet.alerts.values() if a.active and not a.acknowledged]
    bad = any(a.severity is Severity.CRITICAL for a in new)
    return Tab("alerts", "Alerts", f"{len(new)}{'!!' if bad else '!'}" if new else "", "bad" if bad else "warn")


def rig_tab(job: JobState) -> Tab:
    """The tab of a rig; marked when a board has trouble or something costs money."""
    view = job.view
    trouble = isinstance(view, RelayView) and (view.words or any(board.why for board in view.boards))
    return Tab(f"rig:{job.device}", job.device, "!" if trouble else "", "warn")


class TabBar(Painted):
    """The tabs in a line; the one in front is always in sight."""

    DEFAULT_CSS = """
    TabBar { height: 1; }
    TabBar > .painted--tab { background: $primary; color: $background; text-style: bold; }
    """
    INKS = Painted.INKS | {"tab"}

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self) -> None:
        super().__init__(id="tabs")
        self.tabs: tuple[Tab, ...] = ()
        self.active = ""
        self._places: list[tuple[int, int, str]] = []

    def show(self, tabs: Sequence[Tab], active: str) -> None:
        """Show these tabs, ``active`` in front."""
        if (self.tabs, self.active) != (tuple(tabs), active):
            self.tabs, self.active = tuple(tabs), active
            self.repaint()

    def draw(self, width: int, height: int) -> list[Line]:
        """As many tabs as fit, from the first one that leaves room for the active one."""
        sizes = [self._cells(n, tab) for n, tab in enumerate(self.tabs)]
        at = next((n for n, tab in enumerate(self.tabs) if tab.key == self.active), 0)
        first = 0
        while first < at and sum(sizes[first : at + 1]) + 2 > width:
            first += 1
        spans = [Span("‹" if not self.glyphs.ascii else "<", "dim")] if first else []
        used, self._places = len(spans), []
        for n in range(first, len(self.tabs)):
            if used + sizes[n] > width and n > at:
                spans.append(Span(" ›" if not self.glyphs.ascii else " >", "dim"))
                break
            self._places.append((used, used + sizes[n], self.tabs[n].key))
            spans += self._tab(n, self.tabs[n])
            used += sizes[n]
        return [line(*spans)]

    def _tab(self, n: int, tab: Tab) -> list[Span]:
        number_ = f"{n + 1} " if n < 9 else ""
        if tab.key == self.active:
            mark = f" {tab.mark}" if tab.mark else ""
            return [Span(f" {number_}{fit_ends(tab.title, _title_cells(tab))}{mark} ", "tab")]
        spans = [Span(f" {number_}", "faint"), Span(fit_ends(tab.title, _title_cells(tab)), "dim")]
        if tab.mark:
            spans.append(Span(f" {tab.mark}", tab.ink))
        return [*spans, Span(" ")]

    def _cells(self, n: int, tab: Tab) -> int:
        return 2 + (2 if n < 9 else 0) + _title_cells(tab) + (1 + cell_len(tab.mark) if tab.mark else 0)

    def on_click(self, event: events.Click) -> None:
        """Go to the tab that was clicked."""
        for start, end, key in self._places:
            if start <= event.x < end:
                self.post_message(self.Chosen(key))


def _title_cells(tab: Tab) -> int:
    return min(16, cell_len(tab.title))


def _key_cells(key: tuple[str, str, str]) -> int:
    return cell_len(key[0]) + cell_len(key[1]) + 3


class KeyBar(Painted):
    """What the keys do here: as many as fit, the rest is in the help."""

    DEFAULT_CSS = """
    KeyBar { height: 1; }
    KeyBar > .painted--key { color: $accent; text-style: bold; }
    """
    INKS = Painted.INKS | {"key"}

    class Pressed(Message):
        """A key's word was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self) -> None:
        super().__init__(id="keys")
        self.keys: tuple[tuple[str, str, str], ...] = ()
        self.always: tuple[tuple[str, str, str], ...] = ()
        self._places: list[tuple[int, int, str]] = []

    def show(self, keys: Sequence[tuple[str, str, str]], always: Sequence[tuple[str, str, str]] = ()) -> None:
        """Show these (sign, word, Textual action): ``keys`` as far as they fit, ``always`` at the right end."""
        self.keys, self.always = tuple(keys), tuple(always)
        self.repaint()

    def draw(self, width: int, height: int) -> list[Line]:
        """Sign and word, sign and word …"""
        end = sum(_key_cells(key) for key in self.always)
        self._places = []
        spans, used = self._keys(self.keys, 0, width - end)
        spans.append(Span(" " * max(0, width - end - used)))
        last, _ = self._keys(self.always, max(used, width - end), width)
        return [line(*spans, *last)]

    def _keys(self, keys: Sequence[tuple[str, str, str]], start: int, end: int) -> tuple[list[Span], int]:
        spans: list[Span] = []
        for key in keys:
            if start + _key_cells(key) > end:
                continue
            sign, word, action = key
            self._places.append((start, start + _key_cells(key), action))
            spans += [Span(f" {sign}", "key"), Span(f" {word} ", "dim")]
            start += _key_cells(key)
        return spans, start

    def on_click(self, event: events.Click) -> None:
        """A click is the key."""
        for start, end, action in self._places:
            if start <= event.x < end:
                self.post_message(self.Pressed(action))
