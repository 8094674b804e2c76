from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from minertui.engine.store import Store, StoreError

SCHEMA = "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, body BLOB);"


class Said:
    def __init__(self) -> None:
        self.trouble: list[str] = []
        self.damaged: list[str] = []


def store_at(path: Path, said: Said, *, durable: bool = True) -> Store:
    return Store(
        path, SCHEMA, durable=durable, stamp=lambda: 1234.0, trouble=said.trouble.append, damaged=said.damaged.append
    )


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
async def store(tmp_path: Path, said: Said) -> AsyncIterator[Store]:
    store = store_at(tmp_path / "x.db", said)
    yield store
    await store.close()


async def put(store: Store, n: int) -> int:
    return await store.run(lambda db: db.execute("INSERT INTO t VALUES (?, NULL)", (n,)).rowcount)


def count(path: Path) -> int:
    with sqlite3.connect(path) as db:
        return int(db.execute("SELECT count(*) FROM t").fetchone()[0])


async def test_what_returned_is_committed(store: Store, tmp_path: Path):
    await put(store, 1)
    assert count(tmp_path / "x.db") == 1


async def test_synchronous_is_full_only_where_durable(store: Store, tmp_path: Path, said: Said):
    quick = store_at(tmp_path / "y.db", said, durable=False)
    modes = [await s.run(lambda db: db.execute("PRAGMA synchronous").fetchone()[0]) for s in (store, quick)]
    await quick.close()
    assert modes == [2, 1]


async def test_what_is_asked_during_a_commit_goes_into_the_next_one_together(store: Store):
    began: list[bool] = []
    await asyncio.gather(*(store.run(lambda db: began.append(db.in_transaction)) for _ in range(20)))
    counted: list[int] = []
    statements: list[str] = []
    await store.run(lambda db: db.set_trace_callback(statements.append))
    await asyncio.gather(*(put(store, n) for n in range(20)))
    counted.append(sum(s == "COMMIT" for s in statements))
    assert counted[0] <= 4
    assert all(began)


async def test_a_mistake_in_one_piece_of_work_undoes_only_that(store: Store, tmp_path: Path):
    def both(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO t VALUES (7, NULL)")
        db.execute("INSERT INTO t VALUES (1, NULL)")

    results = await asyncio.gather(put(store, 1), store.run(both), put(store, 2), return_exceptions=True)
    assert isinstance(results[1], sqlite3.IntegrityError)
    assert count(tmp_path / "x.db") == 2


async def test_the_loop_goes_on_while_the_disk_is_slow(store: Store):
    goes_on = threading.Event()
    slow = asyncio.ensure_future(store.run(lambda _: goes_on.wait(30)))
    for _ in range(6):
        await asyncio.sleep(0.005)
    assert not slow.done()
    goes_on.set()
    assert await slow


async def test_a_full_disk_is_said_once_and_is_over_when_a_write_of_some_size_succeeds(store: Store, said: Said):
    def broken(_: sqlite3.Connection) -> None:
        raise ZeroDivisionError

    store._schema = f"{SCHEMA} PRAGMA max_page_count = 8;"  # what SQLite says then is what it says on a full disk
    await store.run(lambda db: db.execute("CREATE TABLE trial (of_one INTEGER)").rowcount)  # that a crash left
    for n in range(3):
        with pytest.raises(StoreError, match="full"):
            await store.run(lambda db: db.execute("INSERT INTO t VALUES (99, zeroblob(100000))").rowcount)
        await store.ping()
        assert len(await store.run(lambda db: db.execute("SELECT * FROM t").fetchall())) == n
        assert await put(store, n) == 1, "a little goes in, but nobody may rely on it"
        with pytest.raises(ZeroDivisionError):
            await store.run(broken)
    assert len(said.trouble) == 1
    assert "free some space" in said.trouble[0]
    store._schema = SCHEMA
    await store.ping()
    assert said.trouble[1:] == [""]
    assert await store.run(lambda db: db.execute("SELECT name FROM sqlite_master").fetchall()) == [("t",)]
    assert said.damaged == []


async def test_where_a_torn_file_went_is_said_although_nothing_new_can_be_written(tmp_path: Path, said: Said):
    (tmp_path / "x.db").write_bytes(b"this is no database at all" * 50)
    store = store_at(tmp_path / "x.db", said)
    store._schema = f"PRAGMA max_page_count = 1; {SCHEMA}"
    with pytest.raises(StoreError, match="full"):
        await put(store, 1)
    await store.close()
    assert len(said.damaged) == len(said.trouble) == 1
    assert "x.db.corrupt-1234" in said.damaged[0]


async def test_a_folder_that_cannot_be_written_is_trouble_and_recovers(tmp_path: Path, said: Said):
    store = store_at(tmp_path / "not-there" / "x.db", said)
    with pytest.raises(StoreError):
        await put(store, 1)
    await store.ping()
    (tmp_path / "not-there").mkdir()
    assert await put(store, 1) == 1
    await store.close()
    assert said.trouble[-1] == ""


@pytest.mark.parametrize("torn", [b"this is no database at all" * 50, b"SQLite format 3\x00" + b"\xff" * 3000])
async def test_a_torn_file_is_put_aside_and_a_new_one_begun(tmp_path: Path, said: Said, torn: bytes):
    (tmp_path / "x.db").write_bytes(torn)
    store = store_at(tmp_path / "x.db", said)
    await put(store, 1)
    await store.close()
    assert (tmp_path / "x.db.corrupt-1234").read_bytes() == torn
    assert count(tmp_path / "x.db") == 1
    assert len(said.damaged) == 1
    assert "x.db.corrupt-1234" in said.damaged[0]


async def test_every_truncation_of_a_file_is_survived(tmp_path: Path, said: Said):
    path = tmp_path / "x.db"
    store = store_at(path, said)
    for n in range(50):
        await store.run(lambda db, n=n: db.execute("INSERT INTO t VALUES (?, zeroblob(500))", (n,)).rowcount)  # type: ignore[misc]
    await store.close()
    whole = path.read_bytes()
    for size in range(0, len(whole), len(whole) // 12 + 1):
        for old in tmp_path.glob("x.db*"):
            old.unlink()
        path.write_bytes(whole[:size])
        store = store_at(path, said)
        await store.run(lambda db: db.execute("SELECT sum(length(body)) FROM t").fetchall())
        await put(store, 1000)
        await store.close()
        assert count(path) >= 1


async def test_ping_returns_after_what_was_asked_before(store: Store, tmp_path: Path):
    asked = asyncio.ensure_future(put(store, 1))
    await asyncio.sleep(0)
    await store.ping()
    assert count(tmp_path / "x.db") == 1
    await asked


async def test_a_fault_in_the_work_reaches_who_asked_and_the_next_one_is_served(store: Store):
    def broken(_: sqlite3.Connection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(store.run(broken), 20)
    assert await put(store, 1) == 1


async def test_a_ping_leaves_a_well_disk_alone_and_asks_one_that_was_in_trouble(
    store: Store, said: Said, monkeypatch: pytest.MonkeyPatch
):
    asked = 0
    plain = store._transaction

    def transaction(batch: list[Any]) -> list[Any]:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise OSError("disk I/O error")
        return plain(batch)

    monkeypatch.setattr(store, "_transaction", transaction)
    await store.ping()
    assert asked == 0
    with pytest.raises(StoreError):
        await put(store, 1)
    await store.ping()
    await store.ping()
    assert asked == 2
    assert said.trouble[1:] == [""]


async def test_a_sign_of_life_comes_when_what_was_asked_before_is_done(store: Store):
    """A thread that hangs on its disk gives none."""
    begun, goes_on = threading.Event(), threading.Event()

    def long(_: sqlite3.Connection) -> bool:
        begun.set()
        return goes_on.wait(30)

    asked = asyncio.create_task(store.run(long))
    while not begun.is_set():
        await asyncio.sleep(0.001)
    sign = asyncio.create_task(store.ping())
    await asyncio.sleep(0.02)
    assert not sign.done()
    goes_on.set()
    await sign
    assert await asked
