"""Messages to phones and chats, through Apprise (``pip install 'minertui[alerts]'``).

What is to be sent is kept in a file, at once, until it was sent: at least once, also over a restart or a kill. Messages
of the same few seconds go out as one, so that 160 lost miners are one message. A target that fails is tried again with
growing pauses, and the others neither get twice what they have nor wait for it; one that hangs is asked again when it
has come back, and holds up nothing else. At most ``per_hour`` messages leave in an hour, half of them as they come and
the others evenly, so that nothing waits for the whole hour; what is over ten lines is counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from minertui import durable
from minertui.model.alerts import Alert, Severity
from minertui.model.errors import ConfigError
from minertui.model.seams import Clock

_log = logging.getLogger(__name__)
_GROUP_S = 10.0  # alerts of this time go out as one message
_LINES = 10  # shown in one message; the rest is counted
_KEPT = 500  # unsent alerts; beyond that the oldest are dropped and counted
_PAUSES_S = (10.0, 60.0, 300.0, 900.0)
_DEADLINE_S = 60.0  # of one attempt, real seconds
_HOUR_S = 3600.0
_FEW = 4

Send = Callable[[str, str], bool]


def apprise_senders(urls: Sequence[str]) -> tuple[Send, ...]:
    """For each of ``urls`` a function (title, body) → delivered. It blocks: call it in a thread.

    Raises ConfigError when Apprise is not installed or does not understand one of the addresses.
    """
    try:
        import apprise
    except ImportError as error:
        raise ConfigError(
            "sending alerts needs the extra: pip install 'minertui[alerts]'", key="alerts.urls"
        ) from error
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it logs addresses, keys included; we say what failed
    return tuple(_sender(apprise.Apprise(), n, url) for n, url in enumerate(urls, 1))


def _sender(target: Any, n: int, url: str) -> Send:
    if not target.add(url):
        raise ConfigError(f"address {n} is not one that Apprise knows; see its list of services", key="alerts.urls")
    # plain text, and said to be: where HTML is sent, a miner's “<” would be a link, or refused with all that waits
    return lambda title, body: bool(target.notify(title=title, body=body, body_format="text"))


class _Waiting:
    """An alert on its way, and who has it."""

    def __init__(self, alert: Alert) -> None:
        self.alert = alert
        self._have: dict[int, Send] = {}  # by identity, which is theirs alone as long as they are held here

    def gets(self, target: Send) -> None:
        """This one has it from now on."""
        self._have[id(target)] = target

    def lacks(self, target: Send) -> bool:
        """True until it has it."""
        return id(target) not in self._have


class Outbox:
    """Unsent alerts and the task that sends them."""

    def __init__(self, file: Path, clock: Clock, *targets: Send, per_hour: int = 20) -> None:
        """``file`` keeps what is unsent; a target blocks and answers True when delivered; none: to nobody, yet."""
        self._file, self._clock, self._targets, self._per_hour = file, clock, targets, per_hour
        self._unsent = [_Waiting(alert) for alert in self._load()]
        self._dropped = 0
        self._sent_at: deque[float] = deque()
        self._hangs: dict[int, Send] = {}  # by identity: its last try has not come back
        self._news, self._unkept, self._writing = asyncio.Event(), asyncio.Event(), asyncio.Lock()

    def put(self, alert: Alert) -> None:
        """Queue ``alert``; ``run`` writes it down at once. Never raises, never waits."""
        self._unsent.append(_Waiting(alert))
        if len(self._unsent) > _KEPT:
            self._dropped += len(self._unsent) - _KEPT
            self._unsent = self._unsent[-_KEPT:]
        self._news.set()
        self._unkept.set()

    def save(self) -> None:
        """Write down what is unsent, for whoever sends it later; ``run`` does that itself. Blocks on the disk."""
        self._save(self._alerts())

    def _alerts(self) -> list[Alert]:
        return [waiting.alert for waiting in self._unsent]

    def aim(self, *targets: Send, per_hour: int) -> None:
        """Send to somebody else from now on."""
        self._targets, self._per_hour = targets, per_hour
        self._news.set()

    async def run(self) -> None:
        """Keep and send until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._keep())
            both.create_task(self._deliver())

    async def _keep(self) -> None:
        """Onto the disk, whatever the sending waits for: a pause, or the next hour."""
        while True:
            await self._unkept.wait()
            await self._written()

    async def _written(self) -> None:
        async with self._writing:
            self._unkept.clear()
            await asyncio.to_thread(self._save, self._alerts())

    async def _deliver(self) -> None:
        failures = 0
        while True:
            while not self._unsent or not self._targets:
                self._news.clear()
                await self._news.wait()
            await self._clock.sleep(_GROUP_S)
            await self._written()
            await self._wait_for_budget()
            self._news.clear()
            if not (targets := self._targets):  # nobody is named any more
                continue
            took = await self._sent(targets)
            self._unsent = [waiting for waiting in self._unsent if any(map(waiting.lacks, targets))]
            self._unkept.set()
            if all(took):
                failures = 0
                self._dropped = 0
            else:
                pause = _PAUSES_S[min(failures, len(_PAUSES_S) - 1)]
                failures += 1
                _log.warning("alerts could not be sent; trying again in %g s", pause)
                await self._pause(pause, unless_news=any(took))

    async def _wait_for_budget(self) -> None:
        while True:
            now = self._clock.mono()
            while self._sent_at and now - self._sent_at[0] >= _HOUR_S:
                self._sent_at.popleft()
            if (wait_s := self._due_s() - now) <= 0:
                return
            await self._clock.sleep(wait_s)

    def _due_s(self) -> float:
        """When the next message may leave, by the monotonic clock. Few are not worth to be spread."""
        sent, most = self._sent_at, self._per_hour
        at_once = most // 2 if most >= _FEW else most
        if len(sent) >= most:
            return sent[0] + _HOUR_S
        return sent[-1] + _HOUR_S / (most - at_once) if len(sent) >= at_once else 0.0

    async def _pause(self, pause_s: float, *, unless_news: bool) -> None:
        """What is new goes at once to whoever is well, whatever somebody else waits for."""
        over: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._clock.sleep(pause_s))]
        if unless_news:
            over.append(asyncio.ensure_future(self._news.wait()))
        try:
            await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in over:
                one.cancel()

    async def _sent(self, targets: Sequence[Send]) -> Sequence[bool]:
        """Which targets have all that waits now."""
        self._sent_at.append(self._clock.mono())
        return await asyncio.gather(*(self._sent_to(target) for target in targets))

    async def _sent_to(self, target: Send) -> bool:
        due = [waiting for waiting in self._unsent if waiting.lacks(target)]
        if due and not await self._delivered(target, *message([waiting.alert for waiting in due], self._dropped)):
            return False
        for waiting in due:
            waiting.gets(target)
        return True

    async def _delivered(self, deliver: Send, title: str, body: str) -> bool:
        """In a thread of its own: who never comes back takes none of those that the journal needs, and none waits for
        it at the end."""
        if id(deliver) in self._hangs:
            return False
        self._hangs[id(deliver)] = deliver
        loop = asyncio.get_running_loop()
        done: asyncio.Future[bool] = loop.create_future()

        def over(took: bool) -> None:
            self._hangs.pop(id(deliver), None)
            if not done.done():
                done.set_result(took)

        def attempt() -> None:
            took = _tried(deliver, title, body)
            with contextlib.suppress(RuntimeError):  # the engine has ended meanwhile
                loop.call_soon_threadsafe(over, took)

        try:
            threading.Thread(target=attempt, name="alerts", daemon=True).start()
        except RuntimeError:  # the system gives none now
            over(False)
        try:
            async with asyncio.timeout(_DEADLINE_S):
                return await done
        except TimeoutError:
            _log.warning("sending alerts takes longer than %g s", _DEADLINE_S)
            return False

    def _load(self) -> list[Alert]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=list[Alert])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.MsgspecError, RecursionError):
            with contextlib.suppress(OSError):
                self._file.replace(self._file.with_suffix(".corrupt"))
            _log.warning("%s was not readable; starting with an empty outbox", self._file.name)
            return []

    def _save(self, unsent: Sequence[Alert]) -> None:
        try:
            durable.replace(self._file, msgspec.json.encode(unsent))
        except OSError as error:
            _log.warning("unsent alerts are only in memory: %s", error.strerror)


def _tried(deliver: Send, title: str, body: str) -> bool:
    try:
        return deliver(title, body)
    except Exception as error:  # noqa: BLE001  a third party's sender may raise anything; the engine goes on
        _log.warning("sending alerts failed: %s", type(error).__name__)
        return False


def message(batch: Sequence[Alert], dropped: int = 0) -> tuple[str, str]:
    """Title and body for a batch: the worst first, at most ten lines, the rest counted."""
    order = list(Severity)
    ranked = sorted(batch, key=lambda a: (-order.index(a.severity) if a.active else 1, a.since_s))
    lines = [_line(alert) for alert in ranked[:_LINES]]
    more = len(ranked) - len(lines) + dropped
    if more:
        lines.append(f"… and {more} more")
    title = _line(ranked[0]) if len(ranked) == 1 else f"minertui: {len(ranked)} alerts"
    return title, "\n".join(lines)


def _line(alert: Alert) -> str:
    mark = f"{alert.severity.mark} " if alert.active and alert.severity.mark else ""
    return f"{mark}{alert.device}: {alert.text}"
