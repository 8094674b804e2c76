"""The simulated sketch: alone in virtual time, and on a pty in real time."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from minertui.clock import SystemClock
from minertui.model.errors import ConfigError
from minertui.sim.duco_serial import SerialBench, SerialPort
from minertui.sim.duco_sketch import VERSIONS, SketchBoard
from minertui.wire.duco import sketch
from minertui.wire.duco.exchange import BoardError, NotFound, Solved, WrongNonce
from minertui.wire.duco.hash import TEST_JOB, Job, digest
from tests.sim.duco_drive import Time, over_serial
from tests.sim.raw import HandClock, until

LAST = "05b7406b3909071b2d85b2d2958ad07a0d52bd12"


def job(nonce: int, difficulty: int = 10) -> Job:
    return Job(LAST, digest(LAST, nonce), difficulty)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_sketch_is_understood(version: str) -> None:
    board, time = SketchBoard(version), Time()
    handshake = sketch.Handshake()
    assert isinstance(over_serial(handshake.exchange, board, time), Solved)
    assert handshake.base == (sketch.Base.DECIMAL if version in ("2.4", "2.5", "2.6.4") else sketch.Base.BINARY)
    for nonce in (1, 10, 11, 476):
        started = time.now_s
        outcome = over_serial(sketch.solve(job(nonce), handshake.base), board, time)
        assert isinstance(outcome, Solved)
        assert (outcome.nonce, outcome.chip_id) == (nonce, board.chip_id)
        assert outcome.rate_hs == pytest.approx(board.rate_hs, rel=0.01)
        assert time.now_s - started < nonce / board.rate_hs + 0.1


def test_a_torn_job_costs_ten_seconds_and_no_share() -> None:
    board, time = SketchBoard(), Time()
    board.faults.add("torn-job")
    started = time.now_s
    board.feed(sketch.job_text(job(5)), time.now_s)  # the first bytes are lost: no answer at all
    board.faults.clear()
    assert board.output(time.now_s + 5) == b""
    board.feed(sketch.job_text(job(476))[:60], time.now_s)  # and half of the next stands in the way
    exchange = sketch.solve(job(476), sketch.Base.BINARY)
    outcome = over_serial(exchange, board, time)
    assert isinstance(outcome, Solved)
    assert outcome.nonce == 476
    assert exchange.tally.repeats == 1
    assert 10 < time.now_s - started < 40


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [("silent", BoardError), ("garbage", BoardError), ("torn-reply", BoardError), ("flood", BoardError),
     ("stuck-busy", BoardError), ("not-found", NotFound), ("wrong-nonce", WrongNonce)],
)  # fmt: skip
def test_a_broken_board_is_told(fault: str, outcome: type) -> None:
    board, time = SketchBoard(), Time()
    board.faults.add(fault)
    assert isinstance(over_serial(sketch.solve(job(476), sketch.Base.BINARY), board, time), outcome)


def test_no_second_job_in_advance() -> None:
    board, time = SketchBoard(), Time()
    board.feed(sketch.job_text(TEST_JOB) + sketch.job_text(job(2)), time.now_s)
    assert board.output(time.now_s + 60).startswith(b"110010,")
    assert board.output(time.now_s + 120) == b""
    assert board.jobs == 1


def test_no_other_sketch() -> None:
    with pytest.raises(ConfigError, match=r"no simulated sketch '1\.0'"):
        SketchBoard("1.0")


async def answer(port: SerialPort, speed: float) -> bytes:
    """Open the port as a host does, ask, wait for the line, and close it."""
    handle = await opened(port)
    try:
        await asyncio.sleep((sketch.BOOT_S + 1) / speed)
        os.write(handle, sketch.job_text(TEST_JOB))
        return await line_from(handle)
    finally:
        os.close(handle)
        await until(lambda: not port._open)


async def opened(port: SerialPort) -> int:
    """The port as a host opens it, and the board behind it knows."""
    before = port.opened
    handle = os.open(port.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    await until(lambda: port.opened > before)
    return handle


async def line_from(handle: int) -> bytes:
    data = b""
    async with asyncio.timeout(20):
        while not data.endswith(b"\n"):
            try:
                data += os.read(handle, 100)
            except BlockingIOError:
                await asyncio.sleep(0.005)
    return data


async def test_a_pty_answers_and_comes_back_under_its_name(tmp_path: Path) -> None:
    speed = 50.0
    async with SerialBench([SketchBoard(), SketchBoard("2.5", seed=1)], tmp_path, SystemClock(speed)) as bench:
        first, second = bench.ports
        assert (await answer(second, speed)).startswith(b"50,")
        assert (await answer(first, speed)).startswith(b"110010,")
        where = first.path.resolve()
        handle = await opened(first)
        first.unplug()
        assert not first.path.exists()
        with pytest.raises(OSError, match=r"Input/output error"):
            os.write(handle, b"x")
        assert os.read(handle, 1) == b""  # hung up
        first.plug()
        assert first.path.resolve() != where  # the old one is still held open: the kernel gives another
        os.close(handle)
        assert (await answer(first, speed)).startswith(b"110010,")
        assert first.opened == 3
    assert not first.path.exists()


class Fed(SketchBoard):
    """Counts what came in."""

    came = b""

    def feed(self, data: bytes, now_s: float) -> None:
        self.came += data
        super().feed(data, now_s)


async def test_opening_resets_the_board(tmp_path: Path) -> None:
    board, clock, asked = Fed(), HandClock(), sketch.job_text(TEST_JOB)
    async with SerialBench([board], tmp_path, clock) as bench:
        handle = await opened(bench.ports[0])
        try:
            clock.now += sketch.BOOT_S - 0.1
            os.write(handle, asked)  # too early: the boot loader listens
            await until(lambda: board.came == asked)
            clock.now += 0.2
            assert board.jobs == 0
            os.write(handle, asked)
            await until(lambda: board.came == 2 * asked)
            clock.now += 1
            assert (await line_from(handle)).startswith(b"110010,")
            assert board.jobs == 1
        finally:
            os.close(handle)


def test_a_late_answer_is_not_taken_for_the_next_job() -> None:
    board, time = SketchBoard(), Time()
    board.feed(sketch.job_text(job(5)), time.now_s)
    time.now_s += 60  # nobody fetched it
    outcome = over_serial(sketch.solve(job(476), sketch.Base.BINARY), board, time)
    assert isinstance(outcome, Solved)
    assert outcome.nonce == 476
