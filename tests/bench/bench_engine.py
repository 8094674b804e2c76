"""What the engine costs: 1,000 simulated miners in one process, the engine in another, a poll every 5 s each.

``python -m tests.bench.bench_engine [--short] [--miners N] [--seconds N]`` measures three stretches in one run:

    alone        nobody watches: CPU, memory
    watched      one stream of events is read, as a screen does: CPU, and how late each poll began
    two are ill  as before, while one miner never answers and one answers a byte every half second: how late the others'

A poll is late by the time between its due moment (the start of the one before and the period) and its start.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path

import httpx2
import msgspec

from minertui.api.client import ApiClient
from minertui.model.events import Numbered, SnapshotTaken, Whole
from minertui.model.fleet import Health
from tests.bench.figures import Figures, must
from tests.bench.process import Simulator, answers, client, end, engine, rss_mb, simulator, usage, write_config

MOST_CPU_PCT, MOST_RSS_MB, MOST_LATE_MS = 25.0, 250.0, 1000.0
ILL = {"hang": 0, "drip": 1}
_ILL_FOR_S = 30.0  # until two polls without an answer, of 10 s each, have made a miner stale


class Plan(msgspec.Struct, frozen=True):
    """How many, how long; all in seconds. Without ``warm_s`` it is a short run: two stretches, and the ill ones are not
    yet known as such."""

    miners: int
    seconds: float
    poll_s: float = 5.0
    warm_s: float = 10.0
    ill_s: float = _ILL_FOR_S


SHORT = Plan(miners=8, seconds=4.2, poll_s=2.0, warm_s=0.0, ill_s=0.0)


class Lateness:
    """How late polls began, ms, by miner."""

    def __init__(self, poll_s: float) -> None:
        self._poll_s = poll_s
        self._last_s: dict[str, float] = {}
        self.late_ms: dict[str, list[float]] = {}
        self.wholes = 0

    async def listen(self, link: ApiClient) -> None:
        """Until cancelled."""
        async for message in link.watch():
            if isinstance(message, Whole):  # what happened before it, nobody has told
                self.wholes += 1
                self._last_s.clear()
            elif isinstance(message, Numbered) and isinstance(message.event, SnapshotTaken):
                snapshot = message.event.snapshot
                if snapshot.boot_s is not None and snapshot.health is Health.OK:
                    self._take(snapshot.device, snapshot.boot_s)

    def _take(self, device: str, started_s: float) -> None:
        last_s = self._last_s.get(device)
        if last_s is not None and started_s > last_s:
            self.late_ms.setdefault(device, []).append(1000 * (started_s - last_s - self._poll_s))
        self._last_s[device] = started_s

    def all_ms(self, without: frozenset[str] = frozenset()) -> list[float]:
        """Of all miners together."""
        return [late for device, lates in self.late_ms.items() if device not in without for late in lates]


async def watched(link: ApiClient, poll_s: float, seconds: float) -> Lateness:
    """Read the stream for so long."""
    lateness = Lateness(poll_s)
    listening = asyncio.create_task(lateness.listen(link))
    await asyncio.sleep(seconds)
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening
    return lateness


async def all_answer(link: ApiClient, count: int) -> None:
    """Until every miner was read once."""
    for _ in range(300):
        health = [s.health for s in (await link.fleet()).snapshots.values()]
        if health.count(Health.OK) == count:
            return
        await asyncio.sleep(0.5)
    must(False, f"only {health.count(Health.OK)} of {count} miners answer")


async def fall_ill(sim: Simulator) -> None:
    """Switch the faults on."""
    async with httpx2.AsyncClient(trust_env=False) as console:
        for fault, board in ILL.items():
            answer = await console.post(f"http://{sim.control}/faults", json={"board": board, "fault": fault})
            must(answer.status_code == 200, f"the fault console refuses {fault}: {answer.text}")


async def measure(sim: Simulator, folder: Path, pid: int, plan: Plan, figures: Figures) -> None:
    """The three stretches."""
    link = client(folder)
    await all_answer(link, plan.miners)
    await asyncio.sleep(plan.warm_s)
    await alone(pid, plan, figures)
    if plan.warm_s:
        await all_well(sim, link, pid, plan, figures)
    await two_ill(sim, link, pid, plan, figures)
    await link.close()


async def all_well(sim: Simulator, link: ApiClient, pid: int, plan: Plan, figures: Figures) -> None:
    """A screen watches."""
    begin, begin_sim = usage(pid), usage(sim.pid)
    well = await watched(link, plan.poll_s, plan.seconds)
    figures.add("watched: CPU", begin.pct_until(usage(pid)), "% of a core")
    figures.add("watched: CPU of the simulator, beside it", begin_sim.pct_until(usage(sim.pid)), "% of a core")
    must(len(well.late_ms) == plan.miners, f"only {len(well.late_ms)} of {plan.miners} miners were read twice")
    figures.add("watched: times the reader fell behind the ring of changes", well.wholes - 1, "times")
    figures.spread("watched: polls late by", well.all_ms(), "ms", MOST_LATE_MS)


async def alone(pid: int, plan: Plan, figures: Figures) -> None:
    """Nobody watches."""
    begin = usage(pid)
    await asyncio.sleep(plan.seconds if plan.warm_s else 1.0)
    figures.add("alone: CPU", begin.pct_until(usage(pid)), "% of a core", MOST_CPU_PCT)
    figures.add("alone: memory", rss_mb(pid), "MB", MOST_RSS_MB)


async def two_ill(sim: Simulator, link: ApiClient, pid: int, plan: Plan, figures: Figures) -> None:
    """One hangs, one drips, the others must not notice."""
    await fall_ill(sim)
    await asyncio.sleep(plan.ill_s)
    begin = usage(pid)
    ill = frozenset(sim.miners[board][0] for board in ILL.values())
    others = await watched(link, plan.poll_s, plan.seconds)
    read, sound = len(set(others.late_ms) - ill), plan.miners - len(ill)
    must(read == sound, f"only {read} of {sound} sound miners were read twice")
    figures.add("two are ill: CPU", begin.pct_until(usage(pid)), "% of a core")
    figures.spread("two are ill: the others' polls late by", others.all_ms(without=ill), "ms", MOST_LATE_MS)
    figures.add("two are ill: memory", rss_mb(pid), "MB", MOST_RSS_MB)
    snapshots = (await link.fleet()).snapshots
    well = [snapshots[name].device for name in ill if snapshots[name].health is Health.OK]
    must(not well or not plan.ill_s, f"{', '.join(well)} does not answer and is called well")
    lost = [s.device for s in snapshots.values() if s.health is not Health.OK and s.device not in ill]
    must(not lost, f"{len(lost)} sound miners are not read any more: {', '.join(lost[:5])}")


async def bench(folder: Path, plan: Plan, figures: Figures) -> None:
    """Everything from the start."""
    with simulator(folder, plan.miners) as sim:
        write_config(folder, sim.miners, f"[engine]\npoll_s = {plan.poll_s:g}\n")
        process = engine(folder)
        try:
            await answers(client(folder), process, folder)
            await measure(sim, folder, process.pid, plan, figures)
        finally:
            end(process)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="few miners and seconds: does it work at all?")
    parser.add_argument("--miners", type=int)
    parser.add_argument("--seconds", type=float)
    args = parser.parse_args()
    plan = SHORT if args.short else Plan(args.miners or 1000, args.seconds or 60.0)
    title = f"Engine: {plan.miners} miners, a poll every {plan.poll_s:g} s, {plan.seconds:g} s a stretch"
    figures = Figures(title, short=args.short)
    with tempfile.TemporaryDirectory(prefix="minertui-bench-") as name:
        asyncio.run(bench(Path(name), plan, figures))
    return figures.exit_code()


if __name__ == "__main__":
    sys.exit(main())
