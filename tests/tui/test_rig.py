from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from rich.cells import cell_len

from minertui.model.alerts import Alert, Severity
from minertui.model.fleet import Fleet
from minertui.model.plans import Phase
from minertui.model.relay import (
    AddBoard,
    BoardStats,
    BoardView,
    DropBoard,
    LimitBoard,
    PauseBoard,
    RelayPlan,
    RelayView,
    ResetStats,
    ResumeBoard,
    stats_total,
)
from minertui.tui.commands import BY_ID, offered
from minertui.tui.options import Options
from minertui.tui.widgets.boards import STATISTICS, board_head, board_spans
from minertui.tui.widgets.glyphs import ASCII, UNICODE
from minertui.tui.widgets.share_time import bar, shares_of_time
from tests.tui import pictures, rigs
from tests.tui.looking import Looking, looking

PLACE = "rig:rig-42"


async def opened(seen: Looking, tab: str = PLACE) -> None:
    seen.app.desk.open_tab(tab)
    await seen.until(lambda: seen.pane.ready and seen.pane.place == "rig")
    await seen.pilot.pause()


@pytest.mark.parametrize("device", ["rig-42", "rig-42/board-3"])
async def test_enter_on_an_alert_of_a_rig_or_its_board_opens_the_rigs_tab(device: str) -> None:
    away = Alert(f"x:{device}", "x", device, Severity.CRITICAL, "away for 5 min: look at its cable", pictures.NOW_S)
    async with looking(msgspec.structs.replace(rigs.fleet(), alerts={away.id: away})) as seen:
        await seen.press("a")
        await seen.sees(f"{device}: away for 5 min")
        await seen.until(lambda: "Open rig" in seen.line(-1), "the footer")
        assert "Open miner" not in seen.text
        await seen.press("enter")
        await seen.until(lambda: seen.app.main.front == PLACE)


async def test_rigs_are_in_the_fleet_and_a_click_opens_their_tab() -> None:
    async with looking(rigs.fleet()) as seen:
        row = next(n for n, text in enumerate(seen.text.split("\n")) if "rig rig-42" in text)
        for part in ("running", "3 of 5 boards", "657 H/s", "DUCO/day"):
            assert part in seen.line(row)
        assert "rig bench" in seen.line(row - 1)
        assert "stopped" in seen.line(row - 1)
        await seen.pilot.click(offset=(10, row))
        await seen.until(lambda: seen.app.main.front == PLACE)
        await seen.until(lambda: seen.pane.ready)
        await seen.sees("where a share's time goes")
        seen.link.picture(pictures.normal())  # the rig was forgotten
        await seen.until(lambda: seen.app.main.front == "fleet")


async def test_the_tab_says_how_every_board_does_and_why_it_earns_little() -> None:
    async with looking(rigs.fleet(), size=(140, 40)) as seen:
        await opened(seen)
        text = seen.text
        for part in ("each is paid 94 % (kolka)", "board-0", "away", "K: hashing, i2c:1:20, atmega328p", "DUCOID303000",
                     "balance 1234.567891 DUCO", "! 9 workers are paid 90 %", "! it waits 41 % of its time",
                     "asking 21%", "calculation 51%", "last share 11:59:56: GOOD, nonce 476, 2.86 s"):  # fmt: skip
            assert part in text, part
        await seen.press("down", "down", "down")
        await seen.sees("! it does not answer on bus 1 address 23")
        await seen.press("i")
        await seen.sees("good, not paid" if seen.pane.scroll.size.height >= len(STATISTICS) + 2 else "shares good")
        await seen.sees("all boards: counts and sums added; a job, share or board and %: the mean")
        assert "whole rig" not in seen.text
        await seen.press("o")
        await seen.until(lambda: seen.pane.list.display)
        await seen.press("i", "escape")
        assert seen.pane.facet == "boards"


async def test_boards_are_told_what_the_keys_say() -> None:
    async with looking(rigs.fleet()) as seen:
        await opened(seen)
        await seen.press("down", "P", "R", "U", "C")
        await seen.press("n")
        await seen.sees("board-1: so many jobs, then rest")
        await seen.press("ctrl+a", "ctrl+k", *"250", "enter")
        await seen.until(lambda: len(seen.app.screen_stack) == 1)
        await seen.press("d")
        await seen.sees("Drop board-1")
        await seen.press("y")
        await seen.until(lambda: len(seen.app.screen_stack) == 1)
        await seen.press("u")
        await seen.sees("Reset rig-42")
        await seen.press("y")
        spare = rigs.view().plan.board[-1]
        wanted = [
            PauseBoard("board-1"), ResumeBoard("board-1"), ResetStats("board-1"), AddBoard(spare),
            LimitBoard("board-1", 250), DropBoard("board-1"), ResetStats(),
        ]  # fmt: skip
        await seen.until(lambda: len(seen.link.sent("steer")) == len(wanted))
        assert seen.link.sent("steer") == [("relay:rig-42", order) for order in wanted]
        await seen.press("l")
        await seen.toast("mine without end")
        assert [order for _, order in seen.link.sent("steer")][len(wanted) :] == [
            LimitBoard("board-1", None), ResumeBoard("board-4"),
        ]  # fmt: skip


async def test_a_rig_is_closed_after_a_question_and_started_without_one() -> None:
    async with looking(rigs.fleet()) as seen:
        await opened(seen)
        assert "s" not in {a.key for a in offered(seen.app.desk.at)}
        await seen.press("x")
        await seen.sees("5 boards stop mining")
        assert seen.link.sent("stop") == []
        await seen.press("y")
        await seen.until(lambda: seen.link.sent("stop") == ["relay:rig-42"])
        await opened(seen, "rig:bench")
        await seen.sees("bench has no board yet")
        await seen.press("s")
        await seen.until(lambda: seen.link.sent("start") == [RelayPlan(device="bench")])


async def test_a_readonly_screen_only_looks() -> None:
    async with looking(rigs.fleet(), options=Options(readonly=True)) as seen:
        await opened(seen)
        ids = {a.id for a in offered(seen.app.desk.at) if a.id.startswith("rig-")}
        assert ids == {"rig-overview", "rig-statistics", "rig-charts", "rig-balance", "rig-sort", "rig-export"}


@pytest.mark.parametrize("width", [20, 60, 78, 100, 140, 200])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_lines_of_boards_fit(width: int, glyphs) -> None:
    for name in ("b", *pictures.PAYLOADS):
        text = "".join(span.text for span in board_spans(rigs.board(1, name), glyphs, width))
        assert cell_len(text) <= width
    assert board_head(width)[0].text.startswith("  board")


@pytest.mark.parametrize("width", [1, 10, 37, 120])
def test_a_bar_is_as_wide_as_asked_and_its_parts_are_in_proportion(width: int) -> None:
    stats = rigs.stats(3)
    text = "".join(span.text for span in bar(stats, width, ASCII))
    assert len(text) == width
    assert sum(share for _, share in shares_of_time(stats)) == pytest.approx(1)
    if width == 120:
        assert text.count("C") == pytest.approx(120 * stats.calc_s / stats.share_s, abs=1)
        assert text.count("r") == pytest.approx(120 * stats.request_wait_s / stats.share_s, abs=1)
    assert "".join(span.text for span in bar(BoardStats(), width, ASCII)) == " " * width


def test_a_rigs_sums_are_those_of_its_boards() -> None:
    both = stats_total([rigs.stats(0), rigs.stats(1)])
    assert both.jobs == 617
    assert both.mean_hs == pytest.approx(460 / 2.1)
    assert stats_total([]) == BoardStats()


async def test_whatever_a_board_says_is_text() -> None:
    hostile = tuple(
        msgspec.structs.replace(rigs.board(n, p), what=p, chip=p, why=p, pool=p, words=(p,))
        for n, p in enumerate(pictures.PAYLOADS)
    )
    view = msgspec.structs.replace(rigs.view(), boards=hostile, words=pictures.PAYLOADS, pool=pictures.PAYLOADS[0])
    job = msgspec.structs.replace(rigs.job(), view=view, note=pictures.PAYLOADS[5])
    async with looking(pictures.normal().with_job(job), size=(120, 40)) as seen:
        await opened(seen)
        for key in ("down", "down", "i", "o", "question_mark"):
            await seen.press(key)
            assert all(c.isprintable() for c in seen.text.replace("\n", ""))
        assert seen.app.is_running


def test_states_of_a_view_that_nobody_filled_are_drawn() -> None:
    bare = BoardView(plan=rigs.board(0).plan)
    assert "—" in "".join(span.text for span in board_spans(bare, UNICODE, 120))
    fleet = Fleet().with_job(
        msgspec.structs.replace(rigs.job(), phase=Phase.WAITING, view=RelayView(RelayPlan("rig-42")))
    )
    assert fleet.jobs_of("rig-42")


async def test_charts_go_from_the_rig_to_each_board_and_back() -> None:
    async with looking(rigs.fleet(), size=(120, 50)) as seen:
        await opened(seen)
        await seen.press("v")
        await seen.sees("whole rig  1 hour")
        for title in ("Hashrate of a board in the mean", "A share's time in the mean", "Shares of all boards"):
            await seen.sees(title)  # what of a rig is a mean, and what a sum
        await seen.press("v")
        await seen.sees("board-0  1 hour")
        assert "in the mean" not in seen.text
        await seen.press("plus")
        await seen.sees("board-0  6 hours")
        await seen.press("v", "v", "v", "v")
        await seen.sees("board-4  6 hours")
        await seen.press("v")
        await seen.sees("whole rig  6 hours")
        asked = [device for device, *_ in seen.link.sent("history")]
        wanted = ["rig-42", "rig-42/board-0", "rig-42/board-0", *(f"rig-42/board-{n}" for n in (1, 2, 3, 4)), "rig-42"]
        assert asked[-len(wanted) :] == wanted
        await seen.press("escape")
        assert seen.pane.facet == "boards"


async def test_the_account_is_a_table_a_chart_and_every_miner_of_the_user() -> None:
    async with looking(rigs.fleet(), size=(160, 50)) as seen:
        await opened(seen)
        await seen.press("b")
        await seen.sees("3 miners of somebody at the server, by rig")
        for part in ("total mDUCO", "53.310", "37.420", "53.88", "51.20", "Pace 53.88 DUCO/day", "shed", "temp:31.0"):
            assert part in seen.text, part
        rows = [text.split()[0] for text in seen.text.split("\n") if "AVR Miner" in text]
        assert rows == ["rig-42", "rig-42", "shed"]
        await seen.press("S")
        await seen.sees("by good")
        rows = [text.split()[1] for text in seen.text.split("\n") if "AVR Miner" in text]
        assert rows == ["900", "308", "—"]


async def test_the_rig_is_exported_with_its_boards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with looking(rigs.fleet()) as seen:
        await opened(seen)
        await seen.press("e")
        await seen.toast("Saved")
        names = sorted(path.name for path in tmp_path.glob("*.csv"))
        assert len(names) == 6
        assert names[0].startswith("minertui-rig-42-")
        assert names[1].startswith("minertui-rig-42_board-0-")


async def test_rigs_are_a_group_of_their_own() -> None:
    async with looking(rigs.fleet(), size=(140, 50)) as seen:
        await seen.press("v", "v")
        await seen.sees("DUCO rig (2)")
        assert "3/5 mine" in seen.text


async def test_a_board_is_told_nothing_by_a_key_that_comes_after_its_tab_was_left() -> None:
    """On a busy computer the next key can be read before an action begins: it must neither end the screen nor go to
    whatever is in front then."""
    async with looking(rigs.fleet()) as seen:
        await opened(seen)
        seen.app.perform(BY_ID["rig-pause"])
        seen.app.desk.open_tab("fleet")
        await seen.until(lambda: any("was left out" in toast.message for toast in seen.app._notifications))
        assert seen.link.sent("steer") == []
        assert seen.app.is_running
        await opened(seen)
        seen.app.perform(BY_ID["rig-pause"])
        await seen.until(lambda: seen.link.sent("steer") != [])
