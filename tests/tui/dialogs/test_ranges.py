"""A form takes what the config takes: who types 55 for 550 is told so in both."""

from __future__ import annotations

import pytest

from minertui.config_ranges import RANGES
from minertui.tui.dialogs import guard, miner, sweep
from minertui.tui.dialogs.fields import Field, Invalid, Number

FORMS = {"guard": guard._FIELDS, "miner": miner._FIELDS, "sweep": sweep._FIELDS}


@pytest.mark.parametrize("fields", FORMS.values(), ids=FORMS)
def test_its_ranges_are_the_configs(fields: tuple[Field, ...]):
    own = {field.id: (field.lowest, field.highest) for field in fields if isinstance(field, Number)}
    shared = own.keys() & RANGES.keys()
    assert {"max_mhz", "max_chip_temp_c"} <= shared
    assert {name: own[name] for name in shared} == {name: RANGES[name] for name in shared}


def test_a_missing_digit_is_refused():
    [most] = [field for field in guard._FIELDS if field.id == "max_mhz"]
    with pytest.raises(Invalid, match=r"Never above must be a number from 160 to 3000 MHz or empty\."):
        most.read("55")
