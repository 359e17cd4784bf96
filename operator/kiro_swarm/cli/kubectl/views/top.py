"""``kubectl swarm top`` and ``events``: what the instances use, and what was told of them.

Usage comes from the metrics API, which not every cluster has; without it the columns are
empty and a line says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Optional

from kiro_swarm.cli.kubectl.views.grid import Cell, Grid, Lines, Part
from kiro_swarm.cli.kubectl.views.instances import by_index
from kiro_swarm.cli.kubectl.views.objects import (
    Object,
    colour_code,
    created,
    items,
    moment,
    name,
    number,
    part,
    task_id,
    worked_seconds,
    working,
)
from kiro_swarm.cli.kubectl.views.style import bar, phase_cell, swatch
from kiro_swarm.cli.kubectl.views.text import age, clean, duration

_EVENTS = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
_HEADINGS = ["INSTANCE", "CPU", "MEMORY", "POD", "RESTARTS", "UP", "TASK", "FOR"]
_QUANTITY: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([numkKMGTPE]?i?)\Z")
_UNITS: Final = {
    **{"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9},
    **{"T": 1e12, "P": 1e15, "E": 1e18},
    **{unit + "i": 1024.0**power for power, unit in enumerate("KMGTPE", 1)},
}
_BAR: Final = 6


def quantity(value: object) -> Optional[float]:
    """A Kubernetes quantity as a number: ``250m`` -> 0.25; None for nonsense."""
    found = _QUANTITY.match(value) if isinstance(value, str) else None
    if found is None or found.group(2) not in _UNITS:
        return None
    return float(found.group(1)) * _UNITS[found.group(2)]


def top_table(
    instances: Sequence[Object],
    pods: Sequence[Object],
    metrics: Sequence[Object],
    tasks: Sequence[Object],
    now: datetime,
) -> Lines:
    """Usage by instance; ``metrics`` are the PodMetrics of metrics.k8s.io."""
    pod_of = {name(pod): pod for pod in pods}
    usage_of = {name(item): item for item in metrics}
    busy = working(instances, tasks)
    rows: list[list[Cell]] = []
    for instance in by_index(instances):
        pod_name = clean(part(instance, "status").get("pod"), 253)
        task = busy.get(name(instance))
        pod = pod_of.get(pod_name, {})
        rows.append(
            [
                swatch(colour_code(instance), name(instance)),
                *_usage(pod, usage_of.get(pod_name)),
                phase_cell(clean(part(pod, "status").get("phase"), 32) or "-"),
                str(_restarts(pod)) if pod else "",
                age(part(pod, "status").get("startTime"), now) if pod else "",
                task_id(task) if task is not None else "",
                duration(worked_seconds(task, now)) if task is not None else "",
            ]
        )
    lines: list[Cell] = list(
        Grid(_HEADINGS, rows, right=[4, 7], empty="no instances").lines()
    )
    if rows and not metrics:
        lines.append([("no usage: the cluster has no metrics for these pods", "dim")])
    return Lines(lines)


def _usage(pod: Object, metric: Optional[Object]) -> list[Cell]:
    if metric is None:
        return ["-", "-"]
    used = [part(one, "usage") for one in items(metric.get("containers"))]
    limits = [
        part(part(one, "resources"), "limits")
        for one in items(part(pod, "spec").get("containers"))
    ]
    cpu, memory = _sum(used, "cpu"), _sum(used, "memory")
    return [
        _cell(f"{(cpu or 0) * 1000:.0f}m", cpu, _sum(limits, "cpu")),
        _cell(f"{(memory or 0) / 1024**2:.0f}Mi", memory, _sum(limits, "memory")),
    ]


def _sum(parts: Iterable[Mapping[str, object]], key: str) -> Optional[float]:
    """The sum over the containers, None when one of them does not say it."""
    values = [quantity(one.get(key)) for one in parts]
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _cell(words: str, used: Optional[float], limit: Optional[float]) -> Cell:
    if used is None:
        return "-"
    if not limit:
        return words
    share = used / limit
    style = "bold red" if share >= 0.9 else "yellow" if share >= 0.7 else "green"
    shown: list[Part] = [(f"{words:>7} ", ""), *bar(used, limit, _BAR, style)]
    return [*shown, (f" {share:.0%}", "")]


def _restarts(pod: Object) -> int:
    statuses = items(part(pod, "status").get("containerStatuses"))
    return int(
        sum(number(part({"s": one}, "s").get("restartCount")) for one in statuses)
    )


# ------------------------------------------------------------------ events


def events_table(events: Sequence[Object], now: datetime) -> Grid:
    """Events of the core or the events API, the latest last."""
    ordered = sorted(events, key=lambda event: _seconds_of(_last_seen(event)))
    return Grid(
        _EVENTS,
        [_event_row(event, now) for event in ordered],
        elastic=[3, 4],
        empty="no events found",
    )


def _last_seen(event: Object) -> object:
    series = part(event, "series").get("lastObservedTime")
    return (
        series
        or event.get("lastTimestamp")
        or event.get("deprecatedLastTimestamp")
        or event.get("eventTime")
        or created(event)
    )


def _seconds_of(value: object) -> float:
    when = moment(value)
    return when.timestamp() if when is not None else 0.0


def _event_row(event: Object, now: datetime) -> list[Cell]:
    about = part(event, "involvedObject") or part(event, "regarding")
    count = max(
        number(event.get("count")), number(part(event, "series").get("count")), 1
    )
    message = clean(event.get("message") or event.get("note"))
    times = f" (x{count:.0f})" if count > 1 else ""
    kind = clean(about.get("kind"), 63).lower()
    return [
        age(_last_seen(event), now) + times,
        phase_cell(clean(event.get("type"), 32)),
        clean(event.get("reason"), 128),
        f"{kind}/{clean(about.get('name'), 253)}",
        message,
    ]
