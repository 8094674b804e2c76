from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minertui.sim.axeos_board import Board
from minertui.sim.axeos_fields import asic, info
from minertui.sim.axeos_models import FAMILIES, FIRMWARES
from minertui.sim.axeos_statistics import dashboard, statistics

RECORDINGS = [
    ("info_v2.0.7_hex302_bm1366_wiki.json", "hex", "v2.0.7", "302"),
    ("info_v2.1.3_ultra0.11_bm1366.json", "ultra", "v2.1.3", "0.11"),
    ("info_v2.4.5_supra401_bm1368.json", "supra", "v2.4.5", "401"),
    ("info_v2.7.0_gamma601_overclocked.json", "gamma", "v2.7.0", "601"),
    ("info_v2.10.1_gamma601_bm1370.json", "gamma", "v2.10.1", "601"),
    ("info_v2.12.2_gamma601_bm1370_wiki.json", "gamma", "v2.12.2", "601"),
    ("info_v2.15.3_gamma601_bm1370.json", "gamma", "v2.15.3", "601"),
    ("info_nerdqaxepp_V1.0.37.2-LTS.json", "nerdqaxe++", None, None),
]
ONLY_IN_A_DEVELOPMENT_BUILD = {"boardtemp1", "boardtemp2"}


def _kind(value: Any) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, str | list | dict):
        return type(value).__name__
    return "number"


@pytest.mark.parametrize(("file", "family", "firmware", "board_version"), RECORDINGS)
def test_info_has_the_fields_and_kinds_of_the_recorded_device(
    recorded: Path, file: str, family: str, firmware: str | None, board_version: str | None
) -> None:
    board = Board(family, firmware=firmware, board_version=board_version, seed=5)
    board.settle(600)
    real, ours = json.loads((recorded / "axeos" / file).read_text()), info(board)
    assert set(ours) == set(real) - ONLY_IN_A_DEVELOPMENT_BUILD
    assert {key: _kind(value) for key, value in ours.items()} == {key: _kind(real[key]) for key in ours}


def test_asic_and_statistics_have_the_recorded_members(recorded: Path) -> None:
    gamma, nerd = Board("gamma"), Board("nerdqaxe++")
    assert asic(gamma) == json.loads((recorded / "axeos" / "asic_v2.15.3_gamma601.json").read_text())
    assert asic(nerd) == json.loads((recorded / "axeos" / "asic_nerdqaxepp_v1.1.0-beta1.json").read_text())
    real = json.loads((recorded / "axeos" / "statistics_v2.15.3_gamma601.json").read_text())
    gamma.store("statsFrequency", 5)
    gamma.advance(60)
    ours = statistics(gamma)
    assert ours is not None
    assert ours["labels"] == real["labels"]
    assert {len(row) for row in ours["statistics"]} == {len(real["labels"])}


def test_every_family_answers_with_every_firmware() -> None:
    for family in FAMILIES:
        for firmware in [None] if FAMILIES[family].nerd else FIRMWARES:
            board = Board(family, firmware=firmware)
            board.settle(120)
            answer = info(board)
            assert answer["hashRate"] > 0, (family, firmware)
            json.dumps(answer, allow_nan=False)


def test_difficulties_are_texts_before_2_11_and_numbers_after() -> None:
    def best(firmware: str) -> Any:
        board = Board("gamma", firmware=firmware)
        board.mining.best_diff = 2.03e9
        return info(board)["bestDiff"]

    assert best("v2.9.0") == "2.03G"
    assert best("v2.10.1") == "2.03 G"
    assert best("v2.11.0") == 2_030_000_000


def test_chip_count_wanders_from_info_to_asic() -> None:
    assert info(Board("hex", firmware="v2.8.1"))["asicCount"] == 6
    assert "asicCount" not in (asic(Board("hex", firmware="v2.8.1")) or {})
    assert "asicCount" not in info(Board("hex", firmware="v2.9.0"))
    assert (asic(Board("hex", firmware="v2.9.0")) or {})["asicCount"] == 6
    assert asic(Board("gamma", firmware="v2.4.5")) is None


def test_old_statistics_use_old_labels_and_columns_choose_from_2_11() -> None:
    old = statistics(Board("gamma", firmware="v2.9.0"), "power")
    assert old is not None
    assert old["labels"][0] == "hashRate"
    assert len(old["labels"]) == 12
    new = statistics(Board("gamma"), "power,nonsense,vrTemp")
    assert new is not None
    assert new["labels"] == ["vrTemp", "power", "timestamp"]
    every = statistics(Board("gamma"), "nonsense")
    assert every is not None
    assert len(every["labels"]) == 19
    assert dashboard(Board("gamma", firmware="v2.9.0")) is not None
    assert dashboard(Board("gamma")) is None
