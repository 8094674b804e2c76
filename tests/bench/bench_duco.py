"""What the Duino-Coin relay gets out of boards, beside a plain relay that serves one board after another.

    make bench-duco            the whole run, some five minutes; targets are judged
    make bench-duco SHORT=1    seconds; checks that it works

Pool, master server and boards are simulated: boards on ptys in a process of their own, so that their work is not
counted; everything on loopback. Pool waits as the rig's author recorded them: 882 ms for a job, 799 ms for a verdict.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import resource
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from minertui.clock import SystemClock
from minertui.devices import duco_serial
from minertui.devices.duco_pool import Servers
from minertui.jobs.duco_relay import Buses, Relay
from minertui.model.relay import BoardPlan, Place, RelayPlan, RelayView
from minertui.sim.duco_boards import board
from minertui.sim.duco_bus import FakeBus
from minertui.sim.duco_pool import DucoPool
from minertui.sim.duco_rules import Rules, Tier
from minertui.wire.duco import dialect
from minertui.wire.duco.exchange import Read, Solved, Wait, Write
from minertui.wire.duco.hash import Job
from tests.bench.figures import Figures, must

CLOCK = SystemClock()
JOB_MS, VERDICT_MS, DIFFICULTY, RATE_HS = 882.0, 799.0, 5, 208.0
BUS_S = 0.036  # of bus and handling a share: what the known relays need at best is 15 to 36 ms
CALC_S = (50 * DIFFICULTY + 0.5) / RATE_HS


class Site:
    """The engine's part."""

    mining_key = ""

    def __init__(self) -> None:
        self.over, self.view = asyncio.Event(), RelayView(RelayPlan())

    now, wall, sleep = staticmethod(CLOCK.mono), staticmethod(CLOCK.wall), staticmethod(CLOCK.sleep)

    async def ended(self) -> None:
        await self.over.wait()

    def log(self, text: str) -> None:
        pass

    def report(self, view: RelayView, note: str = "") -> None:
        self.view = view


class Sim:
    """A fake bus, as a bus's thread opens it."""

    simulated = True

    def __init__(self, bus: FakeBus) -> None:
        self.write, self.read = bus.write, bus.read

    def close(self) -> None:
        pass


def rules(job_ms: float = JOB_MS, verdict_ms: float = VERDICT_MS, difficulty: int = DIFFICULTY) -> Rules:
    return Rules(job_ms, verdict_ms, tiers={"AVR": Tier(difficulty, 0, 1e6)}, workers=1000)


def fake_bus(count: int) -> FakeBus:
    return FakeBus({20 + n: board("A", rate_hs=RATE_HS, seed=n) for n in range(count)}, CLOCK.mono)


def on_bus(bus: FakeBus) -> tuple[tuple[BoardPlan, ...], Any]:
    return tuple(BoardPlan(f"b{n}", f"i2c:1:{n}") for n in bus.boards), lambda place: lambda: Sim(bus)


@asynccontextmanager
async def mining(rest: str, boards: Sequence[BoardPlan], way: Any, **more: Any) -> AsyncIterator[Relay]:
    """A rig at work."""
    site, buses, servers = Site(), Buses(way, CLOCK), Servers()
    plan = RelayPlan("bench", "alice", rest=rest, board=tuple(boards), **{"apart_s": 0.05, **more})
    relay = Relay(plan, site, servers, buses)
    tasks = [asyncio.create_task(buses.watch()), asyncio.create_task(relay.run())]
    try:
        yield relay
        site.over.set()
        await tasks[1]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await servers.close()


def stats(relay: Relay) -> list[Any]:
    return [one.stats for one in relay.view().boards]


async def per_minute(relay: Relay, seconds: float) -> float:
    """Shares a minute and board over ``seconds``, once all of them mine."""
    while not all(one.shares for one in stats(relay)):
        await CLOCK.sleep(0.1)
    before, began_s = [one.shares for one in stats(relay)], CLOCK.mono()
    await CLOCK.sleep(seconds)
    shares = sum(one.shares for one in stats(relay)) - sum(before)
    return float(60 * shares / (CLOCK.mono() - began_s) / len(before))


async def plain(pool: DucoPool, bus: FakeBus, seconds: float) -> float:
    """Shares a minute and board of a relay that blocks in every wait: request, hand over, verdict, one board after
    another; only the searches overlap."""
    lines = {}
    servers = Servers()
    for address in bus.boards:
        lines[address] = await servers.dial(*pool.address, loopback=True)
        await lines[address].read()
    began_s, shares = CLOCK.mono(), 0
    work: dict[int, asyncio.Task[int]] = {}
    while CLOCK.mono() - began_s < seconds:
        for address, line in lines.items():
            if address in work:
                await line.write(f"{await work[address]},{RATE_HS},bench,bench,ID{address}".encode())
                must(await line.read() == b"GOOD\n", "the plain relay's shares are right")
                shares += 1
            await line.write(b"JOB,alice,AVR,None")
            fields = (await line.read()).decode().strip().split(",")
            work[address] = asyncio.create_task(_searched(bus, address, Job(fields[0], fields[1], int(fields[2]))))
    for task in work.values():
        task.cancel()
    for line in lines.values():
        await line.close()
    return 60 * shares / (CLOCK.mono() - began_s) / len(lines)


async def _searched(bus: FakeBus, address: int, job: Job) -> int:
    exchange = dialect.solve("A", job, rate_hs=RATE_HS)
    while not isinstance(step := exchange.next(CLOCK.mono()), Solved):
        if isinstance(step, Wait):
            await CLOCK.sleep(step.until_s - CLOCK.mono())
        elif isinstance(step, Write):
            bus.write(address, step.data)
            exchange.got(b"")
        else:
            assert isinstance(step, Read)
            exchange.got(bus.read(address, step.count))
    return step.nonce


async def side_by_side(figures: Figures, seconds: float) -> None:
    async with DucoPool(clock=CLOCK, rules=rules()) as pool:
        blocking = await plain(pool, fake_bus(3), seconds)
        boards, way = on_bus(fake_bus(3))
        async with mining(pool.rest, boards, way) as relay:
            ours = await per_minute(relay, seconds)
    bound = 60 / (CALC_S + (JOB_MS + VERDICT_MS) / 1000)
    figures.note(f"3 boards of 208 H/s, difficulty 5, waits 882 + 799 ms; bound {bound:.1f} shares a minute and board")
    figures.add("plain blocking relay: shares a minute and board", blocking, "/min")
    figures.add("this relay: shares a minute and board", ours, "/min")
    figures.add("this relay: missing of 20 shares a minute and board", max(0.0, 20 - ours), "/min", most=0)


async def share_of_bound(figures: Figures, seconds: float, waits: Sequence[float]) -> None:
    figures.note(
        f"8 boards on one bus; the bound: calculation, waits and {1000 * BUS_S:g} ms of bus and handling a share"
    )
    for wait in waits:
        async with DucoPool(clock=CLOCK, rules=rules(wait, wait)) as pool:
            boards, way = on_bus(fake_bus(8))
            async with mining(pool.rest, boards, way) as relay:
                await per_minute(relay, seconds)
                sums = stats(relay)
        shares = sum(one.shares for one in sums)
        calc_s, spent_s = sum(one.calc_s for one in sums), sum(one.share_s for one in sums)
        share = 100 * (calc_s + shares * (2 * wait / 1000 + BUS_S)) / spent_s
        figures.add(f"waits 2 × {wait:g} ms: lost of the bound", 100 - share, "%", most=3)


def _sketches(folder: str, count: int, ready: Any, stop: Any) -> None:
    """The process of the boards."""
    from minertui.sim.duco_serial import SerialBench
    from minertui.sim.duco_sketch import SketchBoard

    async def serve() -> None:
        boards = [SketchBoard("4.3", seed=n) for n in range(count)]
        async with SerialBench(boards, Path(folder), CLOCK) as bench:
            ready.set()
            while not stop.is_set():
                await CLOCK.sleep(0.2)
                for one in bench.ports:
                    if (Path(folder) / f"{one.path.name}.out").exists():
                        one.board.faults.add("unplugged")
                    else:
                        one.board.faults.discard("unplugged")

    asyncio.run(serve())


def _pool(address: Any, stop: Any) -> None:
    async def serve() -> None:
        async with DucoPool(clock=CLOCK, rules=rules(50, 50, 10)) as pool:
            address.put(pool.rest)
            while not stop.is_set():
                await CLOCK.sleep(0.2)

    asyncio.run(serve())


async def many(figures: Figures, count: int, seconds: float) -> None:
    """Many boards in one process, on ptys; then one is unplugged and plugged in again."""
    spawn = multiprocessing.get_context("spawn")
    ready, stop, told = spawn.Event(), spawn.Event(), spawn.Queue()
    with tempfile.TemporaryDirectory() as folder:
        others = [
            spawn.Process(target=_sketches, args=(folder, count, ready, stop), daemon=True),
            spawn.Process(target=_pool, args=(told, stop), daemon=True),
        ]
        for one in others:
            one.start()
        try:
            rest = await asyncio.to_thread(told.get, True, 30)
            await asyncio.to_thread(ready.wait, 30)
            boards = [BoardPlan(f"b{n}", f"serial:{folder}/usb-minertui_sim_{n}") for n in range(count)]

            def way(place: Place) -> Any:
                return duco_serial.connect(place.way, list)

            async with mining(rest, boards, way) as relay:
                while not all(one.shares for one in stats(relay)):
                    await CLOCK.sleep(0.1)
                before, began_s = _cpu_s(), CLOCK.mono()
                rate = await per_minute(relay, seconds)
                used = 100 * (_cpu_s() - before) / (CLOCK.mono() - began_s)
                bad = sum(one.bad for one in stats(relay))
                must(bad == 0, f"{bad} shares were refused")
                figures.add(f"{count} boards on ptys, one process: processor", used, "% of a core", most=10)
                figures.add(f"{count} boards on ptys, one process: shares a minute and board", rate, "/min")
                figures.add(
                    "unplugged and plugged in again: until the next share",
                    await _replugged(relay, folder),
                    "s",
                    most=10,
                )
        finally:
            stop.set()
            for one in others:
                one.join(5)
                one.kill()


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def _replugged(relay: Relay, folder: str) -> float:
    gone = Path(folder) / "usb-minertui_sim_0.out"
    gone.touch()
    while relay.view().boards[0].state.value != "away":
        await CLOCK.sleep(0.05)
    await CLOCK.sleep(3)
    shares = relay.view().boards[0].stats.shares
    gone.unlink()
    began_s = CLOCK.mono()
    while relay.view().boards[0].stats.shares == shares:
        await CLOCK.sleep(0.05)
    return CLOCK.mono() - began_s


async def other_pool(figures: Figures) -> None:
    async with (
        DucoPool(clock=CLOCK, rules=rules(20, 20, 2)) as pool,
        DucoPool(clock=CLOCK, rules=rules(20, 20, 2)) as spare,
    ):
        boards, way = on_bus(fake_bus(3))
        async with mining(pool.rest, boards, way) as relay:
            await per_minute(relay, 3)
            pool.rest_server.told_pool = spare.address
            pool.faults.add("stall")
            began_s = CLOCK.mono()
            while not spare.results:
                await CLOCK.sleep(0.05)
            figures.add("pool falls silent: until a share at another one", CLOCK.mono() - began_s, "s", most=30)
            before = sum(one.shares for one in stats(relay))
            must(before > 0, "the rig mines")


async def disconnects(figures: Figures, count: int) -> None:
    """Forced disconnects at all moments: every job is judged once or lost with its connection."""
    bus = FakeBus({20 + n: board("A", rate_hs=20_000, seed=n) for n in range(40)}, CLOCK.mono)
    boards, way = on_bus(bus)
    async with DucoPool(clock=CLOCK, rules=rules(5, 5, 2)) as pool:
        async with mining(pool.rest, boards, way, apart_s=0.0) as relay:
            while sum(one.connects for one in stats(relay)) < count + len(boards):
                before = [one.good for one in stats(relay)]
                while any(now.good == then for now, then in zip(stats(relay), before, strict=True)):
                    await CLOCK.sleep(0.013)  # at any moment of a share, once each has mined again
                pool.kick()
        sums = stats(relay)
    jobs, shares, lost = (sum(getattr(one, name) for one in sums) for name in ("jobs", "shares", "lost"))
    figures.add("forced disconnects", sum(one.connects for one in sums) - len(boards), "")
    figures.add("jobs neither judged nor lost with their connection", abs(jobs - shares - lost), "", most=0)
    figures.add("results that the pool got twice", pool.duplicates, "", most=0)
    figures.add("results that the pool found wrong", sum(one.rejected for one in pool.miners), "", most=0)
    figures.add(
        "good shares here that the pool does not know",
        max(0, sum(o.good for o in sums) - sum(m.accepted for m in pool.miners)),
        "",
        most=0,
    )


async def run(short: bool) -> int:
    figures = Figures("Duino-Coin relay", short=short)
    await side_by_side(figures, 8 if short else 60)
    await share_of_bound(figures, 4 if short else 30, (20,) if short else (20, 100, 300, 1000))
    await many(figures, 5 if short else 50, 5 if short else 40)
    if not short:
        await other_pool(figures)
    await disconnects(figures, 20 if short else 1000)
    return figures.exit_code()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    return asyncio.run(run(parser.parse_args().short))


if __name__ == "__main__":
    raise SystemExit(main())
