"""``kubectl swarm timeline --output svg``: the Gantt chart as one self-contained picture.

Valid XML without script, font or link; it follows the light or dark scheme of whoever looks
at it. Every bar says its attempt in a tooltip and in ``data-task`` and ``data-attempt``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from kiro_swarm.cli.kubectl.views.bars import Bar, Timeline, tick_label, ticks, timeline
from kiro_swarm.cli.kubectl.views.objects import Object, name, named_colour
from kiro_swarm.cli.kubectl.views.swarms import progress_of, speedup_of
from kiro_swarm.cli.kubectl.views.text import clean, duration, plural

#: Where the time axis begins and ends, in pixels.
LEFT: Final = 150
RIGHT: Final = 1160
_WIDTH: Final = 1200
_TOP: Final = 84
_LANE: Final = 34
_BAR: Final = 24
_LETTER: Final = 7.4
_GREY: Final = "#8c959f"
_STYLE: Final = """
svg { color-scheme: light dark; }
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
.paper { fill: #ffffff; } .stripe { fill: #f6f8fa; } .grid { stroke: #d8dee4; }
.head { font-size: 20px; font-weight: 600; } .quiet { fill: #59636e; }
.id { font-size: 12px; font-weight: 600; } .merge { stroke: #1f2328; stroke-width: 2; }
.dot { stroke: #ffffff; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
 text { fill: #f0f6fc; } .paper { fill: #0d1117; } .stripe { fill: #151b23; }
 .grid { stroke: #2f3742; } .quiet { fill: #9198a1; } .merge { stroke: #f0f6fc; }
 .dot { stroke: #0d1117; }
}"""
_DEFS: Final = (
    '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="2" height="7" fill="#cf222e" fill-opacity="0.6"/>'
    "</pattern></defs>"
)


def timeline_svg(swarm: Object, tasks: Sequence[Object], now: datetime) -> str:
    """The picture, as a text that begins with ``<svg``."""
    line = timeline(tasks, now)
    lanes = [
        (instance, place, lane)
        for instance, rows in line.lanes.items()
        for place, lane in enumerate(rows)
    ]
    bottom = _TOP + _LANE * (len(lanes) + 1)
    height = bottom + 76
    title = f"{name(swarm)}: who did what when"
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img" aria-label={_quoted(title)}>',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>{_DEFS}",
        f'<rect class="paper" width="{_WIDTH}" height="{height}" rx="10"/>',
        _text(28, 38, name(swarm), "head"),
        _text(28, 60, _summary(swarm, line), "quiet"),
    ]
    for row in range(0, len(lanes) + 1, 2):
        body.append(
            f'<rect class="stripe" x="20" y="{_TOP + row * _LANE}" '
            f'width="{_WIDTH - 40}" height="{_LANE}" rx="6"/>'
        )
    body += _axis(line, bottom)
    for row, (instance, place, lane) in enumerate(lanes):
        top = _TOP + row * _LANE
        if place == 0:
            body += _label(instance, top)
        body += [_bar(line, bar, top) for bar in lane]
    body += _merges(line, bottom - _LANE)
    body += _legend(height - 22)
    return "\n".join([*body, "</svg>\n"])


def _summary(swarm: Object, line: Timeline) -> str:
    merged, total = progress_of(swarm)
    failed = sum(bar.outcome == "failed" for bar in line.bars)
    said = [
        f"{merged} of {plural(total, 'task')} merged",
        duration(line.seconds) if line.bars else "nothing has started yet",
        plural(len(line.bars), "attempt") + (f", {failed} failed" if failed else ""),
        f"speed-up {speedup_of(swarm)}" if speedup_of(swarm) else "",
    ]
    return " · ".join(part for part in said if part)


def _x(line: Timeline, when: datetime) -> float:
    return LEFT + line.share(when) * (RIGHT - LEFT)


def _quoted(value: str) -> str:
    return quoteattr(clean(value))


def _text(x: float, y: float, words: str, kind: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}"{more}>{escape(words)}</text>'


def _label(instance: str, top: float) -> list[str]:
    shown = instance if len(instance) <= 14 else instance[:13] + "…"
    return [
        f'<rect x="28" y="{top + 10}" width="14" height="14" rx="4" '
        f'fill="{named_colour(instance) or _GREY}"/>',
        _text(50, top + 21.5, shown, "id"),
    ]


def _bar(line: Timeline, bar: Bar, top: float) -> str:
    left, right = _x(line, bar.start), _x(line, bar.end)
    width = max(1.5, right - left)
    colour = named_colour(bar.instance) or _GREY
    failed = bar.outcome == "failed"
    box = (
        f'x="{left:.2f}" y="{top + (_LANE - _BAR) / 2:.1f}" width="{width:.2f}" '
        f'height="{_BAR}" rx="{min(5.0, width / 3):.1f}"'
    )
    words = f"{bar.task} {bar.title}".strip()
    told = (
        f"{words}\nattempt {bar.attempt} on {bar.instance}, {duration(bar.seconds)}: "
    )
    told += bar.reason if failed and bar.reason else bar.outcome
    drawn = [
        f'<g class="bar" data-task={_quoted(bar.task)} data-attempt="{bar.attempt}" '
        f'data-outcome="{bar.outcome}"><title>{escape(told)}</title>',
        f'<rect {box} fill="{colour}"{_edge(bar, colour)}/>',
    ]
    if failed:
        drawn.append(f'<rect {box} fill="url(#hatch)" stroke="#cf222e"/>')
    if len(bar.task) * _LETTER + 10 <= width:
        fill = "" if failed or bar.outcome == "running" else _ink(colour)
        more = f' style="fill:{fill}"' if fill else ""
        if failed:
            drawn.append(_plate(left, top, bar.task))
        drawn.append(_text(left + 7, top + 21.5, bar.task, "id", more))
    return "".join([*drawn, "</g>"])


def _edge(bar: Bar, colour: str) -> str:
    if bar.outcome == "failed":
        return ' fill-opacity="0.25"'
    if bar.outcome == "running":
        return f' fill-opacity="0.3" stroke="{colour}" stroke-dasharray="5 3"'
    return ""


def _plate(left: float, top: float, words: str) -> str:
    """A quiet ground under words on a hatched bar."""
    width = len(words) * _LETTER + 6
    return (
        f'<rect class="paper" x="{left + 4:.1f}" y="{top + 9:.1f}" width="{width:.1f}" '
        f'height="16" rx="3" fill-opacity="0.9"/>'
    )


def _ink(colour: str) -> str:
    """Black or white, whichever is easier to read on ``#rrggbb``."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    light = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
    return "#ffffff" if light < 0.25 else "#101418"


def _merges(line: Timeline, top: float) -> list[str]:
    if not line.bars:
        return []
    middle = top + _LANE / 2
    drawn = [
        _text(50, top + 21.5, "merged", "quiet"),
        f'<line class="grid" x1="{LEFT}" y1="{middle}" x2="{RIGHT}" y2="{middle}" '
        'stroke-width="2"/>',
    ]
    for bar in line.bars:
        if bar.merged_at is not None:
            at = _x(line, bar.merged_at)
            drawn.append(
                f'<g class="merged" data-task={_quoted(bar.task)}><title>'
                f"{escape(bar.task)} merged</title>"
                f'<circle class="dot" cx="{at:.2f}" cy="{middle}" r="6" '
                f'fill="{named_colour(bar.instance) or _GREY}"/></g>'
            )
    return drawn


def _axis(line: Timeline, bottom: float) -> list[str]:
    if not line.bars:
        return []
    drawn = []
    for when in ticks(line, 12):
        at = _x(line, when)
        words = tick_label((when - line.start).total_seconds())
        drawn.append(
            f'<line class="grid" x1="{at:.1f}" y1="{_TOP - 6}" x2="{at:.1f}" '
            f'y2="{bottom + 4}"/>'
        )
        drawn.append(_text(at, bottom + 19, words, "quiet", ' text-anchor="middle"'))
    began = line.start.strftime("%Y-%m-%d %H:%M:%S %Z")
    return [*drawn, _text(RIGHT, 60, f"from {began}", "quiet", ' text-anchor="end"')]


def _legend(y: float) -> list[str]:
    samples = (
        ("worked", 'fill="#57606a"'),
        ("failed attempt", 'fill="url(#hatch)" stroke="#cf222e"'),
        (
            "still running",
            'fill="#57606a" fill-opacity="0.3" stroke="#57606a" stroke-dasharray="5 3"',
        ),
    )
    drawn = []
    for place, (words, look) in enumerate(samples):
        at = LEFT + place * 150
        box = f'x="{at}" y="{y - 11}" width="26" height="14" rx="4"'
        drawn.append(f"<rect {box} {look}/>" + _text(at + 34, y, words, "quiet"))
    at = LEFT + len(samples) * 150
    drawn.append(f'<circle cx="{at + 8}" cy="{y - 4}" r="6" fill="#57606a"/>')
    return [*drawn, _text(at + 22, y, "merged, in the instance's colour", "quiet")]
