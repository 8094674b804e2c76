"""Screens are the same everywhere: UTC, no colour wishes of the environment, and pictures without waiting."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from minertui.tui import feed
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
        time.tzset()
        yield
    time.tzset()
