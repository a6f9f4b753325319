"""What may have been meant by a line that is not a requirement."""

from __future__ import annotations

import re

from packaging.requirements import InvalidRequirement, Requirement

from conflictcheck.text import quote

_COMMAND = re.compile(
    r"^(?:\$\s*)?(?:!|%)?(?:python3? -m )?(?:(?:uv )?pip3? install|uv add|(?:conda|mamba) install)\s+", re.IGNORECASE
)
_LONGEST = 500
_NOT_MEANT_AS_ONE = (
    (re.compile(r"<{7}|={7}|>{7}"), "a merge was left unfinished here"),
    (re.compile(r"<(!doctype|html|\?xml)", re.IGNORECASE), "this is a web page; was it saved in place of the file?"),
)
_NAME = r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]]*\])?)\s*"
_AROUND_PYTHON = re.compile(r"^[\"']?(?:python\s*)?|[\"']$", re.IGNORECASE)
_BARE_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(?:\+|\.\*)?")
# Tried in this order on what precedes the marker; the first that makes a requirement of it wins.
_REWRITES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^-\s+", ""),  # a list item of YAML
        (r"""^["'](.*)["'],?$""", r"\1"),  # an item of a list in code
        (r",$", ""),
        (r">\s*>", ">"),
        (r"<\s*<", "<"),
        (r"([<>!~=])\s+=", r"\1="),
        (r"=\s*>", ">="),
        (r"=\s*<", "<="),
        (r"!(?!=)", "!="),
        (r"([<>]=?\s*[0-9.]+)\.\*", r"\1"),
        (_NAME + r"=([^=\s]+)=[^=\s]+$", r"\g<name>==\2"),  # conda's name=version=build
        (r"(?<![=<>!~])=(?!=)\s*", "=="),
        (_NAME + r"~\s*(?P<version>\d+\.\d\S*)$", r"\g<name>~=\g<version>"),
        (_NAME + r"(?P<version>v?\d[\w.]*)$", r"\g<name>==\g<version>"),
        (r"(?<=\w)\s+(?=[<>=!~])", ","),
    )
)


def command_hint(text: str) -> str | None:
    """What to do about a line that is a command of a shell; None where it is none."""
    found = _COMMAND.match(text)
    return None if found is None else f"write what it installs alone: {quote(text[found.end() :])}"


def hint_for(text: str) -> str | None:
    """What to do about a line that cannot be parsed, or None where nothing better than its error is known."""
    for pattern, hint in _NOT_MEANT_AS_ONE:
        if pattern.match(text):
            return hint
    return _rewritten(text) if len(text) <= _LONGEST else None


def python_hint(text: str) -> str:
    """What to do about a ``requires-python`` that is no version specifier."""
    bare = _AROUND_PYTHON.sub("", text.strip()) if len(text) <= _LONGEST else ""
    if version := _BARE_VERSION.fullmatch(bare):
        return f"did you mean {quote('==' + bare if bare.endswith('*') else '>=' + version[1])}?"
    if power := re.fullmatch(r"\^\s*v?(\d+(?:\.\d+)*)", bare):
        return f"did you mean {quote(caret(power[1]))}?"
    for rewritten in (f"python{bare}", *_candidates(f"python{bare}")):
        specifier = rewritten.removeprefix("python").strip()
        if specifier[:1] in tuple("<>=!~") and is_requirement(f"python{specifier}"):
            return f"did you mean {quote(specifier)}?"
    return 'write it as ">=3.11"'


def _rewritten(text: str) -> str | None:
    body, semicolon, marker = text.partition(";")
    for rewritten in _candidates(body.strip()):
        if is_requirement(f"{rewritten}{semicolon}{marker}"):
            return f"did you mean {quote(rewritten + (f' ; {marker.strip()}' if semicolon else ''))}?"
    if found := re.match(_NAME + r"\^\s*v?(\d+(?:\.\d+)*)$", body.strip()):
        return f"did you mean {quote(found['name'] + caret(found[2]))}?"
    if len(names := body.split()) > 1 and all(map(is_requirement, names)):
        return "write one requirement a line"
    return None


def _candidates(text: str) -> list[str]:
    tries = []
    for pattern, replacement in _REWRITES:
        rewritten = pattern.sub(replacement, text).strip()
        if rewritten != text:
            tries.append(rewritten)
            # Two slips in one line: a quoted line with a slip inside.
            tries += [again for other, new in _REWRITES if (again := other.sub(new, rewritten).strip()) != rewritten]
    return tries


def is_requirement(text: str) -> bool:
    """Whether `text` is a PEP 508 requirement without a URL."""
    try:
        return Requirement(text).url is None
    except InvalidRequirement:
        return False


def caret(version: str) -> str:
    """The range that ``^version`` stands for elsewhere: up to the next change of the first number that is not zero."""
    numbers = [int(part) for part in version.split(".")]
    kept = next((i for i, number in enumerate(numbers) if number), len(numbers) - 1)
    upper = [*numbers[:kept], numbers[kept] + 1]
    return f">={version},<{'.'.join(map(str, upper))}"
