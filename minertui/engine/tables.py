"""The tables of the telemetry database: functions of a connection, run in the store's thread.

``raw`` holds chunks of samples, ``minute`` and ``quarter`` summaries; ``at`` is the wall time at which the stretch
begins. Tending takes a few devices at a time, so that no other work waits long.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence

from minertui.engine import rows
from minertui.engine.buckets import APART, Point, Question
from minertui.model.metrics import METRICS

RAW_S = 3600
MINUTES_S = 14 * 86_400
QUARTERS_S = 730 * 86_400
_QUARTER_S = 900
_LATE_S = 120  # a minute is written at most this long after its end
_TENDED_AT_ONCE = 40  # devices
_QUARTERS_AT_ONCE = 96

_DEVICE = "(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, rolled INTEGER NOT NULL DEFAULT 0)"
_STRETCH = (
    "(device INTEGER, at INTEGER, n INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (device, at)) WITHOUT ROWID"
)
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS device {_DEVICE};
CREATE TABLE IF NOT EXISTS layout (ids TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS raw {_STRETCH};
CREATE TABLE IF NOT EXISTS minute {_STRETCH};
CREATE TABLE IF NOT EXISTS quarter {_STRETCH};
"""

Minute = tuple[str, int, list[tuple[float, bytes]]]


def fits(db: sqlite3.Connection) -> bool:
    """True when the columns of this file are METRICS, some of its beginning, or METRICS and some more."""
    now = [metric.id for metric in METRICS]
    found = db.execute("SELECT ids FROM layout").fetchone()
    then = found[0].split() if found else []
    if any(a != b for a, b in zip(now, then, strict=False)):
        return False
    db.execute("DELETE FROM layout")
    db.execute("INSERT INTO layout VALUES (?)", (" ".join(then if len(then) > len(now) else now),))
    return True


def write(db: sqlite3.Connection, minutes: Sequence[Minute]) -> None:
    """Keep samples and summary of each minute ``(device, at, samples)``; a minute met again is joined."""
    for name, at, samples in minutes:
        device = _device(db, name)
        old = db.execute("SELECT n, data FROM raw WHERE device = ? AND at = ?", (device, at)).fetchone()
        whole = samples if old is None else [(t, _wide(v)) for t, v in rows.unpack_chunk(old[1], old[0])] + samples
        summary = rows.summary(data for _, data in whole)
        _put(db, "raw", device, at, len(whole), rows.pack_chunk(whole))
        _put(db, "minute", device, at, len(whole), rows.pack_summary(summary))


def points(db: sqlite3.Connection, question: Question, now_s: float) -> Iterator[Point]:
    """What is kept of the question's time, from the finest table that reaches back far enough; where a coarse table
    is not made yet, from the finer one."""
    device = db.execute("SELECT id, rolled FROM device WHERE name = ?", (question.device,)).fetchone()
    if device is None:
        return
    since, until = int(question.since_s), int(question.until_s) + 1
    if question.step_s < APART * 60 and since >= now_s - RAW_S:
        yield from _samples(db, device[0], since, until)
        yield from _stretches(db, "minute", device[0], since, until, but="raw")
    elif question.step_s < APART * _QUARTER_S and since >= now_s - MINUTES_S:
        yield from _stretches(db, "minute", device[0], since, until)
    else:
        made = max(since, min(until, device[1]))
        yield from _stretches(db, "quarter", device[0], since, made)
        yield from _stretches(db, "minute", device[0], made, until)


def recent(db: sqlite3.Connection, since: int) -> dict[str, tuple[float, ...]]:
    """By device name: the minute means of the hashrate since then, oldest first, at most 60."""
    found: dict[str, tuple[float, ...]] = {}
    query = "SELECT n, data FROM minute WHERE device = ? AND at >= ? ORDER BY at"
    for device, name in db.execute("SELECT id, name FROM device").fetchall():
        means = (rows.unpack_summary(data, n).mean[:1] for n, data in db.execute(query, (device, since)))
        found[name] = tuple(mean for known in means for mean in known if mean == mean)[-60:]
    return found


def backfill(db: sqlite3.Connection, name: str, minutes: Mapping[int, dict[str, float]]) -> int:
    """Keep these minutes of which nothing is known; returns how many."""
    device, kept = _device(db, name), 0
    for at, values in minutes.items():
        row = (device, at, 1, rows.pack_summary(rows.one(values)))
        kept += db.execute("INSERT OR IGNORE INTO minute VALUES (?, ?, ?, ?)", row).rowcount
    return kept


def rename(db: sqlite3.Connection, old: str, new: str) -> None:
    """The past of ``old`` is that of ``new`` from now on; what was kept under ``new`` goes. Nothing where there is no
    ``old`` (any more)."""
    if not db.execute("SELECT 1 FROM device WHERE name = ?", (old,)).fetchone():
        return
    for (device,) in db.execute("SELECT id FROM device WHERE name = ?", (new,)).fetchall():
        for table in ("raw", "minute", "quarter"):
            db.execute(f"DELETE FROM {table} WHERE device = ?", (device,))  # noqa: S608 - a name of ours
        db.execute("DELETE FROM device WHERE id = ?", (device,))
    db.execute("UPDATE device SET name = ? WHERE name = ?", (new, old))


def tend(db: sqlite3.Connection, after: int, now: int) -> int:
    """Roll up and prune the devices that follow number ``after``; returns where to go on (0: from the start)."""
    query = "SELECT id, rolled FROM device WHERE id > ? ORDER BY id LIMIT ?"
    some = db.execute(query, (after, _TENDED_AT_ONCE)).fetchall()
    for device, rolled in some:
        made = _roll(db, device, min(rolled, now), (now - _LATE_S) // _QUARTER_S * _QUARTER_S)
        if made != rolled:
            db.execute("UPDATE device SET rolled = ? WHERE id = ?", (made, device))
        for table, kept_s in (("raw", RAW_S), ("minute", MINUTES_S), ("quarter", QUARTERS_S)):
            db.execute(f"DELETE FROM {table} WHERE device = ? AND at < ?", (device, now - kept_s - 60))  # noqa: S608
    return int(some[-1][0]) if len(some) == _TENDED_AT_ONCE else 0


def _roll(db: sqlite3.Connection, device: int, rolled: int, until: int) -> int:
    """Make the quarter-hours between ``rolled`` and ``until`` from their minutes, a day of them at most; returns until
    when they are made."""
    rolled = rolled // _QUARTER_S * _QUARTER_S
    for _ in range(_QUARTERS_AT_ONCE):
        first = db.execute(
            "SELECT min(at) FROM minute WHERE device = ? AND at >= ? AND at < ?", (device, rolled, until)
        ).fetchone()[0]
        if first is None:
            rolled = until
            break
        rolled = first // _QUARTER_S * _QUARTER_S
        parts = [
            rows.unpack_summary(data, n)
            for n, data in db.execute(
                "SELECT n, data FROM minute WHERE device = ? AND at >= ? AND at < ?",
                (device, rolled, rolled + _QUARTER_S),
            )
        ]
        whole = rows.joined(parts)
        _put(db, "quarter", device, rolled, whole.n, rows.pack_summary(whole))
        rolled += _QUARTER_S
    return rolled


def _samples(db: sqlite3.Connection, device: int, since: int, until: int) -> Iterator[Point]:
    query = "SELECT n, data FROM raw WHERE device = ? AND at >= ? AND at < ? ORDER BY at"
    for n, data in db.execute(query, (device, since - 60, until)):
        for at_s, values in rows.unpack_chunk(data, n):
            yield Point(at_s, 1, values, values, values)


def _stretches(
    db: sqlite3.Connection, table: str, device: int, since: int, until: int, but: str = ""
) -> Iterator[Point]:
    """The stretches of a table, without those that the finer table ``but`` has too."""
    half_s = 30 if table == "minute" else _QUARTER_S / 2
    asked: tuple[int, ...] = (device, since, until)
    query = f"SELECT at, n, data FROM {table} WHERE device = ? AND at >= ? AND at < ?"  # noqa: S608
    if but:  # the same words for every device: a connection keeps what it prepared, by the words
        query, asked = f"{query} AND at NOT IN (SELECT at FROM {but} WHERE device = ?)", (*asked, device)  # noqa: S608
    for at, n, data in db.execute(query, asked):
        summary = rows.unpack_summary(data, n)
        yield Point(at + half_s, n, summary.mean, summary.low, summary.high)


def _device(db: sqlite3.Connection, name: str) -> int:
    found = db.execute("SELECT id FROM device WHERE name = ?", (name,)).fetchone()
    if found is None:
        return int(db.execute("INSERT INTO device (name) VALUES (?)", (name,)).lastrowid or 0)
    return int(found[0])


def _put(db: sqlite3.Connection, table: str, device: int, at: int, n: int, data: bytes) -> None:
    db.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?)", (device, at, n, data))  # noqa: S608


def _wide(values: array[float]) -> bytes:
    """A sample of an older, shorter METRICS in today's width."""
    return (values[: rows.WIDTH] + array("f", [float("nan")] * (rows.WIDTH - len(values)))).tobytes()
