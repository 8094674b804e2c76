"""The page about safety names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"::(test_\w+)", PAGE))))
def test_a_named_test_exists(name: str):
    assert any(f"def {name}(" in source for source in SOURCES.values())


@pytest.mark.parametrize("name", sorted(set(re.findall(r"(test_\w+\.py)", PAGE))))
def test_a_named_file_exists(name: str):
    assert name in SOURCES


def test_every_fault_has_a_row():
    rows = re.findall(r"^\| (\d+)(?:, (\d+))? \|", PAGE, re.MULTILINE)
    assert {int(n) for row in rows for n in row if n} == set(range(1, 37))


def test_every_proof_is_a_make_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\| `make (\w+)`", PAGE, re.MULTILINE):
        assert re.search(rf"^{target}: ", makefile, re.MULTILINE), target
