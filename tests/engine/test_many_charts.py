"""Charts that a script asks for all at once hold up neither what is written nor the sign of life: without that systemd
ends the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from minertui.engine.history import History
from minertui.engine.records import Records
from minertui.engine.rig_history import RigHistory
from minertui.engine.store import Store
from minertui.model.rig_metrics import RIG_BY_ID
from tests.engine.fakes import START_S, LoopClock
from tests.engine.test_history import ask

Kept = History | RigHistory | Records


def asked(kept: Kept) -> Awaitable[Any]:
    if isinstance(kept, History):
        return kept.series(ask(START_S - 3600, START_S))
    if isinstance(kept, RigHistory):
        return kept.series("attic", [next(iter(RIG_BY_ID))], START_S - 3600, START_S, 100)
    return kept.sweeps()


@pytest.mark.parametrize("kind", [History, RigHistory, Records])
async def test_they_are_made_one_at_a_time(kind: Callable[..., Kept], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    together: list[int] = []
    real = Store._commit

    def commit(self: Store, batch: list[Any]) -> Any:
        together.append(len(batch))
        return real(self, batch)

    kept = kind(tmp_path / "x.db", LoopClock(), trouble=lambda _: None, damaged=lambda _: None)
    await asyncio.gather(*(asked(kept) for _ in range(2)), return_exceptions=True)
    monkeypatch.setattr(Store, "_commit", commit)
    charts = [asyncio.ensure_future(asked(kept)) for _ in range(30)]
    await asyncio.sleep(0)
    await kept._store.ping()
    assert sum(chart.done() for chart in charts) < 5, "the sign of life waits for the one under way alone"
    await asyncio.gather(*charts)
    assert max(together) <= 2
    await kept.close()
