"""Every screen, as it looks. Run with ``--snapshot-update`` after looking at the report of what changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.widgets import Input

from minertui.model.fleet import Fleet
from minertui.tui import feed
from minertui.tui.app import MinertuiApp
from minertui.tui.options import Options
from tests.tui import pictures, rigs
from tests.tui.fake_link import FakeLink

SMALL, MIDDLE, LARGE = (80, 24), (120, 40), (200, 60)
PLACES = {"fleet": (), "map": ("m",), "miner": ("2",), "sweep": ("w",), "alerts": ("a",), "log": ("l",),
          "commands": ("c",), "rig": ("5",), "rig-statistics": ("5", "i"), "rig-charts": ("5", "v"),
          "rig-account": ("5", "b")}  # fmt: skip
STATES: dict[str, Callable[[], Fleet]] = {
    "normal": pictures.normal,
    "error": pictures.error,
    "empty": pictures.empty,
    "hostile": pictures.hostile,
    "rigs": rigs.fleet,
}
CASES = [
    *(("normal", place, size) for place in ("fleet", "miner", "sweep") for size in (SMALL, MIDDLE, LARGE)),
    *(("normal", place, size) for place in ("map", "alerts", "log", "commands") for size in (SMALL, MIDDLE)),
    *(("rigs", place, size) for place in ("fleet", "rig", "rig-statistics") for size in (SMALL, MIDDLE)),
    *(("rigs", place, MIDDLE) for place in ("rig-charts", "rig-account")),
    ("rigs", "rig", LARGE),
    *(("error", place, SMALL) for place in ("fleet", "miner")),
    *(("error", place, MIDDLE) for place in ("fleet", "map", "miner", "alerts")),
    *(("empty", place, SMALL) for place in PLACES if place not in ("miner", "map") and "rig" not in place),
    *(("hostile", place, MIDDLE) for place in ("fleet", "miner", "alerts", "log")),
    ("empty", "fleet", LARGE),
]
LOOKS = {
    "ascii": (Options(ascii=True), ("2",)),
    "light": (Options(theme="light"), ("2",)),
    "terminal": (Options(theme="terminal"), ()),
    "readonly": (Options(readonly=True), ("question_mark",)),
    "palette": (Options(), ("colon",)),
    "frozen": (Options(demo=True), ("p",)),
    "filtered": (Options(), ("v", "slash", "a", "t", "enter", "space")),
    "question": (Options(), ("r",)),
}


async def settled(pilot) -> None:
    """Until the picture, what the tab asked for, and its drawing are there."""
    app = pilot.app
    for _ in range(300):
        await pilot.pause(0.01)
        waiting = [w for w in app.workers if w.group not in ("feed", "actions") and not w.is_finished]
        if app.main.picture.first and app.main.pane.ready and not waiting:
            break
    app.screen.set_focus(app.screen.focused, scroll_visible=False)
    for box in app.screen.query(Input):  # pictures are taken while it is there and while it is not
        box.cursor_blink = False
    before, same = None, 0
    for _ in range(40):  # a busy machine takes longer: until three looks in a row are the same
        now = [strip.text for strip in app.screen._compositor.render_strips()]
        same = same + 1 if now == before else 0
        if same == 2:
            break
        before = now
        await pilot.pause(0.05)


@pytest.mark.parametrize(
    ("state", "place", "size"), CASES, ids=lambda v: "x".join(map(str, v)) if v and isinstance(v, tuple) else v
)
def test_screen(snap_compare, state, place, size):
    lines = pictures.hostile_lines() if state == "hostile" else None
    app = MinertuiApp(FakeLink(STATES[state](), lines), Options())

    async def go(pilot) -> None:
        await settled(pilot)
        await pilot.press(*PLACES[place])
        await settled(pilot)  # without keys too: what a busy machine draws late is waited for twice

    assert snap_compare(app, terminal_size=size, run_before=go)


@pytest.mark.parametrize("look", LOOKS)
def test_look(snap_compare, look):
    options, keys = LOOKS[look]

    async def go(pilot) -> None:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    app = MinertuiApp(FakeLink(pictures.normal()), options)
    assert snap_compare(app, terminal_size=(100, 30), run_before=go)


def test_lost(snap_compare, monkeypatch):
    now_s = [0.0]
    monkeypatch.setattr(feed, "mono_s", lambda: now_s[0])
    link = FakeLink(pictures.normal())

    async def go(pilot) -> None:
        await settled(pilot)
        now_s[0] = 95.0
        link.lose()
        await settled(pilot)

    assert snap_compare(MinertuiApp(link, Options()), terminal_size=SMALL, run_before=go)
