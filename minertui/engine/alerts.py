"""The book of alerts: the same trouble is one alert, however often it is seen; what flaps is counted, not repeated.
Where it lasts in the end, whoever was told last that it is over is told that it is not.

Listens to the hub, asks the rules, publishes AlertRaised, and hands new ones to the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import msgspec

from minertui.engine.alert_rules import UNTIL_SEEN, Signal, judge, judge_job
from minertui.model.alerts import Alert, Severity
from minertui.model.errors import MinertuiError
from minertui.model.events import AlertRaised, DeviceRemoved, Event, JobChanged, SnapshotTaken
from minertui.model.fleet import Fleet, Snapshot
from minertui.model.seams import Clock

_FLAPPING_S = 600.0  # the same trouble again within this time is the same incident
_TRIED_AGAIN = frozenset({"job-failed"})  # by the engine: that it failed in the same way again is no news
_ONCE = frozenset({"best-diff"})  # the same again was lost and found: a miner that told 0 after a restart, say
_ORDER = list(Severity)

Tell = Callable[[Alert], None]


class Alerts:
    """The book. ``publish`` is the hub's; ``tell`` gets each alert that somebody should be sent, and its end."""

    def __init__(
        self,
        clock: Clock,
        fleet: Callable[[], Fleet],
        publish: Callable[[Event], None],
        tell: Tell,
    ) -> None:
        self._clock, self._fleet, self._publish, self._tell = clock, fleet, publish, tell
        self._mute: frozenset[str] = frozenset()
        self._drop_pct = 20.0
        self._before: dict[str, Snapshot] = {}
        self._phases: dict[str, str] = {}
        self._book: dict[str, Alert] = {}
        self._untold: dict[str, float] = {}  # that hold again, and were not sent for having flapped: since when (boot)
        self._late: set[str] = set()  # that were sent when they had lasted all the same

    def change(self, mute: Collection[str], drop_pct: float) -> None:
        """``mute``: rules that are shown and not sent; ``drop_pct``: hashrate drop in per cent that is reported."""
        self._mute, self._drop_pct = frozenset(mute), drop_pct

    def restore(self, kept: Iterable[Alert], devices: Collection[str]) -> list[Alert]:
        """Take over what an earlier run knew: acknowledged stays acknowledged, what was active is so until it is judged
        anew, and is not told again. What was of a device that is gone is over. What is in the book already is newer and
        stays; the same trouble then goes on from when it began. Returns the latter, which that run did not know."""
        here = list(self._book)
        for alert in kept:
            now = self._book.get(alert.id)
            if now is None:
                self._put(alert)
                if alert.device not in devices:
                    self._leave(alert)
            elif now.active and alert.active and alert.rule not in UNTIL_SEEN:
                seen = now.acknowledged or alert.acknowledged
                self._put(msgspec.structs.replace(now, since_s=alert.since_s, count=alert.count, acknowledged=seen))
        return [self._book[id_] for id_ in here]

    def on(self, event: Event) -> None:
        """Take an event of the hub; never raises, never waits."""
        if isinstance(event, SnapshotTaken):
            before, after = self._before.get(event.snapshot.device), event.snapshot
            self._before[after.device] = after
            for signal in judge(self._fleet(), before, after, self._drop_pct):
                self.take(signal)
        elif isinstance(event, DeviceRemoved):
            self._before.pop(event.device, None)
            for alert in [a for a in self._book.values() if a.device == event.device]:
                self._leave(alert)
        elif isinstance(event, JobChanged) and self._phases.get(event.job.id) != event.job.phase:
            self._phases[event.job.id] = event.job.phase
            for signal in judge_job(event.job):
                self.take(signal)

    def acknowledge(self, alert_id: str) -> Alert:
        """A person has seen it. Raises MinertuiError for an unknown alert."""
        alert = self._book.get(alert_id)
        if alert is None:
            raise MinertuiError(f"there is no alert {alert_id!r}; it may have been forgotten since")
        over_s = self._clock.wall() if alert.active and alert.rule in UNTIL_SEEN else alert.until_s
        return self._put(msgspec.structs.replace(alert, acknowledged=True, until_s=over_s))

    def take(self, signal: Signal) -> None:
        """Enter what a rule says, or the engine about itself."""
        alert = self._book.get(f"{signal.rule}:{signal.device}")
        if signal.active is False:
            if alert is not None and alert.active:
                self._end(alert, signal)
        else:
            self._raise(alert, signal)
        self._lasting()

    def leave(self, over: Callable[[Alert], bool]) -> None:
        """End, without telling anybody, what lasts and is ``over`` because a person wanted it so."""
        for alert in [a for a in self._book.values() if a.active and over(a)]:
            self._leave(alert)

    def _raise(self, alert: Alert | None, signal: Signal) -> None:
        now = self._clock.wall()
        if alert is not None and alert.active and (signal.since_s or 0.0) <= alert.since_s:
            self._more(alert, signal)
            return
        if alert is not None and signal.rule in _ONCE and signal.text == alert.text:
            return
        # a clock that was set back by more than that tells nothing
        again = alert is not None and abs(now - (alert.until_s or alert.since_s)) < _FLAPPING_S
        new = Alert(
            id=f"{signal.rule}:{signal.device}",
            rule=signal.rule,
            device=signal.device,
            severity=signal.severity,
            text=signal.text,
            since_s=now,
            until_s=now if signal.active is None else None,
            count=alert.count + 1 if alert is not None and (again or alert.active) else 1,
        )
        self._put(new)
        same = alert is not None and alert.text == new.text and new.rule in _TRIED_AGAIN
        flaps = again and (signal.active is not None or same)
        self._late.discard(new.id)
        self._untold.pop(new.id, None)
        if flaps and new.active:
            self._untold[new.id] = self._clock.boot()
        self._send(new, again=flaps)

    def _lasting(self) -> None:
        now_s = self._clock.boot()
        for alert, since_s in [(self._book[id_], since_s) for id_, since_s in self._untold.items()]:
            if not alert.active or alert.acknowledged:
                del self._untold[alert.id]
            elif now_s - since_s >= _FLAPPING_S:
                del self._untold[alert.id]
                self._late.add(alert.id)
                self._send(alert, again=False)

    def _more(self, alert: Alert, signal: Signal) -> None:
        """It lasts already. That it is worse now is entered; what more is known of something that happened is told."""
        if signal.since_s is not None and signal.text != alert.text:
            self._put(known := msgspec.structs.replace(alert, text=signal.text))
            self._send(known, again=False)
        elif _ORDER.index(signal.severity) > _ORDER.index(alert.severity):
            self._put(msgspec.structs.replace(alert, severity=signal.severity, text=signal.text))

    def _end(self, alert: Alert, signal: Signal) -> None:
        over = msgspec.structs.replace(alert, until_s=self._clock.wall(), text=signal.text)
        self._put(over)
        self._send(over, again=alert.count > 1 and alert.id not in self._late)

    def _leave(self, alert: Alert) -> None:
        """Its device is not there any more: nothing is left to be told."""
        if alert.active:
            self._put(msgspec.structs.replace(alert, until_s=self._clock.wall()))

    def _send(self, alert: Alert, *, again: bool) -> None:
        if not again and alert.rule not in self._mute:
            self._tell(alert)

    def _put(self, alert: Alert) -> Alert:
        self._book[alert.id] = alert
        self._publish(AlertRaised(alert))
        return alert
