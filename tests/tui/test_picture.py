"""The screen as a picture: a file of what is seen, without the palette that it was asked from."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.tui import pictures
from tests.tui.looking import looking


@pytest.mark.parametrize("keys", [["f12"], ["colon", *"svg", "enter"]], ids=["key", "palette"])
async def test_the_screen_is_saved_as_a_picture(
    keys: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with looking(pictures.hostile()) as seen:
        if len(keys) > 1:
            await seen.press(*keys[:-1])
            await seen.sees("Save the screen")
            keys = keys[-1:]
        await seen.press(*keys)
        await seen.toast("Saved in")
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("minertui-fleet-")
    assert file.suffix == ".svg"
    words = "".join(ElementTree.fromstring(file.read_text()).itertext()).replace("\xa0", " ")
    assert "minertui" in words
    assert "Filter" in words  # the footer
    assert "command, miner or theme" not in words


async def test_the_picture_of_a_miner_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with looking(pictures.normal()) as seen:
        await seen.press("enter")
        await seen.until(lambda: seen.pane.ready)
        await seen.press("f12")
        await seen.toast("Saved in")
    assert [file.name[:17] for file in tmp_path.iterdir()] == ["minertui-attic-1-"]
