"""A SQLite file with a thread of its own: the event loop never waits for a disk.

Work is a function of the connection. What is asked while a commit runs goes into the next one together, so that a slow
SD card costs one wait and not a hundred. ``run`` returns after the commit: with ``durable`` (synchronous FULL) what it
returned survives a power cut; without (NORMAL) the last commits may be lost, and nothing is ever torn.

A torn or foreign file is put aside as ``.corrupt-<time>``, a new one begun, and ``damaged`` told. A full or read-only
disk makes what writes fail with StoreError and is reported once through ``trouble``; what only asks is answered as far
as the file can be read. On a full disk reads and commits of nothing succeed, so it is over only when a trial of some
size was written too: with the next work, or the ping.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from minertui.model.errors import MinertuiError

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
_TORN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_MISTAKES = (sqlite3.IntegrityError, sqlite3.ProgrammingError)
_TRIAL_BYTES = 256 * 1024  # with its removal half a megabyte is written: more than any one commit of ours needs


class StoreError(MinertuiError):
    """The disk did not take it; nothing of this piece of work is kept."""


class Store:
    """One database file. All methods belong to the event loop's thread."""

    def __init__(
        self,
        path: Path,
        schema: str,
        *,
        durable: bool,
        stamp: Callable[[], float],
        trouble: Callable[[str], None],
        damaged: Callable[[str], None],
    ) -> None:
        """``schema``: statements that may run again. ``stamp``: wall time for the name of a torn file. ``trouble``
        hears one sentence when the disk refuses, and an empty one when that is over; ``damaged`` where a torn file
        went."""
        self._path, self._schema, self._durable = path, schema, durable
        self._stamp, self._trouble, self._damaged = stamp, trouble, damaged
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=path.stem)
        self._db: sqlite3.Connection | None = None
        self._waiting: list[tuple[Work[Any], asyncio.Future[Any]]] = []
        self._draining: asyncio.Task[None] | None = None
        self._showing = asyncio.Lock()
        self._said, self._closed = "", False

    async def run(self, work: Work[T]) -> T:
        """What ``work(connection)`` returned, after the commit. Raises StoreError when the disk refuses, or after
        ``close``."""
        if self._closed:
            raise StoreError(f"{self._path} is closed: the engine is going down")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        return await future

    async def show(self, work: Work[T]) -> T:
        """As ``run``, for what a person wants to see and may take seconds: one at a time, so that what else is asked,
        the sign of life too, has its turn in between."""
        async with self._showing:
            return await self.run(work)

    async def put_aside(self, why: str) -> None:
        """Keep the file under another name and begin a new one."""
        loop = asyncio.get_running_loop()
        self._damaged(await loop.run_in_executor(self._pool, self._put_aside, why))

    async def ping(self) -> None:
        """Returns when the thread is through with all that was asked before, whatever the disk says about it. While
        all is well the disk is left alone; one that was in trouble is tried."""
        if self._closed or self._waiting or self._said:
            with contextlib.suppress(StoreError):
                await self.run(lambda _: None)
        else:
            await asyncio.get_running_loop().run_in_executor(self._pool, lambda: None)

    async def close(self) -> None:
        """Commit what waits and close the file."""
        self._closed = True
        if self._draining is not None:
            await self._draining
        await asyncio.get_running_loop().run_in_executor(self._pool, self._disconnect)
        self._pool.shutdown()

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            loop = asyncio.get_running_loop()
            results, said, damage = await loop.run_in_executor(self._pool, self._commit, [work for work, _ in batch])
            if damage:
                self._damaged(damage)
            if said != self._said:
                self._said = said
                self._trouble(said)
            for (_, future), result in zip(batch, results, strict=True):
                _settle(future, result)

    # -- in the thread --------------------------------------------------------------------------------------------

    def _commit(self, batch: list[Work[Any]]) -> tuple[list[Any], str, str]:
        """The results (or errors) of a batch, what is wrong with the disk, and what was done about a torn file."""
        damage = ""
        try:
            try:
                results = self._transaction(batch)
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", None) not in _TORN:
                    raise
                damage = self._put_aside("was damaged")
                results = self._transaction(batch)
            return results, self._still_said(), damage
        except (sqlite3.Error, OSError) as error:
            self._disconnect()
            failure = StoreError(f"{self._path}: {error}; free some space or check the disk")
            return self._read(batch, failure), str(failure), damage
        except Exception as error:  # noqa: BLE001 - a fault of the work: whoever asked gets it, nobody waits for ever
            self._disconnect()
            return [error] * len(batch), self._said, damage

    def _read(self, batch: list[Work[Any]], failure: StoreError) -> list[Any]:
        """What only asks is answered where the file can be read: a disk that became read-only still tells who is parked
        and who is guarded."""
        try:
            log = self._path.with_name(f"{self._path.name}-wal")
            whole = not log.exists() or not log.stat().st_size  # then it needs no log, which could not be made
            url = f"{self._path.absolute().as_uri()}?mode=ro{'&immutable=1' if whole else ''}"
            with contextlib.closing(sqlite3.connect(url, uri=True, isolation_level=None)) as db:
                return [_asked(db, work, failure) for work in batch]
        except (sqlite3.Error, OSError):
            return [failure] * len(batch)

    def _still_said(self) -> str:
        """What is wrong with the disk after a transaction that it took: after trouble a trial decides."""
        if self._said:
            try:
                _trial(self._connected())
            except sqlite3.Error:
                self._disconnect()
                return self._said
        return ""

    def _transaction(self, batch: list[Work[Any]]) -> list[Any]:
        db = self._connected()
        db.execute("BEGIN IMMEDIATE")
        results = [_tried(db, work) for work in batch]
        db.execute("COMMIT")
        return results

    def _connected(self) -> sqlite3.Connection:
        if self._db is None:
            db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=5)
            self._db = db
            db.execute("PRAGMA journal_mode=WAL")
            db.execute(f"PRAGMA synchronous={'FULL' if self._durable else 'NORMAL'}")
            db.executescript(self._schema)
        return self._db

    def _disconnect(self) -> None:
        """Undo what is open: an error holds the cursors it went through, and with them the file's lock."""
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.rollback()
            self._db.close()
            self._db = None

    def _put_aside(self, why: str) -> str:
        self._disconnect()
        aside = self._path.with_name(f"{self._path.name}.corrupt-{self._stamp():.0f}")
        self._path.rename(aside)
        for tail in ("-wal", "-shm"):
            self._path.with_name(self._path.name + tail).unlink(missing_ok=True)
        return f"{self._path} {why}: it is kept as {aside.name}, and a new one is begun"


def _trial(db: sqlite3.Connection) -> None:
    """Write what no full disk takes, and free its pages for what comes. One that a crash left goes first."""
    db.executescript("DROP TABLE IF EXISTS trial; CREATE TABLE trial (filler BLOB)")
    db.execute("INSERT INTO trial VALUES (zeroblob(?))", (_TRIAL_BYTES,))
    db.execute("DROP TABLE trial")


def _tried(db: sqlite3.Connection, work: Work[Any]) -> Any:
    """One piece of work, undone by itself when it is wrong; what the whole file or disk suffers from is raised."""
    db.execute("SAVEPOINT work")
    try:
        result = work(db)
    except Exception as error:  # a fault of the work: whoever asked gets it, and nobody else
        if isinstance(error, sqlite3.Error) and not isinstance(error, _MISTAKES):
            raise
        db.execute("ROLLBACK TO work")
        result = error
    db.execute("RELEASE work")
    return result


def _asked(db: sqlite3.Connection, work: Work[Any], failure: StoreError) -> Any:
    try:
        return work(db)
    except Exception:  # noqa: BLE001 - it would write, most likely
        return failure


def _settle(future: asyncio.Future[Any], result: Any) -> None:
    if future.done():
        return
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)
