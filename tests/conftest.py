"""Fixtures for all: recorded answers of real devices live beside the project, not in it."""

from __future__ import annotations

from pathlib import Path

import pytest

RECORDED = Path(__file__).resolve().parents[2] / "shared" / "fixtures"


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded payloads; skips with the reason where they are not present."""
    if not RECORDED.is_dir():
        pytest.skip(f"recorded payloads are not present at {RECORDED}")
    return RECORDED
