"""The named faults of the safety kernel are found by the tests named for them; all mutants: ``make mutants``."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proofs.mutants import SAFETY, bare, changed, known_same, mutants, text
from tests.proofs.named_mutants import NAMED
from tests.proofs.same_mutants import SAME_MUTANTS


def test_each_named_fault_is_found_by_its_test():
    command = [sys.executable, "-m", "tests.proofs.mutants", "--named"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"named faults: {len(NAMED)}, found {len(NAMED)}" in done.stdout
    assert len({fault.name for fault in NAMED}) >= 20


def test_each_change_without_effect_is_one_that_the_mutator_makes():
    made = [mutant for path in SAFETY.glob("*.py") for mutant in mutants(path) if known_same(mutant)]
    assert len(made) == len(SAME_MUTANTS)
    assert all(same.why for same in SAME_MUTANTS)


def test_mutants_are_many_different_and_compile():
    count = 0
    for path in SAFETY.glob("*.py"):
        for plain in bare(path):
            (was,) = text([plain])
            for line, what, other in changed(plain):
                (source,) = text([other])
                ast.parse(source)
                assert source != was, f"{path}:{line}: {what}"
                count += 1
    assert count > 400


@pytest.mark.parametrize("path", sorted(SAFETY.glob("*.py")), ids=lambda path: path.stem)
def test_a_mutant_is_the_whole_module_with_one_statement_changed(path: Path):
    plain = [ast.dump(statement) for statement in bare(path)]
    for mutant in list(mutants(path))[::40]:
        made = [ast.dump(statement) for statement in ast.parse(mutant.source).body]
        assert len(made) == len(plain)
        assert sum(was != now for was, now in zip(plain, made, strict=True)) == 1
