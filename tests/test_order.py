"""The order in which several workers are given the tests: nothing is lost, and the lengthy ones are begun first."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import LENGTHY, dealt


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_each_worker_begins_with_its_share_of_the_lengthy_ones(workers: int):
    items: list[Any] = [_Item(f"test_{n}") for n in range(200)]
    items += [_Item(f"{name}[{n}]") for name in LENGTHY for n in range(2)]
    order = dealt(items, workers)
    assert sorted(item.name for item in order) == sorted(item.name for item in items)
    for worker in range(workers):
        piece = order[worker * len(order) // workers : (worker + 1) * len(order) // workers]
        marks = [item.name.partition("[")[0] in LENGTHY for item in piece]
        assert marks == sorted(marks, reverse=True)
        assert 2 * len(LENGTHY) // workers <= sum(marks) <= -(-2 * len(LENGTHY) // workers)
    assert order[0].name.startswith(LENGTHY[0])


def test_the_lengthy_ones_are_there():
    """A renamed test would come last unnoticed."""
    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.rglob("test_*.py"))
    assert [name for name in LENGTHY if f"def {name}(" not in text] == []


class _Item(SimpleNamespace):
    def __init__(self, name: str) -> None:
        super().__init__(name=name)

    __hash__ = object.__hash__  # type: ignore[assignment]
