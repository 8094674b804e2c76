"""Judges a controller at the simulated boards: what arrives there, and what the board had told before it.

Nothing here looks at the program's own variables, but for the caps that the user configured.
"""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Callable, Collection
from typing import Any

from minertui.model.commands import Rank
from minertui.model.plans import Limits
from minertui.safety.limits import model_caps
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_faults import LINE
from minertui.sim.axeos_patch import Reply
from minertui.sim.axeos_routes import Request, answer
from minertui.wire.axeos.info import parse_info

INFO = "/api/system/info"
BLIND = frozenset({"temp-minus-one", "temp-zero", "temp-127", "nan", "missing-fields"})
"""Faults under which the newest answer cannot support a raise."""
_LOWER_BLINDLY = frozenset({Rank.SAFETY, Rank.PERSON})
"""Who may lower on an old reading, though the firmware may have lowered it further meanwhile."""
_TUNES = {"frequency": "frequency", "coreVoltage": "coreVoltage"}
_MAC = re.compile(rb'"macAddr": ?"([^"]*)"')
_NOISE_C, _STEP, _DAY_S, _CALM_S = 2.5, 25.0, 86_400.0, 300.0
_SUPPLY_MV, _NOISE_MV, _NOISE_W = {5: 4800.0, 12: 11_520.0}, 60.0, 1.05
_PATIENCE_S, _POLLS = 180.0, 4  # so long, and so many polls, a guarded miner may draw more than its owner allows


class Witness:
    """One board: its requests in order, and every promise that was broken, in words."""

    def __init__(
        self,
        board: Board,
        limits: Limits,
        poll_s: float,
        *,
        readonly: bool,
        seen: Counter[str],
        guarded: bool = False,
    ) -> None:
        """``guarded``: a guard keeps the power limit among ``limits``."""
        self.keeps_w = limits.max_power_w if guarded else None
        self.board, self.limits, self.poll_s, self.readonly = board, limits, poll_s, readonly
        self.broken: list[str] = []
        self.seen = seen
        self.expected_mac: Callable[[], str | None] = lambda: None
        self.ranks: Callable[[], Collection[Rank]] = lambda: ()  # of the orders that are carried out here now
        self.told_s: float | None = None
        self.told = {"frequency": 0.0, "coreVoltage": 0.0}
        self.told_mac = ""
        self.told_blind = self.told_hot = self.told_over = False
        self.over_s: float | None = None
        self.raised = False
        self.foreign_s = -1e9
        self.polls = 0
        self.asked_s = self.calm_s = 0.0  # the last poll; since when nothing excuses a late one
        self.writes_s: deque[float] = deque()
        self._order_faults = 0
        self._nvs = self._settings()
        self._joined: Limits | None = None

    def _settings(self) -> tuple[float, float]:
        return float(self.board.nvs["frequency"]), float(self.board.nvs["coreVoltage"])

    def say(self, now_s: float, text: str) -> None:
        """A promise was broken."""
        faults = ", ".join(self.board.faults)
        self.broken.append(f"{self.board.name} at {now_s:.0f} s: {text} (faults on: {faults or 'none'})")

    def looks(self, now_s: float) -> None:
        """Before a request is obeyed: what the board did by itself since the last one."""
        if self._settings() != self._nvs:
            self.foreign_s = now_s
            self._nvs = self._settings()
        if self.board.phase.name != "RUNNING" or "reboot" in self.board.faults or "third-party" in self.board.faults:
            self.foreign_s = now_s
        judge = self.board.judge
        if judge.order_faults > self._order_faults:
            self._order_faults = judge.order_faults
            if now_s - self.foreign_s > 180 and not self.board.faults:
                self.say(now_s, "too little voltage on the way between two points that were both well")
        if judge.max_in_flight > 1:
            self.say(now_s, f"{judge.max_in_flight} requests in flight")
            judge.max_in_flight = 1

    def obey(self, request: Request, plain: Callable[[Request], Reply], now_s: float) -> Reply:
        """Let the board answer, and judge what was asked."""
        self.looks(now_s)
        if request.method == "PATCH":
            self._patched(request, now_s)
        reply = plain(request)
        if request.path == INFO:
            self._asked(now_s)
            self._told(reply, now_s)
        self._nvs = self._settings()
        return reply

    def _asked(self, now_s: float) -> None:
        """A miner that is well is asked on time, whatever is wrong with the others."""
        gap_s, self.asked_s = now_s - self.asked_s, now_s
        self.polls += 1
        calm = now_s - self.calm_s > _CALM_S and self.board.uptime_s > _CALM_S and not self.board.faults
        if calm and gap_s > 1.1 * self.poll_s + 1:
            self.say(now_s, f"it is well and was not asked for {gap_s:.0f} s")
        self.seen["poll of a calm miner"] += calm

    def _told(self, reply: Reply, now_s: float) -> None:
        on = set(self.board.faults)
        line = self.board.faults.first_of(LINE)  # of several the first one acts; a write's lost answer harms no reading
        if line not in (None, "cut-answer") or "wifi-lost" in on or not self.board.online:
            return
        self.told_s, self.told_blind = now_s, bool(on & BLIND)
        self.told = {key: _last(key, reply.body) if on else float(self.board.nvs[key]) for key in self.told}
        cooler, caps = self.board.cooler, self._caps()
        chip, vr = caps.max_chip_temp_c or 70.0, caps.max_vr_temp_c or 95.0
        seen_vr = 0.0 if self.board.ina260 else cooler.vr_c
        self.told_hot = cooler.chip_c > chip + _NOISE_C or seen_vr > vr + _NOISE_C
        self.told_over = not on - {"droop"} and self._over(caps)
        self._kept(now_s)
        macs = _MAC.findall(reply.body)
        self.told_mac = macs[-1].decode() if macs else ""

    def _over(self, caps: Limits) -> bool:
        """Surely more power than is allowed, or less input voltage than it needs, whatever noise its sensors have."""
        heavy = caps.max_power_w is not None and self.board.shown_w > _NOISE_W * caps.max_power_w
        return heavy or self.board.input_mv < _SUPPLY_MV[self.board.family.supply_v] - _NOISE_MV

    def _kept(self, now_s: float) -> None:
        """A guarded miner does not go on over its owner's limit of power, unless it is at the guard's floor."""
        over = self.keeps_w is not None and self.board.shown_w > _NOISE_W * self.keeps_w
        over = over and float(self.board.nvs["frequency"]) >= self.board.family.stock_mhz
        if not over or now_s - self.calm_s < _CALM_S or self.board.uptime_s < _CALM_S:
            self.over_s = None
            return
        self.seen["over its power limit, guarded"] += self.over_s is None
        self.over_s = now_s if self.over_s is None else self.over_s
        if now_s - self.over_s > _PATIENCE_S + _POLLS * self.poll_s:
            self.say(now_s, f"guarded, and over its limit of {self.keeps_w:g} W for {now_s - self.over_s:.0f} s")
            self.over_s = None

    def _caps(self) -> Limits:
        if self._joined is None:  # what a model bears does not change, and to ask costs as much as a poll
            self._joined = self._join()
        return self._joined

    def _join(self) -> Limits:
        clean = answer(self.board, Request("GET", INFO, {}, b""))
        caps = model_caps(parse_info(clean.body))
        assert caps is not None
        low = {
            name: min(v for v in (getattr(caps, name), getattr(self.limits, name)) if v is not None)
            for name in ("max_mhz", "max_mv", "max_chip_temp_c", "max_vr_temp_c", "max_power_w")
        }
        return Limits(**low)

    def _patched(self, request: Request, now_s: float) -> None:
        wanted: dict[str, Any] = json.loads(request.body)
        self.writes_s.append(now_s)
        while self.writes_s and now_s - self.writes_s[0] > _DAY_S:
            self.writes_s.popleft()
        if self.readonly:
            self.say(now_s, f"a read-only miner was written: {wanted}")
        expected = self.expected_mac()
        if expected and self.told_mac and self.told_mac.upper() != expected.upper():
            self.say(now_s, f"a miner that had said it is {self.told_mac} was written: {wanted}")
        if len(_TUNES.keys() & wanted) == 2:
            self.say(now_s, f"two values in one write: {wanted}")
        caps = self._caps()
        for key, cap in (("frequency", caps.max_mhz), ("coreVoltage", caps.max_mv)):
            if key in wanted:
                self._tuned(key, float(wanted[key]), float(self.board.nvs[key]), float(cap or 0), now_s)

    def _tuned(self, key: str, want: float, have: float, cap: float, now_s: float) -> None:
        self.seen["raise" if want > have else "lower"] += 1
        if want <= have:
            return
        if want > cap + 0.5:
            self.say(now_s, f"{key} {want:g} is over the cap of {cap:g}")
        told = max(have, self.told[key])  # who is told 400 MHz by one of 280 takes the step from 400
        if want - told > _STEP + 0.6 and now_s - self.foreign_s > 60:
            self.say(now_s, f"{key} from {told:g} to {want:g} in one step")
        if want <= self.told[key] and self.ranks() and _LOWER_BLINDLY.issuperset(self.ranks()):
            self.seen["lower than it had told, higher than it was by then"] += 1
        else:
            self._raised(key, want, now_s)

    def _raised(self, key: str, want: float, now_s: float) -> None:
        """Somebody wanted it higher: what did they know?"""
        fresh_s = max(2 * self.poll_s, 5.0) + 0.5
        if self.told_s is None or now_s - self.told_s > fresh_s:
            age = "never" if self.told_s is None else f"{now_s - self.told_s:.0f} s ago"
            self.say(now_s, f"raised {key} on a reading of {age}")
        if self.told_blind:
            self.say(now_s, f"raised {key} to {want:g} on a reading that could not be believed")
        if self.told_hot:
            self.say(now_s, f"raised {key} to {want:g} while hot")
        if self.told_over:
            self.say(now_s, f"raised {key} to {want:g} over its limit of power, or on a supply that sags")
        if len(self.writes_s) > 1001:
            self.say(now_s, f"raised after {len(self.writes_s)} writes in a day")


def _last(key: str, body: bytes) -> float:
    """The value of a setting as told, the last one where it is told twice; 0.0 where there is none."""
    found = re.findall(rb'"%s": ?([0-9.]+)[,}]' % key.encode(), body)
    return float(found[-1]) if found else 0.0
