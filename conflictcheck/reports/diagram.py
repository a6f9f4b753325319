"""What a diagram shows, before it is written down in some language for diagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from conflictcheck.reports.dependencies import asked_by_packages, asked_by_specs, label

if TYPE_CHECKING:
    from conflictcheck.model import Clash, Environment, Report


class Node(Struct, frozen=True):
    """A box.

    Attributes:
        key: names it in the diagram: letters and digits alone.
        text: what it says; anything.
        kind: what it stands for.
    """

    key: str
    text: str
    kind: Literal["spec", "package", "clash"]


class Group(Struct, frozen=True):
    """Boxes with a frame around them, unless `text` is empty."""

    key: str
    text: str
    nodes: tuple[Node, ...]


class Diagram(Struct, frozen=True):
    """Boxes, frames and arrows between the keys of boxes."""

    groups: tuple[Group, ...]
    edges: tuple[tuple[str, str], ...]


def draw_clashes(report: Report) -> Diagram:
    """The specs, framed by environment, and each clash with lines to the specs that it is made of."""
    keys: dict[str, str] = {}
    groups: list[Group] = []

    def frame(text: str, specs: list[str]) -> None:
        nodes = []
        for spec in specs:
            keys[spec] = f"s{len(keys)}"
            nodes.append(Node(keys[spec], spec, "spec"))
        if nodes:
            groups.append(Group(f"g{len(groups)}", text, tuple(nodes)))

    for environment in report.environments:
        frame(f"{environment.name}: Python {environment.python_version}", list(environment.specs))
    frame("in no environment", [spec.id for spec in report.specs if spec.id not in keys])
    clashes = tuple(Node(f"c{number}", _words(clash), "clash") for number, clash in enumerate(report.clashes))
    if clashes:
        groups.append(Group("clashes", "", clashes))
    edges = [
        (keys[spec], node.key)
        for node, clash in zip(clashes, report.clashes, strict=True)
        for spec in clash.specs
        if spec in keys
    ]
    return Diagram(tuple(groups), tuple(edges))


def _words(clash: Clash) -> str:
    return f"clash about {', '.join(clash.packages)}" if clash.packages else f"clash ({clash.kind.value})"


def draw_dependencies(report: Report) -> Diagram:
    """Each environment's specs and packages, with an arrow from each to what it asks for."""
    groups: list[Group] = []
    edges: list[tuple[str, str]] = []
    for number, environment in enumerate(report.environments):
        group, arrows = _dependencies(environment, f"e{number}")
        groups.append(group)
        edges += arrows
    return Diagram(tuple(groups), tuple(edges))


def _dependencies(environment: Environment, prefix: str) -> tuple[Group, list[tuple[str, str]]]:
    specs: dict[str, str] = {spec: f"{prefix}s{number}" for number, spec in enumerate(environment.specs)}
    pins: dict[str, str] = {pin.name: f"{prefix}p{number}" for number, pin in enumerate(environment.packages)}
    nodes = [Node(key, spec, "spec") for spec, key in specs.items()]
    nodes += [Node(pins[pin.name], label(pin), "package") for pin in environment.packages]
    edges = [(specs[spec], pins[name]) for spec, names in asked_by_specs(environment).items() for name in names]
    edges += [(pins[name], pins[other]) for name, others in asked_by_packages(environment).items() for other in others]
    return Group(prefix, f"{environment.name}: Python {environment.python_version}", tuple(nodes)), edges
