"""What a crash costs: the engine is killed at random moments of sweeps on boards that live in another process.

After every kill a new engine is started, and measured at the board: how long until it answered twice with the settings
from before the sweeps (the baseline), and whether every point that was shown before the kill is still kept. A quarter
of the kills come while the engine starts or leads its miners back. Time runs faster than real (``speed``), on boards
and engine alike; the limit is held in the program's seconds, in which the start of the process counts ``speed`` times.
"""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import time
from pathlib import Path

from minertui.api.client import ApiClient
from minertui.model.errors import MinertuiError
from minertui.model.events import Numbered, Whole, advance
from minertui.model.fleet import EMPTY, Fleet
from minertui.model.plans import SweepPlan, SweepPoint, SweepView
from minertui.sim.axeos import fleet
from minertui.sim.axeos_board import Board
from tests.bench.figures import Figures, must
from tests.bench.process import answers, client, end, engine, write_config
from tests.bench.witness import INFO, Seen, witnessed

MOST_BACK_S = 60.0
SWEEPING_S = 240.0  # program seconds within which the kill comes: a point takes some 50
GIVEN_UP_S = 60.0  # real seconds
STARTING_S = 1.5  # real seconds within which an early kill comes
_SAME_MHZ = 3.2


class Homecoming:
    """When each board answered twice at its baseline, since an engine was started."""

    def __init__(self, boards: list[Board]) -> None:
        self.baseline = {board: _settings(board) for board in boards}
        self._count: dict[Board, int] = {}
        self.back_s: dict[Board, float] = {}

    def started(self) -> None:
        """An engine starts now: nothing is proven any more."""
        self._count, self.back_s = {}, {}

    def witness(self, seen: Seen) -> None:
        """Count answers that show the baseline."""
        if seen.path == INFO and seen.board not in self.back_s:
            home = not self.away(seen.board)
            self._count[seen.board] = self._count.get(seen.board, 0) + 1 if home else 0
            if self._count[seen.board] == 2:
                self.back_s[seen.board] = seen.answered_s

    def away(self, board: Board) -> bool:
        """True when the board is set to, or runs, anything but its baseline."""
        return _settings(board) != self.baseline[board] or abs(board.actual_mhz - self.baseline[board][0]) > _SAME_MHZ


class Shown:
    """The points that the engine has shown to anybody, by sweep and number."""

    def __init__(self) -> None:
        self.points: dict[tuple[str, int], SweepPoint] = {}

    async def listen(self, link: ApiClient) -> None:
        """Until the engine is gone."""
        now: Fleet = EMPTY
        try:
            async for message in link.watch():
                now = advance(now, message)
                if isinstance(message, Whole | Numbered):
                    self._take(now)
        except MinertuiError:
            return

    def _take(self, now: Fleet) -> None:
        for job in now.jobs.values():
            if isinstance(job.view, SweepView):
                for point in job.view.points:
                    self.points[job.view.sweep_id, point.n] = point

    async def check(self, link: ApiClient) -> None:
        """All of them are kept, as they were."""
        kept = {(record.id, point.n): point for record in await link.sweeps(limit=1000) for point in record.points}
        lost = [key for key, point in self.points.items() if kept.get(key) != point]
        must(not lost, f"{len(lost)} points that were shown are not kept: {lost[:3]}")


class Trial:
    """Kill after kill."""

    def __init__(self, folder: Path, boards: list[Board], speed: float, seed: int, *, short: bool) -> None:
        self.folder, self.boards, self.speed, self.rng = folder, boards, speed, random.Random(seed)
        self.short = short
        self.home, self.shown = Homecoming(boards), Shown()
        self.took_s: list[float] = []
        self.away = self.early = 0

    async def kill(self, *, early: bool) -> None:
        """Start, check, sweep on, kill."""
        self.home.started()
        begun_s = time.monotonic()
        process = engine(self.folder, "--speed", self.speed)
        try:
            if early:
                self.early += 1
                await asyncio.sleep(STARTING_S * self.rng.random())
            else:
                await self.checked(process, begun_s)
                await self._sweep()
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.away += any(self.home.away(board) for board in self.boards)

    async def checked(self, process: subprocess.Popen[bytes], begun_s: float) -> None:
        """The engine is up, every board was home, every point is there."""
        link = client(self.folder)
        await answers(link, process, self.folder)
        await self.shown.check(link)
        await link.close()
        while time.monotonic() - begun_s < GIVEN_UP_S and len(self.home.back_s) < len(self.boards):
            await asyncio.sleep(0.05)
        lost = [board.name for board in self.boards if board not in self.home.back_s]
        must(not lost, f"not at the baseline within {GIVEN_UP_S:g} real seconds: {', '.join(lost)}")
        self.took_s += [back_s - begun_s for back_s in self.home.back_s.values()]

    async def _sweep(self) -> None:
        """Let the sweeps go on, or begin, up to a random moment."""
        link = client(self.folder)
        listening = asyncio.create_task(self.shown.listen(link))
        running = [job.device for job in (await link.fleet()).jobs.values() if not job.phase.over]
        for board in self.boards:
            if board.name not in running:
                await link.start(plan(board))
        if self.short:  # few kills: not one is wasted on a board that has not moved yet
            while not any(self.home.away(board) for board in self.boards):
                await asyncio.sleep(0.02)
        else:
            await asyncio.sleep(SWEEPING_S / self.speed * self.rng.random())
        listening.cancel()
        await asyncio.wait([listening])
        await link.close()


def plan(board: Board) -> SweepPlan:
    """Short points, a long walk, and back to the baseline at its end."""
    return SweepPlan(
        board.name, settle_s=10, measure_s=30, sample_s=2, step_mhz=5, step_mv=5, max_mv=1250,
        max_chip_temp_c=68, max_vr_temp_c=90, max_power_w=40, apply_best=False,
    )  # fmt: skip


def _settings(board: Board) -> tuple[float, float]:
    return float(board.nvs["frequency"]), float(board.nvs["coreVoltage"])


async def bench(
    folder: Path, kills: int, boards: int, speed: float, seed: int, figures: Figures, *, short: bool
) -> None:
    """``kills`` kills, and a last start that is ended in good order."""
    made = fleet(boards, seed=5, mix={("gamma", "v2.15.3"): 1}, warm_s=600)
    trial = Trial(folder, made, speed, seed, short=short)
    async with witnessed(made, speed, trial.home.witness) as miners:
        write_config(folder, miners, "[engine]\npoll_s = 2\n")
        for n in range(kills):
            await trial.kill(early=n % 4 == 3)
        trial.home.started()
        begun_s = time.monotonic()
        process = engine(folder, "--speed", speed)
        try:
            await trial.checked(process, begun_s)
        finally:
            await asyncio.to_thread(end, process)
        must(not any(trial.home.away(board) for board in made), "a board is not at its baseline after the engine's end")
    left = list((folder / "state" / "journal").glob("*.json"))
    must(not left, f"the journal still holds {len(left)} entries")
    for board in made:
        must(board.judge.order_faults == 0, f"{board.name} was undervolted by the order of writes")
    must(trial.away > 0, "no kill came while a board was away from its baseline: nothing is proven; use more kills")
    figures.note(
        f"{kills} kills with SIGKILL, {boards} boards, speed {speed:g}, seed {seed}: {trial.away} while a board was "
        f"away from its baseline, {trial.early} while the engine started"
    )
    figures.add("points shown before a kill, all of them kept", len(trial.shown.points), "points")
    figures.spread("start → baseline proven at the board, real time", trial.took_s, "s")
    program_s = [speed * took_s for took_s in trial.took_s]
    figures.spread("start → baseline proven at the board, program time", program_s, "s", MOST_BACK_S)
