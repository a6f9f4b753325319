"""Answers questions with pip, one after the other in one process: starting pip takes longer than most answers.

Reads JSON lines ``{"index": URL, "files": […], "constraints": […]}`` and writes one for each: the pins, or why not.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from pip._internal.cli.main import main as pip

IMPOSSIBLE = ("ResolutionImpossible", "No matching distribution found")


def ask(question: dict[str, Any], report: Path) -> dict[str, Any]:
    """What pip would install, by name, or what it says instead."""
    command = [
        "install", "--dry-run", "--ignore-installed", "--quiet", "--report", str(report), "--no-cache-dir",
        "--no-input", "--disable-pip-version-check", "--index-url", question["index"],
    ]  # fmt: skip
    command += [part for file in question["files"] for part in ("-r", file)]
    command += [part for file in question["constraints"] for part in ("-c", file)]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pip(command)
    if code == 0:
        found = [item["metadata"] for item in json.loads(report.read_text())["install"]]
        return {"pins": {canonicalize_name(item["name"]): item["version"] for item in found}}
    text = said.getvalue()
    return {"impossible": any(words in text for words in IMPOSSIBLE), "said": text}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            print(json.dumps(ask(json.loads(line), Path(folder) / "report.json")), flush=True)


if __name__ == "__main__":
    main()
