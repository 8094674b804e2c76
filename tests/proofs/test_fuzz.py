"""What fuzzing found stays found; and a few thousand damaged inputs of each kind. A million: ``make fuzz``."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.proofs.fuzz import TARGETS, fuzz, kept, stands
from tests.proofs.fuzz_duco import Target

RUNS = {"asic": 700, "info": 1200, "journal": 700, "config": 1200, "duco-boards": 240, "duco-pool": 700,
        "duco-adaptor": 1000, "duco-answers": 1000, "duco-rest": 1000}  # fmt: skip


@pytest.mark.parametrize(("target", "path"), kept(), ids=lambda value: value.name)
def test_what_was_found_stays_mended(target: Target, path: Path):
    assert stands(target, path.read_bytes()) == ""


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_bytes_are_answered_with_the_one_error(name: str):
    found = fuzz(TARGETS[name], RUNS.get(name, 3000), seed=2)
    assert [(one.error, one.data[:200]) for one in found] == []


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_are_read(name: str):
    for seed in TARGETS[name].seeds:
        assert stands(TARGETS[name], seed) == ""


def careless(data: bytes) -> None:
    value = msgspec.json.decode(data)
    if isinstance(value, dict):
        float(value.get("temp") or 0)


def test_a_careless_parser_is_found():
    found = fuzz(Target("careless", careless, (b'{"temp": 55.5, "name": "x"}',)), 2000, seed=1)
    assert {one.error.split()[0] for one in found} >= {"DecodeError", "ValueError"}
