"""Faults put into the safety kernel, one at a time: the tests of ``tests/safety`` have to notice each.

    python -m tests.proofs.mutants               every small change that the mutator knows, some hundred
    python -m tests.proofs.mutants --named       the named faults, each against the one test that has to find it

A mutant lives in a forked child, in which the kernel is loaded anew from the changed source.
"""

from __future__ import annotations

import argparse
import ast
import copy
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import io
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import CodeType, ModuleType

import msgspec

from tests.proofs.named_mutants import NAMED
from tests.proofs.same_mutants import SAME_MUTANTS

SAFETY = Path("minertui/safety")
_PATIENCE_S = 60
_PROPERTY = "test_whatever_is_asked_the_promises_hold"
_FLIPS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}  # fmt: skip
_SUMS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
}  # fmt: skip
_NAMES = {"min": "max", "max": "min", "all": "any", "any": "all"}


class Mutant(msgspec.Struct, frozen=True):
    """A module with one change; ``line`` and ``what`` say which."""

    module: str
    line: int
    what: str
    source: str


class _Bare(ast.NodeTransformer):
    """Types say nothing at run time, and are not changed."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if isinstance(node.target, ast.Name) and node.value is not None and node.target.id.startswith("_"):
            return ast.copy_location(ast.Assign([node.target], self.visit(node.value)), node)
        if node.value is not None:
            node.value = self.visit(node.value)
        return node


def bare(path: Path) -> list[ast.stmt]:
    """The statements of a file, without types and without a change."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    return [_Bare().visit(statement) for statement in module.body]


def text(statements: Sequence[ast.stmt]) -> list[str]:
    """Each statement as source."""
    return [ast.unparse(ast.fix_missing_locations(statement)) for statement in statements]


def mutants(path: Path) -> Iterator[Mutant]:
    """Every change of one file that the mutator knows. Only the statement that holds it is copied and written anew."""
    module, statements = f"minertui.safety.{path.stem}", bare(path)
    plain = text(statements)
    for at, statement in enumerate(statements):
        for line, what, other in changed(statement):
            yield Mutant(module, line, what, "\n\n".join([*plain[:at], *text([other]), *plain[at + 1 :]]))


def changed(statement: ast.stmt) -> Iterator[tuple[int, str, ast.stmt]]:
    """This statement with each change that is possible in it: the line, what it is, the other statement."""
    typed = {
        id(inner)
        for node in ast.walk(statement)
        if isinstance(node, ast.AnnAssign)
        for inner in ast.walk(node.annotation)
    }
    for n, node in enumerate(ast.walk(statement)):
        if id(node) in typed:
            continue
        for what, change in _changes(node):
            copied = copy.deepcopy(statement)
            change(next(m for k, m in enumerate(ast.walk(copied)) if k == n))
            yield getattr(node, "lineno", 0), what, copied


Change = Callable[[ast.AST], None]


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    for kind, made in _BY_KIND.items():
        if isinstance(node, kind):
            yield from made(node)


def _compared(node: ast.Compare) -> Iterator[tuple[str, Change]]:
    for at, op in enumerate(node.ops):
        for other in _FLIPS.get(type(op), ()):

            def change(target: ast.AST, at: int = at, other: type[ast.cmpop] = other) -> None:
                assert isinstance(target, ast.Compare)
                target.ops[at] = other()

            yield f"{type(op).__name__} → {other.__name__}", change


def _joined(node: ast.BoolOp) -> Iterator[tuple[str, Change]]:
    def swap(target: ast.AST) -> None:
        assert isinstance(target, ast.BoolOp)
        target.op = ast.Or() if isinstance(target.op, ast.And) else ast.And()

    yield "and ↔ or", swap
    for at in range(len(node.values)):

        def drop(target: ast.AST, at: int = at) -> None:
            assert isinstance(target, ast.BoolOp)
            del target.values[at]
            if len(target.values) == 1:
                target.values.append(target.values[0])

        yield f"without “{ast.unparse(node.values[at])}”", drop


def _counted(node: ast.BinOp) -> Iterator[tuple[str, Change]]:
    other = _SUMS.get(type(node.op))
    if other is None or (isinstance(node.left, ast.Name) and node.left.id[0].isupper()):
        return  # a union of types is no sum

    def change(target: ast.AST) -> None:
        assert isinstance(target, ast.BinOp)
        assert other is not None
        target.op = other()

    yield f"{type(node.op).__name__} → {other.__name__}", change


def _constant(node: ast.Constant) -> Iterator[tuple[str, Change]]:
    value = node.value
    if isinstance(value, bool):
        others: tuple[object, ...] = (not value,)
    elif isinstance(value, int | float):
        others = (value + 1, value - 1)
    else:
        return

    for other in others:

        def change(target: ast.AST, other: object = other) -> None:
            assert isinstance(target, ast.Constant)
            target.value = other  # type: ignore[assignment]

        yield f"{value} → {other}", change


def _negated(node: ast.UnaryOp) -> Iterator[tuple[str, Change]]:
    if isinstance(node.op, ast.Not):

        def change(target: ast.AST) -> None:
            assert isinstance(target, ast.UnaryOp)
            target.operand = ast.UnaryOp(ast.Not(), target.operand)

        yield "not dropped", change


def _named(node: ast.Call) -> Iterator[tuple[str, Change]]:
    if isinstance(node.func, ast.Name) and node.func.id in _NAMES:
        other = _NAMES[node.func.id]

        def change(target: ast.AST) -> None:
            assert isinstance(target, ast.Call)
            assert isinstance(target.func, ast.Name)
            target.func.id = other

        yield f"{node.func.id} → {other}", change


def _listed(node: ast.Tuple) -> Iterator[tuple[str, Change]]:
    """An element of a literal list of gates, limits or signs is forgotten."""
    if isinstance(node.ctx, ast.Load) and len(node.elts) > 1 and not isinstance(node.elts[0], ast.Constant):
        for at in range(len(node.elts)):
            text = ast.unparse(node.elts[at])

            def change(target: ast.AST, at: int = at) -> None:
                assert isinstance(target, ast.Tuple)
                del target.elts[at]

            if not _is_type(node.elts[at]):
                yield f"without “{text[:40]}”", change


def _is_type(node: ast.expr) -> bool:
    text = ast.unparse(node)
    return text in ("float", "int", "str", "...") or "|" in text or text.endswith("Status")


def _returned(node: ast.Return) -> Iterator[tuple[str, Change]]:
    if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):

        def change(target: ast.AST) -> None:
            assert isinstance(target, ast.Return)
            target.value = ast.Constant(None)

        yield "returns None", change


_BY_KIND: dict[type[ast.AST], Callable[..., Iterator[tuple[str, Change]]]] = {
    ast.Compare: _compared,
    ast.BoolOp: _joined,
    ast.BinOp: _counted,
    ast.Constant: _constant,
    ast.UnaryOp: _negated,
    ast.Call: _named,
    ast.Tuple: _listed,
    ast.Return: _returned,
}


class _Bent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from changed source."""

    def __init__(self, module: str, source: str) -> None:
        self._module, self._source = module, source

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == self._module else None

    def exec_module(self, module: ModuleType) -> None:
        code: CodeType = compile(self._source, f"<mutant of {self._module}>", "exec")
        exec(code, module.__dict__)


def found_by(module: str, source: str, tests: Sequence[str]) -> bool:
    """Do these tests (pytest's arguments) fail on the changed module? Runs them in a child."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_PATIENCE_S)  # a mutant that never ends is noticed too
        os._exit(_tested(module, source, tests))
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) != 0


def _tested(module: str, source: str, tests: Sequence[str]) -> int:
    for name in [n for n in sys.modules if n.startswith(("minertui.safety", "tests.safety"))]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Bent(module, source))
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            import pytest

            without = ("cacheprovider", "xdist", "cov", "textual-snapshot", "looptime", "unraisableexception")
            quick = ["-x", "-q", "--no-header", "--tb=no", "--assert=plain", *(f"-pno:{plugin}" for plugin in without)]
            return int(pytest.main([*quick, *tests]))
    except BaseException:
        return 1


def named() -> list[str]:
    """The named faults that their test did not find; each has to apply to the source as it is."""
    left = []
    for fault in NAMED:
        source = (SAFETY / f"{fault.module}.py").read_text(encoding="utf-8")
        if source.count(fault.old) != 1:
            left.append(f"{fault.name}: “{fault.old}” is not there exactly once")
        elif not found_by(f"minertui.safety.{fault.module}", source.replace(fault.old, fault.new), [fault.test]):
            left.append(f"{fault.name}: {fault.test} did not find it")
    return left


def known_same(mutant: Mutant) -> bool:
    """True for a change without effect, with its reason in ``same_mutants.py``."""
    name = mutant.module.rpartition(".")[2]
    line = (SAFETY / f"{name}.py").read_text(encoding="utf-8").splitlines()[mutant.line - 1].strip()
    return any((same.module, same.line, same.what) == (name, line, mutant.what) for same in SAME_MUTANTS)


def survives(mutant: Mutant) -> bool:
    """True when no test notices it: the quick ones first, then the property test."""
    if found_by(mutant.module, mutant.source, ["tests/safety", "-k", f"not {_PROPERTY}"]):
        return False
    return not found_by(mutant.module, mutant.source, ["tests/safety/test_kernel.py", "-k", _PROPERTY])


def main() -> int:
    """Print the score; 1 where a named fault was not found or fewer than 95 % of the mutants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--named", action="store_true", help="only the named faults")
    parser.add_argument("--sample", type=int, default=0, help="so many of the mutants; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    _tested(
        "", "", ["tests/safety/test_steps.py", "--collect-only"]
    )  # what pytest loads is loaded once for all children
    gc.freeze()  # and is not searched for garbage in each
    left = named()
    print(f"named faults: {len(NAMED)}, found {len(NAMED) - len(left)}", flush=True)
    for text in left:
        print(f"  !! {text}")
    if args.named:
        return int(bool(left))
    every = [mutant for path in sorted(SAFETY.glob("*.py")) for mutant in mutants(path) if not known_same(mutant)]
    print(f"changes without effect, left out: {len(SAME_MUTANTS)}, with their reasons in tests/proofs/same_mutants.py")
    if args.sample:
        every = random.Random(args.seed).sample(every, min(args.sample, len(every)))
    return _score(every) or int(bool(left))


def _score(every: Sequence[Mutant]) -> int:
    began = time.perf_counter()
    alive: list[Mutant] = []
    for n, mutant in enumerate(every, 1):
        if n % 50 == 0:
            print(f"  {n} of {len(every)}, {len(alive)} survived", flush=True)
        if survives(mutant):
            alive.append(mutant)
            print(f"  survived: {mutant.module}:{mutant.line}: {mutant.what}", flush=True)
    score = 100 * (1 - len(alive) / len(every))
    took_s = time.perf_counter() - began
    print(f"mutants: {len(every)}, found {len(every) - len(alive)}, score {score:.1f} % (at least 95), {took_s:.0f} s")
    return int(score < 95)


if __name__ == "__main__":
    sys.exit(main())
