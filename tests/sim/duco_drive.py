"""Runs exchanges of the wire against simulated boards in virtual time."""

from __future__ import annotations

from collections.abc import Sequence

from minertui.sim.duco_bus import FakeBus
from minertui.sim.duco_sketch import SketchBoard
from minertui.wire.duco.exchange import Exchange, Outcome, Read, Wait, Write

BIT_S = 1e-5  # 100 kHz


class Time:
    """Virtual seconds."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def settle(exchange: Exchange, bus: FakeBus, address: int, time: Time) -> Outcome:
    """Drive one exchange to its outcome."""
    return together([(exchange, address)], bus, time)[0]


def together(tasks: Sequence[tuple[Exchange, int]], bus: FakeBus, time: Time) -> list[Outcome]:
    """Drive several at once, interleaved by transaction, each transfer taking the time it takes on the bus."""
    outcomes: dict[int, Outcome] = {}
    for _ in range(2_000_000):
        waits = []
        for index, (exchange, address) in enumerate(tasks):
            if index in outcomes:
                continue
            step = exchange.next(time.now_s)
            if isinstance(step, Wait):
                waits.append(step.until_s)
            elif isinstance(step, Write | Read):
                exchange.got(transfer(bus, address, step, time))
                waits.append(time.now_s)
            else:
                outcomes[index] = step
        if len(outcomes) == len(tasks):
            return [outcomes[index] for index in range(len(tasks))]
        if waits:
            time.now_s = max(time.now_s, min(waits))
    raise AssertionError("an exchange does not end")


def transfer(bus: FakeBus, address: int, step: Write | Read, time: Time) -> bytes | None:
    """One transaction."""
    count = len(step.data) if isinstance(step, Write) else step.count
    time.now_s += 9 * (1 + count) * BIT_S
    try:
        if isinstance(step, Write):
            bus.write(address, step.data)
            return b""
        return bus.read(address, step.count)
    except OSError:
        return None


def over_serial(exchange: Exchange, board: SketchBoard, time: Time) -> Outcome:
    """Drive one exchange over a serial line."""
    for _ in range(1_000_000):
        step = exchange.next(time.now_s)
        if isinstance(step, Wait):
            time.now_s = step.until_s
        elif isinstance(step, Write):
            board.feed(step.data, time.now_s)
            exchange.got(b"")
        elif isinstance(step, Read):
            exchange.got(board.output(time.now_s)[: step.count])
        else:
            return step
    raise AssertionError("the exchange does not end")
