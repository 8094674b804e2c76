"""Serial ports: real ptys for what pyserial does, lists of ports for what USB does."""

from __future__ import annotations

import asyncio
import os
import time
import tty
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from minertui.devices import duco_serial
from minertui.sim.duco_serial import SerialBench
from minertui.sim.duco_sketch import SketchBoard
from minertui.wire.duco import sketch
from minertui.wire.duco.exchange import Exchange, Outcome, Read, Solved, Wait, Write
from tests.sim.raw import HandClock, until


class Looks(HandClock):
    """Time goes on by 20 ms with each look at the simulated ports: while this process stands still, so does time."""

    async def sleep(self, seconds: float) -> None:
        self.now += 0.02
        await asyncio.sleep(0.001)


def carry(port: duco_serial.SerialPort, exchange: Exchange, clock: Looks) -> Outcome:
    """An exchange, as a bus's thread does it."""
    while True:
        step = exchange.next(clock.mono())
        if isinstance(step, Wait):
            while clock.mono() < step.until_s:
                time.sleep(0.0005)
        elif isinstance(step, Write):
            port.write(0, step.data)
            exchange.got(b"")
        elif isinstance(step, Read):
            exchange.got(port.read(0, step.count))
        else:
            return step


async def test_a_board_is_lost_and_found_under_its_stable_name(tmp_path: Path) -> None:
    clock = Looks()
    async with SerialBench([SketchBoard("4.3")], tmp_path, clock) as bench:
        (there,) = bench.ports
        opened = duco_serial.connect(str(there.path))
        first = os.path.realpath(there.path)
        port = await asyncio.to_thread(opened)
        assert port.simulated, "a pty has no hardware behind it"
        await until(lambda: there.opened == 1)
        clock.now += 3
        outcome = await asyncio.to_thread(carry, port, sketch.Handshake().exchange, clock)
        assert isinstance(outcome, Solved)

        keep = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)  # so that the number is not free for the same board again
        there.board.faults.add("unplugged")
        there.unplug()

        def used() -> None:
            for _ in range(3):
                port.read(0, 10)
                port.write(0, b"x")

        with pytest.raises(ConnectionError, match="unplugged"):
            await asyncio.to_thread(used)
        with pytest.raises(FileNotFoundError, match="not plugged in"):
            await asyncio.to_thread(opened)

        there.board.faults.clear()
        await until(there.path.exists)
        port = await asyncio.to_thread(opened)
        await until(lambda: there.opened == 2)
        clock.now += 3
        assert isinstance(await asyncio.to_thread(carry, port, sketch.Handshake().exchange, clock), Solved)
        assert first.startswith("/dev/pts/")
        port.close()
        os.close(keep)


class Ptys:
    """Named ports of a computer, and their USB identities."""

    def __init__(self) -> None:
        self.ours: list[int] = []
        self.known: list[Any] = []

    def plug(self, serial: str | None, location: str) -> str:
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        name = os.ttyname(theirs)
        os.close(theirs)
        self.ours.append(ours)
        self.known.append(
            SimpleNamespace(
                device=name, vid=0x1A86, pid=0x7523, serial_number=serial, location=location, description="CH340"
            )
        )
        return name

    def ports(self) -> list[Any]:
        return self.known

    def close(self) -> None:
        for fd in self.ours:
            os.close(fd)


@pytest.mark.parametrize("serial", ["A1B2", None], ids=["own number", "clone in the same socket"])
def test_a_renumbered_port_is_followed(serial: str | None) -> None:
    """As COM5 becomes COM6, or /dev/ttyUSB0 /dev/ttyUSB1."""
    ptys = Ptys()
    before = ptys.plug(serial, "1-2")
    opened = duco_serial.connect(before, ptys.ports)
    opened().close()
    ptys.known.clear()
    with pytest.raises(FileNotFoundError):
        opened()
    ptys.plug("OTHER" if serial else None, "1-9")
    with pytest.raises(FileNotFoundError):
        opened()
    now = ptys.plug(serial, "1-2")
    port = opened()
    port.write(0, b"hello")
    assert os.read(ptys.ours[-1], 10) == b"hello", f"{now} is it"
    port.close()
    ptys.close()


def test_found_ports_have_names_that_stay(tmp_path: Path) -> None:
    device = tmp_path / "ttyUSB0"
    device.touch()
    (tmp_path / "by-id").mkdir()
    link = tmp_path / "by-id" / "usb-1a86_USB2.0-Serial-if00-port0"
    link.symlink_to(device)
    usb = SimpleNamespace(
        device=str(device), vid=1, pid=2, serial_number=None, location="1-1", description="CH340\x1b[31m"
    )
    builtin = SimpleNamespace(device="/dev/ttyS0", vid=None, description="")
    (found,) = duco_serial.found_ports(lambda: [usb, builtin], tmp_path)
    assert (found.path, found.device) == (str(link), str(device))
    assert "\x1b" not in found.what
    assert duco_serial.stable_name("COM5", tmp_path / "nothing") == "COM5"


def adaptor_on(boards: dict[int, list[bytes]]) -> tuple[duco_serial.AdaptorPort, list[bytes]]:
    """An adaptor whose boards say these bytes."""
    sent: list[bytes] = []
    waiting: list[bytes] = []

    def write(data: bytes) -> None:
        sent.append(data)
        if data.endswith(b":r$"):
            address = int(data[:-3])
            said = boards.get(address) or [b"\n"]
            waiting.append(b"%02X:%s$" % (address, said.pop(0)))
        elif data == b"scn$":
            waiting.append(b"".join(b"%02X " % address for address in boards) + b"\n")

    def read(count: int) -> bytes:
        data = waiting.pop(0) if waiting else b""
        waiting[:0] = [data[count:]] if data[count:] else []
        return data[:count]

    fake = SimpleNamespace(write=write, read=read, close=lambda: None, in_waiting=99)
    return duco_serial.AdaptorPort(duco_serial.SerialPort(fake, simulated=True)), sent


def test_an_adaptor_carries_bytes() -> None:
    port, sent = adaptor_on({8: [b"4", b"7"], 10: []})
    port.write(8, b"ab")
    assert sent == [b"8:w:a$", b"8:w:b$"]
    assert port.read(8, 2) == b"47"
    assert port.read(10, 1) == b"\n"
    assert port.scan() == (8, 10)
    with pytest.raises(OSError, match="cannot be sent"):
        port.write(8, b"$")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (13, "group dialout"),
        (16, "in use: end the other program"),
        (2, "not plugged in"),
        (5, "cannot be opened"),
    ],
)
def test_what_to_do_when_it_cannot_be_opened(number: int, said: str) -> None:
    assert said in str(duco_serial._explained(OSError(number, "no"), "/dev/ttyUSB0"))


def test_waiting_for_an_answer_costs_few_calls() -> None:
    calls = 0

    def read(count: int) -> bytes:
        nonlocal calls
        calls += 1
        return b""

    fake = SimpleNamespace(write=lambda _: None, read=read, in_waiting=0, close=lambda: None)
    port = duco_serial.SerialPort(fake, simulated=True)
    assert port.read(0, 256) == b""
    assert calls == 0, "nothing was asked, so nothing is waited for"
    port.write(0, b"job")
    port.read(0, 256)
    assert calls == 1
