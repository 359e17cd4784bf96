"""The task graph as mermaid, which GitHub draws, and as dot for Graphviz. Plain text.

Ids of nodes are numbers of ours and titles are escaped, so nothing that stands in a task
file can end a label, add a line or become a link.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Final

from kiro_swarm.cli.kubectl.views.objects import (
    Object,
    dependencies,
    in_file_order,
    part,
    state,
    task_id,
)
from kiro_swarm.cli.kubectl.views.style import glyph
from kiro_swarm.cli.kubectl.views.text import clean

#: State -> fill, border, text; readable on a light and on a dark page.
COLOURS: Final = {
    "Blocked": ("#f6f8fa", "#8c959f", "#1f2328"),
    "Ready": ("#ddf4ff", "#0969da", "#0a3069"),
    "Bound": ("#ddf4ff", "#0969da", "#0a3069"),
    "Running": ("#fff8c5", "#bf8700", "#4d2d00"),
    "Done": ("#fbefff", "#8250df", "#3e1f79"),
    "Merged": ("#dafbe1", "#1a7f37", "#044f1e"),
    "Failed": ("#ffebe9", "#cf222e", "#82071e"),
    "Skipped": ("#f6f8fa", "#8c959f", "#59636e"),
}
_TITLE: Final = 60
#: Everything that mermaid, its markdown or HTML could read as more than a letter.
_PLAIN: Final = frozenset(" .,-/()+=")


def short_title(task: Object) -> str:
    """The title of a task, cut to what a box holds."""
    title = clean(part(task, "spec").get("title"), 4096)
    return title if len(title) <= _TITLE else title[: _TITLE - 1].rstrip() + "…"


def _edges(tasks: Sequence[Object]) -> list[tuple[int, int]]:
    """Pairs (needed, task) of numbers in the list; unknown ids are left out."""
    place = {task_id(task): index for index, task in enumerate(tasks)}
    return [
        (place[needed], index)
        for index, task in enumerate(tasks)
        for needed in dict.fromkeys(dependencies(task))
        if needed in place
    ]


def _mermaid(text: str) -> str:
    """Text as the inside of a quoted label: other signs become numbered entities."""
    return "".join(
        letter if letter.isalnum() or letter in _PLAIN else f"#{ord(letter)};"
        for letter in text
    )


def graph_mermaid(tasks: Sequence[Object]) -> str:
    """A mermaid flowchart, from top to bottom, coloured by state."""
    ordered = in_file_order(tasks)
    lines = ["flowchart TD"]
    for index, task in enumerate(ordered):
        sign = glyph(state(task))[0]
        label = (
            _mermaid(f"{sign} {task_id(task)}") + "<br/>" + _mermaid(short_title(task))
        )
        kind = _class(task)
        lines.append(f'  t{index}["{label}"]:::{kind}')
    lines += [f"  t{needed} --> t{index}" for needed, index in _edges(ordered)]
    for name in sorted({_class(task) for task in ordered}):
        fill, border, ink = COLOURS[name.capitalize()]
        lines.append(f"  classDef {name} fill:{fill},stroke:{border},color:{ink}")
    return "\n".join(lines) + "\n"


def _class(task: Object) -> str:
    known = state(task)
    return known.lower() if known in COLOURS else "blocked"


def _dot(text: str) -> str:
    """Text as the inside of a quoted string: dot knows only these two escapes."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def graph_dot(tasks: Sequence[Object]) -> str:
    """A digraph for Graphviz, from top to bottom, coloured by state."""
    ordered = in_file_order(tasks)
    lines = [
        "digraph tasks {",
        "  rankdir=TB;",
        '  bgcolor="transparent";',
        '  node [shape=box, style="rounded,filled", fontname="Helvetica"];',
        '  edge [color="#8c959f"];',
    ]
    for index, task in enumerate(ordered):
        fill, border, ink = COLOURS[_class(task).capitalize()]
        sign = glyph(state(task))[0]
        # Graphviz reads entities of HTML in labels, so the ampersand is one itself.
        head = _dot(html.escape(f"{sign} {task_id(task)}", quote=False))
        title = _dot(html.escape(short_title(task), quote=False))
        lines.append(
            f'  t{index} [label="{head}\\n{title}", fillcolor="{fill}", '
            f'color="{border}", fontcolor="{ink}"];'
        )
    lines += [f"  t{needed} -> t{index};" for needed, index in _edges(ordered)]
    return "\n".join([*lines, "}"]) + "\n"
