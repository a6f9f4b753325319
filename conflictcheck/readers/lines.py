"""One requirement, from the text that states it: the part that all formats share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.markers import (
    InvalidMarker,
    Marker,
    UndefinedComparison,
    UndefinedEnvironmentName,
)
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from conflictcheck.errors import SpecError
from conflictcheck.model import Requirement, RequirementKind
from conflictcheck.readers.hints import hint_for, python_hint
from conflictcheck.readers.references import (
    HIDDEN,
    is_of_version_control,
    is_reference,
    is_url,
    parse_reference,
    split_marker,
)
from conflictcheck.text import ONLY_IN_URLS, collapse, quote, redact, variables_in

if TYPE_CHECKING:
    from pathlib import Path

    from conflictcheck.model import SpecId
    from conflictcheck.readers.references import Reference

LONGEST = 8_000
"""Characters of one requirement; hashes are not counted."""

LONGEST_VERSION = 200
"""Characters of one version; Python refuses to read numbers of thousands of digits, and would do so much later."""


class Origin(Struct, frozen=True):
    """Where a requirement stands.

    Attributes:
        spec: the spec it belongs to.
        file: as the user would name it, or None.
        line: counted from 1, or None.
        folders: absolute; where a relative path is looked for, in this order.
        kind: what the lines there do.
    """

    spec: SpecId
    file: str | None
    line: int | None
    folders: tuple[Path, ...]
    kind: RequirementKind = RequirementKind.REQUIREMENT


def parse_requirement(
    written: str,
    origin: Origin,
    *,
    value: str | None = None,
    editable: bool = False,
    hashes: tuple[str, ...] = (),
    may_be_nameless: bool = False,
) -> Requirement:
    """The requirement that a text states.

    Args:
        written: the text, for reports.
        origin: where it stands.
        value: the text with variables expanded, where that differs; it never shows.
        editable: whether it was given with ``-e``.
        hashes: ``sha256:…`` values given beside it.
        may_be_nameless: whether a URL of version control need not tell its package. What it needs is not known with a
            name either. Its URL stands for the name then, as that of no package does.

    Raises:
        SpecError: it is none, with file and line.
    """
    text = (written if value is None else value).strip()
    try:
        _check_length(text, written)
        # What -e is given is a place even without a slash in it.
        placed = is_reference(text) or (editable and "@" not in text)
        parsed = _parse_place(text, written, origin) if placed else _parse_pep508(text, written, origin)
        name, extras, specifier, marker, url, more = parsed
        if name is None:
            if url is None or not (may_be_nameless and is_of_version_control(url)):
                raise _nameless(text, written)
            name = NormalizedName(url)
        _check_marker(marker, written)
        _check_kind(origin.kind, written, editable=editable, url=url)
        return Requirement(
            spec=origin.spec,
            text=("-e " if editable else "") + redact(collapse(written)),
            name=name,
            specifier=specifier,
            extras=_normalized(extras, written),
            marker=marker,
            url=url,
            file=origin.file,
            line=origin.line,
            kind=origin.kind,
            editable=editable,
            hashes=tuple(dict.fromkeys(hashes + more)),
        )
    except SpecError as error:
        raise SpecError(error.message, file=origin.file, line=origin.line, hint=error.hint) from None


def _check_length(text: str, written: str) -> None:
    if not text:
        raise SpecError("an empty text is not a requirement")
    if len(text) > LONGEST:
        raise SpecError(f"{quote(written)} is longer than {LONGEST} characters")


_Parts = tuple[NormalizedName | None, tuple[str, ...], SpecifierSet, Marker | None, str | None, tuple[str, ...]]


def _parse_pep508(text: str, written: str, origin: Origin) -> _Parts:
    try:
        parsed = ParsedRequirement(text)
    except (InvalidRequirement, RecursionError) as error:
        # Where packaging takes it for a part of the URL, as up to 26.3, `parse_reference` says so.
        if not text.partition("@")[2].replace("\t", " ").isprintable():
            raise SpecError(f"{quote(written)}: {HIDDEN}", hint="take it out") from None
        raise _not_a_requirement(written, text, error) from None
    if any(len(clause.version) > LONGEST_VERSION for clause in parsed.specifier):
        raise SpecError(f"{quote(written)} has a version of more than {LONGEST_VERSION} characters")
    if variables_in(str(parsed.marker or "")):
        raise _not_a_requirement(written, text, ValueError())
    name, extras = canonicalize_name(parsed.name), tuple(parsed.extras)
    if parsed.url is None:
        return name, extras, parsed.specifier, parsed.marker, None, ()
    reference = _locate(parsed.url, written, origin)
    if reference.name is not None and reference.name != name:
        raise SpecError(f"{quote(written)} calls {name} what is {reference.name}")
    return name, extras + reference.extras, SpecifierSet(), parsed.marker, reference.url, reference.hashes


def _parse_place(text: str, written: str, origin: Origin) -> _Parts:
    place, condition = split_marker(text)
    if variables_in(place) and not is_url(place):
        raise SpecError(f"{quote(written)}: {ONLY_IN_URLS}", hint="write the path")
    reference = _locate(place, written, origin)
    try:
        marker = Marker(condition) if condition else None
    except (InvalidMarker, RecursionError) as error:
        raise SpecError(f"the marker of {quote(written)} is not valid: {_first_line(error)}") from None
    return reference.name, reference.extras, SpecifierSet(), marker, reference.url, reference.hashes


def _nameless(text: str, written: str) -> SpecError:
    kind, place = ("URL", "URL") if is_url(text) else ("path", "file:PATH")
    return SpecError(
        f"the {kind} {quote(split_marker(written)[0])} does not tell which package it is",
        hint=f'write "name @ {place}"',
    )


def _locate(place: str, written: str, origin: Origin) -> Reference:
    try:
        reference = parse_reference(place, origin.folders)
    except SpecError as error:
        raise SpecError(f"{quote(written)}: {error.message}", hint=error.hint) from None
    is_local = reference.url.startswith("file:")
    if variables_in(written) and not is_local and (reference.name or "") not in canonicalize_name(written):
        raise SpecError(f"{quote(written)}: a variable holds the name of the package", hint="write it out")
    return reference


def _check_marker(marker: Marker | None, written: str) -> None:
    """Refuse a marker that has no value anywhere: whether it has one does not depend on the environment."""
    if marker is None:
        return
    try:
        marker.evaluate({"extra": ""})
    except UndefinedEnvironmentName as error:
        raise SpecError(f"the marker of {quote(written)} asks for {error}, which has no value here") from None
    except UndefinedComparison:
        raise SpecError(
            f"the marker of {quote(written)} compares texts with ~= or ===", hint="write == or a version"
        ) from None


def _check_kind(kind: RequirementKind, written: str, *, editable: bool, url: str | None) -> None:
    if kind is RequirementKind.CONSTRAINT and editable:
        raise SpecError(f"{quote(written)} is editable, which a constraint cannot be", hint="leave out -e")
    if url is not None and kind is RequirementKind.OVERRIDE and editable:
        raise SpecError(f"{quote(written)} is editable, which an override cannot be", hint="leave out -e")


def _not_a_requirement(written: str, text: str, error: Exception) -> SpecError:
    if variables_in(text):
        return SpecError(f"{quote(written)} is not a requirement: {ONLY_IN_URLS}", hint="write what it stands for")
    if hint := hint_for(written.strip()):
        return SpecError(f"{quote(written)} is not a requirement", hint=hint)
    if variables_in(written):  # what packaging says may quote the value of one
        return SpecError(f"{quote(written)} is not a requirement", hint="look at the values of its variables")
    return SpecError(f"{quote(written)} is not a requirement: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    """What packaging says, as a clause."""
    first = str(error).partition("\n")[0].rstrip(".: ")
    # packaging has a bound of its own from 26.4 on.
    if isinstance(error, RecursionError) or "nested more than" in first:
        return "it is nested too deeply"
    for token, sign in (
        ("LEFT_", "opening "),
        ("RIGHT_", "closing "),
        ("BRACKET", "bracket"),
        ("PARENTHESIS", "parenthesis"),
    ):
        first = first.replace(token, sign)
    return first[:1].lower() + first[1:]


def _normalized(extras: tuple[str, ...], written: str) -> tuple[NormalizedName, ...]:
    try:
        return tuple(sorted({canonicalize_name(extra, validate=True) for extra in extras}))
    except InvalidName:
        bad = next(e for e in extras if not _is_name(e))
        shown = quote(bad) if bad in written else f"what {quote(written)} has in brackets"
        raise SpecError(f"{shown} is not the name of an extra") from None


def _is_name(text: str) -> bool:
    try:
        canonicalize_name(text, validate=True)
    except InvalidName:
        return False
    return True


def parse_python(value: str, origin: Origin, *, written: str | None = None) -> Requirement:
    """The requirement of kind PYTHON that a ``requires-python`` states.

    Args:
        value: the specifier.
        origin: where it stands.
        written: the text for reports where it is not ``requires-python = "…"``.

    Raises:
        SpecError: it is no version specifier, with file and line.
    """
    specifier = _specifier(value)
    if specifier is None:
        raise SpecError(
            f"requires-python {quote(value)} is not a version specifier",
            file=origin.file,
            line=origin.line,
            hint=python_hint(value),
        )
    return Requirement(
        spec=origin.spec,
        text=f'requires-python = "{collapse(value)}"' if written is None else collapse(written),
        name=canonicalize_name("python"),
        specifier=specifier,
        file=origin.file,
        line=origin.line,
        kind=RequirementKind.PYTHON,
    )


def _specifier(value: str) -> SpecifierSet | None:
    try:
        return None if len(value) > LONGEST_VERSION else SpecifierSet(value)
    except InvalidSpecifier:
        return None
