"""Every widget as it looks, narrow and wide, and in plain ASCII."""

from __future__ import annotations

import pytest

from tests.tui import pictures
from tests.tui.widgets.show import Showcase

SIZES = ((80, 24), (160, 50))
GROUPS = {
    "table": ["table"],
    "heat": ["heat"],
    "detail": ["big", "gauges", "chips", "chart"],
    "sweep": ["sweep"],
    "facts": ["facts", "map"],
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("group", sorted(GROUPS))
def test_widgets(snap_compare, group: str, size: tuple[int, int]) -> None:
    assert snap_compare(Showcase(GROUPS[group], pictures.normal()), terminal_size=size)


@pytest.mark.parametrize("group", ["table", "detail", "sweep"])
def test_ascii(snap_compare, group: str) -> None:
    assert snap_compare(Showcase(GROUPS[group], pictures.normal(), ascii_only=True), terminal_size=(100, 30))


@pytest.mark.parametrize("fleet", ["error", "hostile", "empty"])
def test_fleets_that_are_not_well(snap_compare, fleet: str) -> None:
    assert snap_compare(Showcase(["table"], getattr(pictures, fleet)()), terminal_size=(120, 30))
