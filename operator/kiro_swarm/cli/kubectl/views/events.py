"""`kubectl swarm events`: what Kubernetes and the operator told about a swarm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kiro_swarm.cli.kubectl.views.grid import Cell, Grid
from kiro_swarm.cli.kubectl.views.objects import Object, created, moment, number, part
from kiro_swarm.cli.kubectl.views.style import phase_cell
from kiro_swarm.cli.kubectl.views.text import age, clean

_HEADINGS = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]


def events_table(events: Sequence[Object], now: datetime) -> Grid:
    """Events of the core or the events API, the latest last."""
    ordered = sorted(events, key=lambda event: _order(_last(event)))
    return Grid(
        _HEADINGS,
        [_row(event, now) for event in ordered],
        elastic=[3, 4],
        empty="no events found",
    )


def _last(event: Object) -> Any:
    series = part(event, "series").get("lastObservedTime")
    return (
        series
        or event.get("lastTimestamp")
        or event.get("deprecatedLastTimestamp")
        or event.get("eventTime")
        or created(event)
    )


def _order(value: Any) -> float:
    when = moment(value)
    return when.timestamp() if when is not None else 0.0


def _row(event: Object, now: datetime) -> list[Cell]:
    about = part(event, "involvedObject") or part(event, "regarding")
    count = max(
        number(event.get("count")), number(part(event, "series").get("count")), 1
    )
    message = clean(event.get("message") or event.get("note"))
    times = f" (x{count:.0f})" if count > 1 else ""
    kind = clean(about.get("kind"), 63).lower()
    return [
        age(_last(event), now) + times,
        phase_cell(clean(event.get("type"), 32)),
        clean(event.get("reason"), 128),
        f"{kind}/{clean(about.get('name'), 253)}",
        message,
    ]
