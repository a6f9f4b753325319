"""Whole reports for the golden files: one for each way a run can end."""

from __future__ import annotations

from msgspec.structs import replace
from report_builders import clash, environment, line, note, pin, report, spec, wheel

from conflictcheck.model import APART, IN_BASELINE, Declared, Edit, Fix, GoneClash, Minimum, Report, SpecId, TargetName

HOSTILE = 'a"b]\x1b[31m<script>`x`|#&\u202e\n--> end'


def compatible() -> Report:
    specs = (
        spec("api/requirements.txt", "fastapi>=0.110", "numpy"),
        spec("nlp.txt", "numpy>=1.26"),
        spec("pyproject.toml", "requests"),
    )
    pins = (
        pin("fastapi", "0.115.4", "api/requirements.txt", requires=("pydantic",)),
        pin("numpy", "1.26.4", "api/requirements.txt", "nlp.txt"),
        pin("pydantic", "2.9.2", "fastapi", extras=("email",)),
        pin("pywin32", "308", "requests", platforms=("windows",)),
        pin("requests", "2.32.3", "pyproject.toml", requires=("pywin32",)),
    )
    return report(
        "compatible",
        specs=specs,
        environments=(environment("env-1", *(one.id for one in specs), pins=pins),),
        targets=(TargetName("3.11.7", "linux"), TargetName("3.11.7", "windows")),
        diagnostics=(
            note(
                "inferred",
                "the dependencies of antlr4 4.9.3 are inferred: a build might say otherwise",
                severity="warning",
            ),
            note("passed-over", "it is a constraints file that nlp.txt names", "constraints.txt"),
            note("passed-over", "it has no requirements", "setup.cfg"),
            note("spec-found", "a requirements file", "nlp.txt"),
        ),
    )


def one_clash() -> Report:
    specs = (
        spec("api/requirements.txt", "fastapi"),
        spec("nlp.txt", "spacy", "thinc", "numpy>=2"),
        spec("vision/requirements.txt", "torch==2.1.0"),
    )
    return report(
        "split",
        specs=specs,
        environments=(
            environment("env-1", "api/requirements.txt", "nlp.txt", pins=(pin("numpy", "2.1.3", "nlp.txt"),)),
            environment("env-2", "vision/requirements.txt", pins=(pin("torch", "2.1.0", "vision/requirements.txt"),)),
        ),
        minimum=Minimum(
            2, True, 2, "nlp.txt and vision/requirements.txt clash, so each needs an environment of its own."
        ),
        clashes=(
            clash(
                "3f2a91c04b7d",
                "nlp.txt and vision/requirements.txt need different releases of numpy.",
                line("nlp.txt:3", "numpy>=2"),
                line("vision/requirements.txt:1", "torch==2.1.0"),
                steps=(
                    "vision/requirements.txt:1 asks for torch 2.1.0, which needs numpy <2, >=1.22 on every platform.",
                    "nlp.txt:3 asks for numpy >=2, of which 2.0.0 to 2.1.3 (7 releases) exist.",
                    "No release of numpy is both >=2 and <2.",
                ),
                packages=("numpy",),
            ),
        ),
    )


def allowed_split() -> Report:
    specs = (spec("a.txt", "numpy<2"), spec("b.txt", "numpy>=2"))
    return report(
        "split",
        passed=True,
        specs=specs,
        environments=(environment("env-1", "a.txt"), environment("env-2", "b.txt")),
        clashes=(clash("aa11", "a.txt and b.txt clash.", line("a.txt:1", "numpy<2"), line("b.txt:1", "numpy>=2")),),
    )


def alike_clashes() -> Report:
    """Services that state one line clash with two others that state another one, and one clash is something else."""
    services = [f"services/{name}.txt" for name in ("billing", "export", "mail")]
    pinned = ["nlp.txt", "vision.txt"]
    specs = (
        *(spec(name, "numpy<2") for name in services),
        *(spec(name, "numpy>=2", "scipy<1") for name in pinned),
        spec("web.txt", "scipy>=1"),
    )
    over_numpy = (
        replace(
            clash(
                f"a{i}b{j}",
                f"{name} and {other} clash over numpy: {name} asks for numpy<2 and {other} asks for numpy>=2.",
                line(f"{name}:1", "numpy<2"),
                line(f"{other}:1", "numpy>=2"),
            ),
            fixes=(Fix((Edit(SpecId(name), name, 1, "numpy<2", "numpy<3"),), 2),),
        )
        for i, name in enumerate(services)
        for j, other in enumerate(pinned)
    )
    over_scipy = clash(
        "c0ffee", "nlp.txt and web.txt clash over scipy.", line("nlp.txt:2", "scipy<1"), line("web.txt:1", "scipy>=1")
    )
    return report(
        "split",
        specs=specs,
        environments=(environment("env-1", *services, "web.txt"), environment("env-2", *pinned)),
        clashes=(*over_numpy, over_scipy),
    )


def declared() -> Report:
    """One declared environment holds its specs and one does not; a clash is between the two, and fewer would do."""
    specs = (spec("jobs.txt", "scipy"), spec("nlp.txt", "numpy>=2"), spec("vision.txt", "numpy<2"))
    within = clash("dd01", "jobs.txt and nlp.txt clash.", line("jobs.txt:1", "scipy"), line("nlp.txt:1", "numpy>=2"))
    apart = clash(
        "dd02",
        "nlp.txt and vision.txt clash.",
        line("nlp.txt:1", "numpy>=2"),
        line("vision.txt:1", "numpy<2"),
        known=APART,
    )
    return report(
        "split",
        specs=specs,
        environments=(
            environment("text-1", "jobs.txt"),
            environment("text-2", "nlp.txt"),
            environment("vision", "vision.txt"),
        ),
        minimum=Minimum(2, True, 2, "nlp.txt clashes with each of the others, so it needs an environment of its own."),
        clashes=(apart, within),
        declared=(
            Declared("text", (specs[0].id, specs[1].id), ("text-1", "text-2"), holds=False),
            Declared("vision", (specs[2].id,), ("vision",), holds=True),
        ),
        diagnostics=(
            note(
                "declared-environment",
                "the declared environment text does not hold its 2 specs: they take 2 environments",
                severity="error",
            ),
            note("better-split", "2 environments would do: jobs-vision (jobs.txt and vision.txt); nlp (nlp.txt)"),
        ),
    )


def many_clashes() -> Report:
    names = [f"team-{number:02}/requirements.txt" for number in range(1, 14)]
    specs = tuple(spec(name, f"numpy=={number}.0") for number, name in enumerate(names, start=1))
    clashes = tuple(
        clash(
            f"id{number:02}",
            f"{names[0]} and {name} ask for different releases of numpy.",
            line(f"{names[0]}:1", "numpy==1.0"),
            line(f"{name}:1", f"numpy=={number}.0"),
            steps=(f"numpy 1.0 is not {number}.0.",),
            packages=("numpy",),
            minimal=number != 2,
        )
        for number, name in enumerate(names[1:], start=2)
    )
    return report(
        "split",
        specs=specs,
        environments=tuple(environment(f"env-{number}", name) for number, name in enumerate(names[:2], start=1)),
        minimum=Minimum(13, False, 9, "13 specs pin numpy to releases of their own."),
        clashes=clashes,
        clashes_complete=False,
        diagnostics=tuple(
            note(
                "yanked",
                f"numpy {number}.0 was yanked: no reason given",
                f"team-{number:02}/requirements.txt",
                1,
                "warning",
            )
            for number in range(1, 7)
        ),
    )


def known_clashes() -> Report:
    """One clash that counts, some that do not, and some that are gone."""
    new = one_clash().clashes
    known = (
        clash(
            "aa11", "a.txt and b.txt clash.", line("a.txt:1", "numpy<2"), line("b.txt:1", "numpy>=2"), known=IN_BASELINE
        ),
        clash(
            "bb22",
            "pyproject.toml#extra:cpu and pyproject.toml#extra:gpu clash.",
            line("pyproject.toml:7", "torch==2.1", spec="pyproject.toml#extra:cpu"),
            line("pyproject.toml:8", "torch==2.2", spec="pyproject.toml#extra:gpu"),
            known="declared in [tool.uv] conflicts of pyproject.toml",
        ),
    )
    fix = Fix((Edit(SpecId("b.txt"), "b.txt", 1, "numpy>=2", "numpy>=1.26"),), 1)
    known = (replace(known[0], fixes=(fix,)), known[1])
    gone = (
        GoneClash("0a1b2c3d4e5f", "old.txt asks for numpy<1.20, which no release of Python 3.11 is in.", IN_BASELINE),
        GoneClash("ffeeddccbbaa", "", "at main"),
    )
    return replace(one_clash(), clashes=(*known, *new), gone=gone, compared_with="main")


def all_known() -> Report:
    known = tuple(replace(clash, known="ignored") for clash in one_clash().clashes)
    return replace(one_clash(), clashes=known, passed=True)


def unsatisfiable() -> Report:
    specs = (spec("a.txt", "numpyy"), spec("b.txt", "numpy<2"), spec("c.txt", "numpy>=2"))
    return report(
        "unsatisfiable",
        specs=specs,
        environments=(environment("env-1", "b.txt"), environment("env-2", "c.txt")),
        clashes=(
            clash(
                "0badcafe",
                "a.txt cannot be installed: no index has a package called numpyy.",
                line("a.txt:1", "numpyy"),
                line("constraints.txt:2", "numpyy<3", kind="constraint"),
                line("pyproject.toml:4", 'requires-python = ">=3.13"', spec="pyproject.toml#extra:gpu", kind="python"),
                steps=("The package index has no numpyy.",),
                kind="missing-package",
            ),
            clash("1111", "b.txt and c.txt clash about numpy.", line("b.txt:1", "numpy<2"), line("--with", "numpy>=2")),
        ),
    )


def undecided() -> Report:
    return report(
        "undecided",
        specs=(spec("a.txt", "numpy"), spec("b.txt", "torch")),
        minimum=Minimum(0, False, 0),
        clashes_complete=False,
        diagnostics=(
            note(
                "index-unreachable", "numpy is not known: https://index.example/simple answered 503", severity="error"
            ),
            note("no-hash", "torch is listed without hashes", severity="warning"),
        ),
    )


def undecided_besides() -> Report:
    """Of one spec nothing is known, two cannot be installed for the same reason, and two others clash."""
    names = ("a.txt", "b.txt", "gone-1.txt", "gone-2.txt", "unknown.txt")
    why = "Edits were not looked for, as not everything could be decided."
    alone = (
        clash(f"a{name}", f"{name} cannot be installed: there is no such release.", line(f"{name}:1", "numpy==0"))
        for name in names[2:4]
    )
    pair = clash("bb", "a.txt and b.txt clash.", line("a.txt:1", "numpy<2"), line("b.txt:1", "numpy>=2"))
    return report(
        "undecided",
        specs=tuple(spec(name, "numpy") for name in names),
        environments=(environment("env-1", "a.txt"), environment("env-2", "b.txt")),
        clashes=tuple(replace(one, remarks=(why,)) for one in (*alone, pair)),
        diagnostics=(
            note("undecided-spec", "unknown.txt could not be decided: there was no answer", severity="error"),
        ),
    )


def hostile() -> Report:
    """Names that try to be something else: an escape, a tag, a diagram's syntax, the end of a line."""
    evil = f"{HOSTILE}.txt"
    return report(
        "split",
        specs=(
            spec("a.txt", "numpy"),
            spec(evil, "numpy"),
            spec("#%[bold].txt", "numpy"),
            spec("caf\udce9.txt", "numpy"),
        ),
        environments=(
            environment(
                "env-1",
                "a.txt",
                evil,
                pins=(
                    pin("numpy", "1.0", evil, files=(wheel("numpy", "1.0"),)),
                    pin("x", "1.0", "numpy", files=(wheel("x", "1.0", digest="b"),)),
                ),
            ),
            environment("env-2", "#%[bold].txt", "caf\udce9.txt"),
        ),
        clashes=(
            clash(
                "evil",
                f"a.txt and {evil} clash about {HOSTILE}.",
                line("a.txt:1", "numpy"),
                line(f"{evil}:7", "numpy"),
                steps=(f"{HOSTILE} says so.",),
                packages=(HOSTILE,),
            ),
        ),
        diagnostics=(note("odd", f"a message with {HOSTILE}", evil, 3, "warning"),),
        gone=(GoneClash("0a1b2c3d4e5f", HOSTILE, f"at {HOSTILE}"),),
        compared_with=HOSTILE,
    )


SITUATIONS = {
    situation.__name__: situation()
    for situation in (
        compatible,
        one_clash,
        allowed_split,
        alike_clashes,
        many_clashes,
        unsatisfiable,
        undecided,
        undecided_besides,
        hostile,
        known_clashes,
        all_known,
        declared,
    )
}
