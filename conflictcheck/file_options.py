"""Index options inside of requirements files, which hold for a whole run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from conflictcheck.model import Diagnostic, Severity
from conflictcheck.phrases import and_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflictcheck.model import Spec
    from conflictcheck.settings import IndexSettings, Policy, Settings


def merge_file_options(settings: Settings, specs: Sequence[Spec]) -> tuple[Policy, IndexSettings, list[Diagnostic]]:
    """Take in the index options that requirements files have; they hold for the whole run, and a note says so.

    An ``--index-url`` replaces the default index, as in pip, unless another spec relies on that.
    """
    index, policy = settings.index, settings.policy
    notes: list[Diagnostic] = []
    for spec in specs:
        options = spec.index
        said = []
        urls = [*options.extra_index_urls, *([options.index_url] if options.index_url else [])]
        new = [url for url in urls if url not in index.index_urls]
        if new and index.index_urls:
            index = replace(index, index_urls=(*new, *index.index_urls))
            said.append("indexes")
        links = [link for link in options.find_links if link not in index.find_links]
        if links:
            index = replace(index, find_links=(*index.find_links, *links))
            said.append("--find-links")
        if options.no_index and index.index_urls:
            index = replace(index, index_urls=())
            said.append("--no-index")
        if options.prerelease and policy.prerelease == "if-necessary-or-explicit":
            policy = replace(policy, prerelease="allow")
            said.append("--pre")
        if not options.only_binary <= policy.only_binary or not options.no_binary <= policy.no_binary:
            policy = replace(
                policy,
                only_binary=policy.only_binary | options.only_binary,
                no_binary=policy.no_binary | options.no_binary,
            )
            said.append("binary options")
        if said:
            verb = "holds" if len(said) == 1 and said[0].startswith("--") else "hold"
            message = f"the {and_list(said)} of {spec.path} {verb} for all specs of this run"
            notes.append(Diagnostic(Severity.NOTE, "options-in-file", message, spec.path))
    named = {spec.index.index_url for spec in specs}
    if named and None not in named:
        default = settings.index.index_urls[-1:]
        index = replace(index, index_urls=tuple(url for url in index.index_urls if url not in default or url in named))
    return policy, index, notes
