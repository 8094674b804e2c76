"""What everybody should see, by where it comes from: the fleet's notice is all of them in one line."""

from __future__ import annotations

from collections.abc import Callable

from minertui.model.alerts import Severity
from minertui.model.events import Event, NoticeChanged


class Notices:
    """``publish`` is the hub's; ``say`` takes a line for the log."""

    def __init__(self, publish: Callable[[Event], None], say: Callable[[str, str, Severity], None]) -> None:
        self._publish, self._say = publish, say
        self._texts: dict[str, str] = {}

    def put(self, source: str, text: str) -> None:
        """Say ``text`` for ``source`` from now on; an empty one takes it back. The same again is not told again."""
        if self._texts.get(source, "") == text:
            return
        self._texts[source] = text
        self._publish(NoticeChanged("; ".join(text for text in self._texts.values() if text)))

    def disk(self, file: str, text: str) -> None:
        """Why the disk refuses a database, or (an empty text) that it takes it again: the log has both."""
        self.put(file, text)
        self._say("engine", text or f"{file} can be written again", Severity.WARNING if text else Severity.INFO)
