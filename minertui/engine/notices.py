"""What everybody should see, by where it comes from: the fleet's notice is all of them in one line. What costs the
engine its files is an alert too: it reaches whom no screen does."""

from __future__ import annotations

from collections.abc import Callable

from minertui.engine.alert_rules import Signal
from minertui.model.alerts import Severity
from minertui.model.events import Event, NoticeChanged


class Notices:
    """``publish`` is the hub's; ``say`` takes a line for the log, ``alert`` a signal."""

    def __init__(
        self,
        publish: Callable[[Event], None],
        say: Callable[[str, str, Severity], None],
        alert: Callable[[Signal], None],
    ) -> None:
        self._publish, self._say, self._alert = publish, say, alert
        self._texts: dict[str, str] = {}
        self._refused: dict[str, str] = {}  # by file that the disk does not take now: why

    def put(self, source: str, text: str) -> None:
        """Say ``text`` for ``source`` from now on; an empty one takes it back. The same again is not told again."""
        if self._texts.get(source, "") == text:
            return
        self._texts[source] = text
        self._publish(NoticeChanged("; ".join(text for text in self._texts.values() if text)))

    def warn(self, source: str, text: str) -> None:
        """The same, and the log has it once."""
        if text and self._texts.get(source) != text:
            self._say("engine", text, Severity.WARNING)
        self.put(source, text)

    def config(self, addresses: str, alerts: str) -> None:
        """What is wrong in the config that is in force, of miners and of those whom alerts go to."""
        self.warn("addresses", addresses)
        self.warn("alerts", alerts)

    def disk(
        self, file: str, text: str, costs: str = "what happens meanwhile is not kept", can: str = "written"
    ) -> None:
        """Why the disk refuses a file of ours, or (an empty text) that it ``can`` be written, or read, again: the log
        has both. There is one alert as long as it refuses any, which says what that ``costs``."""
        self.put(file, text)
        again = f"{file} can be {can} again"
        self._say("engine", text or again, Severity.WARNING if text else Severity.INFO)
        now = {**self._refused, file: text and f"{text}; {costs}"}
        self._refused = {name: why for name, why in now.items() if why}
        said = next(iter(self._refused.values()), again)
        self._alert(Signal("disk", "engine", Severity.CRITICAL, said, active=bool(self._refused)))

    def damaged(self, text: str) -> None:
        """A file of ours was set aside: log, notice and alert say so, because a person has to look."""
        self._say("engine", text, Severity.CRITICAL)
        self.put(text, text)
        self._alert(Signal("damaged", "engine", Severity.CRITICAL, text))
