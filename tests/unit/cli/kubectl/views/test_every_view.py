"""Every view with nothing, with nonsense, with hostile words, and with very much."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from typing import Any, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiro_swarm.cli.kubectl.views.attach import open_text
from kiro_swarm.cli.kubectl.views.audit import audit_table
from kiro_swarm.cli.kubectl.views.commands import commands_table
from kiro_swarm.cli.kubectl.views.dashboard import dashboard
from kiro_swarm.cli.kubectl.views.diff import diff_text
from kiro_swarm.cli.kubectl.views.explain import explain_text
from kiro_swarm.cli.kubectl.views.graph import graph_terminal
from kiro_swarm.cli.kubectl.views.graph_text import graph_dot, graph_mermaid
from kiro_swarm.cli.kubectl.views.instances import instances_table
from kiro_swarm.cli.kubectl.views.ledger import ledger_table
from kiro_swarm.cli.kubectl.views.swarms import swarms_table
from kiro_swarm.cli.kubectl.views.tasks import tasks_tree
from kiro_swarm.cli.kubectl.views.timeline import timeline_terminal
from kiro_swarm.cli.kubectl.views.timeline_svg import timeline_svg
from kiro_swarm.cli.kubectl.views.top import events_table, top_table
from tests.support.pace import in_proportion
from tests.unit.cli.kubectl.views import sample
from tests.unit.cli.kubectl.views.sample import NOW, shown

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m[red]x[/red][/]\r\n\u202e\x08:boom:"
_STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")


def _words(item: Any) -> str:
    return str(item.get("message")) if isinstance(item, dict) else str(item)


#: swarm, instances, tasks, commands, others -> view
VIEWS: dict[str, Callable[..., Any]] = {
    "swarms": lambda s, i, t, c, o: swarms_table([s], True, now=NOW),
    "tasks": lambda s, i, t, c, o: tasks_tree(s, t, True, now=NOW),
    "instances": lambda s, i, t, c, o: instances_table(s, i, t, True, now=NOW),
    "commands": lambda s, i, t, c, o: commands_table(c, True, now=NOW),
    "dashboard": lambda s, i, t, c, o: dashboard(s, i, t, c, NOW),
    "graph": lambda s, i, t, c, o: graph_terminal(t),
    "mermaid": lambda s, i, t, c, o: graph_mermaid(t),
    "dot": lambda s, i, t, c, o: graph_dot(t),
    "timeline": lambda s, i, t, c, o: timeline_terminal(s, t, NOW),
    "svg": lambda s, i, t, c, o: timeline_svg(s, t, NOW),
    "top": lambda s, i, t, c, o: top_table(i, o, o, t, NOW),
    "events": lambda s, i, t, c, o: events_table(o, NOW),
    "explain": lambda s, i, t, c, o: explain_text(o),
    "diff": lambda s, i, t, c, o: diff_text("\n".join(map(_words, o))),
    "open": lambda s, i, t, c, o: open_text((i or [{}])[0], s, (o or [None])[0]),
    "audit": lambda s, i, t, c, o: audit_table(o),
    "ledger": lambda s, i, t, c, o: ledger_table(o),
}
every_view = pytest.mark.parametrize("name", VIEWS)


def said(view: Any, width: int = 100) -> str:
    return view if isinstance(view, str) else shown(view, width)


@every_view
def test_nothing_at_all_is_fine(name: str) -> None:
    assert said(VIEWS[name]({}, [], [], [], []))


@every_view
@pytest.mark.parametrize("nonsense", [{}, {"spec": None, "status": [], "metadata": 1}])
def test_objects_without_fields_are_fine(name: str, nonsense: Any) -> None:
    many = [nonsense]
    assert said(VIEWS[name](nonsense, many, many, many, many))


def poisoned(value: Any) -> Any:
    """The same shape with every text made hostile, times and states apart."""
    if isinstance(value, dict):
        return {key: poisoned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item) for item in value]
    keep = isinstance(value, str) and re.match(r"20[0-9]{2}-|[A-Z][a-z]+\Z", value)
    return value + HOSTILE if isinstance(value, str) and not keep else value


@every_view
def test_no_hostile_word_steers_the_terminal(name: str) -> None:
    parts = (sample.swarm(), sample.instances(), sample.tasks(), sample.commands())
    others = [{"metadata": {"name": "x"}, "message": "m", "what": "w", "reason": "r"}]
    text = said(VIEWS[name](*poisoned([*parts, others])), 400)
    assert not _STEERING.search(text)
    assert "owned" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("name", ["tasks", "instances", "commands", "events", "audit"])
def test_markup_is_shown_and_not_obeyed(name: str) -> None:
    parts = (sample.swarm(), sample.instances(), sample.tasks(), sample.commands())
    others = [{"message": "m", "what": "w"}]
    text = said(VIEWS[name](*poisoned([*parts, others])), 2000)
    assert "[red]x[/red][/] :boom:" in text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
    ),
    max_leaves=5,
)


def _paths(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    found = [(*before, key) for key, _ in pairs]
    for key, item in pairs:
        found += _paths(item, (*before, key))
    return found


_SHOP: list[Any] = [
    sample.swarm(),
    sample.instances()[:1],
    sample.tasks()[9:11],
    sample.commands()[3:],
    [],
]
_PLACES = [path for path in _paths(_SHOP) if len(path) > 2 or path[0] == 0]


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(_PLACES), _JSON)
def test_any_field_may_hold_anything(path: tuple[Any, ...], value: Any) -> None:
    shop: Any = copy.deepcopy(_SHOP)
    inner = shop
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    for view in VIEWS.values():
        said(view(*shop))


@pytest.fixture(scope="module")
def ten_thousand() -> list[dict[str, Any]]:
    states = ["Merged", "Running", "Blocked", "Failed"]
    return [
        sample.task(
            f"{number // 100}.{number % 100}",
            "a very long title " * 50,
            [f"{number // 100}.{number % 100 - 1}"] if number % 100 else [],
            states[number % 4],
            instance=f"shop-{number % 20 + 1}",
            startedAt=sample.at(number),
            finishedAt=sample.at(number + 50),
        )
        for number in range(10_000)
    ]


@every_view
def test_the_time_of_ten_thousand_is_in_proportion(
    name: str, ten_thousand: list[dict[str, Any]]
) -> None:
    def view(tasks: list[dict[str, Any]]) -> None:
        others = tasks[: len(tasks) // 20]
        said(VIEWS[name](sample.swarm(), sample.instances(), tasks, [], others))

    in_proportion(lambda count: ten_thousand[:count], view, len(ten_thousand))


def test_completion_does_not_pay_for_rich() -> None:
    code = "import sys, kiro_swarm.cli.kubectl.views; print('rich' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
