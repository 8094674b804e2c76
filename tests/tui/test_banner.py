"""The banner tells what to do before a long path eats the line."""

from __future__ import annotations

import msgspec
import pytest

from minertui.tui.feed import NOTHING
from minertui.tui.screens.bars import banner_spans
from minertui.tui.widgets.wording import shorter_paths

LONG = "/home/somebody/.local/state/very/deep/below/a/folder/of/somebody/minertui/engine.sock"


def banner(lost: str = "", problem: str = "", notice: str = "") -> str:
    fleet = msgspec.structs.replace(NOTHING.fleet, notice=notice)
    picture = msgspec.structs.replace(NOTHING, lost=lost, fleet=fleet)
    return "".join(span.text for span in banner_spans(picture, None, problem))


def test_a_long_socket_is_cut_in_its_middle_and_the_end_of_the_banner_stays():
    said = banner(lost=f"no engine is running at {LONG}; start it with “minertui” or “minertui engine”")
    assert "start it with “minertui” or “minertui engine”" in said
    assert "(no engine is running at /home/somebody/.../minertui/engine.sock). Trying again." in said
    assert banner(problem=f"{LONG}: no space").endswith("engine.sock: no space")
    assert len(banner(notice=f"{LONG} was damaged")) < 70
    assert shorter_paths("/" + "x" * 80) == "/..." + "x" * 28


@pytest.mark.parametrize(
    "text",
    ["/run/user/1000/minertui/engine.sock", "a/b", "x" * 200, "http://" + "x" * 90, ""],
)
def test_short_paths_and_other_words_stay(text: str):
    assert shorter_paths(text) == text
    assert shorter_paths(f"at {text}; go on") == f"at {text}; go on"
