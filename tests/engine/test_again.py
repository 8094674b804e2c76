"""The waits before what failed is tried again."""

from __future__ import annotations

from minertui.engine import again


def test_each_wait_is_longer_until_a_minute() -> None:
    assert [again.wait_s(tries) for tries in (0, 1, 2, 3, 4, 1000)] == [5, 10, 30, 60, 60, 60]
