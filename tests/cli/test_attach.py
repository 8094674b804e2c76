"""``minertui`` alone: options, config and engine come together in front of the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from minertui import __version__
from minertui.api.client import ApiClient
from minertui.api.server import ApiServer
from minertui.tui import theme
from minertui.tui.options import Options
from tests.cli.conftest import Run


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the screen was given; it ends at once with code 7."""
    given: list[Any] = []

    def screen(link: ApiClient, options: Options) -> int:
        given.extend((link, options))
        return 7

    monkeypatch.setattr("minertui.tui.app.run", screen)
    monkeypatch.setattr("minertui.cli.attach._at_a_terminal", lambda: True)
    return given


async def test_the_config_says_how_it_looks(server: ApiServer, run: Run, shown: list[Any], places: Path) -> None:
    (places / "config.toml").write_text('[screen]\ntheme = "light"\nmouse = false\nkeys = { quit = "x" }\n')
    code, _, err = await run()
    assert (code, err) == (7, "")
    link, options = shown
    themes = (theme.shipped(), places / "themes")
    assert options == Options(theme="light", mouse=False, keys={"quit": "x"}, themes=themes)
    assert isinstance(link, ApiClient)


@pytest.mark.parametrize("word", [(), ("attach",)])
async def test_options_beat_the_config(
    server: ApiServer, run: Run, shown: list[Any], places: Path, word: tuple[str, ...]
) -> None:
    (places / "config.toml").write_text('[screen]\ntheme = "light"\n')
    await run(*word, "--readonly", "--ascii", "--theme", "dark", "--no-mouse")
    options = shown[1]
    assert (options.readonly, options.ascii, options.theme, options.mouse) == (True, True, "dark", False)


async def test_a_wrong_config_is_told_before_anything_starts(run: Run, shown: list[Any], places: Path) -> None:
    (places / "config.toml").write_text("[screen]\nthem = 3\n")
    code, _, err = await run()
    assert (code, shown) == (1, [])
    assert "config.toml:2: screen.them: unknown key; did you mean theme?" in err
    assert not (places / "state").exists()


async def test_an_old_engine_is_named(
    server: ApiServer, run: Run, shown: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minertui.cli.attach.__version__", "99.0")
    _, _, err = await run()
    assert f"the engine is version {__version__}, this is 99.0; end the old one with “minertui stop”" in err
    assert shown
