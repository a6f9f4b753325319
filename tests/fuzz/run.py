"""The long run: a million inputs for each target, guided by coverage where atheris is installed.

``python tests/fuzz/run.py --inputs 1000000 --target all --keep /tmp/corpora`` takes hours. What fails goes into the
corpus, where ``pytest tests/fuzz`` feeds it again. Each target has a process of its own, with bounds on its memory and
on the processor time of one input.
"""
# ruff: noqa: T201 - it is a program

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzz_target import Target

MEMORY = 3 << 30
"""Bytes of one process, with everything that libraries map."""
INSTRUMENTED = ["conflictcheck", "packaging", "tomllib"]
EVERY = 5_000
"""Inputs between two notes of how far it is."""


def main() -> int:
    """Run the targets one after another and print a table; 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--inputs", type=int, default=1_000_000, help="for each target")
    parser.add_argument("--target", action="append", help="a name, or all; may be repeated")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="the most that one target may take")
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that led to new paths, to go on from later")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options)
    import targets  # noqa: PLC0415 - the child has it instrumented

    wanted = options.target or ["all"]
    names = [name for name in targets.BY_NAME if name in wanted or "all" in wanted]
    if unknown := set(wanted) - {"all", *names}:
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(targets.BY_NAME)}")
    print(f"{'target':<20} {'inputs':>9} {'a second':>8} {'new paths':>9} {'slowest':>9} {'memory':>8}  failures")
    failed = False
    for name in names:
        found = _run(name, options)
        failed |= bool(found["failures"])
        print(
            f"{name:<20} {found['inputs']:>9,} {found['inputs'] / max(found['seconds'], 0.001):>8,.0f}"
            f" {found['paths']:>9,} {found['slowest'] * 1000:>6.0f} ms {found['memory'] >> 10:>4} MiB"
            f"  {', '.join(found['failures']) or '-'}",
            flush=True,
        )
    return failed


def _run(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Run one target in a process of its own, again where that dies; what it noted down last counts."""
    from fuzz_target import in_memory  # noqa: PLC0415 - the child has it instrumented

    with tempfile.TemporaryDirectory(prefix="fuzz-run-", dir=in_memory()) as folder:
        kept = options.keep / name if options.keep else Path(folder, "kept")
        kept.mkdir(parents=True, exist_ok=True)
        before = len(list(kept.iterdir()))
        command = [sys.executable, __file__, "--child", name, "--inputs", str(options.inputs), "--keep", str(kept)]
        command += ["--seconds", str(options.seconds)]
        # Compiled modules of its own: nothing instrumented is left behind, and nobody writes them at the same time.
        environ = {**os.environ, "TMPDIR": folder, "PYTHONPYCACHEPREFIX": folder}
        with Path(folder, "log").open("wb") as log:
            code = subprocess.run(command, cwd=folder, env=environ, stdout=log, stderr=log, check=False).returncode
        notes = Path(folder, "notes.json")
        found: dict[str, Any] = {"inputs": 0, "seconds": 0.0, "slowest": 0.0, "memory": 0, "failures": {}}
        found |= json.loads(notes.read_text()) if notes.exists() else {}
        if code != 0:
            found["failures"][f"died with {code}"] = ""
            sys.stderr.write(Path(folder, "log").read_text(errors="replace")[-3000:])
        for what, where in found["failures"].items():
            sys.stderr.write(f"{name}: {what}\n{where}\n")
        return {**found, "paths": len(list(kept.iterdir())) - before}


def _child(options: argparse.Namespace) -> None:
    """Feed one target, and never return."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        import atheris  # noqa: PLC0415 - optional
    except ImportError:
        atheris = None
    if atheris is None:
        import targets  # noqa: PLC0415
    else:
        with atheris.instrument_imports(include=INSTRUMENTED):
            import targets  # noqa: PLC0415
    target = targets.BY_NAME[options.child]
    feed = _Feed(target, options.inputs, options.seconds)
    seeds = targets.CORPUS / target.name
    if atheris is None:
        from fuzz_target import mutations  # noqa: PLC0415

        for path in seeds.iterdir():
            feed(path.read_bytes())
        for data in mutations(target, options.inputs):
            feed(data)
        raise AssertionError("the last input ends the process")
    words = Path("words")
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.tokens if len(word) < 64))
    flags = [f"-max_len={targets.LONGEST}", f"-dict={words}", "-timeout=600", "-rss_limit_mb=0", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *flags, f"-runs={options.inputs * 2}", str(options.keep), str(seeds)], feed)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


class _Feed:
    """Feeds inputs, keeps those that fail, and ends the process after the last."""

    def __init__(self, target: Target, inputs: int, seconds: float) -> None:
        from fuzz_target import CORPUS, feed  # noqa: PLC0415 - instrumented

        self._target = target
        self._feed: Callable[[Target, bytes], bool] = feed
        self._corpus = CORPUS / target.name
        self._inputs = inputs
        self._end = time.monotonic() + seconds
        self._started = time.monotonic()
        self._count = 0
        self._slowest = 0.0
        self._failures: dict[str, str] = {}

    def __call__(self, data: bytes) -> None:
        started = time.process_time()
        try:
            self._feed(self._target, data)
        except BaseException as error:  # noqa: BLE001 - whatever it is
            self._failed(error, data)
        taken = time.process_time() - started
        self._count += 1
        if taken > self._slowest:
            self._slowest = taken
            Path("slowest").write_bytes(data)
        is_last = self._count >= self._inputs or time.monotonic() > self._end
        if is_last or self._count % EVERY == 0:
            self._note()
        if is_last:
            os._exit(0)

    def _failed(self, error: BaseException, data: bytes) -> None:
        """Keep the first input of each failure; the place of the failure in the product tells them apart."""
        frames = traceback.extract_tb(error.__traceback__)
        if error.__context__ is not None:  # a refusal that breaks a law
            frames = [*frames, *traceback.extract_tb(error.__context__.__traceback__)]
        own = [frame for frame in frames if "/conflictcheck/" in frame.filename] or frames
        key = f"{type(error).__name__} at {Path(own[-1].filename).name}:{own[-1].lineno}"
        if key not in self._failures:
            self._failures[key] = "".join(traceback.format_exception(error))[-2000:]
            (self._corpus / f"failed-{hashlib.sha256(data).hexdigest()[:8]}").write_bytes(data)
            self._note()

    def _note(self) -> None:
        notes = {
            "inputs": self._count,
            "seconds": time.monotonic() - self._started,
            "slowest": self._slowest,
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            "failures": self._failures,
        }
        Path("notes.json").write_text(json.dumps(notes))


if __name__ == "__main__":
    sys.exit(main())
