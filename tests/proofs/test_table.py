"""The page about safety names tests that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
BUILT = {*range(1, 37), *range(46, 55), 64, 65, 67}  # the rest of the matrix is about devices that there are not yet


def named() -> Iterator[tuple[str, str]]:
    """(file, test) as the page names them; a bare file is in ``tests/engine``, and ``…`` is the file named before."""
    file = ""
    for path, test in re.findall(r"`([\w/]*test_\w+\.py|…)(?:::(test_\w+))?`", PAGE):
        file = file if path == "…" else path if "/" in path else f"tests/engine/{path}"
        yield file, test


@pytest.mark.parametrize(("file", "test"), sorted(set(named())))
def test_a_named_test_exists_where_the_page_says(file: str, test: str):
    path = ROOT / file
    if not path.exists():  # `test_table.py` alone, in prose
        path = next((ROOT / "tests").rglob(path.name))
    assert not test or f"def {test}(" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"(test_\w+\.py)", PAGE))))
def test_a_named_file_exists(name: str):
    assert name in SOURCES


def test_every_fault_has_a_row():
    rows = re.findall(r"^\| (\d+)(?:, (\d+))? \|", PAGE, re.MULTILINE)
    assert {int(n) for row in rows for n in row if n} == BUILT


def test_every_row_names_a_proof_that_exists():
    for row in re.findall(r"^\| \d+(?:, \d+)? \|.*$", PAGE, re.MULTILINE):
        proof = row.rstrip(" |").rpartition(" | ")[2]
        assert re.search(r"test_\w+|`make \w+`|chaos|`crash`", proof), row


def test_every_proof_is_a_make_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\| `make (\w+)`", PAGE, re.MULTILINE):
        assert re.search(rf"^{target}: ", makefile, re.MULTILINE), target
