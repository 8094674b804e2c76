"""The thread of a bus: real threads, and deadlines that nobody waits for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from minertui.clock import SystemClock
from minertui.jobs.duco_relay.bus import MOST_HUNG, Bus
from minertui.jobs.duco_relay.seams import Absent, Done
from minertui.model.errors import Unreachable
from minertui.sim.duco_boards import board
from minertui.sim.duco_bus import FakeBus
from minertui.wire.duco import dialect
from minertui.wire.duco.exchange import Detected, Solved
from minertui.wire.duco.hash import TEST_JOB, TEST_NONCE

CLOCK = SystemClock()
DEADLINE_S = 30.0


class Way:
    """Opens one fake bus again and again."""

    simulated = True

    def __init__(self, fake: FakeBus) -> None:
        self.fake, self.opened, self.closed, self.error = fake, 0, 0, None
        self.threads: set[str] = set()

    error: OSError | None

    def __call__(self) -> Way:
        self.opened += 1
        if self.error is not None:
            raise self.error
        return self

    def write(self, address: int, data: bytes) -> None:
        self.threads.add(threading.current_thread().name)
        self.fake.write(address, data)

    def read(self, address: int, count: int) -> bytes:
        return self.fake.read(address, count)

    def close(self) -> None:
        self.closed += 1


def made(**faults: str) -> tuple[Way, Bus]:
    boards = {address: board("A", rate_hs=20_000.0, seed=address) for address in (20, 21, 22)}
    for name, fault in faults.items():
        boards[int(name[1:])].faults.add(fault)
    way = Way(FakeBus(boards, CLOCK.mono))
    return way, Bus("1", way, CLOCK, transfer_s=DEADLINE_S)


async def solved(bus: Bus, address: int) -> Done:
    done = await bus.do(address, dialect.solve("A", TEST_JOB))
    assert isinstance(done.outcome, Solved)
    assert done.outcome.nonce == TEST_NONCE
    return done


async def watched(way: Way, bus: Bus, work: asyncio.Future[Done]) -> Done:
    """Looked after until it is done; a board that blocks has done so for longer than a transfer may take."""
    while not work.done():
        await asyncio.sleep(0.002)
        crew = bus._crew
        busy = crew.busy if crew is not None else None
        if crew and busy and crew.since_s is not None and "block" in way.fake.boards[busy.address].faults:
            crew.since_s -= DEADLINE_S
        await bus.look()
    return work.result()


async def test_boards_of_one_bus_take_turns_in_one_thread() -> None:
    way, bus = made()
    assert await bus.open()
    assert not await bus.open()
    one, two, three = await asyncio.gather(*(solved(bus, address) for address in (20, 21, 22)))
    assert bus.simulated
    assert way.threads == {"bus 1"}
    for done in (one, two, three):
        assert 0 < done.handover_s < DEADLINE_S
        assert 0 < done.turn_s < DEADLINE_S
    bus.close()


async def test_a_board_that_hangs_the_bus_is_cut_off_and_the_others_go_on() -> None:
    way, bus = made(b21="block")
    await bus.open()
    hung = asyncio.ensure_future(bus.do(21, dialect.detect()))
    well = asyncio.ensure_future(bus.do(20, dialect.solve("A", TEST_JOB)))
    done = await watched(way, bus, well)
    assert isinstance(done.outcome, Solved)
    with pytest.raises(Unreachable, match=r"holds the bus for more than 30 s and was cut off; reset it"):
        await watched(way, bus, hung)
    assert way.opened == 2, "a new thread with a newly opened bus"
    await solved(bus, 22)
    way.fake.boards[21].faults.clear()
    assert isinstance((await bus.do(21, dialect.detect())).outcome, Detected)
    bus.close()


async def test_a_bus_that_hangs_for_all_is_given_up_with_advice() -> None:
    way, bus = made(b20="block", b21="block", b22="block")
    await bus.open()
    said = ""
    for _ in range(MOST_HUNG + 1):
        try:
            await bus.open()
            await watched(way, bus, asyncio.ensure_future(bus.do(20, dialect.detect())))
        except Unreachable as error:
            said = error.message
    assert "switch the power of its boards off and on" in said
    assert way.opened <= MOST_HUNG + 1
    for one in way.fake.boards.values():
        one.faults.clear()
    while any(crew.is_alive() for crew in bus._hung):
        await asyncio.sleep(0.002)
    await bus.open()
    await solved(bus, 20)
    bus.close()


async def test_an_unplugged_way_is_told_from_one_that_fails() -> None:
    way, bus = made()
    way.error = FileNotFoundError(2, "it is not plugged in")
    with pytest.raises(Absent, match="not plugged in"):
        await bus.open()
    way.error = PermissionError(13, "add your user to the group i2c")
    with pytest.raises(Unreachable, match="group i2c") as told:
        await bus.open()
    assert not isinstance(told.value, Absent)
    way.error = None
    await bus.open()
    await solved(bus, 20)
    bus.close()


async def test_what_is_under_way_ends_with_the_way() -> None:
    way, bus = made()
    way.fake.boards[20] = board("A", rate_hs=1.0)
    await bus.open()
    long = asyncio.ensure_future(bus.do(20, dialect.solve("A", TEST_JOB)))
    await asyncio.sleep(0.05)
    bus.close()
    with pytest.raises(Unreachable, match="closed"):
        await long
    with pytest.raises(Unreachable):
        await bus.do(20, dialect.detect())
    assert way.closed == 1


async def test_a_lost_way_says_why() -> None:
    way, bus = made()
    await bus.open()

    def lost(address: int, data: bytes) -> None:
        raise ConnectionError("it was unplugged")

    way.write = lost  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match="it was unplugged"):
        await bus.do(20, dialect.solve("A", TEST_JOB))
    assert way.closed == 1, "a file that is kept would give the board another name"


async def test_a_port_is_closed_before_it_is_opened_again() -> None:
    """A serial port can be opened by one alone, and the thread that has it may be waiting for a byte."""
    way, bus = made()
    busy = threading.Event()

    class Slow(Way):
        def __call__(self) -> Way:
            if self.opened > self.closed:
                raise OSError("it is in use: end the other program")
            return super().__call__()

        def read(self, address: int, count: int) -> bytes:
            busy.set()
            threading.Event().wait(0.05)
            return super().read(address, count)

    slow = Slow(way.fake)
    bus = Bus("port", slow, CLOCK, transfer_s=DEADLINE_S)
    await bus.open()
    asking = asyncio.ensure_future(bus.do(20, dialect.detect()))
    await asyncio.to_thread(busy.wait, DEADLINE_S)
    bus.close()
    assert await bus.open()
    assert (slow.opened, slow.closed) == (2, 1)
    bus.close()
    with pytest.raises(Unreachable):
        await asking
