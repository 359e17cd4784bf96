"""The task graph as one self-contained picture: ``kiro-swarm tasks graph --output svg``.

Valid XML without script, font or link; it follows the light or dark scheme of whoever looks
at it. A task stands below what it waits for; edges that follow from others are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from kiro_swarm.cli.kubectl.views.graph_text import COLOURS, short_title
from kiro_swarm.cli.kubectl.views.layers import Drawing, Point, draw
from kiro_swarm.cli.kubectl.views.objects import Object, in_file_order, task_id
from kiro_swarm.cli.kubectl.views.style import glyph
from kiro_swarm.cli.kubectl.views.text import clean, plural

#: Of one layer so many columns of a terminal are drawn; the rest is bundled.
_COLUMNS: Final = 320
_BOX: Final = (190, 46)
_BEND: Final = 14
_GAP: Final = 18
_LAYER: Final = 96
_EDGE: Final = 24
_TITLE: Final = 24
_STYLE: Final = """
svg { color-scheme: light dark; }
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
.paper { fill: #ffffff; } .note { fill: #59636e; }
.id { font-weight: 600; } .edge { fill: none; stroke: #8c959f; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) { .paper { fill: #0d1117; } .note { fill: #9198a1; } }"""
_ARROW: Final = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
    'markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#8c959f"/></marker></defs>'
)


def graph_svg(tasks: Sequence[Object]) -> str:
    """The picture, as a text that begins with ``<svg``."""
    ordered = in_file_order(tasks)
    drawing = draw(ordered, _COLUMNS)
    scale = _scale(drawing.layers)
    points = [point for layer in drawing.layers for point in layer]
    right = max((point.x * scale + _room(point) / 2 for point in points), default=0)
    left = min((point.x * scale - _room(point) / 2 for point in points), default=0)
    notes = _notes(drawing) if ordered else ["no tasks"]
    width = max(360.0, right - left + 2 * _EDGE)
    height = 2 * _EDGE + _LAYER * max(0, len(drawing.layers) - 1) + _BOX[1]
    bottom = height + 18 * len(notes)
    titles = {_label(task): task for task in ordered}
    place = {
        id(point): (point.x * scale - left + _EDGE, _EDGE + level * _LAYER)
        for level, layer in enumerate(drawing.layers)
        for point in layer
    }
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {bottom:.0f}" '
        f'width="{width:.0f}" height="{bottom:.0f}" role="img" aria-label="Task graph">',
        f"<title>Task graph</title><style>{_STYLE}</style>{_ARROW}",
        f'<rect class="paper" width="{width:.0f}" height="{bottom:.0f}" rx="10"/>',
    ]
    body += [_edge(point, below, place) for point in points for below in point.below]
    body += [_node(point, place[id(point)], titles) for point in points if point.label]
    body += [
        f'<text class="note" x="{_EDGE}" y="{height + 18 * row}">{escape(note)}</text>'
        for row, note in enumerate(notes)
    ]
    return "\n".join([*body, "</svg>\n"])


def _room(point: Point) -> int:
    return _BOX[0] if point.label else _BEND


def _scale(layers: Sequence[Sequence[Point]]) -> float:
    """Pixels for a column, so that no two neighbours of a layer touch."""
    needed = [
        ((_room(one) + _room(other)) / 2 + _GAP) / max(1, other.x - one.x)
        for layer in layers
        for one, other in zip(layer, layer[1:])
    ]
    return max(needed, default=1.0)


def _label(task: Object) -> str:
    """What ``layers`` writes into the point of a task."""
    name = task_id(task)
    return name if len(name) <= 16 else f"{name[:15]}…"


def _edge(upper: Point, lower: Point, place: Mapping[int, tuple[float, float]]) -> str:
    (x1, top), (x2, bottom) = place[id(upper)], place[id(lower)]
    y1 = top + (_BOX[1] if upper.label else _BOX[1] / 2)
    y2 = bottom + (0 if lower.label else _BOX[1] / 2)
    middle = (y1 + y2) / 2
    end = ' marker-end="url(#arrow)"' if lower.label else ""
    return (
        f'<path class="edge" d="M{x1:.1f} {y1:.1f} C{x1:.1f} {middle:.1f} '
        f'{x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}"{end}/>'
    )


def _node(point: Point, at: tuple[float, float], titles: Mapping[str, Object]) -> str:
    """A box with id and title; the whole title is its tooltip."""
    x, y = at[0] - _BOX[0] / 2, at[1]
    fill, border, ink = COLOURS.get(point.state, COLOURS["Blocked"])
    sign = glyph(point.state)[0] if point.state else "⋯"
    task = titles.get(point.label) if point.state else None
    title = "" if task is None else short_title(task)
    shown = title if len(title) <= _TITLE else f"{title[: _TITLE - 1].rstrip()}…"
    words = [f"{point.label} {title}".strip(), point.state.lower() or "bundled"]
    return (
        f"<g data-task={quoteattr(clean(point.label))}>"
        f"<title>{escape(clean(' · '.join(words)))}</title>"
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{_BOX[0]}" height="{_BOX[1]}" rx="8" '
        f'fill="{fill}" stroke="{border}"/>'
        f'<text class="id" x="{x + 12:.1f}" y="{y + 19:.1f}" fill="{ink}">'
        f"{escape(f'{sign} {point.label}')}</text>"
        f'<text x="{x + 12:.1f}" y="{y + 36:.1f}" fill="{ink}">{escape(shown)}</text></g>'
    )


def _notes(drawing: Drawing) -> list[str]:
    """What of the graph is not in the picture."""
    said = (
        (drawing.bundled, "task", "stand together as +N; mermaid has them all"),
        (drawing.dropped, "edge", "over many layers left out"),
        (drawing.implied, "edge", "left out that follow from others"),
        (drawing.circular, "task", "left out that wait in a circle"),
    )
    return [f"{plural(count, noun)} {words}" for count, noun, words in said if count]
