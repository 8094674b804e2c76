from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from minertui.model.metrics import BY_ID
from minertui.tui.widgets.glyphs import ASCII, UNICODE, plain
from minertui.tui.widgets.wording import count, duration, fit, fit_ends, hashrate, metric_text, number, terahash
from tests.tui import pictures


@given(st.text(max_size=40), st.integers(0, 30), st.booleans())
def test_fit_fills_exactly_its_cells_and_holds_no_control(text: str, width: int, right: bool) -> None:
    shown = fit(text, width, right=right)
    assert cell_len(shown) == width
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(max_size=40).map(lambda t: fit(t, 20)))
def test_plain_text_is_ascii_of_the_same_width(text: str) -> None:
    assert plain(text).isascii()
    assert len(plain(text)) == cell_len(text)


@given(st.text(max_size=40), st.integers(0, 30))
def test_fit_ends_fills_exactly_its_cells(text: str, width: int) -> None:
    assert cell_len(fit_ends(text, width)) == width


def test_a_name_is_cut_in_its_middle() -> None:
    assert fit_ends("sweep:sim-gamma-7004", 15) == "sweep:s…ma-7004"
    assert fit_ends("garage", 8) == "garage  "


def test_what_is_cut_says_so() -> None:
    assert fit("bitaxe-in-the-attic", 10) == "bitaxe-in…"
    assert fit("bitaxe", 8, right=True) == "  bitaxe"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (None, 1, "—"),
        (float("nan"), 1, "—"),
        (float("inf"), 0, "—"),
        (-0.04, 1, "0.0"),
        (1.25, 1, "1.2"),
        (-3, 0, "-3"),
    ],
)
def test_number(value: float | None, digits: int, text: str) -> None:
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("ghs", "shown"),
    [(None, ("—", "TH/s")), (0, ("0", "GH/s")), (512.4, ("512", "GH/s")), (1210, ("1.21", "TH/s")),
     (2_500_000, ("2.50", "PH/s"))],
)  # fmt: skip
def test_hashrate_gets_the_unit_of_its_size(ghs: float | None, shown: tuple[str, str]) -> None:
    assert hashrate(ghs) == shown


def test_terahash_is_one_unit_for_all() -> None:
    assert [terahash(v) for v in (None, 512, 1210, 123_456, 1_234_567)] == ["—", "0.51", "1.21", "123.5", "1235"]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "—"), (0, "0"), (9999, "9999"), (12_300, "12.3k"), (999_960, "1.0M"), (4.7e6, "4.7M")]
)
def test_count_has_at_most_five_characters(value: float | None, text: str) -> None:
    assert count(value) == text
    assert len(text) <= 5


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "—"),
        (0, "0s"),
        (59.4, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (11_100, "3h05"),
        (187_200, "2d04h"),
        (-5, "0s"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_metrics_wear_the_unit_that_suits_them() -> None:
    status = pictures.miner_status(0)
    assert metric_text(BY_ID["hashrate_ghs"], status) == ("1.04", "TH/s")
    assert metric_text(BY_ID["chip_temp_c"], status) == ("52.0", "°C")
    assert metric_text(BY_ID["chip_temp_c"], None) == ("—", "°C")


def test_both_sets_of_glyphs_have_signs_of_one_cell() -> None:
    assert all(getattr(ASCII, f).isascii() for f in ASCII.__struct_fields__ if f != "ascii")
    for glyphs in (ASCII, UNICODE):
        for name in ("good", "lost", "bar", "half", "track", "tick", "hard", "axis", "best", "ellipsis", "thumb"):
            assert cell_len(getattr(glyphs, name)) == 1, name
