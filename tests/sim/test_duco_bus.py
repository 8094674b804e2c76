"""The simulated bus: alone, blocked, behind an adaptor, and from another process."""

from __future__ import annotations

import asyncio
import errno
import threading
from typing import Any

import pytest

from minertui.clock import SystemClock
from minertui.devices import duco_sim
from minertui.model.relay import place_of
from minertui.sim.duco_adaptor import BOOT_S, Adaptor
from minertui.sim.duco_boards import board
from minertui.sim.duco_bus import FakeBus
from minertui.sim.duco_remote import BusServer
from minertui.wire.duco import adaptor, i2c_b, i2c_c, i2c_d, i2c_text
from minertui.wire.duco.hash import Job, digest
from tests.sim.duco_drive import Time

LAST = "05b7406b3909071b2d85b2d2958ad07a0d52bd12"
JOB = Job(LAST, digest(LAST, 476), 5)


def bus_of(*addresses: int, dialect: str = "A") -> tuple[FakeBus, Time]:
    time = Time()
    return FakeBus({address: board(dialect, seed=address) for address in addresses}, time), time


def number(call: Any) -> int | None:
    with pytest.raises(OSError) as error:  # noqa: PT011 - its number is what is asked
        call()
    assert isinstance(error.value, OSError)
    return error.value.errno


def test_who_is_there() -> None:
    bus, _ = bus_of(20, 21)
    bus.write(20, b"S")
    assert bus.read(20, 3) == b"Ic "
    assert number(lambda: bus.read(22, 1)) == 121
    assert bus.scan() == (20, 21)
    bus.boards[21].faults.add("unplugged")
    assert bus.scan() == (20,)
    assert bus.simulated


def test_one_board_can_hold_the_whole_bus() -> None:
    bus, _ = bus_of(20, 21)
    bus.boards[21].faults.add("hang-bus")
    assert number(lambda: bus.read(20, 1)) == errno.ETIMEDOUT
    bus.boards[21].faults.clear()
    assert len(bus.read(20, 3)) == 3


def test_a_blocked_transaction_returns_when_the_fault_is_off_or_the_bus_is_closed() -> None:
    bus, _ = bus_of(20, 21)
    bus.boards[20].faults.add("block")
    got: list[object] = []

    def read() -> None:
        try:
            got.append(bus.read(20, 3))
        except ConnectionError as error:
            got.append(error)

    first = threading.Thread(target=read)
    first.start()
    assert len(bus.read(21, 3)) == 3  # the others go on
    first.join(0.05)
    assert first.is_alive()
    bus.boards[20].faults.clear()
    first.join(5)
    assert len(got) == 1
    bus.boards[20].faults.add("block")
    second = threading.Thread(target=read)
    second.start()
    bus.close()
    second.join(5)
    assert isinstance(got[1], ConnectionError)


def test_more_than_prepared_reads_as_ff() -> None:
    bus, time = bus_of(20)
    bus.write(20, b"I")
    time.now_s += 0.01
    assert bus.read(20, 24) == bus.boards[20].chip_id.encode() + b"\xff\xff"  # type: ignore[attr-defined]


def test_a_second_command_overwrites_the_pending_one() -> None:
    bus, time = bus_of(20)
    bus.write(20, b"L" + b"x" * 20)
    bus.write(20, b"A")
    bus.write(20, b"S")
    assert bus.read(20, 3) == b"BcA"
    time.now_s += 0.01
    bus.write(20, b"S")
    assert bus.read(20, 3) == b"Ic "


def asked(device: Adaptor, time: Time, command: bytes) -> bytes:
    device.feed(command, time.now_s)
    return device.output(time.now_s)


def test_a_job_through_the_adaptor() -> None:
    bus, time = bus_of(8, 10, dialect="C")
    device = Adaptor(bus)
    device.reset(time.now_s)
    assert asked(device, time, adaptor.SCAN) == b""  # it starts
    time.now_s += BOOT_S
    assert adaptor.parse_scan(asked(device, time, adaptor.SCAN)) == (8, 10)
    for byte in i2c_text.job_text(JOB, i2c_c.SPELLING):
        assert asked(device, time, adaptor.write_command(10, byte)) == b""
    text = b""
    for _ in range(100):
        time.now_s += 0.1
        text += adaptor.parse_read(asked(device, time, adaptor.read_command(10)), 10).strip()
    assert i2c_text.parse_answer(text, i2c_c.SPELLING).nonce == 476
    assert asked(device, time, adaptor.read_command(33)) == b"21:\n$"  # absent: as if it had nothing to say
    for byte in i2c_text.job_text(JOB, i2c_c.SPELLING):
        device.feed(adaptor.write_command(8, byte), time.now_s)
    time.now_s += 10
    assert asked(device, time, adaptor.flush_command(8)) == b""
    assert asked(device, time, adaptor.read_command(8)) == b"08:\n$"
    for fault in ("unplugged",):
        for one in bus.boards.values():
            one.faults.add(fault)
    assert adaptor.parse_scan(asked(device, time, adaptor.SCAN)) == ()


async def test_a_bus_from_another_process() -> None:
    clock = SystemClock()
    bus = FakeBus({20: board("A"), 21: board("A", seed=1)}, clock.mono)
    server = BusServer(bus)
    await server.open()
    place = place_of(server.at(20))
    assert (place.simulated, place.address) == (True, 20)
    assert server.address[0] == "127.0.0.1"
    opener = duco_sim.connect(place.way)

    def use() -> None:
        remote = opener()
        assert remote.simulated
        try:
            assert remote.scan() == (20, 21)
            remote.write(20, b"S")
            assert remote.read(20, 3) == b"Ic "
            assert number(lambda: remote.read(22, 1)) == 121
            bus.close()
            with pytest.raises(ConnectionError):
                remote.read(20, 1)
        finally:
            remote.close()
        with pytest.raises(ConnectionError):
            remote.read(20, 1)

    await asyncio.to_thread(use)
    await server.close()
    with pytest.raises(FileNotFoundError, match="no simulated bus is served on port"):
        opener()


@pytest.mark.parametrize("dialect", ["B", "C", "D"])
def test_what_is_written_while_an_answer_stands_unread_is_lost(dialect: str) -> None:
    spelling = {"B": i2c_b.SPELLING, "C": i2c_c.SPELLING, "D": i2c_d.SPELLING}[dialect]
    bus, time = bus_of(8, dialect=dialect)
    for nonce in (476, 100):
        for byte in i2c_text.job_text(Job(LAST, digest(LAST, nonce), 5), spelling):
            bus.write(8, bytes((byte,)))
    time.now_s += 10
    text = b""
    while (byte_read := bus.read(8, 1)) != b"\n":
        text += byte_read
    assert i2c_text.parse_answer(text, spelling).nonce == 476
    assert bus.read(8, 1) == b"\n"
