"""Screens are the same everywhere: UTC, no colour wishes of the environment, and pictures without waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
import textual.pilot
from textual._wait import SLEEP_GRANULARITY, wait_for_idle

from minertui.tui import desk, feed
from minertui.tui.widgets import log_pane


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        patch.delenv("NO_COLOR", raising=False)
        patch.setattr(feed, "PERIOD_S", 0.01)
        patch.setattr(feed, "RETRY_S", 0.02)
        patch.setattr(log_pane, "FLUSH_S", 0.02)
        patch.setattr(feed, "mono_s", lambda: 0.0)  # a slow machine ages no reading
        patch.setattr(desk, "_SECONDS", dict.fromkeys(desk._SECONDS, 600.0))  # and takes no toast away
        patch.setattr(textual.pilot, "wait_for_idle", nothing_is_ready)
        time.tzset()
        yield
    time.tzset()


async def nothing_is_ready(min_sleep: float = SLEEP_GRANULARITY, max_sleep: float = 1) -> None:
    """Until nothing else can run. Textual waits until the processor has little to do, and takes a process that gets no
    turn on a busy machine for one that is done."""
    await wait_for_idle(min_sleep, max_sleep)
    loop = asyncio.get_running_loop()
    for _ in range(10_000):
        await asyncio.sleep(0)
        if not loop._ready:  # type: ignore[attr-defined]
            break
