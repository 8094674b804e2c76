"""The boards of the sweep benchmark. The program's own simulator, and in ``other_board`` one that shares nothing with
it."""

from __future__ import annotations

import msgspec

from minertui.model.plans import SweepPlan
from minertui.model.status import MinerStatus
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_fields import asic, info
from minertui.sim.axeos_heat import Cooler
from minertui.sim.axeos_models import Phase
from minertui.wire.axeos import parse_info
from tests.bench.sweep_rig import Felt, Steady


class SimulatorRig:
    """A board of the simulator, read through the real payload and the real decoder."""

    def __init__(self, family: str, seed: int, firmware: str | None, cv: float, *, full_fan: bool = False) -> None:
        self.board = Board(family, firmware=firmware, seed=seed)
        if full_fan:
            self.board.store("autofanspeed", 0)
            self.board.store("manualFanSpeed", 100)
        self.board.advance(60)
        self.board.settle(900)
        self.board.mining.cv = cv

    def status(self) -> MinerStatus:
        page = asic(self.board)
        return parse_info(msgspec.json.encode(info(self.board)), msgspec.json.encode(page) if page else None)

    def advance(self, seconds: float) -> None:
        self.board.advance(seconds)

    def write(self, mhz: float, mv: float) -> None:
        self.board.store("frequency", mhz)
        self.board.store("coreVoltage", round(mv))

    def restart(self) -> None:
        self.board.restart()

    def truth(self) -> Steady:
        felt = self.felt()
        return Steady(self.board.truth().hashrate_ghs, felt.power_w, felt.chip_c, felt.vr_c, felt.fan_pct, passes=True)

    def felt(self) -> Felt:
        board = self.board
        fan = board.cooler.fan_pct if board.phase is Phase.RUNNING else 0.0
        vr = 0.0 if board.ina260 else board.cooler.vr_c  # no thermometer there, no limit
        return Felt(board.cooler.chip_c, vr, board.shown_w, fan)

    def steady(self, mhz: float, mv: float, plan: SweepPlan) -> Steady:
        """Fan and temperatures found by bisection on the fan; the fan holds its target while it can."""
        board, silicon = self.board, self.board.silicon
        cooler = Cooler(silicon.core_w(board.family.stock_mhz, board.family.stock_mv), board.ambient_c)
        target, low, high = float(board.nvs["temptarget"]), float(board.nvs["minFanSpeed"]), 100.0
        if not board.nvs["autofanspeed"]:
            low = high = float(board.nvs["manualFanSpeed"])
        for _ in range(14):
            cooler.airflow_pct = (low + high) / 2
            if low == high:
                break
            chip = self._rest(cooler, mhz, mv)
            low, high = (cooler.airflow_pct, high) if chip > target else (low, cooler.airflow_pct)
        chip = self._rest(cooler, mhz, mv)
        core = silicon.core_w(mhz, mv, chip)
        cooler.chip_c = chip
        cooler.warm(core, board.ambient_c, 1e9)
        point = silicon.point(mhz, mv, chip)
        weakest = min(point.chip_ghs) / (sum(point.chip_ghs) / len(point.chip_ghs)) if point.hashrate_ghs else 0.0
        stable = point.ratio >= plan.tolerance and weakest >= plan.min_chip_balance
        fan = cooler.airflow_pct
        plug = core / 0.89 + 1.5 + 1.5 * fan / 100
        watts = plug if board.ina260 or board.family.nerd else core + board.family.offset_w
        vr = 0.0 if board.ina260 else cooler.vr_c
        return Steady(point.hashrate_ghs, watts, chip, vr, fan, stable and point.error_pct < plan.max_error_pct)

    def _rest(self, cooler: Cooler, mhz: float, mv: float) -> float:
        chip = 60.0
        for _ in range(6):
            chip = min(150.0, cooler.rest_chip_c(self.board.silicon.core_w(mhz, mv, chip), self.board.ambient_c))
        return chip
