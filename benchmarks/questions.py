"""What the benchmarks ask: specs, for a Python on a platform, as of a date."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).parent
CASES = HERE.parent / "tests" / "cases" / "cases.toml"
PLATFORM = "x86_64-manylinux_2_35"

AIRFLOW = (
    "amazon", "celery", "cncf-kubernetes", "databricks", "docker", "google", "microsoft-azure", "postgres", "redis",
    "slack", "snowflake", "ssh",
)  # fmt: skip
ONE = {
    "flask": ["flask"],
    "requests": ["requests[socks]"],
    "pandas": ["pandas"],
    "autogluon": ["autogluon==1.1.1"],
    "airflow": [f"apache-airflow[{','.join(AIRFLOW)}]==2.10.2"],
    "kedro": ["kedro[test]==0.18.13"],
    "bigquery-soda": ["google-cloud-bigquery>=3", "soda-core"],
}
"""Single specs."""
HARD = ("autogluon", "airflow", "kedro", "bigquery-soda")
"""Those of them for which newest first takes a search."""


@dataclass(frozen=True)
class Question:
    """Specs that are to share environments.

    Attributes:
        specs: requirement lines by name.
        python: X.Y.
        exclude_newer: a timestamp.
        platform: as uv and conflictcheck name it.
        index: of the server.
    """

    specs: dict[str, list[str]]
    python: str
    exclude_newer: str
    platform: str = PLATFORM
    index: str = "real"

    def write(self, folder: Path) -> list[str]:
        """Write each spec to a file of its own, and leave alone what is there already; their names, in order."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, lines in self.specs.items():
            file = folder / f"{name}.txt"
            text = "".join(f"{line}\n" for line in lines)
            if not file.exists() or file.read_text() != text:
                file.write_text(text)
        return [f"{name}.txt" for name in self.specs]

    def first(self, count: int) -> Question:
        """The same of the first specs alone."""
        return replace(self, specs=dict(list(self.specs.items())[:count]))

    def with_line(self, line: str) -> Question:
        """The same with one more line in the last spec."""
        *_, last = self.specs
        return replace(self, specs={**self.specs, last: [*self.specs[last], line]})


def family() -> Question:
    """The 40 kept specs."""
    kept = tomllib.loads((HERE / "families.toml").read_text())
    return Question(kept["specs"], kept["python"], kept["exclude_newer"], kept["platform"])


def single() -> dict[str, Question]:
    """A question for each single spec, as of the date of the families."""
    base = family()
    return {name: replace(base, specs={name: lines}) for name, lines in ONE.items()}


def sets(file: Path = CASES) -> dict[str, Question]:
    """A question for each set of a file in the form of tests/cases/cases.toml."""
    return {
        name: Question(
            {f"spec{position}": lines for position, lines in enumerate(case["specs"])},
            case["python"],
            f"{case['exclude_newer']}T23:59:59Z",
        )
        for name, case in tomllib.loads(file.read_text()).items()
    }
