"""What a board speaks: found out by asking it, or taken from the plan; and then the exchange that has it solve a job.

A sketch proves itself with the official test job, which also tells how it writes numbers. Boards on I2C are asked;
those behind an adaptor cannot be (their questions do not pass), so the test job tells whether they check their texts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from minertui.jobs.duco_relay.seams import Bench
from minertui.model.errors import Unreachable
from minertui.model.relay import BoardPlan, Dialect, Place, Wire
from minertui.wire.duco import dialect, i2c_a, i2c_c, sketch
from minertui.wire.duco.exchange import BoardError, Detected, Exchange, Replied, Solved
from minertui.wire.duco.hash import MAX_DIFFICULTY, TEST_JOB, Job

FIRST_ATTINY = 50
"""Boards of dialect A at this address and above are ATtiny85 (the rig master's convention)."""

Solve = Callable[[Job, float | None, bool], Exchange]
Sleep = Callable[[float], Awaitable[None]]


class Thermometer(msgspec.Struct, frozen=True):
    """How a board is asked for its temperature; ``chip`` is what it calls itself, which says how it writes numbers."""

    chip: str

    def ask(self) -> Exchange:
        """The question, between two jobs."""
        return i2c_c.ask(i2c_c.TEMPERATURE)

    def told(self, outcome: object) -> float | None:
        """°C; None when the sensor is off, not calibrated, or the board said nothing."""
        return i2c_c.temperature_c(outcome.text, self.chip) if isinstance(outcome, Replied) else None


class Speech(msgspec.Struct, frozen=True):
    """``what``: the board in words. ``chip``: its own DUCOID, None when it has none. ``most``: the highest difficulty
    its kind can do. ``solve``: job, rate in H/s or None, whether its last exchange ended with an answer. ``warmth``:
    None for a board that cannot tell its temperature."""

    what: str
    dialect: Dialect
    chip: str | None
    most: int
    solve: Solve
    warmth: Thermometer | None = None


async def listen(bench: Bench, place: Place, plan: BoardPlan, *, afresh: bool, sleep: Sleep) -> Speech:
    """Find out. ``afresh``: a serial port is opened anew, which resets its board. Raises Unreachable."""
    if place.wire is Wire.SERIAL:
        if plan.dialect not in (Dialect.AUTO, Dialect.SKETCH):
            raise Unreachable(plan.name, f"dialect {plan.dialect} is not spoken on a serial port; leave dialect out")
        return await _sketch(bench, afresh=afresh, sleep=sleep)
    await bench.open()
    if place.wire is Wire.ADAPTOR:
        return await _behind_adaptor(bench, place.address)
    if plan.dialect in (Dialect.AUTO, Dialect.SKETCH):
        return await _asked(bench, place.address)
    tiny = plan.dialect is Dialect.A and place.address >= FIRST_ATTINY
    return told(Detected("A85" if tiny else plan.dialect.value.upper()))


async def _sketch(bench: Bench, *, afresh: bool, sleep: Sleep) -> Speech:
    if afresh:
        bench.close()
    if await bench.open():
        await sleep(sketch.BOOT_S)
    handshake = sketch.Handshake()
    done = await bench.do(0, handshake.exchange)
    base = handshake.base
    if base is None or not isinstance(done.outcome, Solved):
        raise Unreachable("", _why(done.outcome))

    def solve(job: Job, rate_hs: float | None, known: bool) -> Exchange:
        return sketch.solve(job, base, rate_hs=rate_hs)

    what = "sketch 2.4 to 2.6.4" if base is sketch.Base.DECIMAL else "sketch 2.6.5 to 4.3"
    return Speech(what, Dialect.SKETCH, done.outcome.chip_id, MAX_DIFFICULTY, solve)


async def _asked(bench: Bench, address: int) -> Speech:
    done = await bench.do(address, dialect.detect())
    if not isinstance(done.outcome, Detected):
        raise Unreachable("", _why(done.outcome))
    return told(done.outcome)


async def _behind_adaptor(bench: Bench, address: int) -> Speech:
    outcome: object = None
    for checked in (True, False):
        done = await bench.do(address, dialect.solve("C", TEST_JOB, known=False, checked=checked))
        outcome = done.outcome
        if isinstance(outcome, Solved):
            return told(Detected("C", chip_id=outcome.chip_id or "", crc=checked), questions=False)
    raise Unreachable("", _why(outcome))


def told(found: Detected, *, questions: bool = True) -> Speech:
    """The speech of a board on I2C. ``questions``: they reach it (through an adaptor they do not)."""

    def solve(job: Job, rate_hs: float | None, known: bool) -> Exchange:
        return dialect.solve(found.dialect, job, rate_hs=rate_hs, known=known, checked=found.crc)

    spoken = Dialect(found.dialect[0].lower())
    what = {"A": "ATmega328P (hauchel)", "A85": "ATtiny85 (hauchel)", "B": "DuinoCoinI2C"}.get(
        found.dialect, found.chip
    )
    most = i2c_a.MAX_DIFFICULTY if spoken is Dialect.A else MAX_DIFFICULTY
    warmth = Thermometer(found.chip) if questions and spoken in (Dialect.C, Dialect.D) else None
    return Speech(what or f"dialect {spoken.value.upper()}", spoken, found.chip_id or None, most, solve, warmth)


def _why(outcome: object) -> str:
    return outcome.reason if isinstance(outcome, BoardError) else "the board does not solve the test job"
