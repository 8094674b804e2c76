from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from minertui.model.alerts import Severity
from minertui.model.events import LogLine
from minertui.tui.widgets.log_ring import Filter, LogRing


def said(*texts: str) -> list[LogLine]:
    return [LogLine("attic", text, float(n)) for n, text in enumerate(texts)]


def shown(ring: LogRing) -> list[str]:
    return [line.text for _, line in ring.some(ring.first, 10_000)]


def test_a_filter_wants_all_words_and_none_of_the_refused() -> None:
    line = LogLine("attic-1", "share ACCEPTED by pool", 0, Severity.WARNING)
    assert Filter("accepted attic")(line)
    assert Filter("warning")(line)
    assert Filter("")(line)
    assert Filter("!")(line)
    assert not Filter("accepted !pool")(line)
    assert not Filter("rejected")(line)


def test_the_oldest_are_dropped_and_counted() -> None:
    ring = LogRing(3)
    ring.add(said("a", "b", "c", "d", "e"))
    assert shown(ring) == ["c", "d", "e"]
    assert ring.dropped == 2
    assert (ring.first, ring.end) == (2, 5)


def test_numbers_stay_with_their_lines_while_others_are_dropped() -> None:
    ring = LogRing(4)
    ring.add(said("a", "b", "c", "d"))
    number = ring.find("c", -1)
    assert number == 2
    ring.add(said("e"))
    assert ring.some(number, 1)[0][1].text == "c"


def test_a_filter_shows_what_passes_and_forgets_nothing() -> None:
    ring = LogRing()
    ring.add(said("share", "noise", "share again"))
    ring.narrow("share")
    ring.add(said("noise", "third share"))
    assert shown(ring) == ["share", "share again", "third share"]
    ring.narrow("")
    assert len(ring) == 5


def test_finding_goes_round_both_ways() -> None:
    ring = LogRing()
    ring.add(said("x hit", "no", "y HIT", "no"))
    assert ring.find("hit", 0) == 2
    assert ring.find("hit", 2) == 0
    assert ring.find("hit", 2, back=True) == 0
    assert ring.find("hit", 0, back=True) == 2
    assert ring.find("nowhere", 0) is None


@given(st.lists(st.sampled_from(["share", "noise"]), max_size=60), st.integers(1, 20))
def test_a_ring_holds_the_newest_whatever_comes(texts: list[str], kept: int) -> None:
    ring = LogRing(kept)
    ring.narrow("share")
    ring.add(said(*texts))
    newest = texts[-kept:]
    assert shown(ring) == [t for t in newest if t == "share"]
    assert ring.dropped == max(0, len(texts) - kept)
    assert ring.total == len(newest)
