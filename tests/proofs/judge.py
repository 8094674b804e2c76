"""Judges a controller at the simulated boards: what arrives there, and what the board had told before it.

Nothing here looks at the program's own variables. What its owner configured and ordered, whose MAC is meant and which
guards run is the world's own record; of the program it is known which order is on its way (the world saw it come in)
and what it publishes of a sweep.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Collection
from typing import Any

from minertui.model.commands import Order, Rank, Tune
from minertui.model.plans import GuardPlan, Limits, Phase, SweepView
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_faults import LINE
from minertui.sim.axeos_models import Phase as Phases
from minertui.sim.axeos_patch import Reply
from minertui.sim.axeos_routes import Request, answer
from tests.proofs.heat import Heat, Rule, of_guard
from tests.proofs.owner import KEYS, SAME, Owner, Point, same
from tests.proofs.power import Power, in_force
from tests.proofs.rations import Rations
from tests.proofs.told import mac_of, value_of

INFO = "/api/system/info"
BLIND = frozenset({"temp-minus-one", "temp-zero", "temp-127", "nan", "missing-fields"})
"""Faults under which the newest answer cannot support a raise."""
_LOWER_BLINDLY = frozenset({Rank.SAFETY, Rank.PERSON})
"""Who may lower on an old reading, though the firmware may have lowered it further meanwhile."""
_LATER = (Phase.RESTORING, Phase.DONE, Phase.STOPPED)
_NOISE_C, _STEP, _DAY_S, _CALM_S = 2.5, 25.0, 86_400.0, 300.0
_PROVEN_S = 1.9  # two readings in a row are so far apart at least
_FAN_LEAST_PCT = 20
_FANS = ("manualFanSpeed", "fanspeed")
_GREETED = 5
_HELD_S = 44.0  # 20 s after the last step, and six readings 5 s apart: the shortest look that passes (docs/sweeps.md)
_WRITES = frozenset({"PATCH", "POST", "PUT", "DELETE"})


class Witness:
    """One board: its requests in order, and every promise that was broken, in words."""

    def __init__(self, board: Board, limits: Limits, poll_s: float, *, readonly: bool, seen: Counter[str]) -> None:
        self.power = Power(board, None)
        self.board, self.limits, self.poll_s, self.readonly = board, limits, poll_s, readonly
        self.broken: list[str] = []
        self.seen = seen
        self.meant = ""  # the MAC of the miner that its owner means; empty: whoever answers
        self.present = True  # in the config
        self.guard: GuardPlan | None = None  # that its owner wants here
        self.led = self.at_once = self.dry = False  # ``restore`` runs; does not wait for its guard's calm; only looks
        self.forgot = False  # an engine began while the disk told nothing: it does not know who is meant
        self.orders: Callable[[], Collection[Order]] = lambda: ()  # that are carried out here now
        self.sweep: Callable[[], tuple[Phase, SweepView] | None] = lambda: None  # as it is published
        self.owner, self.heat, self.rations = Owner(self._settings()), Heat(board), Rations()
        self.shown_s: list[float] = []  # when it told what it is set to, since that changed last
        self.changed_s = 0.0
        self.origin: Point | None = None  # what it ran before somebody raised it, in this engine's life
        self.guard_lowered_s = -1e9
        self._greeted = 0
        self._ended = ("", 0)  # the sweep that was judged last
        self._looked_s, self.fan_pct = 0.0, board.nvs["manualFanSpeed"]
        self.told_s: float | None = None
        self.told = {"frequency": 0.0, "coreVoltage": 0.0}
        self.told_mac = ""
        self._first = ""  # the MAC that was told first, since its owner took whoever answers
        self._own = mac_of(
            answer(board, Request("GET", INFO, {}, b"")).body
        )  # what it tells of itself; old ones nothing
        self.told_blind = self.told_hot = self.told_over = False
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
        now = self._settings()
        if self.board.phase is Phases.RUNNING:
            self.owner.held[now] = self.owner.held.get(now, 0.0) + max(0.0, now_s - self._looked_s)
        self._looked_s = now_s
        if now != self._nvs:
            self.foreign_s = now_s
            self.owner.others(self._nvs, now, back="third-party" in self.board.faults)
            self._changed(now, now_s)
        if (sweep := self.sweep()) is not None and sweep[0] in _LATER:
            self._found(sweep[1], now_s)
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
        if request.method in _WRITES:
            self._written(request, now_s)
        reply = plain(request)
        if request.path == INFO:
            self._asked(now_s)
            self._told(reply, now_s)
        if (now := self._settings()) != self._nvs:
            self.owner.ours = self._nvs, now
            self._changed(now, now_s)
        return reply

    def _changed(self, now: Point, now_s: float) -> None:
        if now[0] < self._nvs[0] or now[1] < self._nvs[1]:
            self.heat.wrote()
        if self.origin is not None and all(x <= y + SAME for x, y in zip(now, self.origin, strict=True)):
            self.origin = None
        self._nvs, self.changed_s = now, now_s
        self.shown_s.clear()

    def _found(self, view: SweepView, now_s: float) -> None:
        """A sweep is over, and may leave it at its best point."""
        if view.plan.apply_best and view.best is not None and self._ended != (view.sweep_id, view.best.n):
            self._ended = view.sweep_id, view.best.n
            least_s = min(_HELD_S, view.plan.measure_s / 2)
            if text := self.owner.found((view.best.mhz, float(view.best.mv)), least_s):
                self.say(now_s, text)

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
        if line not in (None, "cut-answer", "huge-header") or "wifi-lost" in on or not self.board.online:
            return
        self.told_s, self.told_blind = now_s, bool(on & BLIND)
        self.told = {key: value_of(key, reply.body) if on else float(self.board.nvs[key]) for key in self.told}
        cooler, caps = self.board.cooler, self._caps()
        chip, vr = caps.max_chip_temp_c or 70.0, caps.max_vr_temp_c or 95.0
        seen_vr = 0.0 if self.board.ina260 else cooler.vr_c
        self.told_hot = cooler.chip_c > chip + _NOISE_C or seen_vr > vr + _NOISE_C
        self.told_over = not on - {"droop"} and self.power.over(caps)
        told_before, self.told_mac = self.told_mac, mac_of(reply.body)
        self._met(same=self.told_mac == told_before)
        able = (
            self.told["frequency"] > 0 and not self._strange()
        )  # what is unknown may be lower already, by its firmware
        calm = now_s - self.calm_s >= _CALM_S and self.board.uptime_s >= _CALM_S and able
        self.seen["over its power limit, guarded"] += self.power.begins(now_s, calm=calm)
        if text := self.power.stays(now_s, self.poll_s):
            self.say(now_s, text)
        if self.told_mac in (self.meant or self.told_mac, self._first, self._own) and all(
            abs(self.told[key] - have) <= SAME for key, have in zip(KEYS, self._nvs, strict=True)
        ):
            self.shown_s.append(now_s)
        for text in self.heat.told(now_s, self._rules()):
            self.say(now_s, text)

    def accepts(self) -> None:
        """Its owner takes whoever answers from now on; what was answered until now does not count."""
        self.meant, self._greeted, self._first = "", 0, ""

    def _met(self, *, same: bool) -> None:
        """Whom is meant, when nobody is yet: whoever answers a few times in a row; an answer may not have arrived."""
        self._greeted = self._greeted + 1 if same else 1
        if not self.meant:
            self._first = self._first or self.told_mac
            self.meant = self.told_mac if self._greeted >= _GREETED else ""

    def _rules(self) -> list[Rule]:
        """Who has to lower it by now, and when."""
        if self.readonly or not self.present or self._strange():
            return []
        caps, rules, owner, now = self._caps(), [], self.owner, self._nvs
        chip, vr = caps.max_chip_temp_c or 70.0, caps.max_vr_temp_c or 95.0
        if self.guard is not None:
            high = self.guard.high_mhz or max(owner.home()[0], owner.most[0], *(mhz for mhz, _ in owner.asked))
            rules.append(of_guard(self.guard, chip, vr, self.poll_s, high))
        sweep = self.sweep()
        if sweep is not None and sweep[0] is Phase.RUNNING and not owner.below(now):
            plan = sweep[1].plan
            within_s = plan.settle_s + plan.sample_s + 2 * self.poll_s + 90
            rules.append(Rule("its sweep", min(plan.max_chip_temp_c, chip), min(plan.max_vr_temp_c, vr), within_s))
        busy = sweep is not None and not sweep[0].over
        if self.origin is not None and self.guard is None and not busy:
            rules.append(Rule("the last resort", chip, vr, 4 * self.poll_s + 90, self.origin[0]))
        return rules

    def _caps(self) -> Limits:
        if self._joined is None:  # what a model bears does not change, and to ask costs as much as a poll
            self._joined = in_force(self.board, self.limits)
        return self._joined

    def _written(self, request: Request, now_s: float) -> None:
        """Anything that changes it: may it be written at all?"""
        wanted: dict[str, Any] = json.loads(request.body) if request.method == "PATCH" else {request.path: True}
        self.meant = self.meant or self.told_mac
        self.writes_s.append(now_s)
        while self.writes_s and now_s - self.writes_s[0] > _DAY_S:
            self.writes_s.popleft()
        for wrong, text in (
            (self.readonly, "a read-only miner was written"),
            (not self.present and not self.led, "a miner that was taken out of the config was written"),
            (self.dry, "a dry run wrote"),
            (self._strange(), f"a miner that had said it is {self.told_mac} was written"),
        ):
            if wrong:
                self.say(now_s, f"{text}: {wanted}")
        order = self._order()
        if order is not None and order.by.startswith("sweep:"):
            self.owner.fresh = False
        if request.path == "/api/system/restart" and (text := self.rations.restarted(now_s, order)):
            self.say(now_s, text)
        if request.method == "PATCH":
            self._patched(wanted, now_s)

    def _strange(self) -> bool:
        """Has it said that it is another one?"""
        known = ("", self.meant, self._first)  # who answered first may have been met by that
        return bool(self.meant) and self.told_mac not in known and not self.forgot

    def _order(self, *, up: bool = False) -> Order | None:
        """The one that is carried out; of several the one that goes first, and of those that may go ``up`` where one
        does. None: it is led back."""
        able = [one for one in self.orders() if not (up and isinstance(one.command, Tune) and one.command.at_most)]
        return min(able, key=lambda order: order.rank, default=None)

    def _patched(self, wanted: dict[str, Any], now_s: float) -> None:
        if len(wanted.keys() & set(KEYS)) == 2:
            self.say(now_s, f"two values in one write: {wanted}")
        for key in _FANS:
            if key in wanted and wanted[key] < _FAN_LEAST_PCT and wanted[key] != self.fan_pct:
                self.say(now_s, f"its fan was set to {wanted[key]} % by hand")
        caps = self._caps()
        for n, (key, cap) in enumerate(zip(KEYS, (caps.max_mhz, caps.max_mv), strict=True)):
            if key in wanted:
                self._tuned(n, float(wanted[key]), self._nvs[n], float(cap or 0), now_s)

    def _tuned(self, n: int, want: float, have: float, cap: float, now_s: float) -> None:
        key, order = KEYS[n], self._order(up=want > have)
        self.seen["raise" if want > have else "lower"] += 1
        if want <= have:
            self._lowered(order, now_s)
            return
        if want > cap + 0.5:
            self.say(now_s, f"{key} {want:g} is over the cap of {cap:g}")
        told = max(have, self.told[key])  # who is told 400 MHz by one of 280 takes the step from 400
        if want - told > _STEP + 0.6 and now_s - self.foreign_s > 60:
            self.say(now_s, f"{key} from {told:g} to {want:g} in one step")
        ranks = {one.rank for one in self.orders()}
        if want <= self.told[key] and ranks and _LOWER_BLINDLY.issuperset(ranks):
            self.seen["lower than it had told, higher than it was by then"] += 1
            return
        self._raised(key, want, now_s)
        if want > self.told[key] + SAME:  # else it was to lower what had been lowered further since
            self._climbed(n, want, order, now_s)

    def _lowered(self, order: Order | None, now_s: float) -> None:
        by = order.by if order else ""
        self.owner.unnoted |= self.owner.mute
        if by.startswith("guard:"):
            self.guard_lowered_s = now_s
            self.owner.why.add("its guard lowered it")
        if by == "last resort":
            self.owner.why.add("the last resort lowered it")
        if by == "config":
            self.owner.why.add("its limit was lowered")

    def _climbed(self, n: int, want: float, order: Order | None, now_s: float) -> None:
        """It was meant to go up: is that its owner's wish, and is it time?"""
        key, owner, caps = KEYS[n], self.owner, self._caps()
        chip, vr = caps.max_chip_temp_c or 70.0, caps.max_vr_temp_c or 95.0
        home = want <= owner.home()[n] + SAME
        further = self.rations.climbs(order)
        if text := self.rations.raised(now_s, order, above_home=not home):
            self.say(now_s, text)
        if further and not home and self.heat.heads_over(chip, vr):
            self.say(now_s, f"raised {key} to {want:g} although its heat leaves no room for one more step")
        self.origin = self.origin or self._nvs
        if order is not None and order.by == "person":
            return
        most = self._most(n, order)
        if want > most + SAME and self.shown_s:
            self.say(
                now_s, f"{order.by if order else 'a way back'} raised {key} to {want:g}, over {most:g}: {owner.text()}"
            )
        self._early(f"raised {key} to {want:g}", order, now_s)

    def _most(self, n: int, order: Order | None) -> float:
        """How far a program may raise it."""
        most, sweep = self.owner.most[n], self.sweep()
        by = order.by if order else ""
        if by.startswith("sweep:") and sweep is not None and self.owner.swept:
            plan = sweep[1].plan
            most = max(most, plan.max_mhz if n == 0 else float(plan.max_mv))
        if by.startswith("guard:") and n == 1:
            most = max(most, self.owner.swept_mv)
        return most

    def _early(self, text: str, order: Order | None, now_s: float) -> None:
        """What a guard took away is given back when it is cool, and has been for a while."""
        plan = self.guard
        if plan is None or self.at_once:
            return
        chip, vr = plan.max_chip_temp_c - plan.hysteresis_c, plan.max_vr_temp_c - plan.hysteresis_c
        guards = order is not None and order.by.startswith("guard:")
        back = order is None and "its guard lowered it" in self.owner.why
        if (guards or back) and self.heat.warmer_than(chip, vr):
            self.say(now_s, f"{text} before it was as cool as its guard asks ({self.board.cooler.chip_c:.1f} °C)")
        if guards and now_s - self.guard_lowered_s < min(plan.stable_s, plan.hold_dwell_s) - 5:
            self.say(now_s, f"{text} by its guard, {now_s - self.guard_lowered_s:.0f} s after that lowered it")

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

    def configured(self, limits: Limits, *, readonly: bool, guard: GuardPlan | None) -> None:
        """What its owner has in the config from now on."""
        self.limits, self.readonly, self.guard, self._joined = limits, readonly, guard, None
        self.power.keeps_w = limits.max_power_w if guard is not None else None
        self._bounded()
        self.owner.limited = limits.max_power_w is not None

    def _bounded(self) -> None:
        """Limits under where it was left end a way back there."""
        caps, home = self._caps(), self.owner.home()
        if (caps.max_mhz or 1e9) < home[0] or (caps.max_mv or 1e9) < home[1] or self.limits.max_power_w:
            self.owner.why.add("a limit of its owner")

    def begins(self, now_s: float) -> None:
        """Another engine."""
        self.asked_s, self.origin = now_s, None
        self._ended = ("", 0)  # a sweep that goes on ends anew
        self.rations.begin()

    def answered(self, goal: Point, before: Point, *, applied: bool, named: Collection[int]) -> None:
        """A person's order has ended."""
        self.looks(now_s := self._looked_s)
        now = self._nvs
        off = any(abs(now[n] - goal[n]) > SAME for n in named)
        if applied and off and len(self.owner.asked) == 1 and self.foreign_s < self.changed_s:
            self.say(now_s, f"{goal} was said to be applied, and it is at {now}")
        self.owner.answered(goal, before, now, applied=applied, named=named)
        self._bounded()  # what was over them may stay, and is not climbed to again

    # what becomes of it ----------------------------------------------------------------------------------------------

    def closed(self, now_s: float) -> None:
        """Its way back is forgotten: nobody will lead it anywhere any more."""
        self.looks(now_s)
        if any(order.by == "person" for order in self.orders()):
            return  # a person's order ends it wherever it is; the answer is judged
        now, owner = self._nvs, self.owner
        if not owner.may_be(now):
            self.say(now_s, f"its way back was forgotten at {now[0]:g} MHz / {now[1]:g} mV; chosen: {owner.text()}")
        proven = len(self.shown_s) > 1 and self.shown_s[-1] - self.shown_s[0] >= _PROVEN_S
        if not proven and not owner.why and not any(same(now, theirs) for theirs in owner.theirs):
            self.say(now_s, f"its way back was forgotten {now_s - self.changed_s:.1f} s after it changed, unproven")
        self.seen["way back ended"] += 1
        owner.settles(now)

    def left(self, now_s: float, when: str) -> None:
        """At the end, when all is well and nothing runs."""
        self.looks(now_s)
        if not self.owner.may_be(self._nvs):
            mhz, mv = self._nvs
            self.say(now_s, f"{when} it is left at {mhz:g} MHz / {mv:g} mV; chosen: {self.owner.text()}")
