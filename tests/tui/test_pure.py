"""The parts of the screen that need no screen: order, sums, time spans, options, words, facts."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from minertui.model.fleet import EMPTY, Fleet, Health, Snapshot
from minertui.model.plans import Phase
from minertui.model.status import MinerStatus
from minertui.tui.feed import Picture
from minertui.tui.options import TERMINALS_OWN, Options, for_terminal
from minertui.tui.order import GROUPS, Order, arranged, group_of, matches, natural
from minertui.tui.printable import PrintableOnly, printable
from minertui.tui.screens.bars import header_spans
from minertui.tui.tabs import miner_facts
from minertui.tui.tabs.timespan import DAY, HOUR, MINUTE, SPANS_S, Timespan
from minertui.tui.totals import totals
from minertui.tui.words import clock_text, moment_text
from tests.tui import pictures

FLEET = pictures.normal()


class TestOrder:
    def test_numbers_in_names_count_as_numbers(self):
        names = ["rig-10", "rig-2", "Rig-1", "a"]
        assert sorted(names, key=natural) == ["a", "Rig-1", "rig-2", "rig-10"]

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("attic", {"attic-1", "attic-2", "attic-3"}),
            ("gamma !attic", {"cellar-1", "garage-2", "office", "lab-gamma"}),
            ("sweep", {"lab-gamma"}),
            ("NERD attic", {"attic-3"}),
            ("attic !2", {"attic-1", "attic-3"}),
            ("!ok", set()),
            ("!", set(FLEET.snapshots)),
            ("nowhere", set()),
        ],
    )
    def test_filter(self, words, expected):
        assert set(arranged(FLEET, Order(words=words))) == expected

    def test_health_is_found_by_its_word(self):
        assert arranged(pictures.error(), Order(words="lost")) == ("attic-1",)

    def test_numbers_sort_and_unknown_is_last_both_ways(self):
        fleet = pictures.error()  # attic-3 and office have no status
        for descending in (False, True):
            rows = arranged(fleet, Order(column="chip_temp_c", descending=descending))
            known = [s.chip_temp_c for r in rows if (s := fleet.snapshots[r].status) and s.chip_temp_c is not None]
            assert known == sorted(known, reverse=descending)
            assert set(rows[-3:]) == {"attic-3", "office", "shed-1"}

    @pytest.mark.parametrize("column", ["state", "word", "model", "age", "job", "spark", "rejected_pct", "no-such"])
    def test_every_column_orders_all_rows(self, column):
        assert set(arranged(pictures.error(), Order(column=column))) == set(FLEET.snapshots)

    def test_state_puts_trouble_first(self):
        rows = arranged(pictures.error(), Order(column="state"))
        assert rows[0] == "garage-1"  # parked
        assert pictures.error().snapshots[rows[-1]].health is Health.OK

    @pytest.mark.parametrize("group", GROUPS)
    def test_groups_stay_together(self, group):
        rows = arranged(FLEET, Order(column="power_w", group=group))
        found = [group_of(FLEET.snapshots[r], group) for r in rows]
        assert len([n for n, name in enumerate(found) if n == 0 or found[n - 1] != name]) == len(set(found))

    def test_without_tags(self):
        assert group_of(Snapshot("a"), "tag") == "untagged"
        assert matches(EMPTY, Snapshot("a"), "")


class TestTotals:
    def test_only_what_is_believed_counts(self):
        sums = totals(pictures.error().snapshots.values())
        assert (sums.count, sums.ok, sums.lost, sums.refused, sums.strangers) == (12, 6, 1, 1, 1)
        fresh = [s for s in pictures.error().snapshots.values() if s.health in (Health.OK, Health.STALE, Health.PARKED)]
        assert sums.hashrate_ghs == pytest.approx(sum(s.status.hashrate_ghs for s in fresh if s.status))

    def test_nothing_is_unknown_and_not_zero(self):
        sums = totals([Snapshot("a")])
        assert (sums.hashrate_ghs, sums.power_w, sums.efficiency_jth) == (None, None, None)

    def test_efficiency_is_over_those_that_report_both(self):
        one = Snapshot("a", health=Health.OK, status=MinerStatus(hashrate_ghs=1000, power_w=20))
        two = Snapshot("b", health=Health.OK, status=MinerStatus(hashrate_ghs=1000))
        assert totals([one, two]).efficiency_jth == pytest.approx(20)
        assert totals([one, two]).hashrate_ghs == 2000


class TestTimespan:
    def test_from_a_minute_to_ninety_days_and_no_further(self):
        assert (SPANS_S[0], SPANS_S[-1]) == (MINUTE, 90 * DAY)
        span = Timespan()
        assert span.length_s == HOUR
        assert span.longer(-99).length_s == MINUTE
        assert span.longer(99).length_s == 90 * DAY
        assert len({Timespan(n).title for n in range(len(SPANS_S))}) == len(SPANS_S)

    def test_scrolls_back_by_half_and_never_beyond_now(self):
        span = Timespan().moved(-1)
        assert span.bounds(10_000.0) == (10_000.0 - 1.5 * HOUR, 10_000.0 - 0.5 * HOUR)
        assert not span.live
        assert span.moved(1).live
        assert span.moved(1).moved(1).bounds(10_000.0)[1] == 10_000.0
        assert span.now().live
        assert Timespan(9, 89 * DAY).moved(-1).back_s == 90 * DAY


class TestOptions:
    @pytest.mark.parametrize(
        ("environ", "theme", "ascii_"),
        [
            ({"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}, "dark", False),
            ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, TERMINALS_OWN, False),
            ({"TERM": "linux", "LANG": "de_DE.UTF-8"}, TERMINALS_OWN, True),
            ({"TERM": "xterm", "LANG": "de_DE.utf8"}, TERMINALS_OWN, False),
            ({"TERM": "xterm", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}, "dark", False),
            ({"TERM": "tmux-256color", "LANG": "C"}, "dark", True),
            ({"TERM": "tmux-256color", "LANG": "de_DE.ISO-8859-1"}, "dark", True),
            ({"TERM": "tmux-256color", "LANG": "C", "LC_ALL": "en_GB.UTF-8"}, "dark", False),
            ({"TERM": "tmux-256color", "NO_COLOR": ""}, "dark", False),
        ],
    )
    def test_the_terminal_decides(self, environ, theme, ascii_):
        got = for_terminal(Options(), environ)
        assert (got.theme, got.ascii) == (theme, ascii_)

    def test_a_wish_is_kept(self):
        got = for_terminal(Options(ascii=True, theme="light", no_color=False), {"TERM": "xterm-256color"})
        assert (got.theme, got.ascii, got.no_color) == ("light", True, False)


class TestPrintable:
    @given(st.text())
    def test_nothing_else_gets_through_and_the_width_stays(self, text):
        got = printable(text)
        assert got.isprintable()
        assert cell_len(got) == cell_len(text) or not text.isprintable()

    @pytest.mark.parametrize("text", pictures.PAYLOADS)
    def test_payloads(self, text):
        segments = PrintableOnly().apply([Segment(text), Segment("ok")], Color(0, 0, 0))
        assert all(s.text.isprintable() for s in segments)
        assert segments[1].text == "ok"

    def test_good_lines_are_not_touched(self):
        segments = [Segment("ok"), Segment("─●漢")]
        assert PrintableOnly().apply(segments, Color(0, 0, 0)) is segments


class TestWords:
    def test_times(self):
        assert clock_text(pictures.NOW_S) == "12:00:00"
        assert clock_text(None) == clock_text(0) == "—"
        assert moment_text(pictures.NOW_S - 60, pictures.NOW_S) == "11:59:00"
        assert moment_text(pictures.NOW_S - 86_400, pictures.NOW_S) == "19 Nov 12:00"
        assert moment_text(None, pictures.NOW_S) == "—"


class TestFacts:
    def test_what_is_unknown_is_a_dash_or_left_out(self):
        empty = Snapshot("a")
        assert dict(miner_facts.settings(empty)) == {"frequency": "—", "core": "—"}
        assert dict(miner_facts.identity(empty)) == {"address": "—"}
        assert dict(miner_facts.pool(empty))["pool"] == "—"

    def test_a_wallet_is_never_shown_whole(self):
        user = dict(miner_facts.pool(pictures.snapshot(0)))["user"]
        assert "…" in user
        assert "example" not in user

    def test_wanted_and_real_differ(self):
        assert dict(miner_facts.settings(pictures.snapshot(0)))["core"] == "1150 mV, really 1138"
        assert dict(miner_facts.settings(pictures.snapshot(0)))["frequency"] == "525 MHz"

    def test_jobs_say_how_they_go(self):
        fleet = pictures.normal()
        rows = miner_facts.jobs(fleet.jobs_of("lab-gamma"))
        assert ("best so far", "525 MHz 1125 mV: 1050 GH/s 15.2 J/TH") in rows
        over = [msgspec.structs.replace(job, phase=Phase.DONE) for job in fleet.jobs_of("lab-gamma")]
        assert ("best", "525 MHz 1125 mV: 1050 GH/s 15.2 J/TH") in miner_facts.jobs(tuple(over))
        assert ("last decision", "chip 66 °C over 65 °C: 575 → 525 MHz") in miner_facts.jobs(fleet.jobs_of("cellar-1"))

    def test_trouble_is_one_sentence(self):
        at = pictures.error().snapshots
        assert miner_facts.trouble(at["attic-1"]) == "no answer to three polls in a row"
        assert miner_facts.trouble(at["cellar-2"]) == ""
        faulty = msgspec.structs.replace(pictures.miner_status(0), power_fault="VIN low")
        assert miner_facts.trouble(msgspec.structs.replace(at["cellar-2"], status=faulty)) == "VIN low"
        assert miner_facts.trouble(Fleet().snapshots.get("x") or Snapshot("x")) == "unknown"


def test_the_header_says_that_a_screen_or_an_engine_is_read_only():
    free, watched = Picture(fleet=Fleet(), first=True), Picture(fleet=Fleet(readonly=True), first=True)
    said = {
        (readonly, n): "read-only" in "".join(span.text for span in header_spans(picture, False, 80, readonly)[1])
        for readonly in (False, True)
        for n, picture in enumerate((free, watched))
    }
    assert said == {(False, 0): False, (False, 1): True, (True, 0): True, (True, 1): True}


@pytest.mark.parametrize(("width", "efficiency"), [(80, False), (110, True)])
def test_the_header_names_who_is_away_in_the_words_of_their_rows_and_fits_the_smallest_screen(width, efficiency):
    left, _ = header_spans(Picture(fleet=pictures.error(), first=True), False, width)
    said = "".join(span.text for span in left)
    assert said.rstrip().endswith("6 of 12 ok  !! 1 lost, 1 refused, 1 stranger")
    assert len(said) <= width
    assert ("J/TH" in said) is efficiency
    one = Fleet().with_(msgspec.structs.replace(pictures.snapshot(0), health=Health.LOST)).with_(pictures.snapshot(1))
    assert "J/TH" in "".join(span.text for span in header_spans(Picture(fleet=one, first=True), False, width)[0])
    two = [msgspec.structs.replace(s, health=Health.STRANGER) for s in list(pictures.normal().snapshots.values())[:2]]
    well = header_spans(Picture(fleet=Fleet().with_(two[0]).with_(two[1]), first=True), False, width)[0]
    assert "".join(span.text for span in well).endswith("!! 2 strangers ")
