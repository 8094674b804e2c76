from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from minertui.engine import rows, tables
from minertui.engine.buckets import Point, Question, answer
from minertui.engine.history import History
from minertui.model.errors import MinertuiError
from minertui.model.history import Series
from minertui.model.metrics import METRICS
from tests.engine.fakes import START_S, LoopClock, status

pytestmark = pytest.mark.looptime


class Wall(LoopClock):
    """The wall is set by hand: months pass in no time."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = START_S

    def wall(self) -> float:
        return self.now_s


async def opened(folder: Path, clock: LoopClock) -> History:
    history = History(folder / "h.db", clock, trouble=lambda _: None, damaged=lambda _: None)
    await history.start()
    return history


def ask(since_s: float, until_s: float, points: int = 500, *metrics: str) -> Question:
    return Question("m1", metrics or ("hashrate_ghs",), since_s, until_s, points)


async def fill(history: History, clock: Wall, seconds: int, every_s: int = 5, rate: float = 1000.0) -> None:
    for _ in range(seconds // every_s):
        history.add("m1", clock.now_s, status(hashrate_ghs=rate, uptime_s=None))
        clock.now_s += every_s
    await history.write()


def test_every_metric_of_a_reading_survives_packing_and_unknown_stays_unknown():
    reading = status()
    [(at_s, values)] = rows.unpack_chunk(rows.pack_chunk([(START_S, rows.sample(reading))]), 1)
    assert at_s == START_S
    for metric, value in zip(METRICS, values, strict=True):
        wanted = metric.read(reading)
        assert math.isnan(value) if wanted is None else value == pytest.approx(wanted, rel=1e-6), metric.id


def test_a_number_too_large_for_a_column_is_unknown_and_costs_no_other():
    [(_, values)] = rows.unpack_chunk(rows.pack_chunk([(0.0, rows.sample(status(best_diff=1e300)))]), 1)
    ids = [metric.id for metric in METRICS]
    assert math.isnan(values[ids.index("best_diff")])
    assert values[ids.index("hashrate_ghs")] == 1000.0


def test_stretches_join_by_their_weight():
    few = rows.summary([rows.sample(status(hashrate_ghs=0.0))])
    many = rows.summary([rows.sample(status(hashrate_ghs=900.0))] * 3)
    joined = rows.joined([few, many])
    assert (joined.n, joined.mean[0], joined.low[0], joined.high[0]) == (4, 675.0, 0.0, 900.0)


async def test_the_last_hour_is_there_at_poll_rate(tmp_path: Path):
    clock = Wall()
    history = await opened(tmp_path, clock)
    for n in range(240):
        history.add("m1", clock.now_s, status(hashrate_ghs=float(n)))
        clock.now_s += 5
    series = await history.series(ask(START_S, clock.now_s, 1200))
    values = series.mean["hashrate_ghs"]
    assert series.step_s == 7.5
    assert None not in values
    assert [values[0], values[-1]] == pytest.approx([0.5, 239.0], abs=0.6)
    await history.close()


@pytest.mark.threads
async def test_a_chart_is_made_beside_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    threads: list[threading.Thread] = []

    def seen(question: Question, points: Sequence[Point]) -> Series:
        threads.append(threading.current_thread())
        return answer(question, points)

    monkeypatch.setattr("minertui.engine.history.answer", seen)
    clock = Wall()
    history = await opened(tmp_path, clock)
    await fill(history, clock, 65)
    series = await history.series(ask(START_S, clock.now_s))
    assert series.mean["hashrate_ghs"] == (1000.0,) * 9  # the minute that is being gathered, too
    assert threads != [threading.current_thread()]
    await history.close()


def test_charts_of_all_devices_ask_in_the_same_words():
    """A connection keeps what it prepared for each of them: four kilobytes."""

    class Listening(sqlite3.Connection):
        said: ClassVar[set[str]] = set()

        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            self.said.add(sql)
            return super().execute(sql, *values)

    with contextlib.closing(sqlite3.connect(":memory:", factory=Listening)) as db:
        db.executescript(tables.SCHEMA)
        told = []
        for name in ("m1", "m2"):
            tables.write(db, [(name, int(START_S), [(START_S, rows.sample(status()))])])
            for hours in (0.5, 24, 2400):
                question = Question(name, ("power_w",), START_S - 3600 * hours, START_S + 60)
                list(tables.points(db, question, START_S + 60))
            told.append(set(db.said))
    assert told[0] == told[1]


async def test_a_gap_is_none_and_not_zero(tmp_path: Path):
    clock = Wall()
    history = await opened(tmp_path, clock)
    await fill(history, clock, 600)
    clock.now_s += 600
    await fill(history, clock, 600)
    series = await history.series(ask(START_S, clock.now_s, 30))
    known = [value is not None for value in series.mean["hashrate_ghs"]]
    assert (sum(known), known[:10], known[11:19], known[20:]) == (20, [True] * 10, [False] * 8, [True] * 10)
    await history.close()


async def test_minutes_last_a_fortnight_and_quarters_two_years(tmp_path: Path):
    clock = Wall()
    history = await opened(tmp_path, clock)
    await fill(history, clock, 7200, every_s=20)
    clock.now_s += 15 * 86_400
    await fill(history, clock, 3600, every_s=20, rate=500.0)
    await history._tend()
    with sqlite3.connect(tmp_path / "h.db") as db:
        counts = [db.execute(f"SELECT count(*), min(at) FROM {t}").fetchone() for t in ("raw", "minute", "quarter")]
    assert [c for c, _ in counts] == [59, 59, 11]  # the last minute is still gathered, the last quarter-hour not made
    assert counts[2][1] == START_S
    series = await history.series(ask(START_S, clock.now_s, 400, "hashrate_ghs"))
    values = [v for v in series.mean["hashrate_ghs"] if v is not None]
    assert values[0] == 1000.0
    assert values[-1] == 500.0
    clock.now_s += 731 * 86_400
    await history._tend()
    with sqlite3.connect(tmp_path / "h.db") as db:
        assert db.execute("SELECT count(*) FROM quarter").fetchone()[0] == 0
    await history.close()


@pytest.mark.parametrize("rates", [[100.0], [None], [100.0, 400.0, 250.0], [100.0, None, 400.0], [None, None]])
def test_a_summary_leaves_out_what_is_unknown(rates: list[float | None]):
    got = rows.summary(rows.sample(status(hashrate_ghs=rate)) for rate in rates)
    known = [rate for rate in rates if rate is not None]
    expected = [sum(known) / len(known), min(known), max(known)] if known else [math.nan] * 3
    assert got.n == len(rates)
    assert [got.mean[0], got.low[0], got.high[0]] == pytest.approx(expected, nan_ok=True)


async def test_low_and_high_of_a_minute_are_kept(tmp_path: Path):
    clock = Wall()
    history = await opened(tmp_path, clock)
    for rate in itertools.islice(itertools.cycle((100.0, 300.0)), 360):
        history.add("m1", clock.now_s, status(hashrate_ghs=rate))
        clock.now_s += 10
    clock.now_s += 7200
    await history.write()
    series = await history.series(ask(START_S, START_S + 3000, 10))
    assert (series.low["hashrate_ghs"][3], series.mean["hashrate_ghs"][3], series.high["hashrate_ghs"][3]) == (
        100.0, 200.0, 300.0,
    )  # fmt: skip
    await history.close()


async def test_a_restart_loses_nothing_and_a_minute_met_twice_is_joined(tmp_path: Path):
    clock = Wall()
    history = await opened(tmp_path, clock)
    await fill(history, clock, 30)
    await history.close()
    history = await opened(tmp_path, clock)
    await fill(history, clock, 30, rate=2000.0)
    await history.close()
    with sqlite3.connect(tmp_path / "h.db") as db:
        assert db.execute("SELECT count(*), sum(n) FROM minute").fetchone() == (1, 12)
        [(n, data)] = db.execute("SELECT n, data FROM minute").fetchall()
    assert rows.unpack_summary(data, n).mean[0] == 1500.0


async def test_the_wall_clock_set_back_an_hour_overwrites_nothing(tmp_path: Path):
    clock = Wall()
    history = await opened(tmp_path, clock)
    await fill(history, clock, 3600, every_s=20)
    clock.now_s -= 3600
    await fill(history, clock, 3600, every_s=20, rate=3000.0)
    await history.close()
    with sqlite3.connect(tmp_path / "h.db") as db:
        assert db.execute("SELECT sum(n) FROM minute").fetchone()[0] == 360


async def test_what_the_device_remembers_fills_only_what_we_do_not_know(tmp_path: Path):
    clock = Wall()
    history = await opened(tmp_path, clock)
    await fill(history, clock, 600)
    remembered = [(float(ago), {"hashrate_ghs": 7.0, "not_a_metric": 1.0}) for ago in range(1800, 0, -60)]
    assert await history.backfill("m1", remembered) == 20
    assert await history.backfill("m1", remembered) == 0
    series = await history.series(ask(clock.now_s - 7200, clock.now_s, 120))
    values = series.mean["hashrate_ghs"]
    assert 7.0 in values
    assert 1000.0 in values
    await history.close()


async def test_rows_of_a_shorter_table_of_metrics_are_read_and_new_metrics_are_unknown_there(tmp_path: Path):
    clock = Wall()
    history = await opened(tmp_path, clock)
    await fill(history, clock, 120)
    await history.close()
    with sqlite3.connect(tmp_path / "h.db") as db:
        ids = db.execute("SELECT ids FROM layout").fetchone()[0].split()
        db.execute("UPDATE layout SET ids = ?", (" ".join(ids[:20]),))
        for table in ("raw", "minute"):
            for at, n, data in db.execute(f"SELECT at, n, data FROM {table}").fetchall():
                if table == "raw":
                    short = [(t, v[:20].tobytes()) for t, v in rows.unpack_chunk(data, n)]
                    packed = _narrow_chunk(short)
                else:
                    s = rows.unpack_summary(data, n)
                    packed = rows.pack_summary(rows.Summary(n, s.mean[:20], s.low[:20], s.high[:20]))
                db.execute(f"UPDATE {table} SET data = ? WHERE at = ?", (packed, at))
    history = await opened(tmp_path, clock)
    last = METRICS[-1].id
    series = await history.series(ask(START_S, START_S + 120, 10, "hashrate_ghs", last))
    assert 1000.0 in series.mean["hashrate_ghs"]
    assert set(series.mean[last]) == {None}
    await history.close()
    assert not list(tmp_path.glob("*.corrupt-*"))


def _narrow_chunk(samples: list[tuple[float, bytes]]) -> bytes:
    import zlib
    from array import array

    columns = array("f", b"".join(data for _, data in samples))
    by_column = array("f", (v for i in range(20) for v in columns[i::20]))
    return zlib.compress(array("d", (t for t, _ in samples)).tobytes() + by_column.tobytes())


async def test_a_file_with_other_columns_is_put_aside(tmp_path: Path):
    said: list[str] = []
    clock = Wall()
    await (await opened(tmp_path, clock)).close()
    with sqlite3.connect(tmp_path / "h.db") as db:
        db.execute("UPDATE layout SET ids = 'power_w hashrate_ghs'")
    history = History(tmp_path / "h.db", clock, trouble=lambda _: None, damaged=said.append)
    await history.start()
    await fill(history, clock, 60)
    await history.close()
    assert "other numbers" in said[0]
    assert list(tmp_path.glob("h.db.corrupt-*"))


async def test_a_full_disk_keeps_minutes_in_memory_until_it_is_free(tmp_path: Path):
    clock, said = Wall(), list[str]()
    history = History(tmp_path / "gone" / "h.db", clock, trouble=said.append, damaged=said.append)
    await fill(history, clock, 300)
    assert len(said) == 1
    (tmp_path / "gone").mkdir()
    await history.write()
    await history.close()
    with sqlite3.connect(tmp_path / "gone" / "h.db") as db:
        assert db.execute("SELECT sum(n) FROM minute").fetchone()[0] == 60
    assert said[1:] == [""]


async def test_the_minutes_of_a_large_fleet_are_written_a_few_at_a_time_and_all_of_them(tmp_path: Path):
    clock = Wall()
    history = await opened(tmp_path, clock)
    for at_s in (START_S, START_S + 60):
        for n in range(60):
            history.add(f"m{n}", at_s, status(hashrate_ghs=1.0))
    assert [await history.write(25) for _ in range(4)] == [True, True, False, False]
    with sqlite3.connect(tmp_path / "h.db") as db:
        assert db.execute("SELECT count(DISTINCT device), count(*) FROM minute").fetchone() == (60, 60)
    for n in range(60):
        history.add(f"m{n}", START_S + 120, status(hashrate_ghs=1.0))
    keeping = asyncio.create_task(history.keep())
    await asyncio.sleep(15)
    keeping.cancel()
    with sqlite3.connect(tmp_path / "h.db") as db:
        assert db.execute("SELECT count(*) FROM minute").fetchone() == (120,)
    await history.close()


async def test_the_last_minute_of_a_device_that_falls_silent_is_written_when_it_is_over(tmp_path: Path):
    clock = LoopClock()
    history = await opened(tmp_path, clock)
    keeping = asyncio.create_task(history.keep())
    history.add("m1", clock.wall(), status())
    await asyncio.sleep(30)
    assert history._open, "it is still gathered"
    await asyncio.sleep(60)
    assert not history._open
    await history.ping()
    with contextlib.closing(sqlite3.connect(tmp_path / "h.db")) as db:
        assert db.execute("SELECT sum(n) FROM minute").fetchone() == (1,)
    keeping.cancel()
    await history.close()


async def test_a_renamed_device_keeps_its_past(tmp_path: Path):
    clock = Wall()
    history = await opened(tmp_path, clock)
    await fill(history, clock, 120)
    await history.rename("m1", "m2")
    series = await history.series(Question("m2", ("hashrate_ghs",), START_S, clock.now_s, 12))
    assert 1000.0 in series.mean["hashrate_ghs"]
    await history.close()


async def test_the_spark_comes_back_after_a_restart(tmp_path: Path):
    clock = Wall()
    history = await opened(tmp_path, clock)
    await fill(history, clock, 7200, every_s=20)
    recent = await history.recent_ghs()
    assert recent["m1"] == (1000.0,) * 59  # the last minute is still gathered
    await history.close()


def test_tending_takes_a_few_devices_at_a_time_and_starts_over():
    db = sqlite3.connect(":memory:")
    db.executescript(tables.SCHEMA)
    for n in range(1, 91):
        db.execute("INSERT INTO device (id, name) VALUES (?, ?)", (n, f"m{n}"))
    assert [tables.tend(db, after, int(START_S)) for after in (0, 40, 80)] == [40, 80, 0]
    changes = db.total_changes
    assert [tables.tend(db, after, int(START_S) + 60) for after in (0, 40, 80)] == [40, 80, 0]
    assert db.total_changes == changes, "nothing is written where no quarter-hour is over"


async def test_all_are_tended_once_in_five_minutes_and_not_at_every_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[int] = []

    def tend(_: sqlite3.Connection, after: int, now: int) -> int:
        asked.append(after)
        return (after + 40) % 120

    monkeypatch.setattr(tables, "tend", tend)
    history = await opened(tmp_path, LoopClock())
    keeping = asyncio.create_task(history.keep())
    await asyncio.sleep(1000)
    keeping.cancel()
    assert asked == [0, 40, 80] * 4
    await history.close()


@pytest.mark.parametrize(
    ("metrics", "since_s", "until_s", "said"),
    [
        (("bogus", "power_w"), 0, 60, "history of m1: there is no metric bogus; there are "),
        (("power_w",), 60, 0, r"history of m1: it must begin \(60\) before it ends \(0\)"),
        (("power_w",), 0, 2e9, "history of m1: ask for at most 732 days at a time"),
        (("power_w",), 0, math.inf, "history of m1: ask for at most"),
    ],
)
def test_a_question_nobody_can_mean_is_one_sentence(
    metrics: tuple[str, ...], since_s: float, until_s: float, said: str
):
    with pytest.raises(MinertuiError, match=said):
        Question("m1", metrics, since_s, until_s).sound()
