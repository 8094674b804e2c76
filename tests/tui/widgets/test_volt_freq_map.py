from __future__ import annotations

from minertui.model.plans import Goal, PointVerdict, SweepPoint
from minertui.tui.widgets.volt_freq_map import VoltFreqMap
from tests.tui import pictures
from tests.tui.widgets.stage import on_stage, text, widths

POINTS = pictures.sweep_points(11)


async def test_points_stand_at_their_voltage_and_frequency_with_the_best_marked() -> None:
    board = VoltFreqMap()
    async with on_stage(board, 80, 7):
        board.show(POINTS, Goal.EFFICIENCY, best=POINTS[0], now=(525, 1150))
        lines = text(board)
        assert [x.split()[0] for x in lines[:3]] == ["1150", "1125", "1100"]
        assert "14.7★" in lines[2]
        assert lines[0].split()[-4] == ">"
        assert lines[3].split()[1:] == ["500", "525", "550", "575", "600"]


async def test_what_failed_says_why_by_sign_and_has_no_value() -> None:
    points = [
        SweepPoint(n, 500.0 + 5 * n, 1100, verdict, hashrate_ghs=1000.0) for n, verdict in enumerate(PointVerdict)
    ]
    board = VoltFreqMap()
    async with on_stage(board, 80, 5):
        board.show(points, Goal.HASHRATE)
        assert text(board)[1].split()[-5:] == ["1.00", "~", "x", "?", "?"]


async def test_without_colours_the_legend_has_no_scale_of_them() -> None:
    board = VoltFreqMap()
    async with on_stage(board, 80, 7) as pilot:
        board.show(POINTS, Goal.HASHRATE)
        assert any(x.startswith("TH/s worst " + " " * 10 + " best  ★ best") for x in text(board))
        pilot.app.add_class("-no-color")
        board.show(POINTS, Goal.HASHRATE)
        assert any(x.startswith("TH/s where it passed  ★ best  x limit  ~ unstable") for x in text(board))


async def test_better_is_another_colour_and_the_goal_turns_it() -> None:
    board = VoltFreqMap()
    async with on_stage(board, 80, 7):
        grounds = {}
        for goal in Goal:
            board.show(POINTS, goal)
            row = board.render_line(2)
            grounds[goal] = [s.style.bgcolor for s in row if s.style and "." in s.text]
        assert grounds[Goal.HASHRATE] != grounds[Goal.EFFICIENCY]


async def test_a_large_sweep_is_cut_around_what_matters() -> None:
    points = [SweepPoint(n, 400.0 + 5 * (n % 100), 1000 + 5 * (n // 100), PointVerdict.PASSED, hashrate_ghs=900.0 + n)
              for n in range(4000)]  # fmt: skip
    board = VoltFreqMap()
    async with on_stage(board, 60, 12):
        board.show(points, Goal.HASHRATE, chosen=points[2050])
        assert widths(board) == {60}
        assert "<" in "".join(text(board))
        assert "650" in text(board)[-2]


async def test_nothing_measured_is_said_and_room_is_used() -> None:
    board = VoltFreqMap()
    async with on_stage(board, 120, 24):
        board.show((), Goal.HASHRATE)
        assert text(board)[0] == "no point measured yet"
        board.show(POINTS, Goal.HASHRATE)
        assert sum("│" in x for x in text(board)) == 9  # three lines a voltage


async def test_ascii_is_ascii() -> None:
    board = VoltFreqMap()
    async with on_stage(board, 60, 12, ascii_only=True):
        board.show(POINTS, Goal.HASHRATE, best=POINTS[1], chosen=POINTS[1], now=(620, 1175))
        assert all(x.isascii() for x in text(board))
        assert "*<" in "".join(text(board))
