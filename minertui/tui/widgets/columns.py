"""The columns of the fleet table: what each says of a device, and which of them a terminal has room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from minertui.model.fleet import Fleet, Snapshot
from minertui.model.metrics import BY_ID
from minertui.model.plans import JobState
from minertui.tui.widgets.glyphs import Glyphs
from minertui.tui.widgets.painted import Span
from minertui.tui.widgets.spark import spark
from minertui.tui.widgets.standing import age_text, job_sign, job_text, level_of
from minertui.tui.widgets.wording import UNKNOWN, count, fit, fit_ends, terahash

GAP = 1


class Row(msgspec.Struct, frozen=True):
    """What a cell may look at. ``standing``: sign, word and style of the device."""

    snapshot: Snapshot
    jobs: tuple[JobState, ...]
    now_s: float
    marked: bool
    standing: tuple[str, str, str]


Cell = Callable[[Row, int, Glyphs], Span]


class Column(msgspec.Struct, frozen=True):
    """A column. ``rank``: 0 never leaves, the highest leaves first. It is ``least`` cells wide and may grow to
    ``most`` when there is room."""

    id: str
    title: str
    rank: int
    least: int
    most: int
    cell: Cell
    right: bool = True
    marks: bool = False  # two cells behind the number are for ``!`` and ``!!``
    gap: int = GAP  # blank cells behind it
    sorts: str = ""  # the column that a click on its title sorts by; empty: itself


def _state(row: Row, _width: int, glyphs: Glyphs) -> Span:
    sign, _, ink = row.standing
    return Span((glyphs.marked if row.marked else " ") + fit(sign, 2), ink)


def _runs(row: Row, _width: int, glyphs: Glyphs) -> Span:
    return Span(*job_sign(row.jobs))


def _name(row: Row, width: int, glyphs: Glyphs) -> Span:
    return Span(fit_ends(row.snapshot.device, width, ellipsis=glyphs.ellipsis))


def _model(row: Row, width: int, glyphs: Glyphs) -> Span:
    status = row.snapshot.status
    return Span(fit((status.model if status else None) or row.snapshot.kind, width, ellipsis=glyphs.ellipsis))


def _word(row: Row, width: int, glyphs: Glyphs) -> Span:
    _, word, ink = row.standing
    return Span(fit(word, width, ellipsis=glyphs.ellipsis), ink)


def _hashrate(row: Row, width: int, glyphs: Glyphs) -> Span:
    return Span(fit(terahash(row.snapshot.status.hashrate_ghs if row.snapshot.status else None), width, right=True))


def _metric(metric_id: str) -> Cell:
    metric = BY_ID[metric_id]
    digits = 0 if metric.unit == "%" else metric.digits

    def cell(row: Row, width: int, glyphs: Glyphs) -> Span:
        status = row.snapshot.status
        value = None if status is None else metric.read(status)
        if value is None:
            return Span(fit(UNKNOWN, width - 2, right=True) + "  ")
        found = level_of(value, metric, row.snapshot)
        return Span(fit(f"{value:.{digits}f}", width - 2, right=True) + found.mark.ljust(2), found.ink)

    return cell


def _shares(row: Row, width: int, glyphs: Glyphs) -> Span:
    status = row.snapshot.status
    if status is None:
        return Span(fit(UNKNOWN, width, right=True))
    return Span(fit(f"{count(status.shares_accepted)}/{count(status.shares_rejected)}", width, right=True))


def _job(row: Row, width: int, glyphs: Glyphs) -> Span:
    return Span(fit(job_text(row.jobs), width, ellipsis=glyphs.ellipsis), "accent")


def _age(row: Row, width: int, glyphs: Glyphs) -> Span:
    return Span(fit(age_text(row.snapshot, row.now_s), width, right=True))


def _spark(row: Row, width: int, glyphs: Glyphs) -> Span:
    return Span(spark(row.snapshot.recent_ghs, width, glyphs), "dim")


COLUMNS: tuple[Column, ...] = (
    Column("state", "", 0, 3, 3, _state, right=False, gap=0),
    Column("runs", "", 0, 1, 1, _runs, right=False, sorts="job"),
    Column("name", "name", 0, 12, 28, _name, right=False),
    Column("word", "state", 11, 10, 13, _word, right=False),
    Column("model", "model", 9, 9, 14, _model, right=False),
    Column("hashrate_ghs", "TH/s", 0, 6, 7, _hashrate),
    Column("ratio_pct", "exp %", 3, 6, 6, _metric("ratio_pct"), marks=True),
    Column("efficiency_jth", "J/TH", 2, 6, 7, _metric("efficiency_jth"), marks=True),
    Column("chip_temp_c", "chip °C", 0, 8, 9, _metric("chip_temp_c"), marks=True),
    Column("vr_temp_c", "VR °C", 1, 7, 8, _metric("vr_temp_c"), marks=True),
    Column("power_w", "W", 1, 7, 8, _metric("power_w"), marks=True),
    Column("fan_pct", "fan %", 4, 6, 7, _metric("fan_pct"), marks=True),
    Column("shares_accepted", "acc/rej", 8, 9, 11, _shares),
    Column("age", "age", 5, 5, 6, _age),
    Column("job", "job", 6, 15, 22, _job, right=False),
    Column("spark", "last hour", 10, 10, 30, _spark, right=False),
)

Layout = tuple[tuple[Column, int], ...]


def layout(width: int, longest_name: int, columns: Sequence[Column] = COLUMNS) -> Layout:
    """The columns that fit into ``width`` cells, and how wide each is. Room left over goes to the name as far as names
    need it, then one cell at a time to those that may grow."""
    chosen: list[Column] = []
    used = -GAP  # none behind the last one
    for column in sorted(columns, key=lambda c: c.rank):
        if chosen and column.rank and used + column.gap + column.least > width:
            continue
        chosen.append(column)
        used += column.gap + column.least
    widths = {c.id: c.least for c in chosen}
    spare = width - used
    most = {c.id: min(c.most, max(c.least, longest_name)) if c.id == "name" else c.most for c in chosen}
    for column_id in _growth(chosen):
        more = max(0, min(spare, most[column_id] - widths[column_id]))
        widths[column_id] += more
        spare -= more
    return tuple((c, widths[c.id]) for c in columns if c in chosen)


def _growth(chosen: Sequence[Column]) -> list[str]:
    first = [c.id for c in chosen if c.id in ("name", "job")]
    return [
        *first,
        *(c.id for c in chosen if c.id not in (*first, "spark")),
        *(c.id for c in chosen if c.id == "spark"),
    ]


def header(columns: Layout, sort: tuple[str, bool] | None, glyphs: Glyphs) -> str:
    """The line of titles; the sorted column wears an arrow."""
    titles = (
        _title(c, width, sort[1] if sort and sort[0] == c.id else None, glyphs) + " " * c.gap for c, width in columns
    )
    return "".join(titles).removesuffix(" " * GAP)


def _title(column: Column, width: int, descending: bool | None, glyphs: Glyphs) -> str:
    arrow = "" if descending is None or not column.title else glyphs.down if descending else glyphs.up
    if column.marks:  # the title ends where the numbers do; the arrow stands where their marks would
        ends = max(width - 2, min(width - 1, len(column.title)))
        return fit(fit(column.title, ends, right=True) + arrow, width)
    return fit(arrow + column.title, width, right=column.right)


def at(columns: Layout, x: int) -> str | None:
    """The id of the column to sort by when somebody clicks at cell ``x``."""
    for column, width in columns:
        if x < width + column.gap:
            return column.sorts or column.id
        x -= width + column.gap
    return None


def cells(columns: Layout, row: Row, glyphs: Glyphs) -> list[Span]:
    """The spans of a row, one per column with the gap behind it."""
    spans = [(column.cell(row, width, glyphs), " " * column.gap) for column, width in columns]
    return [Span(text + gap, style) for (text, style), gap in spans]


def jobs_by_device(fleet: Fleet) -> dict[str, tuple[JobState, ...]]:
    """Each device's jobs, running ones first; one pass over all jobs instead of one per row."""
    found: dict[str, list[JobState]] = {}
    for job in fleet.jobs.values():
        found.setdefault(job.device, []).append(job)
    return {device: tuple(sorted(jobs, key=lambda j: j.phase.over)) for device, jobs in found.items()}
