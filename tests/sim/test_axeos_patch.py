from __future__ import annotations

import json
from typing import Any

import pytest

from minertui.sim.axeos_board import Board
from minertui.sim.axeos_patch import patch


def send(board: Board, **settings: Any) -> tuple[int, bytes]:
    reply = patch(board, json.dumps(settings).encode())
    return reply.status, reply.body


def test_success_is_an_empty_200_and_unknown_keys_are_swallowed() -> None:
    board = Board("gamma")
    assert send(board, frequency=550.5, nonsense=1) == (200, b"")
    assert board.nvs["frequency"] == 550.5
    assert "nonsense" not in board.nvs


@pytest.mark.parametrize(
    "bad",
    [
        {"frequency": 0}, {"frequency": 70_000}, {"frequency": "600"}, {"coreVoltage": 0}, {"manualFanSpeed": 101},
        {"minFanSpeed": 100}, {"temptarget": 34}, {"temptarget": 67}, {"overheat_mode": 1}, {"rotation": 45},
        {"hostname": ""}, {"hostname": "x" * 33}, {"autofanspeed": 2}, {"frequency": True},
    ],
)  # fmt: skip
def test_from_2_11_one_bad_key_refuses_all(bad: dict[str, Any]) -> None:
    board = Board("gamma", firmware="v2.12.2")
    assert send(board, **{"statsFrequency": 7, **bad}) == (400, b"Wrong API input")
    assert board.nvs["statsFrequency"] == 0
    assert board.judge.flash_writes == 0


def test_before_2_11_wrong_kinds_are_passed_over_and_the_rest_is_stored() -> None:
    board = Board("gamma", firmware="v2.9.0")
    assert send(board, frequency="600", coreVoltage=1200, fanspeed=250, autofanspeed=False) == (200, b"")
    assert board.nvs["frequency"] == 525
    assert board.nvs["coreVoltage"] == 1200
    assert board.nvs["manualFanSpeed"] == 250
    assert board.nvs["autofanspeed"] == 0
    send(board, frequency=600.75)
    assert board.nvs["frequency"] == 600  # fractions from 2.10 on


def test_keys_change_their_names() -> None:
    old, new = Board("gamma", firmware="v2.10.1"), Board("gamma", firmware="v2.11.0")
    for board in (old, new):
        send(board, fanspeed=42)
    assert (old.nvs["manualFanSpeed"], new.nvs["manualFanSpeed"]) == (42, 100)
    send(new, manualFanSpeed=43, MINFANSPEED=30)
    assert (new.nvs["manualFanSpeed"], new.nvs["minFanSpeed"]) == (43, 30)


def test_bodies_too_long_or_broken() -> None:
    board = Board("gamma")
    assert patch(board, b" " * 10_240).status == 500
    assert patch(board, b"{").status == 400
    assert patch(board, b"[" * 9000).status == 400


def test_pools_flat_until_2_14_and_records_from_2_15() -> None:
    old, new = Board("gamma", firmware="v2.14.2"), Board("gamma")
    send(old, stratumURL="a.example", fallbackStratumPort=4444)
    assert old.nvs["pools"][0]["stratumURL"] == "a.example"
    assert old.nvs["pools"][1]["stratumPort"] == 4444
    send(new, stratumURL="a.example")
    assert new.nvs["pools"][0]["stratumURL"] == "pool.example.org"
    new.nvs["pools"][0]["stratumPassword"] = "kept"
    record = {"id": 0, "stratumURL": "b.example", "stratumPort": 1, "stratumUser": "u", "stratumPassword": "*****"}
    assert send(new, pools=[record]) == (200, b"")
    assert new.nvs["pools"][0]["stratumURL"] == "b.example"
    assert new.nvs["pools"][0]["stratumPassword"] == "kept"
    assert new.nvs["pools"][0]["stratumSuggestedDifficulty"] == 0  # absent members fall back to their defaults
    assert send(new, pools=[{"id": 0, "stratumURL": "c.example"}])[0] == 400
    assert send(new, pools=[{**record, "id": 8}])[0] == 400


def test_a_new_hostname_answers_json_from_2_15() -> None:
    status, body = send(Board("gamma"), hostname="garage")
    assert status == 200
    assert json.loads(body)["redirect"]["delay"] == 2000
    assert send(Board("gamma", firmware="v2.14.2"), hostname="garage") == (200, b"")


def test_nerdqaxe_takes_integers_only_and_clamps_without_a_word() -> None:
    board = Board("nerdqaxe++")
    for bad in (525.0, "525", 0, True, 525.5):
        assert send(board, frequency=bad) == (200, b"")
        assert board.nvs["frequency"] == 600
    send(board, frequency=900, coreVoltage=1500, invertscreen=1)
    assert (board.nvs["frequency"], board.nvs["coreVoltage"], board.nvs["invertscreen"]) == (800, 1400, 0)
    send(board, invertscreen=True, autofanspeed=0)
    assert (board.nvs["invertscreen"], board.nvs["autofanspeed"]) == (1, 0)


@pytest.mark.parametrize(
    ("fault", "mhz", "mv"),
    [("ignore-patch", 525, 1150), ("clamp", 525, 1150), ("only-frequency", 600, 1150), ("only-voltage", 525, 1200)],
)
def test_firmware_faults(fault: str, mhz: float, mv: int) -> None:
    board = Board("gamma")
    board.faults.add(fault)
    assert send(board, frequency=600, coreVoltage=1200) == (200, b"")
    assert (board.nvs["frequency"], board.nvs["coreVoltage"]) == (mhz, mv)
