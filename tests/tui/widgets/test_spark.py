from __future__ import annotations

from minertui.tui.widgets.glyphs import ASCII, UNICODE
from minertui.tui.widgets.spark import spark


def test_steady_values_are_a_high_even_line() -> None:
    assert len(set(spark([1000.0] * 60, 30, UNICODE))) == 1


def test_a_fall_is_seen_and_the_newest_is_at_the_right() -> None:
    signs = spark([100.0] * 10 + [0.0] * 2, 6, ASCII)
    assert signs[0] == ASCII.ramp[-1]
    assert signs[-1] == ASCII.ramp[1]


def test_few_values_stand_at_the_right_edge() -> None:
    assert spark([5.0, 5.0], 4, ASCII) == "  @@"
    assert spark([5.0, 5.0], 3, UNICODE).startswith("  ")


def test_a_gap_is_a_blank_and_nothing_known_is_all_blank() -> None:
    assert spark([1.0, None, 1.0], 3, ASCII) == "@ @"
    assert spark([], 5, UNICODE) == "     "
    assert spark([None, None], 5, ASCII) == "     "
    assert spark([1.0], 0, UNICODE) == ""


def test_zero_all_the_time_is_the_floor() -> None:
    assert spark([0.0] * 4, 4, ASCII) == "...."
