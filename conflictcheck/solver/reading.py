"""Lines and facts as the second opinion reads them: by packaging, one text and one release at a time.

Nothing here is taken from the kernel: no masks of ranges, no shortcuts of the parser. What the two must agree on is
the meaning of the words, which are those of PEP 508 (requirements and markers), PEP 440 (versions), PEP 592 (yanked
releases), PEP 425 (tags) and, for pre-releases and overrides, of uv.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import parse_tag
from packaging.utils import canonicalize_name
from packaging.version import Version

from conflictcheck.facts import Metadata, Missing, Unknown, may_match
from conflictcheck.index.base import MetadataRequest
from conflictcheck.model import RequirementKind
from conflictcheck.policy import Candidates, Release
from conflictcheck.slips import mended
from conflictcheck.solver.dependencies import parse_dependency
from conflictcheck.solver.encoding import LockKind, bits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.model import Requirement
    from conflictcheck.settings import Policy
    from conflictcheck.solver.store import FactStore
    from conflictcheck.targets import Target

_ANY = SpecifierSet()


class Want(Struct, frozen=True, eq=False):
    """A requirement on one package, of a line or of a release, on a target where it applies.

    Attributes:
        name: the package.
        extras: its extras that are wanted as well.
        specifier: the versions that will do.
        url: a direct reference, or None.
        hashes: of which the files must have one; none for no matter.
        asked_by: the spec or the package that says it.
        names_prerelease: whether it is a line whose specifier names a pre-release.
        is_line: whether it is a line, and not of a release.
    """

    name: NormalizedName
    extras: tuple[NormalizedName, ...]
    specifier: SpecifierSet
    url: str | None
    hashes: frozenset[str]
    asked_by: str
    names_prerelease: bool = False
    is_line: bool = False

    def admits(self, release: Release) -> bool:
        """Whether a release will do; one whose version only its build tells does for every specifier."""
        if self.url is not None:
            return release.url == self.url
        if self.hashes and release.files and not any(may_match(self.hashes, file.hashes) for file in release.files):
            return False
        return release.any_version or self.specifier.contains(release.version, prereleases=True)

    @property
    def is_pin(self) -> bool:
        """Whether it names one version."""
        parts = list(self.specifier)
        return any(p.operator == "===" or (p.operator == "==" and not p.version.endswith(".*")) for p in parts)


class Offer(Struct, frozen=True):
    """What there is of a package on a target.

    Attributes:
        releases: those that may be chosen, oldest first, then the direct references.
        versions: of those that are no direct references.
        listed: how many of them are no direct references.
        prereleases: places of the pre-releases, where something must ask for these.
        early: places of those that predate the target's Python, where there are others.
        yanked: places of those that are yanked.
        finals: places of what is neither a pre-release nor yanked nor a direct reference.
        usual: the releases that nothing has to ask for, as bits.
    """

    releases: Sequence[Release]
    versions: Sequence[Version]
    listed: int
    prereleases: frozenset[int]
    early: frozenset[int]
    yanked: frozenset[int]
    finals: frozenset[int]
    usual: int

    def position(self, release: Release) -> int | None:
        """The place of a release, if it is among them."""
        if release.url is None:
            place = bisect_left(self.versions, release.version)
            return place if place < self.listed and self.versions[place] == release.version else None
        places = range(self.listed, len(self.releases))
        return next((i for i in places if self.releases[i].url == release.url), None)

    def locks(self, i: int) -> tuple[LockKind, ...]:
        """Why something has to ask for the release at a place; empty for most."""
        return (
            *((LockKind.PRERELEASE,) if i in self.prereleases else ()),
            *((LockKind.PREDATES_PYTHON,) if i in self.early else ()),
            *((LockKind.YANKED,) if i in self.yanked else ()),
            *((LockKind.DIRECT,) if i >= self.listed else ()),
        )

    def is_asked_for_jointly(self, lock: LockKind, wants: Collection[Want]) -> bool:
        """Whether lines ask for what a lock holds by leaving nothing else together."""
        if lock is LockKind.PRERELEASE:
            others = self.finals
        elif lock is LockKind.PREDATES_PYTHON:
            others = self.finals - self.early
        else:
            return False
        lines = [want for want in wants if want.is_line]
        return not any(all(want.admits(self.releases[k]) for want in lines) for k in others)

    def is_asked_for(self, i: int, lock: LockKind, want: Want) -> bool:
        """Whether a requirement asks for the release at a place, in the way that a lock of it needs.

        No release asks for itself, as one with an extra ``all`` may that is ``name[a,b]==its version``.
        """
        if not want.admits(self.releases[i]) or (want.asked_by == want.name and not want.is_line):
            return False
        match lock:
            case LockKind.PRERELEASE:
                return want.names_prerelease or not any(want.admits(self.releases[k]) for k in self.finals)
            case LockKind.PREDATES_PYTHON:
                return not any(want.admits(self.releases[k]) for k in self.finals - self.early)
            case LockKind.YANKED:
                standing = (one for one in self.releases if one.yanked is None and one.url is None)
                return want.is_pin and not any(want.admits(one) for one in standing)
            case LockKind.DIRECT:
                return want.url is not None


class Reading:
    """What is asked for and what there is, on one target.

    Args:
        target: the Python and platform.
        lines: all lines of the run: an override speaks whether or not it is among those in question.
        store: where facts come from; only those that it has already are used.
        policy: which releases may be chosen.
    """

    def __init__(
        self,
        target: Target,
        lines: Iterable[Requirement],
        store: FactStore,
        policy: Policy,
    ) -> None:
        self.target = target
        self._store = store
        self._policy = policy
        self._environment = dict(target.environment)
        self._offers: dict[NormalizedName, Offer] = {}
        self._admitted: dict[tuple[object, ...], tuple[int, int]] = {}
        self._parsed: dict[tuple[str, str, str], Want | None] = {}
        self._places: dict[NormalizedName, dict[str, int | None]] = defaultdict(dict)
        # Of releases, which are made once and kept here with it, as a key that is compared in full takes long.
        self._usable: dict[int, tuple[Release, bool]] = {}
        self._suited: dict[int, tuple[Release, bool]] = {}
        self._needed: dict[tuple[int, str], tuple[Release, list[Want]]] = {}
        self._pythons: dict[str, bool] = {}
        self._conditions: dict[tuple[str, str], bool] = {}
        self._overrides: dict[NormalizedName, list[Requirement]] = defaultdict(list)
        for line in lines:
            if line.kind is RequirementKind.OVERRIDE:
                self._overrides[line.name].append(line)

    # -- lines -------------------------------------------------------------------------------------------------

    def admits_python(self, specifier: str) -> bool:
        """Whether a ``Requires-Python`` admits the target; what is no specifier excludes nothing."""
        if specifier not in self._pythons:
            self._pythons[specifier] = self._admits_python(specifier)
        return self._pythons[specifier]

    def _admits_python(self, specifier: str) -> bool:
        for text in (specifier, mended(specifier)):
            try:
                return SpecifierSet(text).contains(self._environment["python_full_version"], prereleases=True)
            except InvalidSpecifier:
                continue
        return True

    def wants_of(self, lines: Collection[Requirement], kind: RequirementKind) -> Iterator[Want]:
        """What the lines of one kind say here; of a requirement what overrides leave of it."""
        for line in lines:
            whole = kind is RequirementKind.REQUIREMENT and line.name in self._overrides
            if line.kind is kind and (whole or self._holds(line.marker)):
                want = Want(
                    line.name, line.extras, line.specifier, line.url, frozenset(line.hashes), line.spec,
                    names_prerelease=bool(line.specifier.prereleases), is_line=True,
                )  # fmt: skip
                left = self._left(want) if kind is RequirementKind.REQUIREMENT else want
                if left is not None:
                    yield left

    def _left(self, want: Want) -> Want | None:
        """What overrides leave of a requirement where it applies: that the package is wanted, if one of them does."""
        if want.name not in self._overrides:
            return want
        if not any(self._holds(line.marker) for line in self._overrides[want.name]):
            return None
        return replace(want, extras=(), specifier=_ANY, url=None, hashes=frozenset(), names_prerelease=False)

    def _is_true(self, condition: str, extra: str = "") -> bool:
        """Whether the text of a marker holds; an empty one does."""
        key = (condition, extra)
        if key not in self._conditions:
            self._conditions[key] = not condition or self._holds(Marker(condition), extra)
        return self._conditions[key]

    def _holds(self, marker: Marker | None, extra: str = "") -> bool:
        if marker is None:
            return True
        return marker.evaluate({**self._environment, "extra": extra})

    # -- releases ----------------------------------------------------------------------------------------------

    def offer(self, name: NormalizedName) -> Offer:
        """What there is of a package.

        One whose files are not known counts as having a release that is right for everybody: a *no* is certain then.
        """
        if name not in self._offers:
            found = self._store.known_candidates(name, self.target, self._policy)
            if found is None or isinstance(found, Unknown):
                found = Candidates(name, (Release(name, Version("0"), (), (), any_version=True),), ())
            elif isinstance(found, Missing):
                found = Candidates(name, (), ())
            direct: list[Release] = []
            for url, known in self._store.known_direct(name):
                if isinstance(known, Unknown):
                    direct.append(Release(name, Version("0"), (), (), url=url, any_version=True))
                else:
                    version, file = Version(known[0].version), known[1]
                    any_version = known[0].version == "0"
                    direct.append(Release(name, version, (file,), (file,), url=url, any_version=any_version))
            self._offers[name] = _offer(found, direct, self._policy)
        return self._offers[name]

    def admitted(self, want: Want, places: int) -> int:
        """Those of the places in an offer, as bits, whose release will do; each is looked at once in a run."""
        key = (want.name, str(want.specifier), want.url, want.hashes)
        seen, admitted = self._admitted.get(key, (0, 0))
        if places & ~seen:
            releases = self.offer(want.name).releases
            admitted |= sum(1 << i for i in bits(places & ~seen) if want.admits(releases[i]))
            self._admitted[key] = seen | places, admitted
        return admitted & places

    def known_releases(self, name: NormalizedName) -> Iterator[tuple[int, Release]]:
        """The releases of a package of which anybody asked what they need, with their places."""
        offer, places = self.offer(name), self._places[name]
        for version in self._store.known_versions(name):
            if version not in places:
                places[version] = offer.position(Release(name, Version(version), (), ()))
            place = places[version]
            if place is not None:
                yield place, offer.releases[place]
        for place in range(offer.listed, len(offer.releases)):
            yield place, offer.releases[place]

    def metadata(self, release: Release) -> Metadata | Unknown | None:
        """What a release says; None if nobody asked yet."""
        if release.url is not None:
            known = dict(self._store.known_direct(release.name)).get(release.url)
            return known[0] if isinstance(known, tuple) else known
        if not release.sources:
            return None
        return self._store.known_metadata(MetadataRequest(release.name, str(release.version), release.sources))

    def is_usable(self, release: Release) -> bool:
        """Whether a release is for the target, and what it says can be read."""
        known = self._usable.get(id(release))
        if known is None:
            metadata = self.metadata(release)
            if not isinstance(metadata, Metadata):
                return True
            known = self._usable[id(release)] = release, self._can_be_read(metadata)
        return known[1]

    def _can_be_read(self, metadata: Metadata) -> bool:
        if metadata.requires_python is not None and not self.admits_python(metadata.requires_python):
            return False
        # What is a requirement at all, with known slips mended, and the bounds on absurd ones, is not in dispute.
        return all(parse_dependency(text) is not None for text in metadata.requires_dist)

    def suits_target(self, release: Release) -> bool:
        """Whether each file of a release can be installed: its wheel tags and its ``Requires-Python``."""
        known = self._suited.get(id(release))
        if known is None:
            known = self._suited[id(release)] = release, self._suits(release)
        return known[1]

    def _suits(self, release: Release) -> bool:
        return all(
            (not file.tags or any(str(tag) in self.target.ranks for tag in parse_tag(file.tags)))
            and (file.requires_python is None or self.admits_python(file.requires_python))
            for file in release.files
        )

    def needs(self, release: Release, extra: str = "") -> Sequence[Want]:
        """What a release needs here, for itself or for one of its extras; nothing where that is not known."""
        known = self._needed.get((id(release), extra))
        if known is None:
            metadata = self.metadata(release)
            if not isinstance(metadata, Metadata):
                return ()
            wants = [self.need(text, release.name, extra) for text in metadata.requires_dist]
            known = release, [want for want in wants if want is not None]
            self._needed[id(release), extra] = known
        return known[1]

    def need(self, text: str, asked_by: str, extra: str = "") -> Want | None:
        """What one ``Requires-Dist`` of a usable release asks for here; None if nothing, for this extra.

        What it asks for without the extra belongs to the package itself, and is not repeated.
        """
        key = (text, extra, asked_by)
        if key not in self._parsed:
            self._parsed[key] = self._need(text, extra, asked_by)
        return self._parsed[key]

    def _need(self, text: str, extra: str, asked_by: str) -> Want | None:
        head, condition = _parted(text)
        parsed = _head(head)
        if canonicalize_name(parsed.name) in self._overrides:
            # An override takes the place of the whole requirement, but for the extra that it belongs to (as in uv).
            condition = " and ".join(part for part in _joined(condition) if part.startswith("extra == "))
        if self._is_true(condition):
            if extra:
                return None
        elif not extra or not self._is_true(condition, extra):
            return None
        extras = tuple(sorted(canonicalize_name(one) for one in parsed.extras))
        return self._left(
            Want(canonicalize_name(parsed.name), extras, parsed.specifier, parsed.url, frozenset(), asked_by)
        )


def _offer(found: Candidates, direct: Sequence[Release], policy: Policy) -> Offer:
    listed = len(found.releases)
    pre = frozenset(bits(found.prereleases))
    yanked = frozenset(bits(found.yanked))
    finals = frozenset(range(listed)) - pre - yanked
    early = frozenset(bits(found.early))
    asked_for = bool(finals) and policy.prerelease == "if-necessary-or-explicit"
    prereleases = pre if asked_for else frozenset()
    early = early if finals - early else frozenset()
    return Offer(
        (*found.releases, *direct) if direct else found.releases,
        found.versions,
        listed,
        prereleases=prereleases,
        early=early,
        yanked=yanked,
        finals=finals,
        usual=sum(1 << i for i in range(listed) if i not in prereleases and i not in early and i not in yanked),
    )


def _parted(text: str) -> tuple[str, str]:
    """A requirement and its marker (PEP 508: the first semicolon parts them; after a URL, one with a space before)."""
    head, _, condition = text.partition(" ;" if "@" in text else ";")
    return head, condition.strip()


def _joined(condition: str) -> list[str]:
    """The parts of a marker that ``and`` joins; nothing where ``or`` joins them."""
    text = str(Marker(condition)) if condition else ""
    parts = re.split(r" and (?![^(]*\))", text)
    return [] if any(" or " in re.sub(r"\([^()]*\)", "", part) for part in parts) else parts


@lru_cache(maxsize=100_000)
def _head(text: str) -> Parsed:
    """A requirement without its marker."""
    try:
        return Parsed(text)
    except InvalidRequirement:
        return Parsed(mended(text))
