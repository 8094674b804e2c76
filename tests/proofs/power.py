"""Judges by the true power and supply of a board: is it surely over what is allowed, and does its guard keep that?
And what is allowed."""

from __future__ import annotations

from minertui.model.plans import Limits
from minertui.safety.limits import model_caps
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_routes import Request, answer
from minertui.wire.axeos.info import parse_info

_SUPPLY_MV, _NOISE_MV, _NOISE_W = {5: 4800.0, 12: 11_520.0}, 60.0, 1.05
_PATIENCE_S, _POLLS = 180.0, 4  # so long, and so many polls, a guarded miner may draw more than its owner allows


class Power:
    """One board's. ``keeps_w``: the limit of power that a guard keeps here."""

    def __init__(self, board: Board, keeps_w: float | None) -> None:
        self._board, self.keeps_w = board, keeps_w
        self._over_s: float | None = None

    def over(self, caps: Limits) -> bool:
        """Surely more power than is allowed, or less input voltage than it needs, whatever noise its sensors have."""
        heavy = caps.max_power_w is not None and self._board.shown_w > _NOISE_W * caps.max_power_w
        return heavy or self._board.input_mv < _SUPPLY_MV[self._board.family.supply_v] - _NOISE_MV

    def begins(self, now_s: float, *, calm: bool) -> bool:
        """A guarded miner is over its owner's limit of power since now, and not at the guard's floor."""
        over = self.keeps_w is not None and self._board.shown_w > _NOISE_W * self.keeps_w
        if not over or not calm or float(self._board.nvs["frequency"]) < self._board.family.stock_mhz:
            self._over_s = None
            return False
        was, self._over_s = self._over_s, now_s if self._over_s is None else self._over_s
        return was is None

    def stays(self, now_s: float, poll_s: float) -> str:
        """That it goes on there, in words; empty when it does not."""
        since_s, limit_w = self._over_s, self.keeps_w
        if since_s is None or limit_w is None or now_s - since_s <= _PATIENCE_S + _POLLS * poll_s:
            return ""
        self._over_s = None
        return f"guarded, and over its limit of {limit_w:g} W for {now_s - since_s:.0f} s"


def in_force(board: Board, limits: Limits) -> Limits:
    """Its owner's limits and its model's, the lower of each."""
    caps = model_caps(parse_info(answer(board, Request("GET", "/api/system/info", {}, b"")).body))
    assert caps is not None
    low = {
        name: min(v for v in (getattr(caps, name), getattr(limits, name)) if v is not None)
        for name in ("max_mhz", "max_mv", "max_chip_temp_c", "max_vr_temp_c", "max_power_w")
    }
    return Limits(**low)
