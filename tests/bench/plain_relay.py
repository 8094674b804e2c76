"""A plain relay to compare with: it blocks in every wait, one board after another; only the searches overlap. That is
how the first rig masters work, the brief's and the official one with a single thread."""

from __future__ import annotations

import socket
import threading
from typing import Any

from minertui.wire.duco import dialect
from minertui.wire.duco.exchange import Exchange, Read, Solved, Wait, Write
from minertui.wire.duco.hash import Job
from tests.bench.duco_rig import CLOCK, fake_bus
from tests.bench.figures import must

_RATE_HS = 208.0


def plain(told: Any, stop: Any, host: str, port: int, boards: int) -> None:
    """Mine until ``stop``; tells once that it runs, then shares and seconds."""
    bus = fake_bus(boards)
    lines = {address: _Line(host, port) for address in bus.boards}
    told.put("runs")
    shares, began_s = 0, None
    work: dict[int, Exchange] = {}
    while not stop.is_set():
        for address, line in lines.items():
            if address in work:
                nonce = _carried_on(bus, address, work.pop(address), to_the_end=True)
                verdict = line.asked(f"{nonce},{_RATE_HS},bench,bench,ID{address}")
                must(verdict == "GOOD", "the plain relay's shares are right")
                began_s, shares = (CLOCK.mono(), 0) if began_s is None else (began_s, shares + 1)
            last, expected, difficulty = line.asked("JOB,alice,AVR,None").split(",")
            work[address] = dialect.solve("A", Job(last, expected, int(difficulty)), rate_hs=_RATE_HS)
            _carried_on(bus, address, work[address], to_the_end=False)
    told.put((shares, CLOCK.mono() - (began_s or CLOCK.mono())))


class _Line:
    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self._socket.makefile("r", encoding="ascii", newline="\n")
        self._lines.readline()

    def asked(self, message: str) -> str:
        self._socket.sendall(message.encode())
        return self._lines.readline().strip()


def _carried_on(bus: Any, address: int, exchange: Exchange, *, to_the_end: bool) -> int:
    """Hand the job over, or carry the exchange on until its nonce is here."""
    pieces = 0
    while not isinstance(step := exchange.next(CLOCK.mono()), Solved):
        if isinstance(step, Wait):
            if pieces == 4 and not to_the_end:
                return 0
            threading.Event().wait(max(0.0, step.until_s - CLOCK.mono()))
        elif isinstance(step, Write):
            bus.write(address, step.data)
            pieces += len(step.data) > 12
            exchange.got(b"")
        else:
            assert isinstance(step, Read), step
            exchange.got(bus.read(address, step.count))
    return step.nonce
