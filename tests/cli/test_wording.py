"""What --help shows."""

from __future__ import annotations

import pytest

from minertui.cli.main import COMMANDS, parser
from minertui.cli.wording import Paragraphs, told, wrapped


def test_backticks_of_the_source_are_quotes_for_people():
    assert told("``minertui demo``: try ``b``.") == "“minertui demo”: try “b”."


ALL = ("tune", "fan", "pools", "restart", "pause", "resume", "identify", "sim axeos", "sim duco", "duco balance")


def test_no_help_shows_markup_or_is_wider_than_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    whole = parser()
    for command in (*COMMANDS, *ALL, ""):
        if command == "device_commands":
            continue
        with pytest.raises(SystemExit):
            whole.parse_args([*command.split(), "--help"])
        shown = capsys.readouterr().out
        assert "``" not in shown, command
        assert "usage: minertui" in shown
        assert [line for line in shown.splitlines() if len(line) > 80] == [], command


def test_a_word_longer_than_a_line_stays_whole_and_wide_letters_count_twice():
    address = "http://192.168.1.40/api/system/info"
    assert wrapped(f"ask {address} now", 20, 4) == f"ask\n    {address}\n    now"
    assert wrapped("矿机 矿机 矿机", 10, 2) == "矿机 矿机\n  矿机"
    assert wrapped("a  b", 10, 2) == "a  b"
    assert wrapped("one two\n  three four", 9, 2) == "one two\n  three\n  four", "a line that ends stays ended"
    green = "\033[32mone two three\033[0m"
    assert wrapped(green, 9, 2) == "\033[32mone two\n  three\033[0m", "a colour takes no room"


def test_examples_of_a_help_stay_lines_of_their_own():
    text = "One two\nthree.\n\n    an example\n      of two lines\nfour five\n"
    shown = Paragraphs("x", width=14)._fill_text(text, 12, "")
    assert shown == "One two\nthree.\n\n    an example\n      of two lines\nfour five"
