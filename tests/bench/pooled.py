"""Many cases measured in processes on two cores, and told: a line for each as soon as those before it are done, then
what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Case = TypeVar("Case")
Row = TypeVar("Row")


def told(
    measured: Callable[[Case], Row],
    cases: Iterable[Case],
    line: Callable[[Row], str],
    summary: Callable[[list[Row]], Sequence[str]],
) -> None:
    """Print it all. ``measured`` is a function of a module."""
    rows = []
    with ProcessPoolExecutor(2) as pool:
        for row in pool.map(measured, cases):
            rows.append(row)
            print(line(row), flush=True)
    print(*summary(rows), sep="\n")
