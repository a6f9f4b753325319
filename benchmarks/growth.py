"""How time grows with the number of specs: a line fitted to logarithms, and a plot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tables import Row

WIDTH, HEIGHT, MARGIN = 640, 400, 60
FONT = "font: 12px sans-serif"
COLOURS = ("#0b6e99", "#c2571a", "#5b8c2a")
Points = list[tuple[int, float]]


def series(rows: Sequence[Row]) -> dict[str, Points]:
    """Specs and median wall seconds, by tool; runs that were cut off are left out."""
    found: dict[str, Points] = {}
    for row in rows:
        for tool in row.tools:
            if tool.runs and not tool.is_cut_off:
                found.setdefault(tool.tool, []).append((row.size, tool.median("wall")))
    return {name: sorted(points) for name, points in found.items()}


def slope(points: Points) -> float | None:
    """The exponent b of the curve a * specs ** b that is nearest to the points, by least squares of logarithms."""
    if len(points) < 2:
        return None
    xs = [math.log(x) for x, _ in points]
    ys = [math.log(y) for _, y in points]
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - middle_x) ** 2 for x in xs)
    if not spread:
        return None
    return sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / spread


def sentences(rows: Sequence[Row]) -> list[str]:
    """The growth in words, one line a tool."""
    said = []
    for name, points in series(rows).items():
        exponent = slope(points)
        if exponent is None:
            continue
        times = dict(points)
        further = (
            f"; 1,000 specs take {times[1000] / times[250]:.1f} times as long as 250"
            if {250, 1000} <= set(times)
            else ""
        )
        said.append(f"{name}: time grows as the number of specs to the power of {exponent:.2f}{further}.")
    return said


def plot(rows: Sequence[Row]) -> str:
    """Wall seconds over specs, both logarithmic, as SVG."""
    lines = series(rows)
    every = [point for points in lines.values() for point in points]
    low_x, high_x = (f(x for x, _ in every) for f in (min, max))
    low_y = 10 ** math.floor(math.log10(min(y for _, y in every)))
    high_y = 10 ** math.ceil(math.log10(max(y for _, y in every)))

    def place(x: float, y: float) -> tuple[float, float]:
        right = math.log(x / low_x) / (math.log(high_x / low_x) or 1)
        up = math.log(y / low_y) / (math.log(high_y / low_y) or 1)
        return MARGIN + right * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - up * (HEIGHT - 2 * MARGIN)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" style="{FONT}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for x in sorted({x for x, _ in every}):
        across, bottom = place(x, low_y)
        parts.append(f'<path d="M{across:.1f} {MARGIN}V{bottom:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{across:.1f}" y="{bottom + 18:.1f}" text-anchor="middle">{x}</text>')
    for power in range(round(math.log10(low_y)), round(math.log10(high_y)) + 1):
        left, down = place(low_x, 10.0**power)
        parts.append(f'<path d="M{left:.1f} {down:.1f}H{WIDTH - MARGIN}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 8:.1f}" y="{down + 4:.1f}" text-anchor="end">{10.0**power:g} s</text>')
    for (name, points), colour in zip(lines.items(), COLOURS, strict=False):
        places = [place(*point) for point in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
        end_x, end_y = places[-1]
        parts.append(f'<text x="{end_x - 4:.1f}" y="{end_y - 10:.1f}" text-anchor="end" fill="{colour}">{name}</text>')
    parts.append(f'<text x="{WIDTH / 2:.0f}" y="{HEIGHT - 14}" text-anchor="middle">specs</text>')
    return "\n".join([*parts, "</svg>", ""])
