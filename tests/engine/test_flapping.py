"""What flaps is not told each time; what holds in the end is."""

from __future__ import annotations

from dataclasses import dataclass

from minertui.model.fleet import Health
from tests.engine.test_alerts import Book, Clocked, snap


def flapped(**options: tuple[str, ...]) -> Book:
    """Lost, back, and lost again within ten minutes."""
    book = Book(**options)  # type: ignore[arg-type]
    for health in (Health.LOST, Health.OK, Health.LOST):
        book.see(snap(health))
    return book


def told(book: Book) -> list[tuple[bool, int]]:
    return [(alert.active, alert.count) for alert in book.told]


def test_what_was_told_to_be_over_and_then_lasts_is_told_once_and_so_is_its_end():
    book = flapped()
    book.see(snap(Health.LOST), later=590)
    assert told(book) == [(True, 1), (False, 1)], "it may flap yet"
    for _ in range(5):
        book.see(snap(Health.LOST), later=60)
    assert told(book)[2:] == [(True, 2)]
    book.see(snap())
    assert told(book)[3:] == [(False, 2)]
    for health in (Health.LOST, Health.OK, Health.LOST, Health.OK):
        book.see(snap(health))
    assert len(book.told) == 4, "counted again"


def test_not_what_is_muted_or_what_a_person_has_seen():
    muted, seen = flapped(mute=("lost",)), flapped()
    seen.alerts.acknowledge("lost:a")
    for book in (muted, seen):
        book.see(snap(Health.LOST), later=3600)
    assert (told(muted), told(seen)) == ([], [(True, 1), (False, 1)])


@dataclass
class Set(Clocked):
    """Its wall can be set."""

    skew_s: float = 0.0

    def wall(self) -> float:
        return self.t + self.skew_s


def test_a_clock_that_is_set_back_keeps_nothing_from_being_told():
    clock = Set()
    book = Book(clock)
    for health in (Health.LOST, Health.OK, Health.LOST):
        book.see(snap(health))
    clock.skew_s = -86_400.0
    book.see(snap(Health.LOST), later=600)
    assert told(book) == [(True, 1), (False, 1), (True, 2)], "it has lasted for ten minutes, whatever the clock says"
    book.see(snap())
    clock.skew_s -= 86_400.0
    book.see(snap(Health.LOST), later=7200)
    assert told(book)[-1] == (True, 1), "hours later it is a new incident"


def test_a_best_difficulty_that_was_lost_and_found_is_no_news():
    book = Book()
    for best in (4e9, 5e9, 0.0, 5e9, 1e9, 5e9, 6e9):
        book.see(snap(best_diff=best), later=3600)
    assert [alert.text for alert in book.told] == ["new best difficulty 5G", "new best difficulty 6G"]
