"""What --help shows."""

from __future__ import annotations

import pytest

from minertui.cli.main import COMMANDS, parser
from minertui.cli.wording import told


def test_backticks_of_the_source_are_quotes_for_people():
    assert told("``minertui demo``: try ``b``.") == "“minertui demo”: try “b”."


def test_no_help_shows_markup(capsys: pytest.CaptureFixture[str]):
    for command in (*COMMANDS, "tune", "pools", "sim axeos"):
        if command in ("device_commands",):
            continue
        with pytest.raises(SystemExit):
            parser().parse_args([*command.split(), "--help"])
        shown = capsys.readouterr().out
        assert "``" not in shown, command
        assert "usage: minertui" in shown
