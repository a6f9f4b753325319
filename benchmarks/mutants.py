"""Does a test fail when the code says something else? One small change at a time, in the modules that decide.

    python benchmarks/mutants.py [encoding] [splitting] [clashes] [fixes]

A mutant is one function with one change: a comparison, an operator, a constant, a condition, a statement left out. The
tests are collected once; each mutant gets a forked copy of the process, in which its function's code is exchanged, and
runs the tests that reach the changed line, the quickest first, until one fails. What survives is printed, unless
tests/mutants.md lists it with the reason why it changes nothing. Ends with 1 if something is left.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
import os
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from _pytest.runner import runtestprotocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType, FrameType, FunctionType

ROOT = Path(__file__).parents[1]
MODULES = {
    "encoding": "conflictcheck.solver.encoding",
    "splitting": "conflictcheck.splitting",
    "clashes": "conflictcheck.clashes",
    "fixes": "conflictcheck.fixes",
}
TESTS = [
    "solver",
    "test_clashes.py",
    "test_shrinking.py",
    "test_splitting.py",
    "test_fixes.py",
    "test_fixes_at_the_edges.py",
    "property/test_answers.py",
    "property/test_fixes_by_brute_force.py",
]
ACCEPTED = ROOT / "tests" / "mutants.md"
GRACE = 2
"""Seconds of processor time that a mutant gets beyond twice what its tests take."""
MEMORY = 1 << 30

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
CALLS = {"any": "all", "all": "any", "min": "max", "max": "min", "sorted": "list"}


class Mutant(NamedTuple):
    """One change: the lines of its statement, and the code of the function that has it."""

    module: str
    function: str
    lines: range
    before: str
    after: str
    code: CodeType

    @property
    def name(self) -> str:
        """What it is called in the list of accepted ones: no line numbers, which change."""
        return f"{self.module}.{self.function}: `{self.before}` -> `{self.after}`"


@dataclass(frozen=True)
class Reach:
    """What one test reaches, and what it costs."""

    seconds: float
    lines: frozenset[tuple[str, int]]


def changes(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901, PLR0912 - one case for each kind of node
    """What a node may be replaced by."""
    match node:
        case ast.Compare(left, [op], [right]):
            yield ast.Compare(left, [COMPARISONS[type(op)]()], [right])
        case ast.BinOp(left, op, right) if type(op) in OPERATORS:
            yield ast.BinOp(left, OPERATORS[type(op)](), right)
        case ast.AugAssign(target, op, value):
            if type(op) in OPERATORS:
                yield ast.AugAssign(target, OPERATORS[type(op)](), value)
            yield ast.Assign([target], value)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for i in range(len(values)):
                rest = [*values[:i], *values[i + 1 :]]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        case ast.UnaryOp(ast.Not() | ast.USub() | ast.Invert(), operand):
            yield operand
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(str(value)):
            yield ast.Constant(f"XX{value}")
        case ast.If(test, body, orelse) if not is_negated_anyway(test):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.While(test, body, orelse) if not is_negated_anyway(test):
            yield ast.While(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.IfExp(_, body, orelse):
            yield from (body, orelse)
        case ast.comprehension(target, iterable, conditions, is_async) if conditions:
            yield ast.comprehension(target, iterable, [], is_async)
        case ast.Return(ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()
        case ast.Expr(ast.Call()) | ast.Raise():
            yield ast.Pass()
        case ast.Expr(ast.Yield()):
            yield ast.Expr(ast.Constant(None))
        case ast.Subscript(value, ast.Slice()):
            yield value
        case ast.Call(function, arguments, keywords):
            match function:
                case ast.Name(name) if name in CALLS:
                    kept = [] if name == "sorted" else keywords
                    yield ast.Call(ast.Name(CALLS[name], ast.Load()), arguments, kept)
            for i in range(len(keywords)):
                yield ast.Call(function, arguments, [*keywords[:i], *keywords[i + 1 :]])


def is_negated_anyway(test: ast.expr) -> bool:
    """Whether a condition has another mutant that is its contrary."""
    match test:
        case ast.Compare(_, [ast.Eq() | ast.NotEq() | ast.In() | ast.NotIn() | ast.Is() | ast.IsNot()], _):
            return True
        case ast.UnaryOp(ast.Not(), _):
            return True
    return False


def places(node: ast.AST, around: ast.stmt) -> Iterator[tuple[ast.AST, str, int | None, ast.stmt]]:
    """Each place below a node that holds another: parent, field and position, and the statement; no annotations."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "args") and not isinstance(node, ast.Call):
            continue
        for i, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if isinstance(child, ast.AST) and not is_docstring and not isinstance(child, ast.FormattedValue):
                statement = child if isinstance(child, ast.stmt) else around
                yield node, field, i, statement
                yield from places(child, statement)
            elif isinstance(child, ast.FormattedValue):
                yield from places(child, around)


def lines_of(statement: ast.stmt) -> range:
    """The lines of a statement, of a compound one those of its head."""
    body = getattr(statement, "body", None)
    end = body[0].lineno - 1 if body else statement.end_lineno or statement.lineno
    return range(statement.lineno, max(end, statement.lineno) + 1)


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")


def code_named(code: CodeType, qualname: str) -> CodeType:
    inner = [each for each in code.co_consts if inspect.iscode(each)]
    for each in inner:
        if each.co_qualname == qualname:
            return each
        if qualname.startswith(f"{each.co_qualname}."):
            return code_named(each, qualname)
    raise LookupError(qualname)


def mutants_of(short: str) -> Iterator[Mutant]:
    module = importlib.import_module(MODULES[short])
    file = str(module.__file__)
    tree = ast.parse(Path(file).read_text())
    for function, definition in functions(tree):
        for parent, field, i, statement in list(places(definition, definition)):
            held = getattr(parent, field)
            node = held if i is None else held[i]
            for change in changes(node):
                ast.copy_location(change, node)
                before, after = (ast.unparse(each).partition("\n")[0] for each in (node, change))
                put(parent, field, i, change)
                code = compile(ast.fix_missing_locations(tree), file, "exec")
                put(parent, field, i, node)
                yield Mutant(short, function, lines_of(statement), before, after, code_named(code, function))


def put(parent: ast.AST, field: str, i: int | None, node: ast.AST) -> None:
    if i is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[i] = node


def live_function(mutant: Mutant) -> FunctionType:
    found: Any = importlib.import_module(MODULES[mutant.module])
    for part in mutant.function.split("."):
        found = inspect.getattr_static(found, part)
    return found.fget if isinstance(found, property) else found


class Run:
    """The pytest plugin that runs mutants in place of tests."""

    def __init__(self, mutants: Sequence[Mutant], every: int) -> None:
        self.mutants = mutants
        self.every = every
        self.survivors: list[Mutant] = []
        self.killed = 0

    @staticmethod
    def pytest_configure() -> None:
        """That a case fails is enough here: it is not made smaller."""
        from hypothesis import Phase, settings  # noqa: PLC0415 - pytest wants to see it imported

        settings.register_profile("mutants", parent=settings.default, phases=(Phase.explicit, Phase.generate))
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = session.items
        reach = self._measure(items)
        print(f"{len(items)} tests, {sum(one.seconds for one in reach):.0f} s of processor time", flush=True)
        for number, mutant in enumerate(self.mutants, 1):
            file = str(importlib.import_module(MODULES[mutant.module]).__file__)
            statement = {(file, line) for line in mutant.lines}
            chosen = [i for i, one in enumerate(reach) if not statement.isdisjoint(one.lines)]
            chosen.sort(key=lambda i: reach[i].seconds)
            allowed = 2 * sum(reach[i].seconds for i in chosen)
            if fork(lambda todo=[items[i] for i in chosen], mutant=mutant: kill(mutant, todo), allowed) == 0:
                self.survivors.append(mutant)
                print(f"survived {len(chosen)} tests: line {mutant.lines.start} {mutant.name}", flush=True)
            else:
                self.killed += 1
            if number % self.every == 0:
                print(f"{number} of {len(self.mutants)} tried, {len(self.survivors)} survived", flush=True)
        return True

    def _measure(self, items: Sequence[pytest.Item]) -> list[Reach]:
        """Run each test once, unchanged, in a copy of its own process, and note the lines of the modules it reaches."""
        reading, writing = os.pipe()
        files = {str(importlib.import_module(MODULES[each.module]).__file__) for each in self.mutants}

        def measure() -> int:
            os.close(reading)
            with os.fdopen(writing, "w") as pipe:
                for item in items:
                    lines: set[tuple[str, int]] = set()
                    start = time.process_time()
                    passed = traced(item, files, lines)
                    print(json.dumps([passed, time.process_time() - start, sorted(lines)]), file=pipe)
            return 0

        child = fork_only(measure, None)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            rows = [json.loads(row) for row in pipe]
        os.waitpid(child, 0)
        if len(rows) < len(items) or not all(passed for passed, _, _ in rows):
            failed = [item.nodeid for item, (passed, _, _) in zip(items, rows, strict=False) if not passed]
            raise SystemExit(f"tests fail without any change: {failed}")
        return [Reach(seconds, frozenset(map(tuple, lines))) for _, seconds, lines in rows]


def traced(item: pytest.Item, files: set[str], lines: set[tuple[str, int]]) -> bool:
    def trace(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return trace

    sys.settrace(trace)
    try:
        return passes(item)
    finally:
        sys.settrace(None)


def passes(item: pytest.Item) -> bool:
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def kill(mutant: Mutant, items: Sequence[pytest.Item]) -> int:
    live_function(mutant).__code__ = mutant.code
    return 0 if all(map(passes, items)) else 1


def fork_only(work: Any, seconds: float | None) -> int:
    """Do the work in a copy of this process, silently; its result is the exit status."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        if seconds is not None:
            signal.signal(signal.SIGXCPU, signal.SIG_DFL)
            used = time.process_time()
            resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds + GRACE), resource.RLIM_INFINITY))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        status = work()
    finally:
        os._exit(status)


def fork(work: Any, seconds: float) -> int:
    _, status = os.waitpid(fork_only(work, seconds), 0)
    return status


def accepted() -> Counter[str]:
    """The mutants that change nothing, as often as tests/mutants.md lists them."""
    rows = [row.split(" | ") for row in ACCEPTED.read_text().splitlines() if row.startswith("| ")]
    return Counter(row[0].removeprefix("| ").replace("\\|", "|") for row in rows[2:])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", choices=[*MODULES, []], help="all, if none is named")
    parser.add_argument("--examples", type=int, default=6, help="how many examples each property is tried on")
    parser.add_argument("--from", dest="first", type=int, default=0, help="how many mutants to pass over")
    parser.add_argument("--only", default="", help="only mutants whose name has this text")
    parser.add_argument("--list", action="store_true", help="print the mutants, and try none")
    options = parser.parse_args()
    found = [
        mutant for short in options.modules or MODULES for mutant in mutants_of(short) if options.only in mutant.name
    ]
    mutants = list(islice(found, options.first, None))
    if options.list:
        print(*(f"{mutant.lines.start} {mutant.name}" for mutant in mutants), sep="\n")
        return 0
    run = Run(mutants, every=20)
    tests = [str(ROOT / "tests" / each) for each in TESTS]
    quiet = ["-q", "-s", "--tb=no", "-p", "no:cacheprovider"]
    pytest.main([*quiet, f"--rootdir={ROOT}", f"--property-examples={options.examples}", *tests], plugins=[run])
    known = accepted() if ACCEPTED.exists() else Counter[str]()
    left: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in run.survivors:
        if known[mutant.name]:
            known[mutant.name] -= 1
        else:
            left[mutant.module].append(mutant)
    print(f"{len(mutants)} mutants: {run.killed} killed, {len(run.survivors)} survived")
    for module, those in left.items():
        print(f"{module}: {len(those)} survived that {ACCEPTED.relative_to(ROOT)} does not list")
        print(*(f"  {mutant.lines.start} {mutant.name}" for mutant in those), sep="\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
