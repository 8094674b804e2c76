"""What a rig that nobody looks at says by itself, and what it does not make an alarm of."""

from __future__ import annotations

from msgspec.structs import replace

from minertui.engine.alert_rules import RULES
from minertui.engine.alerts import Alerts
from minertui.engine.rig_alerts import AWAY_S, LOOK_S, SILENT_S, RigAlerts
from minertui.model.alerts import Alert, Severity
from minertui.model.events import AlertRaised, Event
from minertui.model.fleet import Fleet
from minertui.model.plans import JobState, Phase
from minertui.model.relay import BoardPlan, BoardState, BoardStats, BoardView, RelayPlan, RelayView
from tests.engine.test_alerts import Clocked

GREETED, HASHING, AWAY, STOPPED = BoardState.DISCONNECTED, BoardState.HASHING, BoardState.AWAY, BoardState.STOPPED


class Rig:
    """A rig ``attic`` that is looked at. ``told``: what a person is sent; ``book``: what is on."""

    def __init__(self, *boards: str) -> None:
        self.clock, self.fleet = Clocked(), Fleet()
        self.told: list[tuple[str, str, bool]] = []
        self.texts: list[str] = []
        self.book: dict[str, Alert] = {}
        self.alerts = Alerts(self.clock, lambda: self.fleet, self._published, self._tell)
        self.rigs = RigAlerts(self.clock, lambda: self.fleet, self.alerts)
        self.boards = {name: BoardView(BoardPlan(name, "serial:/dev/x"), HASHING) for name in boards}
        self.phase, self.since_s = Phase.RUNNING, 1.0
        self.words: tuple[str, ...] = ()
        self.pays = True

    def _published(self, event: Event) -> None:
        assert isinstance(event, AlertRaised)
        self.book[event.alert.id] = event.alert

    def _tell(self, alert: Alert) -> None:
        self.told.append((alert.rule, alert.device, alert.active))
        self.texts.append(alert.text)

    @property
    def on(self) -> list[str]:
        return [alert.id for alert in self.book.values() if alert.active]

    def set(self, name: str, state: BoardState, why: str = "") -> None:
        self.boards[name] = replace(self.boards[name], state=state, why=why)

    def passes(self, seconds: float) -> None:
        """Look as often as the engine does; boards that hash get a share each time if the pool pays."""
        for _ in range(int(seconds / LOOK_S)):
            self.clock.t += LOOK_S
            self.see()

    def see(self) -> None:
        for name, board in self.boards.items():
            if board.state is HASHING and self.pays:
                self.boards[name] = replace(board, stats=BoardStats(good=board.stats.good + 1))
        view = RelayView(RelayPlan("attic"), tuple(self.boards.values()), words=self.words)
        self.fleet = self.fleet.with_job(JobState("relay:attic", "attic", self.phase, view, since_s=self.since_s))
        self.rigs.look()


def test_a_rig_that_works_says_nothing():
    rig = Rig("one", "two")
    rig.passes(3600)
    assert rig.book == {}


def test_a_stopped_board_is_told_once_with_what_to_do_and_its_return():
    rig = Rig("one", "two")
    rig.set("one", STOPPED, "the pool refused 3 shares in a row: BAD")
    rig.passes(3600)
    assert rig.texts == ["stopped until you resume it (R in the tab of attic): the pool refused 3 shares in a row: BAD"]
    rig.set("one", BoardState.REQUESTED)
    rig.passes(60)
    assert rig.on == ["board-stopped:attic/one"], "to be resumed proves nothing"
    rig.set("one", HASHING)
    rig.passes(60)
    assert rig.told == [("board-stopped", "attic/one", True), ("board-stopped", "attic/one", False)]
    assert rig.texts[-1] == "back: its shares are accepted again"


def test_a_board_is_away_only_after_five_minutes():
    rig = Rig("one", "two")
    rig.passes(60)
    rig.set("two", AWAY, "/dev/x is not there")
    rig.passes(AWAY_S - LOOK_S)
    assert rig.told == []
    rig.passes(LOOK_S)
    assert rig.told == [("board-away", "attic/two", True)]
    assert rig.texts == ["away for 5 min; look at its cable and power, it mines again by itself: /dev/x is not there"]
    rig.alerts.acknowledge("board-away:attic/two")
    rig.passes(3600)
    assert rig.book["board-away:attic/two"].acknowledged
    rig.set("two", HASHING)
    rig.passes(LOOK_S)
    assert rig.told[1:] == [("board-away", "attic/two", False)]


def test_a_board_that_hangs_anew_whenever_it_was_found_is_away():
    rig = Rig("one", "two")
    for _ in range(int(AWAY_S / LOOK_S)):
        rig.set("two", AWAY, "it does not answer")
        rig.passes(LOOK_S)
        rig.set("two", BoardState.JOB)
        rig.passes(LOOK_S)
    rig.set("two", AWAY, "it does not answer")
    rig.passes(LOOK_S)
    assert rig.on == ["board-away:attic/two"]


def test_a_board_with_a_loose_plug_that_mines_in_between_is_no_alarm():
    rig = Rig("one", "two")
    for _ in range(10):
        rig.set("two", AWAY, "it does not answer")
        rig.passes(AWAY_S - LOOK_S)
        rig.set("two", HASHING)
        rig.passes(LOOK_S)
    assert rig.told == []


def test_a_rig_without_a_share_for_ten_minutes_is_critical():
    rig = Rig("one", "two")
    rig.passes(60)
    for name in rig.boards:
        rig.set(name, GREETED, "pool.example:6000 does not answer")
    rig.passes(SILENT_S - LOOK_S)
    assert rig.told == []
    rig.passes(LOOK_S)
    assert rig.texts == [
        "no accepted share for 10 min from 2 boards that should mine; look at network and pool, it goes on trying by "
        "itself: pool.example:6000 does not answer"
    ]
    assert rig.book["rig-silent:attic"].severity is Severity.CRITICAL
    rig.set("two", HASHING)
    rig.passes(3600)
    assert rig.told == [("rig-silent", "attic", True), ("rig-silent", "attic", False)]


def test_a_start_has_ten_minutes_and_then_says_what_it_waits_for():
    rig = Rig("one")
    rig.set("one", GREETED)
    rig.words = ("the mining key cannot be checked: no network",)
    rig.see()
    rig.passes(SILENT_S - LOOK_S)
    rig.since_s = 2.0  # a person started it anew
    rig.passes(SILENT_S)
    assert rig.told == []
    rig.passes(LOOK_S)
    assert "from 1 board that should mine; look" in rig.texts[0]
    assert rig.texts[0].endswith("by itself: the mining key cannot be checked: no network")


def test_boards_that_rest_are_no_alarm_however_long():
    for state in (BoardState.PAUSED, BoardState.LIMIT, BoardState.HOT):
        rig = Rig("one")
        rig.passes(60)
        rig.set("one", state)
        rig.passes(3600)
        rig.set("one", GREETED)
        rig.passes(SILENT_S - LOOK_S)
        assert rig.told == [], f"{state}: its ten minutes begin anew"


def test_boards_that_are_all_away_say_so_themselves():
    rig = Rig("one")
    rig.set("one", AWAY, "it does not answer")
    rig.passes(3600)
    assert rig.told == [("board-away", "attic/one", True)]


def test_an_engine_that_stood_still_invents_no_time():
    rig = Rig("one")
    rig.pays = False
    rig.see()
    rig.clock.t += 86400
    rig.see()
    rig.passes(SILENT_S - 3 * LOOK_S)
    assert rig.told == []
    rig.passes(2 * LOOK_S)
    assert rig.on == ["rig-silent:attic"]


def test_sums_that_begin_anew_are_no_lost_shares():
    rig = Rig("one")
    for _ in range(100):
        rig.boards["one"] = replace(rig.boards["one"], stats=BoardStats())
        rig.passes(2 * LOOK_S)
    assert rig.told == []


def test_what_a_person_orders_ends_an_alert_without_a_word():
    for order in ("pause", "drop", "stop", "forget"):
        rig = Rig("one", "two")
        rig.set("one", AWAY, "it does not answer")
        rig.passes(AWAY_S + LOOK_S)
        assert rig.on == ["board-away:attic/one"]
        if order == "pause":
            rig.set("one", BoardState.PAUSED)
        elif order == "drop":
            del rig.boards["one"]
        elif order == "stop":
            rig.phase = Phase.STOPPED
        rig.passes(LOOK_S)
        if order == "forget":
            rig.fleet = Fleet()
            rig.rigs.look()
        assert rig.on == [], order
        assert len(rig.told) == 1, order


def test_a_silent_rig_that_a_person_pauses_is_over_without_a_word():
    rig = Rig("one")
    rig.set("one", GREETED)
    rig.passes(SILENT_S + 2 * LOOK_S)
    rig.set("one", BoardState.PAUSED)
    rig.passes(LOOK_S)
    assert (rig.on, len(rig.told)) == ([], 1)


def test_what_was_on_before_a_restart_waits_for_its_rig_and_is_not_told_again():
    kept = Alert("board-away:attic/one", "board-away", "attic/one", Severity.WARNING, "away", 1.0, acknowledged=True)
    other = replace(kept, id="lost:garage", rule="lost", device="garage")
    rig = Rig("one")
    rig.alerts.restore([kept, other], {"attic/one", "garage"})
    rig.rigs.look()
    assert rig.on == [kept.id, other.id], "its rig has not been started yet"
    rig.set("one", AWAY, "it does not answer")
    rig.passes(AWAY_S + LOOK_S)
    assert rig.told == []
    rig.set("one", HASHING)
    rig.passes(LOOK_S)
    assert rig.told == [("board-away", "attic/one", False)]
    assert rig.on == [other.id], "a miner's alert is none of the rigs' business"


def test_the_rules_are_described():
    assert {"board-stopped", "board-away", "rig-silent"} <= set(RULES)
