"""A terminal that was closed holds nobody up."""

from __future__ import annotations

import io
import threading
from typing import Any

from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

from minertui.tui.driver import Unbroken, outliving
from tests.tui import pictures
from tests.tui.looking import looking


class _Closed(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")

    def flush(self) -> None:
        raise OSError(5, "Input/output error")


def test_drawing_goes_on_when_nobody_is_there() -> None:
    out = WriterThread(Unbroken(_Closed()))  # type: ignore[arg-type]
    out.start()

    def draw() -> None:
        for _ in range(3 * MAX_QUEUED_WRITES):
            out.write("x")
        out.stop()

    drawing = threading.Thread(target=draw, daemon=True)
    drawing.start()
    drawing.join(10)
    assert not drawing.is_alive()
    assert not out.is_alive()


def test_the_platforms_driver_writes_through_it() -> None:
    class Platform:
        def __init__(self, app: str) -> None:
            self.app, self._file = app, io.StringIO()

    driver: Any = outliving(Platform)("app")  # type: ignore[arg-type]
    driver._file.write("seen")
    assert driver.app == "app"
    assert isinstance(driver._file, Unbroken)
    assert driver._file.getvalue() == "seen"


async def test_the_screen_asks_for_such_a_driver() -> None:
    async with looking(pictures.normal()) as seen:
        assert seen.app.get_driver_class().__init__.__module__ == "minertui.tui.driver"
