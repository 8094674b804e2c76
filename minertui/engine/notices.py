"""What everybody should see, by where it comes from: the fleet's notice is all of them in one line."""

from __future__ import annotations

from collections.abc import Callable

from minertui.model.events import Event, NoticeChanged


class Notices:
    """``publish`` is the hub's."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self._texts: dict[str, str] = {}

    def put(self, source: str, text: str) -> None:
        """Say ``text`` for ``source`` from now on; an empty one takes it back. The same again is not told again."""
        if self._texts.get(source, "") == text:
            return
        self._texts[source] = text
        self._publish(NoticeChanged("; ".join(text for text in self._texts.values() if text)))
