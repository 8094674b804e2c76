from __future__ import annotations

import pytest

from minertui.tui.dialogs.fields import Choice, Invalid, Number, Words, ordered

MHZ = Number("mhz", "Frequency", "MHz", lowest=400, highest=600)


@pytest.mark.parametrize(("text", "value"), [("525", 525), (" 490,25 ", 490.25), ("400", 400), ("600.0", 600)])
def test_numbers_are_read_with_point_or_comma(text: str, value: float) -> None:
    assert MHZ.read(text) == value


@pytest.mark.parametrize("text", ["", "x", "399", "601", "nan", "inf", "-525", "5 25", "1e999"])
def test_what_is_no_number_in_range_is_said_in_one_sentence(text: str) -> None:
    with pytest.raises(Invalid) as wrong:
        MHZ.read(text)
    assert wrong.value.field_id == "mhz"
    assert wrong.value.sentence == "Frequency must be a number from 400 to 600 MHz."


def test_whole_optional_and_open_ended_numbers() -> None:
    whole = Number("n", "Points", lowest=1, whole=True, optional=True)
    assert whole.read("") is None
    assert whole.read("7") == 7
    assert isinstance(whole.read("7"), int)
    with pytest.raises(Invalid, match="Points must be a whole number of at least 1 or empty"):
        whole.read("7.5")


@pytest.mark.parametrize(("value", "text"), [(None, ""), (525.0, "525"), (490.25, "490.25"), (1150, "1150"), (0, "0")])
def test_numbers_are_shown_without_needless_decimals_and_come_back(value: float | None, text: str) -> None:
    field = Number("x", "X", optional=True)
    assert field.show(value) == text
    assert field.read(field.show(value)) == value


def test_words_are_stripped_bounded_and_hold_no_control() -> None:
    name = Words("name", "Name", longest=8)
    assert name.read("  attic ") == "attic"
    for text in ("", "   ", "much too long", "a\x1b[2J", "a\u202eb"):
        with pytest.raises(Invalid, match="Name must"):
            name.read(text)
    assert Words("x", "X", optional=True).read("") == ""


def test_yes_and_no_are_true_and_false() -> None:
    field = Choice("x", "X")
    assert [field.show(v) for v in (True, False)] == ["yes", "no"]
    assert [field.read(t) for t in ("yes", "no")] == [True, False]
    assert Choice("x", "X", choices=("a", "b")).read("b") == "b"
    assert Choice("x", "X", choices=("a", "b")).show("gone") == "a"


def test_ends_must_be_in_order_where_both_are_known() -> None:
    ordered({"a": 1, "b": None}, ("a", "b", "never"))
    ordered({"a": 1, "b": 1}, ("a", "b", "never"))
    with pytest.raises(Invalid, match="wrong way round"):
        ordered({"a": 2, "b": 1}, ("a", "b", "wrong way round"))
