"""The answer to `explain task ID`, drawn: why, what is before it, where it hangs.

Called by ``explain.explain_text`` for data of the shape that ``reconcile/commands/explain.py``
makes: ``task``, ``state``, ``reasons``, ``waitsFor`` and ``causes``.
"""

from __future__ import annotations

from typing import Any, Optional

from kiro_swarm.cli.kubectl.views.grid import Cell, Grid, Part
from kiro_swarm.cli.kubectl.views.objects import items, part
from kiro_swarm.cli.kubectl.views.style import glyph
from kiro_swarm.cli.kubectl.views.text import clean

_MOST_IDS = 8


def reason_lines(data: Any) -> Optional[list[Cell]]:
    """The lines, or None for data of another shape."""
    if not (isinstance(data, dict) and isinstance(data.get("reasons"), list)):
        return None
    lines: list[Cell] = [_task(data)]
    for reason in data["reasons"]:
        lines += _reason(reason)
    before = [one for one in items(data.get("waitsFor")) if isinstance(one, dict)]
    if before:
        rows: list[list[Cell]] = [
            [_task(one), [(_waits(one), "dim")]] for one in before
        ]
        lines += [
            "",
            [("Before it, the nearest first", "bold")],
            *Grid(["", ""], rows, indent=2).lines(),
        ]
    causes = [one for one in items(data.get("causes")) if isinstance(one, dict)]
    if causes:
        lines += ["", [("Where it hangs", "bold")]]
        for cause in causes:
            lines += [[("  ", ""), *_task(cause)], *_reason(cause)]
    return lines


def _task(item: Any) -> list[Part]:
    state = clean(item.get("state"), 32)
    sign, style = glyph(state)
    return [
        (f"{sign} ", style),
        (clean(item.get("task"), 128), "bold"),
        (f" {state}", style),
    ]


def _waits(item: Any) -> str:
    ids = [clean(one, 128) for one in items(item.get("waitsFor"))]
    more = f" +{len(ids) - _MOST_IDS}" if len(ids) > _MOST_IDS else ""
    return f"waits for {', '.join(ids[:_MOST_IDS])}{more}" if ids else ""


def _reason(reason: Any) -> list[Cell]:
    """What is so, and the sentences that change it."""
    item = part({"reason": reason}, "reason")
    say = item.get("say")
    sentences = [clean(one) for one in (say if isinstance(say, list) else [say])]
    lines: list[Cell] = [
        [("    ", ""), (clean(item.get("message")) or clean(item.get("code")), "")]
    ]
    return lines + [
        [("    say: ", "dim"), (sentence, "bold")] for sentence in sentences if sentence
    ]
