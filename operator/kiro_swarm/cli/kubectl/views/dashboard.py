"""``kubectl swarm watch``: one screen about one swarm, to be drawn again and again.

Called with what was last seen; fits itself to the screen it is printed on, from 80x24 up.
Sections keep their places and nothing blinks, so that only what changes moves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Optional

from rich.console import Console, ConsoleOptions, RenderResult

from kiro_swarm.api.meta import ACTIVE_STATES, TASK_STATES
from kiro_swarm.cli.kubectl.views.commands import (
    answer_of,
    by_time,
    sentence_of,
    took,
)
from kiro_swarm.cli.kubectl.views.grid import Cell, Grid, Lines, Part, cut, width_of
from kiro_swarm.cli.kubectl.views.instances import by_index, phase_of
from kiro_swarm.cli.kubectl.views.objects import (
    Object,
    asks_people,
    colour_code,
    in_file_order,
    moment,
    name,
    number,
    part,
    state,
    states_of,
    task_id,
    why,
    worked_seconds,
    working,
)
from kiro_swarm.cli.kubectl.views.style import STATES, glyph, phase_cell, swatch
from kiro_swarm.cli.kubectl.views.swarms import speedup_of
from kiro_swarm.cli.kubectl.views.tasks import pruned, tree_of, tree_rows
from kiro_swarm.cli.kubectl.views.text import clean, duration
from kiro_swarm.tasks.file.ids import prefixes

#: What is kept of the tasks where the screen is too small, first things first.
_INTERESTING: Final = ("Failed", "Running", "Bound", "Done", "Ready", "Blocked")
#: Share of the bar by state, from the left.
_BAR: Final = ("Merged", "Done", "Running", "Bound", "Failed")
_COMMANDS: Final = 3
_BAR_WIDTHS: Final = (10, 40)


def dashboard(
    swarm: Object,
    instances: Sequence[Object],
    tasks: Sequence[Object],
    commands: Sequence[Object],
    now: datetime,
) -> Dashboard:
    """The screen; a rich renderable for ``Live`` or ``Console.print``."""
    return Dashboard(swarm, instances, tasks, commands, now)


class Dashboard:
    """What ``dashboard`` returns."""

    def __init__(
        self,
        swarm: Object,
        instances: Sequence[Object],
        tasks: Sequence[Object],
        commands: Sequence[Object],
        now: datetime,
    ) -> None:
        self.swarm = swarm
        self.instances = by_index(instances)
        self.tasks = in_file_order(tasks)
        self.commands = by_time(commands)
        self.now = now
        self.states = states_of(self.tasks)

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        height = options.height or options.max_height
        lines = Lines(self.lines(options.max_width, height))
        yield from lines.__rich_console__(console, options)

    def lines(self, width: int, height: int) -> list[list[Part]]:
        """At most ``height - 1`` lines of at most ``width`` columns."""
        head = self._head(width)
        instances = self._instances(width, max(2, height // 4))
        commands = self._commands(width, _COMMANDS if height < 40 else 2 * _COMMANDS)
        room = height - 1 - sum(map(len, (head, instances, commands)))
        tasks = self._tasks(width, max(3, room))
        return [*head, *instances, *tasks, *commands][: max(1, height - 1)]

    def _head(self, width: int) -> list[list[Part]]:
        status = part(self.swarm, "status")
        counts = Counter(self.states.values())
        total = len(self.states)
        phase = clean(status.get("phase"), 32) or "Pending"
        end = moment(status.get("finishedAt")) or self.now
        start = moment(status.get("startedAt"))
        said = [f"{counts['Merged']}/{total} merged"]
        if start is not None:
            said.append(duration(max(0.0, (end - start).total_seconds())))
        if speedup_of(self.swarm):
            said.append(f"speed-up {speedup_of(self.swarm)}")
        said.append(f"{clean(status.get('readiness'), 16) or '0/0'} instances")
        before: list[Part] = [(f"{name(self.swarm)}  ", "bold"), *phase_cell(phase)]
        after = "  ".join(said)
        least, most = _BAR_WIDTHS
        room = width - width_of(before) - width_of(after) - 4
        bar = _stacked(counts, total, min(most, max(least, room)))
        first: list[Part] = [*before, ("  ", ""), *bar, ("  ", ""), (after, "")]
        message = clean(status.get("message"), 1024)
        lines = [cut(first, width), cut([(message, "italic")], width)]
        forecast = clean(part(status, "forecast").get("message"), 1024)
        if forecast and phase == "Running":
            lines.append(cut([(forecast, "italic")], width))
        return [*lines, []]

    def _instances(self, width: int, most: int) -> list[list[Part]]:
        busy = working(self.instances, self.tasks)
        order = sorted(self.instances, key=lambda i: name(i) not in busy)
        chosen = {id(instance) for instance in order[:most]}
        rows = [
            self._instance(instance, busy.get(name(instance)))
            for instance in self.instances
            if id(instance) in chosen
        ]
        lines = Grid(
            ["INSTANCE", "PHASE", "TASK", "FOR", "DOING"],
            rows,
            elastic=[0, 4],
            right=[3],
            empty="no instances",
        ).lines(width)
        hidden = len(self.instances) - len(rows)
        more = [[(f"and {hidden} more instances", "dim")]] if hidden else []
        return [*lines, *more, []]

    def _instance(self, instance: Object, task: Optional[Object]) -> list[Cell]:
        status = part(instance, "status")
        doing = clean(status.get("message"), 1024)
        if task is not None:
            title = clean(part(task, "spec").get("title"), 200)
            progress = why(task, self.states)
            doing = f"{title}: {progress}" if title and progress else title or progress
        return [
            swatch(colour_code(instance), name(instance)),
            phase_cell(phase_of(instance, task)),
            [(task_id(task), "bold")] if task is not None else [("-", "dim")],
            duration(worked_seconds(task, self.now)) if task is not None else "",
            doing,
        ]

    def _tasks(self, width: int, room: int) -> list[list[Part]]:
        tree = tree_of(self.tasks)
        chosen = self._chosen(room - 3)  # heading, what is hidden, an empty line
        rows = [
            [row[0], row[1], row[3], row[4], row[5], row[6]]
            for row in tree_rows(
                pruned(tree, chosen),
                self.states,
                False,
                self.now,
                asks_people(self.swarm),
            )
        ]
        lines = Grid(
            ["TASK", "STATE", "INSTANCE", "TIME", "TITLE", "WHY"],
            rows,
            elastic=[4, 5],
            right=[3],
            empty="no tasks yet",
        ).lines(width)
        hidden = Counter(s for i, s in self.states.items() if i not in chosen)
        more = [cut([("and ", "dim"), *_tally(hidden)], width)] if hidden else []
        return [*lines, *more, []]

    def _chosen(self, room: int) -> set[str]:
        """Ids of the tasks to show: the interesting ones, as many as fit with groups."""
        rank = {known: place for place, known in enumerate(_INTERESTING)}
        chosen: set[str] = set()
        shown: set[str] = set()
        for task in sorted(self.tasks, key=lambda t: (rank.get(state(t), 9), _late(t))):
            rows = {task_id(task), *prefixes(task_id(task))[:6]}
            if len(shown | rows) > max(1, room):
                break
            shown |= rows
            chosen.add(task_id(task))
        return chosen

    def _commands(self, width: int, most: int) -> list[list[Part]]:
        rows: list[list[Cell]] = []
        for command in self.commands[-most:]:
            phase = clean(part(command, "status").get("phase"), 32) or "Pending"
            rows.append(
                [
                    [(sentence_of(command), "bold")],
                    phase_cell(phase),
                    took(command, self.now),
                    answer_of(command),
                ]
            )
        headings = ["SENTENCE", "PHASE", "TOOK", "ANSWER"]
        if not rows:
            return []
        return Grid(headings, rows, elastic=[0, 3], right=[2]).lines(width)


def _late(task: Object) -> float:
    """Among tasks of one state the latest merged first, the others as in the file."""
    when = moment(part(task, "status").get("mergedAt"))
    return -when.timestamp() if when is not None else number(0)


def _stacked(counts: Counter[str], total: int, width: int) -> list[Part]:
    """A bar whose parts are as long as the shares of the states."""
    bar: list[Part] = []
    done = filled = 0
    for name_ in _BAR:
        done += counts[name_]
        upto = width * done // total if total else 0
        sign = "━" if name_ == "Merged" else "╌" if name_ in ACTIVE_STATES else "┅"
        bar.append((sign * (upto - filled), STATES[name_][1]))
        filled = upto
    return [*bar, ("─" * (width - filled), "dim")]


def _tally(counts: Counter[str]) -> list[Part]:
    parts: list[Part] = []
    known = [*TASK_STATES, *sorted(set(counts) - set(TASK_STATES))]
    for state_ in known:
        if counts[state_]:
            sign, style = glyph(state_)
            parts += [
                (f"{sign} ", style),
                (f"{counts[state_]} {state_.lower()}  ", "dim"),
            ]
    return parts
