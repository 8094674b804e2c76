"""What is kept of rigs: sums that add up, over minutes, quarter-hours, restarts and resets."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from minertui.engine import rig_history
from minertui.engine.rig_history import RigHistory
from minertui.engine.store import StoreError
from minertui.model.account import BalanceRow
from minertui.model.errors import MinertuiError
from minertui.model.history import Series
from minertui.model.relay import BoardPlan, BoardStats, BoardView, RelayPlan, RelayView
from minertui.model.rig_metrics import RIG_METRICS, Stretch

T0 = 1_700_000_100.0 - 1_700_000_100 % 900


class HandClock:
    speed = 1.0

    def __init__(self) -> None:
        self.now_s = T0

    def wall(self) -> float:
        return self.now_s

    mono = boot = wall

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def view(shares: int, since_s: float = T0, *, temp_c: float | None = None, balance: float | None = None) -> RelayView:
    """A board that works 2 s and waits 1 s for each share, and says 200 H/s."""
    stats = BoardStats(since_s, jobs=shares, good=shares, calc_s=2.0 * shares, rated=shares, nonces=400 * shares,
                       request_wait_s=0.6 * shares, verdict_wait_s=0.4 * shares, turn_s=2.1 * shares,
                       share_s=3.1 * shares)  # fmt: skip
    boards = tuple(
        BoardView(BoardPlan(name, f"i2c:1:{n}"), stats=stats, temp_c=temp_c) for n, name in enumerate("ab", 1)
    )
    rows = () if balance is None else (BalanceRow(T0, balance, 0.0, 0.01, minute_mduco=30.0),)
    return RelayView(RelayPlan("attic"), boards, balance=rows)


def made(tmp_path: Path, clock: HandClock) -> RigHistory:
    return RigHistory(tmp_path / "rigs.db", clock, trouble=lambda _: None, damaged=lambda _: None)


async def asked(history: RigHistory, device: str, metric: str, minutes: float, points: int = 500) -> list[Any]:
    now_s = history._clock.wall()
    series = await history.series(device, [metric], now_s - 60 * minutes, now_s, points)
    return list(series.mean[metric])


async def mined(history: RigHistory, clock: HandClock, minutes: int, per_minute: int = 12, already: int = 0) -> None:
    for minute in range(minutes):
        for second in range(0, 60, 10):
            history.take("attic", view(already + minute * per_minute + per_minute * (second + 10) // 60))
            clock.now_s += 10


async def test_means_and_paces_of_a_board_and_of_the_rig(tmp_path: Path) -> None:
    clock = HandClock()
    history = made(tmp_path, clock)
    await mined(history, clock, 5)
    assert await asked(history, "attic/a", "shares_min", 5) == [12.0] * 5
    assert await asked(history, "attic", "shares_min", 5) == [24.0] * 5
    assert await asked(history, "attic/b", "board_hs", 5) == pytest.approx([200.0] * 5)
    assert await asked(history, "attic/b", "request_ms", 5, points=1) == pytest.approx([600.0])
    assert await asked(history, "attic/b", "polling_ms", 5, points=1) == pytest.approx([100.0])
    assert await asked(history, "attic/c", "shares_min", 5) == [None] * 5
    assert await asked(history, "shed", "shares_min", 1) == [None]
    await history.close()


async def test_a_chart_is_made_beside_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    drawn = rig_history._series

    def seen(*args: Any) -> Series:
        threads.append(threading.current_thread())
        return drawn(*args)

    monkeypatch.setattr(rig_history, "_series", seen)
    clock = HandClock()
    history = made(tmp_path, clock)
    await mined(history, clock, 2)
    assert await asked(history, "attic", "shares_min", 2) == [24.0] * 2
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()
    await history.close()


async def test_a_restart_of_the_engine_and_a_reset_lose_and_double_nothing(tmp_path: Path) -> None:
    clock = HandClock()
    history = made(tmp_path, clock)
    await mined(history, clock, 2)
    clock.now_s += 20
    history.take("attic", view(28))
    await history.close()
    clock.now_s += 10
    history = made(tmp_path, clock)  # within the same minute
    history.take("attic", view(3, clock.now_s))
    history.take("attic", view(4, clock.now_s))
    clock.now_s += 30
    history.take("attic", view(1, clock.now_s))  # a person counts anew, in the next minute
    clock.now_s += 60
    assert await asked(history, "attic/a", "shares_min", 4) == [12.0, 12.0, 8.0, 1.0]
    await history.close()


async def test_old_minutes_become_quarter_hours(tmp_path: Path) -> None:
    clock = HandClock()
    history = made(tmp_path, clock)
    await mined(history, clock, 30)
    for name in [*history._open]:
        history._shut(name)
    await history._write()
    clock.now_s += rig_history.MINUTES_S
    await history._tend(int(clock.now_s))
    series = await history.series("attic/a", ["shares_min", "board_hs"], T0, T0 + 1800, 100)
    assert series.step_s == 900
    assert series.mean["shares_min"] == (12.0, 12.0)
    assert series.mean["board_hs"] == pytest.approx((200.0, 200.0))
    clock.now_s += rig_history.QUARTERS_S
    await history._tend(int(clock.now_s))
    assert (await history.series("attic/a", ["board_hs"], T0, T0 + 1800, 2)).mean["board_hs"] == (None, None)
    await history.close()


async def test_temperature_and_balance(tmp_path: Path) -> None:
    clock = HandClock()
    history = made(tmp_path, clock)
    history.take("attic", view(1, temp_c=30.0, balance=100.0))
    clock.now_s += 30
    history.take("attic", view(2, temp_c=34.0, balance=100.5))
    clock.now_s += 30
    assert await asked(history, "attic/a", "board_temp_c", 1) == [32.0]
    assert await asked(history, "attic", "balance_duco", 1) == [100.5]
    assert await asked(history, "attic", "duco_day", 1) == pytest.approx([43.2])
    await history.close()


async def test_questions_nobody_can_mean_and_rows_nobody_can_read(tmp_path: Path) -> None:
    clock = HandClock()
    history = made(tmp_path, clock)
    with pytest.raises(MinertuiError, match="there is no metric power_w; there are board_hs"):
        await history.series("attic", ["power_w"], T0 - 60, T0, 5)
    with pytest.raises(MinertuiError, match="the begin first"):
        await history.series("attic", ["board_hs"], T0, T0 - 60, 5)
    await mined(history, clock, 2)
    await history._write()
    await history._store.run(lambda db: db.execute("UPDATE minute SET stats = x'91'").rowcount)
    assert (await asked(history, "attic/a", "shares_min", 2))[0] == 0.0
    await history.close()


def test_every_number_reads_a_stretch_in_which_nothing_happened() -> None:
    nothing = Stretch(60.0)
    assert {metric.read(nothing) for metric in RIG_METRICS} == {None, 0.0}


async def test_what_a_full_disk_leaves_no_room_for_is_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rig_history, "_UNWRITTEN", 6)  # three minutes of two boards
    clock = HandClock()
    history = made(tmp_path, clock)
    await mined(history, clock, 4)
    run = history._store.run

    async def full(work: object) -> None:
        await mined(history, clock, 1, already=48)  # while the disk is asked, a minute is over
        raise StoreError("full")

    monkeypatch.setattr(history._store, "run", full)
    await history._write()
    monkeypatch.setattr(history._store, "run", run)
    minutes = [at for name, at, _ in history._full if name == "attic/a"]
    assert [(at - T0) / 60 for at in minutes] == [1, 2, 3]
    await history.close()


async def test_trouble_of_the_disk_is_over_although_no_rig_mines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, said, rounds = HandClock(), list[str](), asyncio.Queue[asyncio.Event]()
    history = RigHistory(tmp_path / "rigs.db", clock, trouble=said.append, damaged=said.append)

    async def sleep(_: float) -> None:
        await rounds.put(go_on := asyncio.Event())
        await go_on.wait()

    def refused(_: object) -> list[Any]:
        raise OSError("disk I/O error")

    monkeypatch.setattr(clock, "sleep", sleep)
    keeping = asyncio.create_task(history.keep())
    (await rounds.get()).set()
    second = await rounds.get()  # tended just now, and not again for a while
    with monkeypatch.context() as broken:
        broken.setattr(history._store, "_transaction", refused)
        await asked(history, "attic", RIG_METRICS[0].id, 60)
    assert len(said) == 1
    second.set()
    await rounds.get()
    assert said[1:] == [""]
    keeping.cancel()
    await history.close()
