"""Screens are the same everywhere: UTC, no colour wishes of the environment, and pictures without waiting."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator

import pytest

from minertui.tui import feed


@pytest.fixture(autouse=True, scope="package")
def _what_stays_is_not_searched() -> Iterator[None]:
    """Screens are rings of references, so the collector runs often; it need not walk through all modules each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        patch.delenv("NO_COLOR", raising=False)
        patch.setattr(feed, "PERIOD_S", 0.01)
        patch.setattr(feed, "RETRY_S", 0.02)
        patch.setattr(feed, "mono_s", lambda: 0.0)  # a slow machine ages no reading
        time.tzset()
        yield
    time.tzset()
