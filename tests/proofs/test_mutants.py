"""The named faults of the safety kernel are found by the tests named for them; all mutants: ``make mutants``."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.proofs.mutants import SAFETY, mutants
from tests.proofs.named_mutants import NAMED


def test_each_named_fault_is_found_by_its_test():
    command = [sys.executable, "-m", "tests.proofs.mutants", "--named"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"named faults: {len(NAMED)}, found {len(NAMED)}" in done.stdout
    assert len({fault.name for fault in NAMED}) >= 20


def test_mutants_are_many_different_and_compile(tmp_path: Path):
    made = [mutant for path in SAFETY.glob("*.py") for mutant in mutants(path)]
    assert len(made) > 400
    plain = {path.stem: ast.unparse(ast.parse(path.read_text(encoding="utf-8"))) for path in SAFETY.glob("*.py")}
    for mutant in made:
        ast.parse(mutant.source)
        assert mutant.source != plain[mutant.module.rpartition(".")[2]], mutant.what
