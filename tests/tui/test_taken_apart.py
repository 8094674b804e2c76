"""What comes while the screen is taken apart harms nothing: a picture of the engine, an answer that was asked for."""

from __future__ import annotations

import pytest

from minertui.tui.feed import PictureTaken
from tests.tui import pictures
from tests.tui.looking import Looking, looking


def in_pieces(monkeypatch: pytest.MonkeyPatch, seen: Looking, late) -> None:
    """Do this when all that is in the tab's body is gone already, and the screen around it is not."""
    detach = seen.pane._detach

    def detached() -> None:
        late()
        detach()

    monkeypatch.setattr(seen.pane, "_detach", detached)


@pytest.mark.parametrize("key", list("12wal"))
async def test_a_picture(monkeypatch, key: str):
    came = []
    async with looking(pictures.normal()) as seen:
        await seen.press(key)
        await seen.until(lambda: seen.pane.ready)
        app, picture = seen.app, seen.app.main.picture

        def late() -> None:
            app.on_picture_taken(PictureTaken(picture))
            came.append(picture)

        in_pieces(monkeypatch, seen, late)
    assert came


async def test_a_miners_history(monkeypatch):
    came = []
    async with looking(pictures.normal()) as seen:
        await seen.press("2")
        await seen.until(lambda: seen.pane.ready)
        pane = seen.pane

        def late() -> None:
            pane._draw_charts()
            came.append(pane)

        in_pieces(monkeypatch, seen, late)
    assert came
