"""One screen about a swarm: it fits, and keeps what is interesting."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console
from rich.live import Live

from kiro_swarm.cli.kubectl.views.dashboard import dashboard
from tests.unit.cli.kubectl.views import sample
from tests.unit.cli.kubectl.views.sample import NOW, shown, task


def screen(width: int, height: int, tasks: Any = None, instances: Any = None) -> str:
    view = dashboard(
        sample.swarm(),
        sample.instances() if instances is None else instances,
        sample.tasks() if tasks is None else tasks,
        sample.commands(),
        NOW,
    )
    return shown(view, width, height)


@pytest.mark.parametrize("size", [(80, 24), (80, 25), (120, 40), (200, 60), (40, 12)])
def test_the_screen_is_never_overfull(size: tuple[int, int]) -> None:
    lines = screen(*size).splitlines()
    assert len(lines) < size[1]
    assert max(map(len, lines)) <= size[0]


def test_the_small_screen_has_all_sections() -> None:
    lines = screen(80, 24).splitlines()
    assert lines[0].startswith("shop  Running  ━")
    assert lines[0].endswith("7/15 merged  11m55s  speed-up 2.5x  3/3 instances")
    assert lines[1] == "task 3.2 failed: no attempts are left"
    assert lines[4].startswith("■ shop-1  Busy   2.4   3m05s  Audit log of sign-ins: ")
    said = "\n".join(lines)
    for words in ("✘ Failed", "● Running", "◕ Done", "◇ Ready"):
        assert words in said, "what is interesting is kept"
    assert "✔ Merged" not in said
    assert "and ○ 2 blocked  ✔ 7 merged  ⊘ 1 skipped" in said
    assert lines[-1].startswith("stop instance shop-3 graceful  Running     30s")


def test_the_large_screen_has_every_task() -> None:
    said = screen(120, 50)
    assert sum(line.startswith(("├─", "└─")) for line in said.splitlines()) == 15
    assert "and " not in said.splitlines()[-6]


@pytest.mark.parametrize(("phase", "told"), [("Running", True), ("Succeeded", False)])
def test_a_swarm_that_works_has_its_forecast_below_its_message(
    phase: str, told: bool
) -> None:
    swarm = sample.swarm()
    forecast = {"message": "done about 14:05 UTC\x1b[2J; late: 2.4"}
    swarm["status"].update(phase=phase, forecast=forecast)
    view = dashboard(swarm, sample.instances(), sample.tasks(), [], NOW)
    second = shown(view, 80, 24).splitlines()[2]
    assert (second == "done about 14:05 UTC; late: 2.4") is told


def test_the_latest_merges_are_kept_before_older_ones() -> None:
    said = screen(100, 31)
    assert "├─ 2.2" in said
    assert "├─ 1.1" not in said


def test_busy_instances_are_kept_before_idle_ones() -> None:
    more = [
        {
            "metadata": {"name": f"shop-{index}"},
            "spec": {"index": index, "colour": "#102030"},
            "status": {"phase": "Ready"},
        }
        for index in range(4, 40)
    ]
    tasks = [*sample.tasks(), task("9", state="Running", instance="shop-39")]
    said = screen(80, 24, tasks, [*sample.instances(), *more])
    assert "■ shop-39" in said
    assert "and 33 more instances" in said


def test_a_swarm_that_has_just_been_made_has_a_screen() -> None:
    view = dashboard({"metadata": {"name": "new"}}, [], [], [], NOW)
    assert [line.rstrip() for line in shown(view, 80).splitlines()] == [
        f"new  Pending  {'─' * 39}  0/0 merged  0/0 instances",
        *("", "", "no instances", "", "no tasks yet", ""),
    ]


def test_a_state_of_a_newer_version_is_counted() -> None:
    tasks = [task(str(number), state="Odd") for number in range(60)]
    assert "? " in screen(80, 24, tasks)
    assert "odd" in screen(80, 24, tasks)


def test_the_screen_lives() -> None:
    console = Console(
        record=True, width=80, height=24, force_terminal=True, color_system=None
    )
    view = dashboard(
        sample.swarm(), sample.instances(), sample.tasks(), sample.commands(), NOW
    )
    with (
        console.capture() as captured,
        Live(view, console=console, screen=True, auto_refresh=False),
    ):
        pass
    assert "shop  Running" in captured.get()
    assert "graceful" in captured.get()
