"""What is kept for ever: sweeps with every point and sample, commands, alerts, identities, wanted guards and rigs, our
starts.

All of it is written with synchronous FULL: when a call returns, a power cut does not take it back. Bodies are JSON of
the model's own values, so an old record can be read by eye and by a newer program. A row that cannot be read (of a
newer program, or damaged) stays in the file, is said once a run through ``damaged``, and costs nobody the others.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from minertui.engine.line import Identity
from minertui.engine.store import Store
from minertui.engine.unreadable import UNREADABLE, sound, unshown, without_points
from minertui.model.alerts import Alert
from minertui.model.commands import CommandRecord, Order, Outcome, OutcomeState
from minertui.model.frontier import Known, known_of
from minertui.model.plans import SWEEPS_SHOWN, GuardPlan, Phase, Strategy, SweepPoint, SweepRecord, SweepSample
from minertui.model.seams import Clock

RECORDS = "records.db"
"""Its name in the state folder."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS epoch (n INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS identity (device TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sweep (
    id TEXT PRIMARY KEY, device TEXT NOT NULL, since REAL NOT NULL, over INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS sweep_of_device ON sweep (device, since);
CREATE TABLE IF NOT EXISTS point (
    sweep TEXT, n INTEGER, body BLOB NOT NULL, PRIMARY KEY (sweep, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sample (
    sweep TEXT, n INTEGER, at REAL, body BLOB NOT NULL, PRIMARY KEY (sweep, n, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS command (
    id TEXT PRIMARY KEY, at REAL NOT NULL, intent BLOB NOT NULL, record BLOB);
CREATE INDEX IF NOT EXISTS command_at ON command (at);
CREATE TABLE IF NOT EXISTS guard (device TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS room (mac TEXT PRIMARY KEY, at REAL NOT NULL, room_c REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rig (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alert (id TEXT PRIMARY KEY, since REAL NOT NULL, body BLOB NOT NULL);
"""
_COMMANDS_KEPT = 10_000
_OVER = b'"until_s":'  # what the body of an alert holds once it is over
_LOOK = "what was known of it cannot be read: see that it is the right miner and runs as it should, then clear it"
_DROPPED = "dropped: another version of this program could not read it, or another sweep began"

T = TypeVar("T")

_json = msgspec.json.encode
_record = msgspec.json.Decoder(CommandRecord)
_order = msgspec.json.Decoder(Order)
_sweep = msgspec.json.Decoder(SweepRecord)
_point = msgspec.json.Decoder(SweepPoint)
_sample = msgspec.json.Decoder(SweepSample)
_identity = msgspec.json.Decoder(Identity)
_guard = msgspec.json.Decoder(GuardPlan)
_alert = msgspec.json.Decoder(Alert)


class Records:
    """The records database. Every method returns after the commit and raises StoreError when the disk refuses."""

    def __init__(
        self, path: Path, clock: Clock, *, trouble: Callable[[str], None], damaged: Callable[[str], None]
    ) -> None:
        self._clock, self._path, self._damaged = clock, path, damaged
        self._said: set[str] = set()
        self._store = Store(path, _SCHEMA, durable=True, stamp=clock.wall, trouble=trouble, damaged=damaged)

    async def start(self) -> int:
        """Open the file and return the number of this start: one more than at any start before."""
        return await self._store.run(_next_epoch)

    async def close(self) -> None:
        """Close the file."""
        await self._store.close()

    async def ping(self) -> None:
        """Returns when the writer is through with what it was given."""
        await self._store.ping()

    async def identities(self) -> dict[str, Identity]:
        """By device name: what is known of it from before. Where that cannot be read it may have been parked: it is."""
        rows = await self._rows("SELECT device, body FROM identity")
        good, bad = sound(lambda row: (row[0], _identity.decode(row[1])), ((row[0], row) for row in rows))
        if bad:
            text = f"what was known of {', '.join(bad)} cannot be read by this version"
            self._tell("identities", f"{text}: parked until a person clears it")
        return {**dict(good), **{device: Identity(parked=_LOOK) for device in bad}}

    async def learn(self, device: str, identity: Identity | None) -> None:
        """Keep what was learned of a device; None forgets it."""
        if identity is None:
            await self._do("DELETE FROM identity WHERE device = ?", device)
        else:
            await self._do("INSERT OR REPLACE INTO identity VALUES (?, ?)", device, _json(identity))

    async def intend(self, order: Order, at_s: float) -> CommandRecord | None:
        """Keep that ``order`` is about to be sent; the record of the first time when its id was met before."""
        return await self._store.run(lambda db: _intend(db, order, at_s))

    async def done(self, record: CommandRecord) -> None:
        """Keep how an order ended."""
        sql = "INSERT INTO command VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record"
        await self._do(sql, record.order.id, record.at_s, _json(record.order), _json(record))

    async def commands(self, limit: int) -> list[CommandRecord]:
        """The command log, newest first. An order whose end nobody wrote down is UNKNOWN."""
        rows = await self._rows("SELECT id, at, intent, record FROM command ORDER BY at DESC LIMIT ?", limit)
        return self._sound("commands", lambda row: _recorded(*row), ((id_, rest) for id_, *rest in rows))

    async def begin_sweep(self, record: SweepRecord) -> None:
        """Keep a sweep that begins; one of its device that never ended does not go on any more."""
        await self._store.run(lambda db: _begin_sweep(db, record))

    async def keep_sweep(self, record: SweepRecord) -> None:
        """Keep a sweep and all its points as they stand."""
        await self._store.run(lambda db: _keep_sweep(db, record))

    async def keep_sample(self, sweep_id: str, sample: SweepSample) -> None:
        """Keep a reading taken inside a point."""
        await self._do(
            "INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?)", sweep_id, sample.n, sample.at_s, _json(sample)
        )

    async def samples(self, sweep_id: str) -> list[SweepSample]:
        """The readings of a sweep, oldest first."""
        rows = await self._rows("SELECT body FROM sample WHERE sweep = ? ORDER BY n, at", sweep_id)
        return self._sound("samples", _sample.decode, ((f"{sweep_id}, {n}", row[0]) for n, row in enumerate(rows, 1)))

    async def sweeps(
        self, device: str | None = None, limit: int = SWEEPS_SHOWN, before_s: float | None = None
    ) -> list[SweepRecord]:
        """Sweeps with their points, newest first; of one device, or of all; those that began before ``before_s`` (wall
        time). Points that cannot be read are left out, and that is said."""
        torn: dict[str, dict[int, str]] = {}
        good, bad = await self._store.show(lambda db: _sweeps(db, (device, before_s, limit), torn))
        if bad:
            self._tell("sweeps", unshown(self._path.name, "sweeps", bad))
        for sweep_id, points in torn.items():
            self._tell(f"points of {sweep_id}", without_points(self._path.name, sweep_id, points))
        return good

    async def unfinished(self) -> tuple[list[SweepRecord], dict[tuple[str, str], str]]:
        """Sweeps that ended with the engine and go on, newest first; and by id and device why others cannot be read.
        One with a point that cannot be read is among them: nobody knows where it stood."""
        return await self._store.run(_unfinished)

    async def earlier(self, mac: str, but: str) -> tuple[SweepPoint, ...]:
        """The points of the newest sweep of this board that ended well; ``but``: the id of one that does not count."""
        return await self._store.run(lambda db: _earlier(db, mac, but))

    async def drop(self, sweep_id: str) -> None:
        """This one does not go on, although it never ended."""
        await self._do("UPDATE sweep SET over = 1 WHERE id = ?", sweep_id)

    async def known(self, mac: str) -> Known | None:
        """The frontier of this board: that of its newest sweep in which a point passed."""
        found, bad = await self._store.run(lambda db: _known(db, mac))
        if bad:
            self._tell("sweeps", unshown(self._path.name, "sweeps", bad))
        return found

    async def want_guard(self, plan: GuardPlan) -> None:
        """Keep that a person wants this guard."""
        await self._do("INSERT OR REPLACE INTO guard VALUES (?, ?)", plan.device, _json(plan))

    async def unwant_guard(self, device: str) -> None:
        """Forget the guard of this device."""
        await self._do("DELETE FROM guard WHERE device = ?", device)

    async def guards(self) -> list[GuardPlan]:
        """The guards that persons want, by device."""
        good, bad = sound(_guard.decode, await self._rows("SELECT device, body FROM guard ORDER BY device"))
        for device, why in bad.items():
            text = f"{device}: the guard that a person started cannot be read by this version ({why})"
            self._tell(f"guard {device}", f"{text} and does not run; start it anew")
        return good

    async def room(self, mac: str) -> tuple[float, float] | None:
        """What a guard of this board learned of its room, °C, and when (wall time); None: nothing."""
        rows = await self._rows("SELECT room_c, at FROM room WHERE mac = ?", mac)
        known = [(room_c, at_s) for room_c, at_s in rows if isinstance(room_c, float) and isinstance(at_s, float)]
        return known[0] if known else None

    async def keep_room(self, mac: str, room_c: float) -> None:
        """Keep what a guard of this board has learned of its room just now, °C."""
        await self._do("INSERT OR REPLACE INTO room VALUES (?, ?, ?)", mac, self._clock.wall(), room_c)

    async def want_rig(self, name: str, wish: bytes) -> None:
        """Keep that a person wants this rig to mine, and how."""
        await self._do("INSERT OR REPLACE INTO rig VALUES (?, ?)", name, wish)

    async def unwant_rig(self, name: str) -> None:
        """Forget it."""
        await self._do("DELETE FROM rig WHERE name = ?", name)

    async def rigs(self) -> list[tuple[str, bytes]]:
        """The wishes kept, by rig."""
        return await self._rows("SELECT name, body FROM rig ORDER BY name")

    async def keep_alert(self, alert: Alert) -> None:
        """Keep an alert as it stands."""
        await self._do("INSERT OR REPLACE INTO alert VALUES (?, ?, ?)", alert.id, alert.since_s, _json(alert))

    async def alerts(self, limit: int = 200) -> list[Alert]:
        """The newest that were kept, and all that last, newest first."""
        rows = await self._rows(
            "SELECT id, body FROM alert WHERE NOT instr(body, ?)"
            " OR id IN (SELECT id FROM alert ORDER BY since DESC LIMIT ?) ORDER BY since DESC",
            _OVER,
            limit,
        )
        return self._sound("alerts", _alert.decode, rows)

    async def rename(self, old: str, new: str) -> None:
        """The device is called ``new`` from now on."""
        await self._store.run(lambda db: _rename(db, old, new))

    async def rename_guard(self, old: str, new: str) -> None:
        """The same for the guard that a person wants alone; nothing where there is none of the old name."""
        await self._store.run(lambda db: _rename_guard(db, old, new))

    def _sound(self, what: str, read: Callable[[Any], T], rows: Iterable[tuple[str, Any]]) -> list[T]:
        good, bad = sound(read, rows)
        if bad:
            self._tell(what, unshown(self._path.name, what, bad))
        return good

    def _tell(self, what: str, text: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self._damaged(text)

    async def _do(self, sql: str, *values: object) -> None:
        await self._store.run(lambda db: db.execute(sql, values).rowcount)

    async def _rows(self, sql: str, *values: object) -> list[Any]:
        return await self._store.run(lambda db: db.execute(sql, values).fetchall())


def _next_epoch(db: sqlite3.Connection) -> int:
    n = int(db.execute("SELECT coalesce(max(CAST(n AS INTEGER)), 0) FROM epoch").fetchone()[0]) + 1
    db.execute("DELETE FROM epoch")
    db.execute("INSERT INTO epoch VALUES (?)", (n,))
    return n


def _intend(db: sqlite3.Connection, order: Order, at_s: float) -> CommandRecord | None:
    found = db.execute("SELECT at, intent, record FROM command WHERE id = ?", (order.id,)).fetchone()
    if found is not None:
        try:
            return _recorded(*found)
        except UNREADABLE:
            return CommandRecord(order, found[0], Outcome(OutcomeState.UNKNOWN, "how it ended cannot be read"))
    db.execute("INSERT INTO command VALUES (?, ?, ?, NULL)", (order.id, at_s, _json(order)))
    db.execute(
        "DELETE FROM command WHERE at < (SELECT at FROM command ORDER BY at DESC LIMIT 1 OFFSET ?)", (_COMMANDS_KEPT,)
    )
    return None


def _recorded(at_s: float, intent: bytes, record: bytes | None) -> CommandRecord:
    if record:
        return _record.decode(record)
    ended = Outcome(OutcomeState.UNKNOWN, "the engine ended before the outcome was known")
    return CommandRecord(_order.decode(intent), at_s, ended)


def _begin_sweep(db: sqlite3.Connection, record: SweepRecord) -> None:
    db.execute("UPDATE sweep SET over = 1 WHERE device = ? AND NOT over", (record.device,))
    _keep_sweep(db, record)


def _keep_sweep(db: sqlite3.Connection, record: SweepRecord) -> None:
    body = _json(msgspec.structs.replace(record, points=()))
    over = record.phase.over
    db.execute(
        "INSERT OR REPLACE INTO sweep VALUES (?, ?, ?, ?, ?)", (record.id, record.device, record.since_s, over, body)
    )
    db.executemany("INSERT OR REPLACE INTO point VALUES (?, ?, ?)", ((record.id, p.n, _json(p)) for p in record.points))


def _sweeps(
    db: sqlite3.Connection, which: tuple[str | None, float | None, int], torn: dict[str, dict[int, str]]
) -> tuple[list[SweepRecord], dict[str, str]]:
    """``which``: device, before when, at most how many. What cannot be read of a sweep's points goes into ``torn``."""
    device, before_s, limit = which
    sql = "SELECT id, over, body FROM sweep WHERE (? IS NULL OR device = ?) AND (? IS NULL OR since < ?)"
    values = (device, device, before_s, before_s, limit)
    found = db.execute(f"{sql} ORDER BY since DESC LIMIT ?", values).fetchall()

    def shown(row: tuple[str, int, bytes]) -> SweepRecord:
        points, bad = sound(_point.decode, _rows_of(db, row[0]))
        record = _whole(row[1], row[2], tuple(points))
        torn.update({record.id: bad} if bad else {})
        return record

    return sound(shown, ((row[0], row) for row in found))


def _unfinished(db: sqlite3.Connection) -> tuple[list[SweepRecord], dict[tuple[str, str], str]]:
    found = db.execute("SELECT id, device, body FROM sweep WHERE NOT over ORDER BY since DESC").fetchall()
    rows = (((id_, device), (id_, body)) for id_, device, body in found)
    return sound(lambda row: _whole(0, row[1], _points(db, row[0])), rows)


def _earlier(db: sqlite3.Connection, mac: str, but: str) -> tuple[SweepPoint, ...]:
    sql = "SELECT id, body FROM sweep WHERE over AND id != ? AND instr(body, ?) ORDER BY since DESC"
    for id_, body in db.execute(sql, (but, _board(mac))):
        with contextlib.suppress(*UNREADABLE):
            record = _sweep.decode(body)
            if record.mac == mac and record.phase is Phase.DONE:
                return _points(db, id_)
    return ()


def _board(mac: str) -> bytes:
    """What the body of a sweep of this board holds: of all that were ever kept, few need to be read."""
    return b'"mac":' + _json(mac)


def _whole(over: int, body: bytes, points: tuple[SweepPoint, ...]) -> SweepRecord:
    """Plans were once kept without what was default then. The grid was, and its points do not tell why."""
    record = msgspec.structs.replace(_sweep.decode(body), points=points)
    if b'"strategy"' not in body and record.points and not any(point.why for point in record.points):
        record = msgspec.structs.replace(record, plan=msgspec.structs.replace(record.plan, strategy=Strategy.GRID))
    if over and not record.phase.over:
        return msgspec.structs.replace(record, phase=Phase.STOPPED, note=_DROPPED)
    return record


def _known(db: sqlite3.Connection, mac: str) -> tuple[Known | None, dict[str, str]]:
    rows = db.execute("SELECT id, body FROM sweep WHERE instr(body, ?) ORDER BY since DESC", (_board(mac),)).fetchall()
    records, bad = sound(_sweep.decode, rows)
    for record in records:
        if record.mac == mac:
            points, torn = sound(lambda id_: _points(db, id_), ((record.id, record.id),))
            bad |= torn
            if points and (found := known_of(msgspec.structs.replace(record, points=points[0]))) is not None:
                return found, bad
    return None, bad


def _points(db: sqlite3.Connection, sweep_id: str) -> tuple[SweepPoint, ...]:
    """All of them, or what reading the first damaged one raises: what acts upon them needs to know all."""
    return tuple(_point.decode(body) for _, body in _rows_of(db, sweep_id))


def _rows_of(db: sqlite3.Connection, sweep_id: str) -> list[tuple[int, bytes]]:
    return db.execute("SELECT n, body FROM point WHERE sweep = ? ORDER BY n", (sweep_id,)).fetchall()


def _rename(db: sqlite3.Connection, old: str, new: str) -> None:
    db.execute("UPDATE OR REPLACE identity SET device = ? WHERE device = ?", (new, old))
    _rename_guard(db, old, new)
    db.execute("UPDATE sweep SET device = ? WHERE device = ?", (new, old))
    for sweep_id, body in db.execute("SELECT id, body FROM sweep WHERE device = ?", (new,)).fetchall():
        with contextlib.suppress(*UNREADABLE):
            renamed = _json(msgspec.structs.replace(_sweep.decode(body), device=new))
            db.execute("UPDATE sweep SET body = ? WHERE id = ?", (renamed, sweep_id))


def _rename_guard(db: sqlite3.Connection, old: str, new: str) -> None:
    db.execute("UPDATE OR REPLACE guard SET device = ? WHERE device = ?", (new, old))
    for (body,) in db.execute("SELECT body FROM guard WHERE device = ?", (new,)).fetchall():
        with contextlib.suppress(*UNREADABLE):  # it keeps its old name inside, where nobody can read it
            renamed = _json(msgspec.structs.replace(_guard.decode(body), device=new))
            db.execute("UPDATE guard SET body = ? WHERE device = ?", (renamed, new))
