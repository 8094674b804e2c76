"""``minertui config edit`` beside others that change the file, and with texts that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from minertui.config import load
from tests.cli.conftest import Run
from tests.cli.test_reading_commands import editor
from tests.engine.house import CONFIG


@pytest.fixture(autouse=True)
def copies_here(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(places))
    monkeypatch.setattr("tempfile.tempdir", None)


async def test_what_the_screen_saved_while_the_editor_was_open_is_not_undone(
    run: Run, places: Path, monkeypatch: pytest.MonkeyPatch
):
    file, meanwhile = places / "config.toml", places / "meanwhile.toml"
    file.write_text(CONFIG)
    meanwhile.write_text(f"{CONFIG}readonly = true\n")
    (places / "mine.toml").write_text(f"{CONFIG}pinned = true\n")
    script = places / "editor.sh"
    script.write_text(f"#!/bin/sh\ncp {places}/mine.toml $1\ncp {meanwhile} {file}\n")
    script.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(script))
    code, _, err = await run("config", "edit")
    assert (code, "was changed meanwhile" in err) == (1, True)
    assert load(file).miner[0].readonly
    [kept] = places.glob("minertui-config-*")
    assert "pinned = true" in kept.read_text()
    assert str(kept) in err


@pytest.mark.parametrize("left", ["printf '\\377' >", "rm"], ids=["no text", "no file"])
async def test_an_editor_that_leaves_no_text_changes_nothing(
    run: Run, places: Path, monkeypatch: pytest.MonkeyPatch, left: str
):
    file, script = places / "config.toml", places / "editor.sh"
    file.write_text(CONFIG)
    script.write_text(f"#!/bin/sh\n{left} $1\n")
    script.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(script))
    code, _, err = await run("config", "edit")
    assert (code, "the config is as it was" in err) == (1, True), err
    assert file.read_text() == CONFIG


async def test_a_config_that_is_no_text_is_said_in_a_sentence(run: Run, places: Path, monkeypatch: pytest.MonkeyPatch):
    file = places / "config.toml"
    file.write_bytes(b"\xff\xfe")
    monkeypatch.setenv("VISUAL", editor(places, CONFIG))
    assert await run("config", "edit") == (1, "", f"minertui: {file}: is not UTF-8 text; save it as UTF-8\n")
