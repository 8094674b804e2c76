"""Whatever a device says, the terminal gets printable text, nothing is parsed as markup, and the screen lives on."""

from __future__ import annotations

import ast
import contextlib
import os
import pty
import select
import signal
import struct
import sys
import time
from collections.abc import Callable
from fcntl import ioctl
from functools import partial
from pathlib import Path
from termios import TIOCSWINSZ

from minertui import tui
from minertui.model.alerts import Alert, Severity
from minertui.model.events import AlertRaised, LogLine
from tests.proofs.hostile import attacks
from tests.tui import pictures
from tests.tui.fake_link import FakeLink
from tests.tui.looking import Looking, looking

PLACES = ("1", "m", "2", "w", "a", "l", "c")


def everything_is_printable(seen: Looking) -> None:
    for strip in seen.app.screen._compositor.render_strips():
        for segment in strip:
            assert segment.control or segment.text.isprintable(), repr(segment.text)


async def test_every_tab_survives_and_shows_only_printable_text():
    link = FakeLink(pictures.hostile(), pictures.hostile_lines())
    async with looking(link) as seen:
        for place in PLACES:
            await seen.press(place)
            await seen.until(lambda: seen.pane.ready)
            for line in pictures.hostile_lines():
                link.push(line)
            await seen.pilot.pause(0.05)
            everything_is_printable(seen)
            at = seen.app.main.front
            await seen.pilot.click(offset=(40, 6))
            await seen.pilot.hover(offset=(20, 8))
            await seen.pilot.pause()
            assert seen.app.is_running  # no click ran an action
            assert (seen.app.main.front, len(seen.app.screen_stack)) == (at, 1)


def _toasts(seen: Looking, count: int) -> bool:
    return len(seen.app._notifications) == count


async def test_toasts_are_text_and_nothing_else():
    async with looking(pictures.empty(), size=(80, 24)) as seen:
        for n, text in enumerate(pictures.PAYLOADS, 1):
            seen.link.push(AlertRaised(Alert(f"x:{text}", "x", text, Severity.CRITICAL, text, pictures.NOW_S)))
            await seen.until(partial(_toasts, seen, n))
            everything_is_printable(seen)
            assert not any(toast.markup for toast in seen.app._notifications)


async def test_questions_palette_and_help_survive():
    async with looking(pictures.hostile()) as seen:
        for keys in (("r",), ("question_mark",), ("colon", "o", "p", "e", "n"), ("i",)):
            await seen.press(*keys)
            everything_is_printable(seen)
            await seen.press("escape", "escape")
        assert seen.app.is_running


async def test_a_source_that_is_markup_is_shown_as_it_is():
    async with looking(pictures.empty()) as seen:
        await seen.press("l")
        await seen.until(lambda: seen.pane.ready and seen.pane._tail)
        seen.link.push(LogLine("x", "[@click=app.quit]x[/]", pictures.NOW_S))
        await seen.sees("[@click=app.quit]x[/]")


def test_nothing_reaches_a_real_terminal_that_could_act_there():
    """The whole program on a pty: every escape sequence that comes out is one of Textual's own kinds."""
    out = on_a_terminal("hostile", b"2q")
    assert b"attic" not in out  # the hostile fleet, not another
    assert attacks(out) == []
    assert b"]52;c;ZXZpbA==" in out  # it is shown, as harmless text


def test_a_terminal_that_hangs_up_or_is_told_to_end_is_left_in_order():
    for number in (signal.SIGTERM, signal.SIGHUP):
        out = on_a_terminal("normal", number)
        assert out.rstrip().endswith(b"the engine goes on.")
        assert b"\x1b[?1049l" in out  # the alternate screen is off


def on_a_terminal(state: str, then: bytes | signal.Signals) -> bytes:
    """Run the screen on a pty of 100x30, type or signal ``then`` after its first picture, and give what it wrote."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", COLORTERM="truecolor")
        os.execv(sys.executable, [sys.executable, "-m", "tests.tui.show", state])
    ioctl(fd, TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    try:
        out = read_until_quiet(fd, lambda out: b"Detach" in out)
        if isinstance(then, bytes):
            os.write(fd, then)
        else:
            os.kill(pid, then)
        return out + read_until_quiet(fd, lambda out: False)
    finally:
        os.close(fd)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def read_until_quiet(fd: int, enough: Callable[[bytes], bool]) -> bytes:
    """What comes until it is ``enough`` and nothing more comes, or the other end is closed; two minutes at most."""
    out, until = b"", time.monotonic() + 120
    while time.monotonic() < until:
        if not select.select([fd], [], [], 0.3)[0]:
            if enough(out):
                break
            continue
        try:
            got = os.read(fd, 65536)
        except OSError:  # the other end is closed
            break
        out += got
    return out


SINKS = {"notify", "Static", "Label", "from_markup", "border_title", "border_subtitle", "tooltip"}


def test_no_text_that_could_be_foreign_goes_where_markup_is_parsed():
    """f-strings and variables into Textual's markup sinks: only literals, or markup=False."""
    found = []
    for path in Path(tui.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            found += [f"{path.name}:{getattr(node, 'lineno', 0)}" for _ in _into_a_sink(node)]
    assert found == []


def _is_plain(value: ast.expr) -> bool:
    """A literal, or text wrapped into Content."""
    called = value.func if isinstance(value, ast.Call) else None
    return isinstance(value, ast.Constant) or getattr(called, "id", "") == "Content"


def _into_a_sink(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        plain = any(
            k.arg == "markup" and isinstance(k.value, ast.Constant) and not k.value.value for k in node.keywords
        )
        if name in SINKS and not plain and node.args and not isinstance(node.args[0], ast.Constant):
            return [node]
    if isinstance(node, ast.Assign) and any(getattr(t, "attr", "") in SINKS for t in node.targets):
        return [] if _is_plain(node.value) else [node]
    return []
