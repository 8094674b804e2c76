"""When is a Duino-Coin rig worth a person's attention? It runs unattended for months, so it has to say so itself.

board-stopped   the relay stopped a board and waits for a person: refused shares, jobs too hard, jobs not solved
board-away      a board did not answer for five minutes: unplugged, without power, or hung
rig-silent      boards that should mine had no accepted share for ten minutes: no pool, no network, no key check

Only an accepted share ends them with a word: a board that merely answers again has proved nothing. What a person
orders (pause, drop, a limit, the end of the rig) and a rest for temperature end them without one, and no time counts
while nothing is expected. Time is counted from look to look, so that an engine that stood still invents none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import msgspec

from minertui.engine.alert_rules import Signal
from minertui.engine.alerts import Alerts
from minertui.model.alerts import Alert, Severity
from minertui.model.fleet import Fleet
from minertui.model.plans import JobState
from minertui.model.relay import BoardState, BoardView, RelayView
from minertui.model.seams import Clock

LOOK_S = 15.0
"""Seconds from one look at the rigs to the next."""
AWAY_S = 300.0
"""A board may be silent so long: a cable that is moved, a USB hub that starts anew."""
SILENT_S = 600.0
"""A rig may go so long without an accepted share: connecting 50 boards takes a minute, finding another pool some."""
_RULES = ("board-stopped", "board-away", "rig-silent")
_RESTING = (BoardState.PAUSED, BoardState.LIMIT, BoardState.HOT)
_IDLE = (*_RESTING, BoardState.STOPPED)


class Seen(msgspec.Struct, frozen=True):
    """What was seen of a rig. ``since_s``: when it began. ``good``: accepted shares of each board. ``away_s``: how long
    a board did not answer since its last accepted share; ``silent_s``: how long the rig had none, though boards should
    mine."""

    since_s: float | None = None
    good: Mapping[str, int] = {}
    away_s: Mapping[str, float] = {}
    silent_s: float = 0.0


def look(before: Seen, job: JobState, view: RelayView, elapsed_s: float) -> tuple[Seen, list[Signal]]:
    """What a running rig shows ``elapsed_s`` seconds after ``before``."""
    if before.since_s != job.since_s:
        before, elapsed_s = Seen(), 0.0
    paid = {board.name for board in view.boards if board.stats.good > before.good.get(board.name, board.stats.good)}
    now = Seen(
        job.since_s,
        {board.name: board.stats.good for board in view.boards},
        {board.name: _away_s(before, board, elapsed_s) for board in view.boards if board.name not in paid},
        0.0 if paid else _silent_s(before, view, elapsed_s),
    )
    signals = [signal for board in view.boards for signal in _of_board(job.device, board, now, board.name in paid)]
    return now, [*signals, *_of_rig(job.device, view, now.silent_s, bool(paid))]


def meant(alert: Alert, view: RelayView) -> bool:
    """False when ``alert`` of a running rig is about nothing that should mine: a person ordered it, or it rests."""
    name = alert.device.partition("/")[2]
    if name:
        return any(board.name == name and board.state not in _RESTING for board in view.boards)
    return any(board.state not in _IDLE for board in view.boards)


class RigAlerts:
    """Looks at the rigs of ``fleet`` and enters into ``book`` what they show."""

    def __init__(self, clock: Clock, fleet: Callable[[], Fleet], book: Alerts) -> None:
        self._clock, self._fleet, self._book = clock, fleet, book
        self._seen: dict[str, Seen] = {}
        self._known: set[str] = set()
        self._looked_s = clock.mono()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._clock.sleep(LOOK_S)
            self.look()

    def look(self) -> None:
        """Once; at most two periods count as passed since the look before."""
        now_s = self._clock.mono()
        elapsed_s, self._looked_s = min(now_s - self._looked_s, 2 * LOOK_S), now_s
        rigs = {job.device: job for job in self._fleet().jobs.values() if isinstance(job.view, RelayView)}
        running: dict[str, RelayView] = {}
        before, self._seen = self._seen, {}
        for name, job in rigs.items():
            if isinstance(job.view, RelayView) and not job.phase.over:
                running[name] = job.view
                self._seen[name], signals = look(before.get(name, Seen()), job, job.view, elapsed_s)
                for signal in signals:
                    self._book.take(signal)
        self._known |= set(rigs)
        self._book.leave(lambda alert: self._over(alert, running))

    def _over(self, alert: Alert, running: Mapping[str, RelayView]) -> bool:
        """A rig that this engine has not seen yet may still come: its alerts stay as an earlier run left them."""
        rig = alert.device.partition("/")[0]
        if alert.rule not in _RULES or rig not in self._known:
            return False
        return rig not in running or not meant(alert, running[rig])


def _away_s(before: Seen, board: BoardView, elapsed_s: float) -> float:
    """A board that is found and lost again and again is away all that time; whether it mines, a share shows."""
    if board.state in _IDLE:
        return 0.0
    passed_s = elapsed_s if board.state is BoardState.AWAY else 0.0
    return before.away_s.get(board.name, 0.0) + passed_s


def _silent_s(before: Seen, view: RelayView, elapsed_s: float) -> float:
    """Boards that are away say so themselves: their time does not count, and does not begin anew either."""
    states = {board.state for board in view.boards} - set(_IDLE)
    if not states:
        return 0.0
    return before.silent_s + (elapsed_s if states != {BoardState.AWAY} else 0.0)


# What to do comes before the reason, which may be long: lists cut the end off.


def _of_board(rig: str, board: BoardView, now: Seen, paid: bool) -> Iterator[Signal]:
    device, why = f"{rig}/{board.name}", board.why or "it does not say why"
    if paid:
        back = "back: its shares are accepted again"
        yield Signal("board-stopped", device, Severity.WARNING, back, False)
        yield Signal("board-away", device, Severity.WARNING, back, False)
    elif board.state is BoardState.STOPPED:
        text = f"stopped until you resume it (R in the tab of {rig}): {why}"
        yield Signal("board-stopped", device, Severity.WARNING, text, True)
    elif board.state is BoardState.AWAY and now.away_s[board.name] >= AWAY_S:
        text = f"away for {AWAY_S / 60:.0f} min; look at its cable and power, it mines again by itself: {why}"
        yield Signal("board-away", device, Severity.WARNING, text, True)


def _of_rig(rig: str, view: RelayView, silent_s: float, paid: bool) -> Iterator[Signal]:
    if paid:
        yield Signal("rig-silent", rig, Severity.CRITICAL, "back: its shares are accepted again", False)
    elif silent_s >= SILENT_S:
        boards = [board for board in view.boards if board.state not in (*_IDLE, BoardState.AWAY)]
        if not boards:
            return
        whose = f"{len(boards)} board{'s' * (len(boards) > 1)} that should mine"
        text = (
            f"no accepted share for {SILENT_S / 60:.0f} min from {whose}; look at network and pool, it goes on trying "
            f"by itself{_reason(boards, view)}"
        )
        yield Signal("rig-silent", rig, Severity.CRITICAL, text, True)


def _reason(boards: list[BoardView], view: RelayView) -> str:
    """What most of them say, else the first word about the rig."""
    whys = Counter(board.why for board in boards if board.why).most_common(1)
    said = whys[0][0] if whys else next(iter(view.words), "")
    return f": {said}" if said else ""
