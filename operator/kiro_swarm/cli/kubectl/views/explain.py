"""``kubectl swarm explain TASK`` and other answers with data: the data as an outline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Optional, Union

from kiro_swarm.api.meta import TASK_STATES
from kiro_swarm.cli.kubectl.views.grid import Cell, Grid, Lines, Part
from kiro_swarm.cli.kubectl.views.objects import Object, items, part
from kiro_swarm.cli.kubectl.views.style import PHASES, STATES, glyph, state_cell
from kiro_swarm.cli.kubectl.views.text import clean, clean_lines, duration

_DEEPEST: Final = 8
_MOST: Final = 200
#: Longer lists of short things stand in one line until here.
_SHORT: Final = 72
_MOST_IDS: Final = 8


def explain_text(data: object) -> Lines:
    """``data`` as lines of ``name: value``, nested by indentation; lists with dashes.

    Data that says why a task is not running has a form of its own: why, what is before
    it, where it hangs.
    The names are those of the data, parted into words: ``waitsFor`` reads "waits for".
    """
    lines = _reason_lines(data)
    if lines is None:
        lines = []
        _outline(data, 0, lines)
    return Lines(lines or [[("nothing to say", "dim")]], whole=True)


def words(key: str) -> str:
    """``waitsFor`` -> ``waits for``."""
    text = clean(key, 128)
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in text)
    return text if "-" in text or " " in text else spaced.strip()


def _outline(value: object, depth: int, lines: list[Cell]) -> None:
    if isinstance(value, Mapping):
        shown = [(str(k), v) for k, v in list(value.items())[:_MOST]]
        shown = [(key, item) for key, item in shown if item not in (None, "", [], {})]
        widest = max((len(words(k)) for k, v in shown if not _nested(v)), default=0)
        for key, item in shown:
            head = words(key) + ":"
            _entry(
                [(f"{head:<{min(widest, 24) + 2}}", "bold")], key, item, depth, lines
            )
        _more(value, depth, lines)
    elif isinstance(value, list):
        for item in value[:_MOST]:
            _entry([("- ", "dim")], "", item, depth, lines)
        _more(value, depth, lines)
    else:
        _entry([], "", value, depth, lines)


def _more(
    value: Union[Mapping[str, object], Sequence[object]], depth: int, lines: list[Cell]
) -> None:
    if len(value) > _MOST:
        lines.append([("  " * depth + f"and {len(value) - _MOST} more", "dim")])


def _entry(
    head: list[Part], key: str, item: object, depth: int, lines: list[Cell]
) -> None:
    before: list[Part] = [("  " * depth, ""), *head]
    if _nested(item):
        if depth >= _DEEPEST:
            lines.append([*before, ("…", "dim")])
        elif head == [("- ", "dim")]:
            inner: list[Cell] = []
            _outline(item, depth + 1, inner)
            for place, line in enumerate(inner):
                # The first line of an item stands on the line of its dash.
                kept = list(line) if not isinstance(line, str) else [(line, "")]
                lines.append([*before, *kept[1:]] if place == 0 else kept)
        else:
            lines.append([("  " * depth, ""), (words(key) + ":", "bold")])
            _outline(item, depth + 1, lines)
        return
    first, *rest = _scalar(key, item)
    if rest and key:
        lines.append([("  " * depth, ""), (words(key) + ":", "bold")])
        rest.insert(0, first)
    else:
        lines.append([*before, *first])
    lines += [[("  " * (depth + 1), ""), *line] for line in rest]


def _nested(value: object) -> bool:
    if isinstance(value, Mapping):
        return bool(value)
    if not isinstance(value, list):
        return False
    flat = all(not isinstance(item, (Mapping, list)) for item in value)
    return not flat or sum(len(str(item)) + 2 for item in value) > _SHORT


def _scalar(key: str, value: object) -> list[list[Part]]:
    if isinstance(value, (list, Mapping)):
        return [[(", ".join(clean(item) for item in value), "")]]
    if isinstance(value, bool):
        return [[("yes" if value else "no", "")]]
    if isinstance(value, (int, float)) and key.endswith("Seconds"):
        return [[(duration(value) or "0s", "")]]
    text = str(value)
    if text in STATES and key != "phase":
        return [state_cell(text)]
    if "\n" in text:
        return [[(line, "")] for line in clean_lines(text)[:_MOST]]
    style = PHASES.get(text, "") if text not in TASK_STATES else STATES[text][1]
    return [[(clean(text), style)]]


# ------------------------------------------------------------------ why a task waits


def _reason_lines(data: object) -> Optional[list[Cell]]:
    """Data as ``reconcile/commands/explain.py`` makes it; None for another shape."""
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


def _task(item: Object) -> list[Part]:
    state = clean(item.get("state"), 32)
    sign, style = glyph(state)
    return [
        (f"{sign} ", style),
        (clean(item.get("task"), 128), "bold"),
        (f" {state}", style),
    ]


def _waits(item: Object) -> str:
    ids = [clean(one, 128) for one in items(item.get("waitsFor"))]
    more = f" +{len(ids) - _MOST_IDS}" if len(ids) > _MOST_IDS else ""
    return f"waits for {', '.join(ids[:_MOST_IDS])}{more}" if ids else ""


def _reason(reason: object) -> list[Cell]:
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
