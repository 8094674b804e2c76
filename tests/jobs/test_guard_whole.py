"""A guard of firmware that stores whole MHz, along a frontier up to a ceiling that is none."""

from __future__ import annotations

import math

import msgspec

from minertui.model.commands import Tune
from tests.jobs.test_guard_hold import PLAN, Board


class Whole(Board):
    """What is over a limit by half a MHz is left off."""

    def take(self, tune: Tune) -> None:
        super().take(tune)
        self.mhz = float(math.floor(self.mhz))


def test_a_ceiling_that_cannot_be_stored_is_not_ordered_again_and_again():
    board = Whole(plan=msgspec.structs.replace(PLAN, max_mhz=618.75, high_mhz=700), mhz=600, mv=1150, room_c=20)
    board.live(4 * 3600)
    assert board.mhz == 618
    assert len(board.sent) < 6
