from __future__ import annotations

import pytest

from minertui.model.status import ChipStatus, MinerStatus
from minertui.tui.widgets.big_number import BigNumber
from minertui.tui.widgets.chips import ChipBars
from minertui.tui.widgets.facts import Facts
from minertui.tui.widgets.painted import Span
from minertui.tui.widgets.status_line import StatusLine, cut
from tests.tui import pictures
from tests.tui.widgets.stage import on_stage, text, widths


async def test_a_big_number_is_three_lines_high_and_one_where_there_is_no_room() -> None:
    big = BigNumber()
    async with on_stage(big, 60, 10):
        big.show("1.21", "TH/s", "of 1.25 expected")
        assert [len(x) > 5 for x in text(big)] == [True] * 4
        assert text(big)[2].endswith("TH/s")
        assert text(big)[3] == "of 1.25 expected"
        big.show("not a number", "", "")
        assert text(big)[0].startswith("not a number")
    async with on_stage(big := BigNumber(), 10, 10):
        big.show("1,234.56", "TH/s", "note")
        assert text(big)[0].startswith("1,234.56")
    async with on_stage(big := BigNumber(), 60, 10, ascii_only=True):
        big.show("1.21", "TH/s", "")
        assert text(big)[0] == "1.21 TH/s"


async def test_facts_stand_in_as_many_columns_as_there_is_room_for() -> None:
    rows = [("firmware", "2.14"), ("board", "601"), ("pool", "pool.example.org"), ("ip", "10.0.0.7")]
    for width, deep in ((40, 4), (80, 2), (160, 1)):
        async with on_stage(facts := Facts(), width, 10) as pilot:
            facts.show(rows)
            await pilot.pause()
            assert facts.size.height == deep
            assert all(value in " ".join(text(facts)) for _, value in rows)


async def test_facts_are_text_whatever_they_say() -> None:
    async with on_stage(facts := Facts(), 80, 40) as pilot:
        facts.show([(p, p) for p in pictures.PAYLOADS])
        await pilot.pause()
        assert widths(facts) == {80}
        assert "[@click=app.quit]x" in "".join(text(facts))


def board(*rates: float) -> MinerStatus:
    return MinerStatus(chips=tuple(ChipStatus(hashrate_ghs=r, errors=3, temp_c=55) for r in rates))


async def test_the_chip_that_is_weak_over_many_readings_is_marked_and_a_single_dip_is_not() -> None:
    async with on_stage(bars := ChipBars(), 80, 10) as pilot:
        for n in range(12):
            dipping = 150.0 if n == 11 else 310.0
            bars.show(board(300, dipping, 200, 300))
        await pilot.pause()
        lines = text(bars)
        assert [("!" in x) for x in lines[:4]] == [False, False, True, False]
        assert lines[1].count("━") < lines[0].count("━")  # the bar is the newest reading
        assert lines[4] == "weakest at 73 % of the mean"
        for status in (MinerStatus(mac="AA", chips=board(200, 300).chips), board(200, 300)):
            bars.show(status)
            await pilot.pause()
            assert not any("!" in x or "weakest" in x for x in text(bars))  # another board: nothing is known yet


@pytest.mark.parametrize("status", [None, MinerStatus(), MinerStatus(chips=(ChipStatus(),))])
async def test_chips_nobody_knows_are_drawn(status: MinerStatus | None) -> None:
    async with on_stage(bars := ChipBars(), 60, 10) as pilot:
        bars.show(status)
        await pilot.pause()
        assert ("AxeOS 2.11" in text(bars)[0]) is (status is None or not status.chips)


async def test_chips_of_a_miner_that_is_away_are_dimmed() -> None:
    bars, reading = ChipBars(), MinerStatus(chips=(ChipStatus(hashrate_ghs=300.0),))
    async with on_stage(bars, 60, 10):
        bars.show(reading)
        assert any(span.style.startswith("heat:") for span in bars.draw(60, 10)[0].spans)
        bars.show(reading, old=True)
        assert {span.style for span in bars.draw(60, 10)[0].spans} <= {"dim", "faint"}


async def test_a_status_line_drops_its_right_end_first_and_then_cuts() -> None:
    for width, expected in ((30, "left text" + " " * 16 + "right"), (12, "left text"), (7, "left t…")):
        async with on_stage(line := StatusLine(), width, 3):
            line.show((Span("left ", "bad"), Span("text")), "right")
            assert text(line) == [expected]


def test_what_is_cut_between_two_spans_says_so_too() -> None:
    assert cut((Span("left "), Span("text", "dim")), 5, "…") == [Span("left"), Span("…")]
    assert cut((Span("left "), Span("text", "dim")), 6, "…") == [Span("left "), Span("…")]
    assert cut((Span("left "), Span("text", "dim")), 9, "…") == [Span("left "), Span("text", "dim")]


async def test_of_several_words_at_the_right_the_first_go_first() -> None:
    async with on_stage(line := StatusLine(), 20, 3):
        line.show("left", (Span("signs explained  "), Span("name up", "dim")))
        assert text(line) == ["left" + " " * 9 + "name up"]
