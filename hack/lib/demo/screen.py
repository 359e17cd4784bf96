"""Shows a swarm at work: a live picture on a terminal, else a line for each event.

Called by the story with one snapshot after another.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timezone
from typing import Callable, Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hack.lib.demo.snapshot import EMPTY, Event, Snapshot, Task, events

Show = Callable[[Snapshot], None]
SWATCH = "■■"
_STYLES = {
    "Blocked": "dim",
    "Ready": "white",
    "Bound": "cyan",
    "Running": "bold cyan",
    "Done": "yellow",
    "Merged": "green",
    "Pushed": "green",
    "Succeeded": "bold green",
    "Back": "magenta",
    "Remark": "yellow",
    "Failed": "bold red",
    "Skipped": "dim",
}
# Lines of the picture that are not tasks: head, foot, titles, rules.
_FRAME = 9
_INTERESTING = ("Failed", "Running", "Bound", "Done", "Ready", "Blocked", "Merged")


@contextlib.contextmanager
def screen(console: Console) -> Iterator[Show]:
    """Gives a function that shows a snapshot, in the way that fits the console."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4) as live:
            yield lambda snapshot: live.update(
                picture(snapshot, console.height, _now())
            )
    else:
        before = EMPTY

        def show(snapshot: Snapshot) -> None:
            nonlocal before
            for event in events(before, snapshot):
                console.print(line(event, snapshot), soft_wrap=True)
            before = snapshot

        yield show


def _now() -> datetime:
    return datetime.now(timezone.utc)


def line(event: Event, snapshot: Snapshot) -> Text:
    """An event for a log: time since the first task started, what, details."""
    seconds = snapshot.seconds(_now())
    merged = f"{snapshot.count('Merged')}/{len(snapshot.tasks)}"
    return Text.assemble(
        f"{seconds:7.1f} s  {merged:>7}  ",
        (f"{event.what:<10}", _STYLES.get(event.what, "")),
        event.text,
    )


def picture(snapshot: Snapshot, height: int, now: datetime) -> RenderableType:
    """The whole swarm in at most `height` lines."""
    room = max(5, height - _FRAME - len(snapshot.instances))
    return Group(
        Text(f"{snapshot.phase}: {snapshot.message}", style="bold", no_wrap=True),
        _instances(snapshot),
        _tasks(snapshot, room),
        _foot(snapshot, now),
    )


def _instances(snapshot: Snapshot) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for instance in snapshot.instances:
        table.add_row(
            Text(SWATCH, style=instance.colour),
            instance.name,
            Text(instance.colour_name, style="dim"),
            f"task {instance.task}" if instance.task else instance.phase.lower(),
        )
    return table


def _tasks(snapshot: Snapshot, room: int) -> Table:
    colours = {instance.name: instance.colour for instance in snapshot.instances}
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("task", "state", "by", "", ""):
        table.add_column(title, no_wrap=True)
    for task in _chosen(snapshot, room):
        style = _STYLES.get(task.state, "")
        by = colours.get(task.instance)
        again = f" (attempt {task.attempt})" if task.attempt > 1 else ""
        table.add_row(
            Text(task.id, style=style),
            Text(task.state + again, style=style),
            Text(SWATCH, style=by) if by else "",
            Text(task.title, style=style),
            Text(task.message, style="dim"),
        )
    left = len(snapshot.tasks) - table.row_count
    if left:
        table.add_row("", Text(f"and {left} more", style="dim"))
    return table


def _chosen(snapshot: Snapshot, room: int) -> list[Task]:
    """All tasks in the order of the file; the most interesting ones when too many."""
    if len(snapshot.tasks) <= room:
        return list(snapshot.tasks)
    rank = {state: number for number, state in enumerate(_INTERESTING)}
    return sorted(
        snapshot.tasks, key=lambda task: rank.get(task.state, len(_INTERESTING))
    )[: room - 1]


def _foot(snapshot: Snapshot, now: datetime) -> Text:
    total = len(snapshot.tasks)
    finished = snapshot.count("Merged", "Skipped")
    done = 40 * finished // total if total else 0
    text = Text.assemble(
        ("━" * done, "green"),
        ("━" * (40 - done), "dim"),
        f"  {snapshot.count('Merged')}/{total} merged",
        f"  {snapshot.seconds(now):.0f} s",
    )
    if snapshot.ratio:
        text.append(f"  {snapshot.ratio:.1f} times as fast as one by one")
    if snapshot.head:
        text.append(f"  {snapshot.branch} at {snapshot.head[:9]}", style="dim")
    return text
