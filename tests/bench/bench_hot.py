"""How fast the guard acts: from a hot answer of a miner to the lower frequency that it is sent, both seen at the miner.

Boards of another process's engine, at real speed. At random moments one is 7 °C over the guard's limit, in turn at the
chip and at the regulator, until it is told to run slower; afterwards a person sets it back.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from minertui.sim.axeos import fleet
from minertui.sim.axeos_board import Board
from tests.bench.figures import Figures, must
from tests.bench.process import answers, client, end, engine, write_config
from tests.bench.witness import INFO, Seen, witnessed

LIMIT_C, LIMIT_VR_C, OVER_C = 65.0, 85.0, 7.0
_CONFIG = f"""
[guard]
max_chip_temp_c = {LIMIT_C:g}
max_vr_temp_c = {LIMIT_VR_C:g}
"""


class Oven:
    """Heats boards and waits for the guard's word."""

    def __init__(self, poll_s: float) -> None:
        self.poll_s = poll_s
        self._hot: dict[Board, str] = {}
        self._since_s: dict[Board, float] = {}
        self._told: dict[Board, asyncio.Future[float]] = {}

    def before(self, board: Board) -> None:
        """A hot board is hot in every answer."""
        if self._hot.get(board) == "chip":
            board.cooler.chip_c = LIMIT_C + OVER_C
        elif board in self._hot:
            board.cooler.vr_c = LIMIT_VR_C + OVER_C

    def witness(self, seen: Seen) -> None:
        """The first hot answer begins the time, the first lower frequency ends it."""
        if seen.board not in self._hot:
            return
        if seen.path == INFO:
            self._since_s.setdefault(seen.board, seen.answered_s)
        elif seen.lowers:
            del self._hot[seen.board]
            self._told[seen.board].set_result(seen.asked_s - self._since_s.pop(seen.board))

    async def run(self, board: Board, where: str, rng: random.Random) -> float:
        """Seconds from the hot answer to the lower command, once."""
        await asyncio.sleep(self.poll_s * rng.random())
        told: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._told[board] = told
        chip_c, vr_c = board.cooler.chip_c, board.cooler.vr_c
        self._hot[board] = where
        within_s = 10 * self.poll_s
        await asyncio.wait([told], timeout=within_s)
        must(told.done(), f"{board.name}: {where} {OVER_C:g} °C over its limit, no lower command for {within_s:g} s")
        board.cooler.chip_c, board.cooler.vr_c = chip_c, vr_c
        return told.result()

    async def again(self, board: Board, mhz: float) -> None:
        """A person sets the frequency back, and the guard sees it."""
        await asyncio.sleep(2 * self.poll_s)
        board.store("frequency", mhz)
        await asyncio.sleep(2 * self.poll_s)


async def bench(folder: Path, boards: int, rounds: int, poll_s: float, seed: int, figures: Figures) -> None:
    """``boards`` × ``rounds`` runs."""
    oven, rng = Oven(poll_s), random.Random(seed)
    made = fleet(boards, seed=3, mix={("gamma", "v2.15.3"): 3, ("supra", "v2.14.2"): 1}, warm_s=600)
    took_s: list[float] = []
    async with witnessed(made, 1.0, oven.witness, oven.before) as miners:
        write_config(folder, miners, f"[engine]\npoll_s = {poll_s:g}\n{_CONFIG}", "guarded = true\n")
        process = engine(folder)
        try:
            link = client(folder)
            await answers(link, process, folder)
            await link.close()
            await asyncio.sleep(1.5 * poll_s)  # every guard has seen its miner
            stock_mhz = {board: float(board.nvs["frequency"]) for board in made}
            for n in range(rounds):
                if n:
                    await asyncio.gather(*(oven.again(board, mhz) for board, mhz in stock_mhz.items()))
                runs = (oven.run(board, ("chip", "vr")[(n + i) % 2], rng) for i, board in enumerate(made))
                took_s += await asyncio.gather(*runs)
        finally:
            await asyncio.to_thread(end, process)
    for board in made:
        must(board.judge.order_faults == 0, f"{board.name} was undervolted by the order of the guard's writes")
    figures.spread(f"hot answer → lower command (real speed, poll {poll_s:g} s)", took_s, "s", poll_s + 1)
