"""What one answer that fails must not undo: absolute maxima, and that a board has a regulator's sensor."""

from itertools import pairwise

import msgspec
import pytest

from minertui.model.status import MinerStatus
from minertui.wire.axeos import Memory

A = MinerStatus(mac="02:00:00:00:00:01", firmware="v1", uptime_s=1000.0, vr_temp_c=60.0)
B = MinerStatus(mac="02:00:00:00:00:02", firmware="v1", uptime_s=1000.0)
TOLD = b'{"ASICModel": "BM1370", "absMaxFrequency": 700, "absMaxVoltage": 1300}'


def change(status: MinerStatus, **fields: object) -> MinerStatus:
    return msgspec.structs.replace(status, **fields)


def knowing(told: bytes = TOLD) -> Memory:
    memory = Memory()
    assert memory.note(A)
    memory.heard(200, told)
    assert memory.asic == told
    return memory


def test_what_was_heard_is_not_asked_for_again_before_a_reboot_or_another_firmware():
    memory = knowing()
    assert not any(memory.note(A) for _ in range(100))
    assert memory.note(change(A, uptime_s=5.0))
    memory.heard(200, TOLD)
    assert memory.note(change(A, firmware="v2", uptime_s=6.0))
    assert memory.asic == TOLD


def test_no_answer_is_asked_for_again_at_once_and_then_less_and_less_often():
    memory = Memory()
    asked = [n for n in range(400) if memory.note(A)]
    assert [b - a for a, b in pairwise(asked)] == [1, 1, 4, 8, 16, 32, 64, 64, 64, 64, 64]


@pytest.mark.parametrize(
    ("code", "body"), [(404, b"{}"), (405, b""), (302, b""), (200, b"<!DOCTYPE html>"), (200, b"\n<html>")]
)
def test_firmware_that_has_none_is_not_asked_again_and_leaves_what_it_told_itself(code: int, body: bytes):
    memory = knowing()
    assert memory.note(change(A, uptime_s=5.0))
    memory.heard(code, body)
    assert memory.asic == TOLD  # this very firmware told it: a web server that forgets
    assert not any(memory.note(change(A, uptime_s=5.0)) for _ in range(100))
    assert memory.note(change(A, firmware="v0", uptime_s=6.0))
    memory.heard(code, body)
    assert memory.asic is None


@pytest.mark.parametrize(
    ("code", "body"),
    [(500, TOLD), (401, b""), (200, b""), (200, b"{}"), (200, b'{"error": 1}'), (200, TOLD[:40]), (200, b"[]")],
)
def test_anything_else_leaves_what_is_known_and_is_asked_again(code: int, body: bytes):
    memory = knowing()
    for firmware in ("v1", "v2"):
        assert memory.note(change(A, uptime_s=5.0, firmware=firmware))
        memory.heard(code, body)
        assert memory.asic == TOLD
        assert memory.note(change(A, uptime_s=6.0, firmware=firmware))


def test_maxima_that_are_missing_are_believed_of_another_firmware_only():
    less = b'{"ASICModel": "BM1370", "absMaxFrequency": 0}'
    memory = knowing()
    memory.note(change(A, uptime_s=5.0, firmware=None))
    memory.heard(200, less)
    assert memory.asic == TOLD
    memory.note(change(A, firmware="v2"))
    memory.heard(200, less)
    assert memory.asic == less


def test_miners_that_change_places_do_not_take_each_others_word():
    memory = knowing()
    assert memory.note(B)
    assert memory.asic is None
    memory.heard(404, b"")
    assert memory.note(A)
    assert memory.asic == TOLD
    for n in range(8):
        memory.note(change(B, mac=str(n)))
        memory.heard(200, b'{"asicCount": 1}')
    memory.note(A)
    assert memory.asic is None  # so many are remembered


def test_a_regulator_that_is_not_told_any_more_is_a_sensor_that_failed():
    memory, gone = Memory(), change(A, vr_temp_c=None)
    assert memory.whole(gone).vr_temp_c is None  # the board may have none
    assert memory.whole(A) == A
    assert memory.whole(gone).vr_temp_c == -1
    assert memory.whole(change(gone, firmware=None)).vr_temp_c == -1
    assert memory.whole(change(gone, firmware="v0")).vr_temp_c is None  # firmware that never told it
    assert memory.whole(B).vr_temp_c is None
    assert memory.whole(change(A, firmware=None)).vr_temp_c == 60
    assert memory.whole(gone).vr_temp_c == -1


@pytest.mark.parametrize("told_c", [127.0, 255.0, 0.0, -1.0, float("nan")])
def test_a_number_of_no_heat_makes_no_sensor_of_what_is_not_there(told_c: float):
    memory, broken = Memory(), change(B, vr_temp_c=told_c)
    assert memory.whole(broken) is broken
    assert memory.whole(B).vr_temp_c is None
