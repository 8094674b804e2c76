"""What the Duino-Coin relay gets out of boards, beside a plain relay that serves one board after another.

    make bench-duco            the whole run, some ten minutes; targets are judged
    make bench-duco SHORT=1    seconds; checks that it works

Pool, master server and boards are simulated, everything on loopback; pools, and boards on ptys, in processes of their
own, so that their work is not counted. An I2C bus takes the time of its bytes at 100 kHz. Shares are measured from
verdict to verdict: all that the relay does in between counts.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from minertui.jobs.duco_relay import Relay
from minertui.model.relay import BoardState, PauseBoard
from minertui.sim.duco_bus import transfer_s
from minertui.sim.duco_pool import DucoPool
from tests.bench.duco_rig import (
    BUS_HZ,
    CLOCK,
    DIFFICULTY,
    JOB_MS,
    VERDICT_MS,
    Span,
    cpu_s,
    elsewhere,
    fake_bus,
    mining,
    on_bus,
    on_ports,
    pools,
    rules,
    sketches,
    stats,
    way,
)
from tests.bench.figures import Figures, must
from tests.bench.plain_relay import plain

RATE_HS = 208.0  # hauchel's boards, and the sketches before 3.4
OLD_SKETCH = "3.3"
MEAN_NONCE = 50 * DIFFICULTY + 0.5
Waits = tuple[float, float]
Pool = tuple[str, str, int]
"""The master server's address, host and port of the pool that it names."""
BRIEF: Waits = (JOB_MS, VERDICT_MS)
SHORTEST: Waits = (20.0, 20.0)
WAITS: tuple[Waits, ...] = (SHORTEST, (50.0, 50.0), (100.0, 100.0), (250.0, 250.0), (500.0, 500.0), BRIEF, (1e3, 1e3))

LETTER_S = 0.0002  # dialect C's own pause after each character
WIRE_A_S = (
    6 * (transfer_s(1, BUS_HZ) + transfer_s(3, BUS_HZ))  # S before A, L, M, N and O, and one when it is done
    + 4 * transfer_s(21, BUS_HZ)  # L, M, N, O
    + 2 * (transfer_s(1, BUS_HZ) + transfer_s(5, BUS_HZ))  # R and E
    + 2 * transfer_s(1, BUS_HZ)  # A, before and after
)
_JOB_BYTES, _ANSWER_BYTES = 87, 38
WIRE_C_S = _JOB_BYTES * (transfer_s(1, BUS_HZ) + LETTER_S) + (_ANSWER_BYTES + 2) * transfer_s(1, BUS_HZ)


def said(waits: Waits) -> str:
    """In a figure's name."""
    return f"waits {waits[0]:g} + {waits[1]:g} ms"


async def side_by_side(figures: Figures, seconds: float, waits: Waits, pool: Pool) -> None:
    """Three of the brief's boards each, at the same time, at pools alike."""
    async with elsewhere(plain, *pool[1:], 3) as other:
        bus = fake_bus(3)
        async with mining(pool[0], on_bus(bus), way(bus)) as relay:
            span = await Span.begun(relay)
            await span.ended(seconds)
            ours = span.spent()
        shares, took_s = await other.ended()
    bound = 60 / (MEAN_NONCE / RATE_HS + sum(waits) / 1000 + WIRE_A_S)
    rate = ours.per_minute(RATE_HS, MEAN_NONCE)
    figures.note(f"3 boards of 208 H/s on I2C, difficulty 5, {said(waits)}: shares a minute and board")
    figures.add("bound: calculation, waits and wire alone", bound, "/min")
    figures.add("plain blocking relay", 60 * shares / took_s / 3, "/min")
    figures.add("this relay, as the nonces fell", 60 / ours.share_s, "/min")
    figures.add("this relay, nonces of average luck", rate, "/min")
    figures.add("this relay: missing of 20 shares a minute and board", max(0.0, 20 - rate), "/min", most=0)


async def share_of_bound(figures: Figures, seconds: float, at: Mapping[Waits, Pool], sketched: int) -> None:
    """How near a share comes to calculation, waits and wire, for three kinds of boards at a time."""
    figures.note(
        f"bound of a share: calculation, both waits, and on the wire {1000 * WIRE_A_S:.1f} ms (8 of dialect A, one "
        f"bus), {1000 * WIRE_C_S:.1f} ms (4 of dialect C, one bus), 0 ms ({sketched} sketches on ptys)"
    )
    with tempfile.TemporaryDirectory() as folder:
        async with elsewhere(sketches, folder, sketched, OLD_SKETCH):
            for waits, (rest, *_) in at.items():
                buses = fake_bus(8), fake_bus(4, "C", rate_hs=RATE_HS)
                boards = [*on_bus(buses[0], 1), *on_bus(buses[1], 2), *on_ports(folder, sketched)]
                async with mining(rest, boards, way(*buses)) as relay:
                    span = await Span.begun(relay)
                    await span.ended(seconds)
                for kind, of, wire_s in (("A", "i1", WIRE_A_S), ("C", "i2", WIRE_C_S), ("sketch", "s", 0.0)):
                    lost = span.spent(of).lost_pct(RATE_HS, sum(waits) / 1000, wire_s)
                    figures.add(f"{said(waits)}, {kind}: lost of the bound", lost, "%", most=3)


async def many(figures: Figures, count: int, seconds: float, waits: Waits, pool: Pool) -> None:
    """Many boards in one process, on ptys; one is unplugged and plugged in again; then all pause."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            elsewhere(sketches, folder, count, OLD_SKETCH),
            mining(pool[0], on_ports(folder, count), way()) as relay,
        ):
            span, before_s, began_s = await Span.begun(relay), cpu_s(), CLOCK.mono()
            await span.ended(seconds)
            used = 100 * (cpu_s() - before_s) / (CLOCK.mono() - began_s)
            rate, bad = span.spent().per_minute(RATE_HS, MEAN_NONCE), sum(one.bad for one in stats(relay))
            must(bad == 0, f"{bad} shares were refused")
            figures.note(f"{count} boards of 208 H/s on ptys, one process, difficulty 5, {said(waits)}")
            figures.add(f"{count} boards: processor", used, "% of a core", most=10)
            figures.add(f"{count} boards: shares a minute and board", rate, "/min")
            figures.add(f"{count} boards: missing of 20", max(0.0, 20 - rate), "/min", most=0)
            took_s = await replugged(relay, folder, min(count, 8))
            figures.spread("unplugged and plugged in again: until the next share", took_s, "s", most=10)
            again = sum(one.connects for one in stats(relay)) - count
            figures.add("connections made anew for that", again, "", most=0)
            must(again == 0, "a board that comes back keeps its connection")
            figures.add(f"{count} boards paused: processor", await paused(relay, min(seconds, 10)), "% of a core")


async def replugged(relay: Relay, folder: str, count: int) -> list[float]:
    """Seconds from plugging in to the next share, of boards that were out for some."""
    out = [Path(folder) / f"usb-minertui_sim_{n}.out" for n in range(count)]
    for one in out:
        one.touch()
    while any(one.state is not BoardState.AWAY for one in relay.view().boards[:count]):
        await CLOCK.sleep(0.05)
    await CLOCK.sleep(3)
    before, took_s = stats(relay), dict[int, float]()
    for one in out:
        one.unlink()
    began_s = CLOCK.mono()
    while len(took_s) < count:
        for n, now in enumerate(stats(relay)[:count]):
            if now.shares > before[n].shares:
                took_s.setdefault(n, CLOCK.mono() - began_s)
        await CLOCK.sleep(0.05)
    return [*took_s.values()]


async def paused(relay: Relay, seconds: float) -> float:
    """Per cent of a core that a rig costs when none of its boards mines."""
    for one in relay.view().boards:
        relay.steer(PauseBoard(one.plan.name))
    while any(one.state.value != "paused" for one in relay.view().boards):
        await CLOCK.sleep(0.05)
    before_s, began_s = cpu_s(), CLOCK.mono()
    await CLOCK.sleep(seconds)
    return 100 * (cpu_s() - before_s) / (CLOCK.mono() - began_s)


POOL_DIES = {"stall": "falls silent, its connections stand", "refuse": "drops every connection, old and new"}


async def other_pool(figures: Figures, fault: str) -> None:
    """The pool dies and the server names another one."""
    async with (
        DucoPool(clock=CLOCK, rules=rules(20, 20, 2)) as pool,
        DucoPool(clock=CLOCK, rules=rules(20, 20, 2)) as spare,
    ):
        bus = fake_bus(3)
        async with mining(pool.rest, on_bus(bus), way(bus)) as relay:
            await Span.begun(relay)
            pool.rest_server.told_pool = spare.address
            pool.faults.add(fault)
            if fault == "refuse":
                pool.kick()
            began_s = CLOCK.mono()
            while any(not one.pool.endswith(str(spare.address[1])) for one in relay.view().boards) or not spare.results:
                await CLOCK.sleep(0.05)
            took_s = CLOCK.mono() - began_s
    figures.add(f"pool {POOL_DIES[fault]}: until all mine at another one", took_s, "s", most=30)


async def disconnects(figures: Figures, count: int) -> None:
    """Forced disconnects at all moments: every job is judged once or lost with its connection."""
    bus = fake_bus(40, hz=None, rate_hs=20_000)
    boards = on_bus(bus)
    async with DucoPool(clock=CLOCK, rules=rules(5, 5, 2)) as pool:
        async with mining(pool.rest, boards, way(bus), apart_s=0.0) as relay:
            while sum(one.connects for one in stats(relay)) < count + len(boards):
                before = [one.good for one in stats(relay)]
                while any(now.good == then for now, then in zip(stats(relay), before, strict=True)):
                    await CLOCK.sleep(0.013)  # at any moment of a share, once each has mined again
                pool.kick()
        sums = stats(relay)
    total = {name: sum(getattr(one, name) for one in sums) for name in ("jobs", "shares", "lost", "good", "connects")}
    cut = total["connects"] - len(boards)
    wrong, known = (sum(getattr(one, name) for one in pool.miners) for name in ("rejected", "accepted"))
    figures.add("forced disconnects", cut, "")
    for what, number in {
        "jobs neither judged nor lost with their connection": total["jobs"] - total["shares"] - total["lost"],
        "jobs lost while their connection stood": max(0, total["lost"] - cut - len(boards)),
        "results that the pool got twice": pool.duplicates,
        "results that the pool found wrong": wrong,
        "good shares here that the pool does not know": max(0, total["good"] - known),
    }.items():
        figures.add(what, number, "", most=0)
        must(number == 0, what)


async def whole(figures: Figures) -> None:
    """One after the other, so that none disturbs another."""
    async with elsewhere(pools, [(*each, DIFFICULTY) for each in WAITS]) as made:
        at = dict(zip(WAITS, made.first, strict=True))
        await side_by_side(figures, 120, BRIEF, at[BRIEF])
        await share_of_bound(figures, 30, at, 8)
        await many(figures, 50, 60, BRIEF, at[BRIEF])
    for fault in POOL_DIES:
        await other_pool(figures, fault)
    await disconnects(figures, 1000)


async def checks(figures: Figures) -> None:
    """All at the same time, but for what takes long."""
    async with elsewhere(pools, [(*SHORTEST, DIFFICULTY)]) as made:
        pool = made.first[0]
        await asyncio.gather(
            side_by_side(figures, 2, SHORTEST, pool),
            share_of_bound(figures, 2, {SHORTEST: pool}, 2),
            many(figures, 3, 2, SHORTEST, pool),
            disconnects(figures, 20),
        )


async def run(*, short: bool) -> int:
    """All figures."""
    figures = Figures("Duino-Coin relay", short=short)
    await (checks(figures) if short else whole(figures))
    return figures.exit_code()


def main() -> int:
    """The exit code: 1 where a target was missed in a whole run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    return asyncio.run(run(short=parser.parse_args().short))


if __name__ == "__main__":
    raise SystemExit(main())
