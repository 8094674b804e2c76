"""What was, of Duino-Coin boards and rigs: sums by the minute for three days, by the quarter-hour for half a year.

Sums add up, so a quarter-hour is its minutes added, and a mean is right over any stretch. A minute is written when it
is over; a crash loses at most the one under way. ``rig/board`` is a board; the rig's own row has balance and pace.
"""

from __future__ import annotations

import math
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from minertui.engine.store import Store, StoreError
from minertui.model.errors import MinertuiError
from minertui.model.history import Series
from minertui.model.relay import BoardStats, RelayView, stats_total
from minertui.model.rig_metrics import RIG_BY_ID, Stretch
from minertui.model.seams import Clock

MINUTES_S, QUARTERS_S = 3 * 86_400, 180 * 86_400
_MINUTE_S, _QUARTER_S = 60, 900
_WRITE_EVERY_S, _TEND_EVERY_S = 10.0, 900.0
_UNWRITTEN = 10_000  # minutes that wait in memory while the disk is full
_MOST_POINTS = 5000
_LONGEST_S = 732 * 86_400.0
_ROW = (
    "(device INTEGER, at INTEGER, stats BLOB, temp REAL, balance REAL, pace REAL, PRIMARY KEY (device, at)) "
    "WITHOUT ROWID"
)
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS device (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS minute {_ROW};
CREATE TABLE IF NOT EXISTS quarter {_ROW};
"""
_SUMS = tuple(name for name in BoardStats.__struct_fields__ if name != "since_s")
_sums = msgspec.msgpack.Decoder(BoardStats)

_Row = tuple[str, int, Stretch]


class _Open:
    """The minute under way of one board or rig."""

    def __init__(self, at: int, base: BoardStats) -> None:
        self.at, self.base, self.newest = at, base, base
        self.temps: list[float] = []
        self.paces: list[float] = []
        self.balance: float | None = None

    def stretch(self, seconds: float = _MINUTE_S) -> Stretch:
        """Its sums; ``seconds``: how much of it is over."""
        return Stretch(
            seconds, _minus(self.newest, self.base), _mean(self.temps), self.balance, _mean(self.paces)
        )  # fmt: skip


class RigHistory:
    """The database of rigs. ``take`` is called whenever a rig tells how it goes, and touches only memory."""

    def __init__(
        self, path: Path, clock: Clock, *, trouble: Callable[[str], None], damaged: Callable[[str], None]
    ) -> None:
        self._clock = clock
        self._store = Store(path, _SCHEMA, durable=False, stamp=clock.wall, trouble=trouble, damaged=damaged)
        self._open: dict[str, _Open] = {}
        self._full: deque[_Row] = deque(maxlen=_UNWRITTEN)

    def take(self, rig: str, view: RelayView) -> None:
        """Remember how it goes now."""
        at = int(self._clock.wall() // _MINUTE_S) * _MINUTE_S
        for board in view.boards:
            opened = self._opened(f"{rig}/{board.name}", at, board.stats)
            opened.newest = board.stats
            if board.temp_c is not None:
                opened.temps.append(board.temp_c)
        if view.balance:
            row = view.balance[-1]
            opened = self._opened(rig, at, BoardStats())
            opened.balance = row.balance
            if row.minute_mduco is not None:
                opened.paces.append(row.minute_mduco)

    def ended(self, rig: str) -> None:
        """The rig mines no more: what it starts with next is counted anew."""
        for name in [name for name in self._open if name == rig or name.startswith(f"{rig}/")]:
            self._shut(name)

    async def keep(self) -> None:
        """Write and tend for ever."""
        tended_s = -_TEND_EVERY_S
        while True:
            await self._clock.sleep(_WRITE_EVERY_S)
            now_s = self._clock.wall()
            for name in [name for name, opened in self._open.items() if opened.at + 2 * _MINUTE_S < now_s]:
                self._shut(name)
            await self._write()
            await self._store.ping()  # no rig may mine for days: a disk's trouble ends without one
            if self._clock.mono() - tended_s >= _TEND_EVERY_S:
                tended_s = self._clock.mono()
                await self._tend(int(now_s))

    async def close(self) -> None:
        """Write everything and close."""
        for name in [*self._open]:
            self._shut(name)
        await self._write()
        await self._store.close()

    async def series(self, device: str, metrics: Sequence[str], since_s: float, until_s: float, points: int) -> Series:
        """The answer for ``rig/board`` or ``rig``, made beside the loop. Raises MinertuiError for what nobody can mean,
        StoreError."""
        unknown = ", ".join(sorted(set(metrics) - set(RIG_BY_ID)))
        if unknown:
            raise MinertuiError(f"history of {device}: there is no metric {unknown}; there are {', '.join(RIG_BY_ID)}")
        if not 0 < until_s - since_s <= _LONGEST_S:
            raise MinertuiError(f"history of {device}: ask for up to {_LONGEST_S / 86_400:g} days, the begin first")
        now_s = self._clock.wall()
        open_now = [(n, o.at, o.stretch(min(_MINUTE_S, max(1.0, now_s - o.at)))) for n, o in self._open.items()]
        fresh = [(at, stretch) for name, at, stretch in (*self._full, *open_now) if _belongs(name, device)]

        def drawn(db: sqlite3.Connection) -> Series:
            found = _read(db, device, since_s, until_s, now_s)
            return _series(device, metrics, since_s, until_s, points, [*found, *fresh])

        return await self._store.show(drawn)

    def _opened(self, name: str, at: int, stats: BoardStats) -> _Open:
        opened = self._open.get(name)
        if opened is not None and opened.at == at and opened.newest.since_s == stats.since_s:
            return opened
        base = BoardStats(since_s=stats.since_s)
        if opened is not None:
            self._shut(name)
            base = opened.newest if opened.newest.since_s == stats.since_s else base
        opened = self._open[name] = _Open(at, base)
        return opened

    def _shut(self, name: str) -> None:
        opened = self._open.pop(name)
        self._full.append((name, opened.at, opened.stretch()))

    async def _write(self) -> None:
        full, self._full = [*self._full], deque(maxlen=_UNWRITTEN)
        if not full:
            return
        try:
            await self._store.run(lambda db: _keep(db, "minute", full))
        except StoreError:
            self._full = deque([*full, *self._full], maxlen=_UNWRITTEN)  # what is too much is the oldest

    async def _tend(self, now: int) -> None:
        try:
            await self._store.run(lambda db: _roll(db, now))
        except StoreError:
            return


# -- in the store's thread --------------------------------------------------------------------------------------------


def _keep(db: sqlite3.Connection, table: str, rows: Iterable[_Row]) -> None:
    """Keep stretches; one met again (a restart within the minute) is joined."""
    for name, at, stretch in rows:
        found = db.execute("SELECT id FROM device WHERE name = ?", (name,)).fetchone()
        device = found[0] if found else db.execute("INSERT INTO device (name) VALUES (?)", (name,)).lastrowid
        old = db.execute(f"SELECT * FROM {table} WHERE device = ? AND at = ?", (device, at)).fetchone()  # noqa: S608
        whole = stretch if old is None else _joined([_stretch(old, stretch.seconds), stretch], stretch.seconds)
        sums = msgspec.msgpack.encode(whole.stats)  # by name, what is not zero: releases may add sums
        db.execute(
            f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - a table of ours
            (device, at, sums, whole.temp_c, whole.balance, whole.minute_mduco),
        )


def _read(
    db: sqlite3.Connection, device: str, since_s: float, until_s: float, now_s: float
) -> list[tuple[int, Stretch]]:
    """Minutes as far as they reach back, quarter-hours before."""
    ids = [id_ for id_, name in db.execute("SELECT id, name FROM device").fetchall() if _belongs(name, device)]
    fine = int((now_s - MINUTES_S) // _QUARTER_S) * _QUARTER_S
    found = []
    for id_ in ids:
        for table, seconds, begin, end in (
            ("quarter", _QUARTER_S, since_s, min(until_s, fine)),
            ("minute", _MINUTE_S, max(since_s, fine), until_s),
        ):
            query = f"SELECT * FROM {table} WHERE device = ? AND at > ? AND at < ? ORDER BY at"  # noqa: S608
            rows = db.execute(query, (id_, begin - seconds, end)).fetchall()
            found += [(row[1], _stretch(row, seconds)) for row in rows]
    return found


def _roll(db: sqlite3.Connection, now: int) -> None:
    """Minutes that are too old become quarter-hours; quarter-hours that are too old go."""
    before = (now - MINUTES_S) // _QUARTER_S * _QUARTER_S
    for device, name in db.execute("SELECT id, name FROM device").fetchall():
        rows = db.execute("SELECT * FROM minute WHERE device = ? AND at < ? ORDER BY at", (device, before)).fetchall()
        parts: dict[int, list[Stretch]] = {}
        for row in rows:
            parts.setdefault(row[1] // _QUARTER_S * _QUARTER_S, []).append(_stretch(row, _MINUTE_S))
        _keep(db, "quarter", [(name, at, _joined(part, _QUARTER_S)) for at, part in parts.items()])
    db.execute("DELETE FROM minute WHERE at < ?", (before,))
    db.execute("DELETE FROM quarter WHERE at < ?", (now - QUARTERS_S,))


def _stretch(row: tuple[Any, ...], seconds: float) -> Stretch:
    try:
        stats = _sums.decode(row[2])
    except (msgspec.MsgspecError, TypeError):  # damaged, or of another release: nothing is known of that minute
        stats = BoardStats()
    return Stretch(seconds, stats, row[3], row[4], row[5])


# -- sums -------------------------------------------------------------------------------------------------------------


def _minus(newest: BoardStats, base: BoardStats) -> BoardStats:
    return BoardStats(**{name: getattr(newest, name) - getattr(base, name) for name in _SUMS})


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _joined(parts: Sequence[Stretch], seconds: float) -> Stretch:
    """Stretches in the order of time as one that lasts ``seconds``."""
    balances = [part.balance for part in parts if part.balance is not None]
    return Stretch(
        seconds,
        stats_total([part.stats for part in parts]),
        _mean([part.temp_c for part in parts if part.temp_c is not None]),
        balances[-1] if balances else None,
        _mean([part.minute_mduco for part in parts if part.minute_mduco is not None]),
    )


def _belongs(name: str, device: str) -> bool:
    """The device itself, or a board of the rig."""
    return name == device or name.startswith(f"{device}/")


def _series(
    device: str, metrics: Sequence[str], since_s: float, until_s: float, points: int, found: list[tuple[int, Stretch]]
) -> Series:
    """In buckets no narrower than the stretches are, so that a missing value means that nothing was told."""
    widest = max((stretch.seconds for _, stretch in found), default=_MINUTE_S)
    step_s = max(widest, (until_s - since_s) / max(1, min(points, _MOST_POINTS)))
    count = max(1, math.ceil((until_s - since_s) / step_s))
    buckets: list[dict[int, list[Stretch]]] = [{} for _ in range(count)]
    for at, stretch in found:
        index = int((at + stretch.seconds / 2 - since_s) // step_s)
        if 0 <= index < count:
            buckets[index].setdefault(at, []).append(stretch)
    whole = [_joined([s for at in sorted(b) for s in b[at]], sum(b[at][0].seconds for at in b)) if b else None
             for b in buckets]  # fmt: skip
    return Series(
        device=device,
        step_s=step_s,
        at_s=tuple(since_s + (i + 0.5) * step_s for i in range(count)),
        mean={id_: tuple(None if w is None else RIG_BY_ID[id_].read(w) for w in whole) for id_ in metrics},
    )
