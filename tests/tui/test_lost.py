"""A screen whose engine is away calls nothing well and takes no orders; the engine's next word undoes it."""

from __future__ import annotations

from minertui.model.fleet import Health
from minertui.tui import feed
from tests.tui import pictures
from tests.tui.looking import looking


async def test_without_an_engine_readings_grow_old_and_nothing_is_ordered(monkeypatch):
    now_s = [1000.0]
    monkeypatch.setattr(feed, "mono_s", lambda: now_s[0])
    monkeypatch.setattr(feed, "AGE_S", 0.1)
    async with looking(pictures.normal(), size=(160, 24)) as seen:
        app, link = seen.app, seen.link
        await seen.until(lambda: " ok" in seen.row("attic-1") and "now" in seen.row("attic-1"))
        link.lose()
        monkeypatch.setattr(feed, "RETRY_S", 60.0)  # ages grow while it is not even asked
        now_s[0] += 90
        await seen.until(lambda: "stale" in seen.row("attic-1") and "1m" in seen.row("attic-1"))
        assert "12:01:30" in seen.line(0)
        assert not any(word in seen.row("attic-1") for word in (" ok", "now"))
        now_s[0] += 120
        await seen.until(lambda: "3m" in seen.row("attic-1"), "an older age")
        for key in ("t", "f", "r", "b", "g"):
            app.clear_notifications()
            await seen.press(key)
            await seen.toast("the engine is lost since 12:00:00; nothing can be ordered")
            assert app.screen is app.main  # no dialog
        asked = len(link.calls)
        await seen.press("2")
        await seen.sees("the engine does not answer")
        assert "stale since 12:00:00" in seen.text
        assert "reading 3m" in seen.text
        now_s[0] += 60
        await seen.sees("reading 4m")
        assert len([c for c in link.calls[asked:] if c[0] == "history"]) <= 1  # not again with every picture
        link.down = None
        app._follow()
        await seen.sees("reading now")
        assert "stale" not in seen.text
        assert "12:00:00" in seen.line(0)


def test_worse_standings_stay():
    before = pictures.error()
    after = feed.outdated(before)
    for name, snapshot in before.snapshots.items():
        shown = after.snapshots[name]
        if snapshot.health is Health.OK:
            assert shown.health is Health.STALE
            assert not shown.stuck
            assert not shown.answered
            assert (shown.at_s, shown.status) == (snapshot.at_s, snapshot.status)
        else:
            assert shown is snapshot
    assert {s.health for s in before.snapshots.values()} > {Health.OK}
