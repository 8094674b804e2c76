"""Theme files: all shipped ones work, a broken one costs a sentence, a changed one changes the screen."""

from __future__ import annotations

import shutil

import pytest
from rich.color import ColorSystem
from textual.color import Color
from textual.command import CommandList
from textual.widgets import Input

from minertui.model.errors import ConfigError
from minertui.tui import app as apps
from minertui.tui import theme
from minertui.tui.options import Options, for_terminal
from minertui.tui.screens.bars import TabBar
from tests.tui import pictures
from tests.tui.looking import looking

GOOD = '[colors]\nprimary = "#112233"\nbackground = "#000000"\n'


def test_the_shipped_themes_can_all_be_read():
    themes, problems = theme.read_all(theme.files([theme.shipped()]))
    assert problems == []
    assert {"dark", "light", "high-contrast", "colour-blind", "terminal"} <= themes.keys()
    assert themes["terminal"].ansi
    assert not themes["light"].dark


def test_good_and_bad_differ_in_every_theme():
    themes, _ = theme.read_all(theme.files([theme.shipped()]))
    for found in themes.values():
        assert len({found.success, found.warning, found.error}) == 3, found.name


def test_what_is_written_upon_keeps_its_colour_where_there_are_256():
    """Over SSH and in tmux that is what most terminals have: dialogs of the dark theme were navy blue there."""
    themes, _ = theme.read_all(theme.files([theme.shipped()]))
    for found in (found for found in themes.values() if not found.ansi):
        for ground in (found.background, found.surface, found.panel):
            wanted = Color.parse(ground or "").rich_color
            shown = wanted.downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
            off = max(abs(a - b) for a, b in zip(wanted.get_truecolor(), shown, strict=True))
            assert off <= 32, (found.name, ground, shown.hex)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colors = 3", "Expected `object`"),
        ('[colors]\nprimary = "no-colour"', "colors.primary: 'no-colour' is no colour"),
        ('[colors]\nprimary = "#fff"\npurple = "#fff"', "purple"),
        ("[colors", "Expected ']'"),
        ("", "colors"),
        ("x = " + "[" * 100_000, ""),
        ("#" + "x" * 70_000, "larger than 64 KiB"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        theme.read(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_the_users_theme_of_the_same_name_wins(tmp_path):
    shutil.copytree(theme.shipped(), tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "dark.toml").write_text(GOOD)
    themes, _ = theme.read_all(theme.files([tmp_path / "a", tmp_path / "b"]))
    assert themes["dark"].primary == "#112233"


async def test_a_changed_file_changes_the_screen(tmp_path, monkeypatch):
    monkeypatch.setattr(apps, "_LOOK_S", 0.02)
    path = tmp_path / "dark.toml"
    path.write_text(GOOD)
    async with looking(pictures.normal(), options=Options(themes=(tmp_path,))) as seen:
        before = seen.app.screen.styles.background
        path.write_text(GOOD.replace("#000000", "#303030"))
        await seen.until(lambda: seen.app.screen.styles.background != before, "new background")
        path.write_text("[colors")
        await seen.sees("dark.toml")


async def test_t_goes_through_all_themes():
    async with looking(pictures.normal()) as seen:
        start = seen.app.theme
        names: list[str] = []
        for _ in seen.app.theme_names:
            await seen.press("T")
            await seen.until(lambda: seen.app.theme not in names[-1:], "another theme")
            names.append(seen.app.theme)
        assert set(names) == set(seen.app.theme_names)
        assert names[-1] == start


async def test_an_unknown_theme_is_said_and_another_is_used():
    async with looking(pictures.normal(), options=Options(theme="nope")) as seen:
        await seen.sees("there is no theme 'nope'")
        assert seen.app.theme in seen.app.theme_names


async def test_no_color_leaves_the_colours_to_the_terminal_and_never_black_on_black(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    options = for_terminal(Options(), {"NO_COLOR": "1", "TERM": "xterm-256color"})
    async with looking(pictures.error(), options=options) as seen:
        await seen.sees("attic-1")
        styles = [segment.style for strip in seen.app.screen._compositor.render_strips() for segment in strip]
        colours = {c.name for s in styles if s for c in (s.color, s.bgcolor) if c is not None}
        assert colours == {"default"}
        assert any(s.bold for s in styles if s)


async def test_an_empty_no_color_asks_for_nothing(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "")
    async with looking(pictures.error(), options=Options()) as seen:
        await seen.sees("attic-1")
        styles = [segment.style for strip in seen.app.screen._compositor.render_strips() for segment in strip]
        tints = {c.triplet for s in styles if s and (c := s.color) is not None and c.triplet}
        assert any(len(set(tint)) > 1 for tint in tints)  # not only greys


@pytest.mark.parametrize("name", ["dark", "light", "high-contrast"])
async def test_what_an_empty_field_means_can_be_read(name: str):
    """The hints of a form say which limit is meant before anything is agreed to."""
    async with looking(pictures.normal(), options=Options(theme=name)) as seen:
        await seen.press("b")
        await seen.sees("Benchmark")
        field = next(f for f in seen.app.screen.query(Input) if f.placeholder)
        style = field.get_component_rich_style("input--placeholder")
        ink, paper = (Color.from_rich_color(c) for c in (style.color, style.bgcolor))
        assert abs(ink.brightness - paper.brightness) >= 0.4


async def test_what_is_switched_off_keeps_its_words_in_the_terminals_own_colours():
    async with looking(pictures.normal(), options=Options(theme="terminal")) as seen:
        await seen.press("t")
        await seen.sees("Nothing changes yet")
        assert seen.app.screen.query_one("#agree").disabled
        assert "Apply (Enter)" in seen.text


async def test_without_colours_the_palettes_cursor_and_the_tab_in_front_are_seen():
    async with looking(pictures.normal(), options=Options(no_color=True, theme="terminal")) as seen:
        tab = seen.app.screen.query_one(TabBar).render_line(0)
        assert [s.text.strip() for s in tab if s.style and s.style.reverse] == ["1 Fleet"]
        await seen.press("colon")
        await seen.sees("Filter the miners")
        rows = [list(seen.app.screen.query_one(CommandList).render_line(y)) for y in (0, 1)]
        assert [any(s.style and s.style.underline for s in row) for row in rows] == [True, False]


async def test_who_needs_contrast_can_read_the_faintest_ink():
    strength = {}
    async with looking(pictures.empty()) as seen:
        bar = seen.app.screen.query_one(TabBar)
        for name in ("dark", "high-contrast"):
            seen.app.theme = name
            await seen.pilot.pause()
            assert seen.app.has_class(f"-theme-{name}")
            bar._styles_of.clear()
            strength[name] = bar._style_of("faint").color.a
    assert strength["high-contrast"] > 1.5 * strength["dark"]
