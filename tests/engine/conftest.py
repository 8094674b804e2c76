"""What most tests of the engine begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.bench import Bench
from tests.engine.house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An empty state folder, and no miner yet."""
    return House(tmp_path / "state")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A miner of 525 MHz and 1150 mV."""
    return Bench(tmp_path / "journal")
