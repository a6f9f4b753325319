"""What does a warm, offline run cost? Needs the package index once, to fill the cache.

    python benchmarks/warm_runs.py [--runs N]

Runs the command line in processes of their own and prints, for each case, the verdict and the medians of wall time,
CPU time and peak memory: one hard spec, eight of them together, and `--version`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OPTIONS = [
    "--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_35", "--exclude-newer", "2024-11-01T23:59:59Z",
    "--no-progress", "--format", "json",
]  # fmt: skip
SPECS = {
    "tables": "autogluon==1.1.1\n",
    "jobs": "apache-airflow[google,amazon]==2.10.2\n",
    "pipelines": "kedro[test]==0.18.13\n",
    "chat": "langchain>=0.3\nlangchain-community\nlangchain-openai\nlanggraph\n",
    "tracking": "mlflow[extras]==2.17.1\n",
    "cluster": "ray[all]==2.38.0\n",
    "training": "tensorflow==2.17.0\ntensorboard\nkeras\n",
    "text": "streamlit\ntransformers[torch]\ndatasets\n",
}


def measure(arguments: list[str], folder: Path) -> tuple[float, float, float, str]:
    """Wall seconds, CPU seconds, peak memory in MB, and what was printed."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "conflictcheck", *arguments],
            cwd=folder,
            stdout=output,
            env={**os.environ, "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""},
        )
        _, _, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        output.seek(0)
        return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, output.read().decode()


def row(name: str, arguments: list[str], folder: Path, runs: int) -> None:
    results = [measure(arguments, folder) for _ in range(runs)]
    wall, cpu, memory = (statistics.median(result[i] for result in results) for i in range(3))
    said = ""
    if "json" in arguments:
        report = json.loads(results[0][3])
        pins = sum(len(environment["packages"]) for environment in report["environments"])
        found = f"{len(report['clashes'])} clashes, {len(report['environments'])} environments, {pins} pins"
        said = f"{report['verdict']}, {found}"
    print(f"{name:22} {wall:6.2f} s wall {cpu:6.2f} s CPU {memory:5.0f} MB  {said}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, text in SPECS.items():
            (folder / f"{name}.txt").write_text(text)
        every = [f"{name}.txt" for name in SPECS]
        measure(["check", *every, *OPTIONS], folder)
        row("one spec (autogluon)", ["check", every[0], "--offline", *OPTIONS], folder, runs)
        row("eight specs", ["check", *every, "--offline", *OPTIONS], folder, runs)
        row("--version", ["--version"], folder, runs)


if __name__ == "__main__":
    main()
