"""``guard --dry-run`` and ``sweep --dry-run`` with an engine of their own: they look, and leave everything as it is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from minertui.cli import guard, sweep
from minertui.cli.main import parser
from minertui.clock import SystemClock
from minertui.config import EngineConfig, load
from minertui.engine.alert_rules import Signal
from minertui.engine.journal import FOLDER, Entry, Journal
from minertui.engine.lock import StateLock
from minertui.engine.records import RECORDS, Records
from minertui.engine.sudden_end import FILE, SuddenEnd
from minertui.model.errors import LinkError
from minertui.model.plans import Phase, PointVerdict, SweepPlan, SweepPoint, SweepRecord
from minertui.safety.settings import Settings
from minertui.sim.axeos import fleet, serve
from minertui.sim.axeos_board import Board

BEGAN_S, DIED_S = 1_700_000_000.0, 1_700_000_600.0
FRONTIER = tuple(SweepPoint(n, mhz, mhz + 600, PointVerdict.PASSED, hashrate_ghs=2 * mhz, power_w=12, error_pct=0.1)
                 for n, mhz in enumerate((400, 600), 1))  # fmt: skip


def _silent(text: str) -> None:
    """Nobody listens."""


@pytest.fixture
async def board() -> AsyncIterator[tuple[Board, str]]:
    """A miner and its address."""
    (it,) = fleet(1, seed=3, mix={("gamma", "v2.15.3"): 1}, ambient_c=30, warm_s=600)
    server = await serve([it], clock=SystemClock())
    yield it, server.addresses[0]
    await server.close()


@pytest.fixture
async def killed(places: Path, board: tuple[Board, str]) -> Path:
    """The state folder of an engine that was killed in a sweep of the miner: with its way back, its sign of life, and
    the frontier of an earlier sweep that nobody has put into the database itself yet."""
    it, address = board
    state, clock = places / "state", SystemClock()
    key = it.mac.replace(":", "").lower()
    Journal(state / FOLDER, clock.wall).open_entry(
        Entry(key, address, address, Settings(500.0, 1140.0), mac=it.mac, ours=(Settings(525.0, 1150.0),))
    )
    running = places / "running"
    running.mkdir()
    records = Records(running / RECORDS, clock, trouble=_silent, damaged=_silent)
    await records.start()
    await records.keep_sweep(
        SweepRecord(
            "s@1",
            address,
            it.mac,
            None,
            SweepPlan(address),
            Phase.DONE,
            1.0,
            points=FRONTIER,
            chip="BM1370",
            firmware="v2.15.3",
        )
    )
    for file in running.iterdir():
        shutil.copy2(file, state)
    await records.close()
    assert (state / f"{RECORDS}-wal").stat().st_size
    (state / FILE).write_text(f"{BEGAN_S:.0f}\n")
    os.utime(state / FILE, (DIED_S, DIED_S))
    return state


def kept(folder: Path) -> dict[str, tuple[bytes, int]]:
    """All that is in the folder, and since when; but for the lock, which is nobody's news."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "engine.lock")
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


async def looked(places: Path, address: str, *words: str) -> int:
    args = parser().parse_args([words[0], address, "--dry-run", *words[1:]])
    settings = replace(load(places / "config.toml"), engine=EngineConfig(poll_s=0.2))
    if words[0] == "sweep":
        return await sweep._run(args, settings, sweep.chosen(settings, [address], {}))
    return await guard._run(args, settings, guard.chosen(settings, [address], guard.plan_of(args, {})), 300)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("guard", "--max-temp", "50", "--frequency", "500"),
            ("first: sets 475 MHz", "along the frontier of its sweep, 350 MHz / 1000 mV"),
        ),
        (("sweep",), ("in steps of 5 MHz / 5 mV",)),
    ],
)
async def test_it_writes_nothing_to_the_miner_nor_to_what_is_kept_and_leaves_the_kill_to_the_next_engine(
    places: Path, killed: Path, board: tuple[Board, str], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...], told: tuple[str, ...],
):  # fmt: skip
    it, address = board
    rooms = tmp_path / "rooms"
    rooms.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(rooms))
    flash, disk = dict(it.nvs), kept(killed)
    assert await looked(places, address, *words) == 0
    said = capsys.readouterr().out
    assert [text for text in told if text not in said] == [], said
    assert (it.nvs, it.judge.writes) == (flash, 0)
    assert kept(killed) == disk
    assert list(rooms.iterdir()) == []

    raised: list[Signal] = []
    clock = SystemClock()
    for _ in range(2):  # the next engine, and the one after it
        engine = SuddenEnd(killed, clock, raised.append)
        engine.look()
        for entry in Journal(killed / FOLDER, clock.wall).entries():
            engine.tell(entry, "its way back has ended: at 500 MHz / 1140 mV", over=True)
        engine.begin()
        engine.end()
    assert [(signal.rule, signal.device, signal.since_s) for signal in raised] == [("sudden-end", address, DIED_S)]


async def test_where_no_engine_ever_ran_none_has_been_afterwards(places: Path, board: tuple[Board, str]):
    assert await looked(places, board[1], "guard") == 0
    assert not (places / "state").exists()


async def test_what_an_engine_is_writing_is_not_copied(places: Path, killed: Path, board: tuple[Board, str]):
    with StateLock(killed), pytest.raises(LinkError, match="already works with"):
        await looked(places, board[1], "guard")


async def test_a_disk_that_has_no_room_for_the_copy_is_one_sentence(
    places: Path, killed: Path, board: tuple[Board, str], monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(LinkError, match=r"cannot be copied to .*: No space left on device; a dry run works on a copy"):
        await looked(places, board[1], "guard")
    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    with pytest.raises(LinkError, match="needs a temporary folder: No space left on device; name one with TMPDIR"):
        await looked(places, board[1], "guard")
