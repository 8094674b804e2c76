"""Fixtures for all: recorded answers of real devices live beside the project, not in it. And the order of the tests."""

from __future__ import annotations

import asyncio
import gc
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import looptime
import pytest
from hypothesis import settings

T = TypeVar("T")

for _size in ("COLUMNS", "LINES"):  # of whoever runs the tests; help and tables would go by them
    os.environ.pop(_size, None)

RECORDED = Path(__file__).resolve().parents[2] / "shared" / "fixtures"


# The same examples on every machine and in every run; others, to look for more: pytest --hypothesis-profile=new
settings.register_profile("steady", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("new", deadline=None, print_blob=True)
settings.load_profile("steady")


@pytest.fixture(autouse=True, scope="session")
def _garbage_is_collected_seldom() -> None:
    """Screens and simulators are rings of many references: to search them as often as by default is a tenth of all
    tests' time. What is loaded by now stays, and is not searched at all."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(autouse=True)
def _same_chance() -> None:
    """Jitter and the like are the same in every run."""
    random.seed(1)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "threads: in virtual time, and yet with threads of its own")


@pytest.fixture(autouse=True)
def _threads_take_no_virtual_time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would run in a thread runs at once. Virtual time goes on while it waits for a thread: a busy disk, and a
    second is gone that a test counts on."""
    if request.node.get_closest_marker("looptime") and not request.node.get_closest_marker("threads"):
        monkeypatch.setattr(looptime.LoopTimeEventLoop, "run_in_executor", _done_at_once)


def _done_at_once(
    loop: asyncio.AbstractEventLoop, _: object, work: Callable[..., T], *args: object
) -> asyncio.Future[T]:
    future: asyncio.Future[T] = loop.create_future()
    try:
        future.set_result(work(*args))
    except Exception as error:
        future.set_exception(error)
    return future


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded payloads; skips with the reason where they are not present."""
    if not RECORDED.is_dir():
        pytest.skip(f"recorded payloads are not present at {RECORDED}")
    return RECORDED


# Those that take seconds, the longest first. Begun last, they would be waited for with one processor at work.
LENGTHY = (
    "test_nothing_grows_in_half_a_minute",
    "test_killed_anywhere_the_promises_hold",
    "test_the_promises_hold_on_a_bad_hour",
    "test_the_checker_finds",
    "test_short",
    "test_the_promises_hold_on_bad_days",
    "test_hostile_device_text_is_text_in_every_form",
    "test_each_named_fault_is_found_by_its_test",
    "test_whatever_is_asked_the_promises_hold",
    "test_killed_at_every_point_of_a_sweep_the_miner_comes_back",
    "test_in_a_pipe_it_sweeps_three_miners_and_ends_well",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Virtual time goes on at once; several workers each begin with a share of the lengthy tests (each is given one
    piece of the list)."""
    for item in items:
        if item.get_closest_marker("looptime"):
            item.add_marker(pytest.mark.looptime(noop_cycles=2))  # 42 idle rounds before each step by default
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        items[:] = dealt(items, workers)


def dealt(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """As many equal pieces in a row as there are workers, the lengthy ones dealt out to their beginnings."""
    rank = {name: n for n, name in enumerate(LENGTHY)}
    lengthy = [item for item in items if item.name.partition("[")[0] in rank]
    lengthy.sort(key=lambda item: rank[item.name.partition("[")[0]])
    chosen = set(lengthy)
    rest = [item for item in items if item not in chosen]
    order: list[pytest.Item] = []
    for worker in range(workers):
        first = lengthy[worker::workers]
        upto = (worker + 1) * len(items) // workers - len(order) - len(first)
        order += first + rest[:upto]
        rest = rest[upto:]
    return order + rest
